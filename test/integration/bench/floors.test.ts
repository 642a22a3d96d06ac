// The floors and the oracles of the benchmark: each gives the sums of the reference, by three ways to them.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WORKLOADS } from '../../../bench/definitions.ts'
import { keyedSumOracle, rollingOracle } from '../../../bench/oracles.ts'
import { floorReport, floorStandings } from '../../../bench/report.ts'

const MILLION = 1_000_000

for (const { id, records, recordsStep, expected, floors, oracle } of WORKLOADS) {
  describe(id, () => {
    test('gives the normative sum by oracle and by both floors', () => {
      assert.deepEqual(oracle({ records, splits: 1 }), expected)
      assert.deepEqual(floors.idiomatic(records), expected)
      assert.deepEqual(floors.bytes(records), expected)
    })

    test('gives the same by oracle and by both floors over numbers of records that end within a window and a lap', () => {
      for (const steps of [1, 7, 80_001]) {
        const count = Math.min(steps * recordsStep, MILLION)
        const sums = oracle({ records: count, splits: 1 })
        assert.deepEqual(floors.idiomatic(count), sums, `${count} records`)
        assert.deepEqual(floors.bytes(count), sums, `${count} records`)
      }
    })
  })
}

describe('over two splits', () => {
  test('the keyed sums are those of the reference', () => {
    assert.equal(keyedSumOracle(10_000, { records: 10 * MILLION, splits: 2 }).sum, 5_009_993_891)
    assert.equal(keyedSumOracle(MILLION, { records: 6 * MILLION, splits: 2 }).sum, 23_995_910)
  })

  test('the views are those of the reference', () => {
    const { oracle } = WORKLOADS.find(({ id }) => id === 'W4') as (typeof WORKLOADS)[number]
    assert.equal(oracle({ records: 2 * MILLION, splits: 2 }).sum, 669_090)
  })

  test('the words of a lap that each split has begun at its own line are those of one split', () => {
    const lap = { records: 65_536 * 8 * 2, splits: 1 }
    assert.deepEqual(rollingOracle({ ...lap, splits: 2 }), rollingOracle(lap))
  })
})

describe('the standings of floors', () => {
  const measured = WORKLOADS.map(workload => ({
    workload,
    // A machine that is twice as fast in all.
    floors: { idiomatic: workload.reference.idiomatic * 2e6, bytes: workload.reference.bytes * 2e6 },
  }))

  test('of a machine that is faster in all are those of the reference', () => {
    const standings = floorStandings(measured)
    assert.equal(standings.length, 2 * WORKLOADS.length)
    for (const { standing, isWithin } of standings) assert.ok(isWithin && Math.abs(standing - 1) < 1e-9)
    assert.match(floorReport(standings), /All floors stand to each other as in the reference\./)
  })

  test('name a floor that has become slow', () => {
    const slow = measured.map(({ workload, floors }) => ({
      workload,
      floors: workload.id === 'W2' ? { ...floors, idiomatic: floors.idiomatic / 2 } : floors,
    }))
    const misplaced = floorStandings(slow).filter(({ isWithin }) => !isWithin)
    assert.deepEqual(
      misplaced.map(({ workload, floor, standing }) => [workload, floor, standing]),
      [['W2', 'idiomatic', 0.5]],
    )
    assert.match(floorReport(floorStandings(slow)), /The idiomatic floor of W2 is out of place: 0\.50 .*0\.6 to 1\.6/)
  })
})
