// The queries of Nexmark against their oracles, on samples: in and out of order, with one subtask and with several. The benchmark itself checks each
// query on more events before it is timed.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { type CheckOptions, checkQuery, compareRows } from '../../../bench/nexmark/check.ts'
import { generateEvents } from '../../../bench/nexmark/generator.ts'
import { ORACLES } from '../../../bench/nexmark/oracles/all.ts'
import { QUERIES } from '../../../bench/nexmark/queries/all.ts'

// Bids name bidders who register 50,000 events later, so fewer events would leave q23 without results.
const ORDERED: CheckOptions = { events: 60_000 }
const MIXED: CheckOptions = { events: 20_000, seed: 2, outOfOrderGroupSize: 1000 }
const PARALLEL: CheckOptions = { events: 20_000, seed: 3, parallelism: 3 }

// On fewer events they have no results at all.
const LATE: ReadonlySet<string> = new Set(['q23'])

describe('the queries of Nexmark', () => {
  test('are all there, each with an oracle', () => {
    const ids = Array.from({ length: 24 }, (_, index) => `q${index}`)
    assert.deepEqual(
      QUERIES.map(({ id }) => id),
      ids,
    )
    assert.deepEqual(Object.keys(ORACLES), ids)
  })

  for (const query of QUERIES) {
    test(`${query.id} (${query.title}) gives what its oracle tells`, async () => {
      const { settledRows } = await checkQuery(query, ORDERED)
      assert.ok(settledRows > 0)
    })

    test(`${query.id} gives it for events out of order too`, async () => {
      const { settledRows } = await checkQuery(query, MIXED)
      assert.ok(settledRows > 0 || LATE.has(query.id))
    })

    test(`${query.id} gives it with three subtasks too`, async () => {
      const { settledRows } = await checkQuery(query, PARALLEL)
      assert.ok(settledRows > 0 || LATE.has(query.id))
    })
  }
})

describe('the comparison with an oracle', () => {
  test('sees a row that is missing, one too many, and one that is there once instead of twice', () => {
    const rows = [{ a: 1, b: 2 }, { a: 1, b: 2 }, { a: 3 }]
    compareRows('same', [{ a: 3 }, { b: 2, a: 1 }, { a: 1, b: 2 }], rows)
    assert.throws(() => compareRows('fewer', rows.slice(0, 2), rows), /fewer: 2 rows, the oracle has 3/)
    assert.throws(() => compareRows('more', [...rows, { a: 4 }], rows), /only the query:\n {2}\[\["a",4\]\]/)
    assert.throws(() => compareRows('once', [rows[0], rows[2], rows[2]], rows), /only the oracle:/)
  })

  test('fails for every query that loses a third of its events', () => {
    const events = generateEvents({ events: 60_000, eventsPerSecond: 2000 })
    const rest = events.filter((_, index) => index % 3 !== 0)
    for (const { id } of QUERIES)
      assert.throws(() => compareRows(id, ORACLES[id](rest), ORACLES[id](events)), /only the oracle/, id)
  })
})
