// Kafka's sliding windows of one key, against a brute force over the records that were taken.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { AggregateFunction } from '../model/functions.ts'
import { PerRecordEntry, PerRecordWindows } from './per-record-window.ts'

/** The ids of a window's records in the order in which they came. */
const IDS: AggregateFunction<unknown, unknown, unknown> = {
  create: () => [],
  add: (ids: unknown, id: unknown) => [...(ids as number[]), id],
  merge: () => assert.fail('nothing is merged'),
  result: (ids: unknown) => ids,
}

interface Taken {
  readonly id: number
  readonly at: number
}

/** A run of records of one key with stream time, as the operator does it; keeps the newest content of each window. */
class Run {
  readonly contents = new Map<number, readonly number[]>()
  readonly taken: Taken[] = []
  readonly updates: number[][] = []
  readonly entry = new PerRecordEntry(null, 0)
  readonly windows: PerRecordWindows
  readonly graceMs: number
  streamTimeMs = -Infinity

  constructor(timeDifferenceMs: number, graceMs: number) {
    this.windows = new PerRecordWindows(timeDifferenceMs, IDS)
    this.graceMs = graceMs
  }

  give(times: readonly number[]): this {
    for (const [id, at] of times.entries()) {
      this.streamTimeMs = Math.max(this.streamTimeMs, at)
      const isTaken = this.windows.add(this.entry, id, at, this.streamTimeMs - this.graceMs)
      this.windows.purge(this.entry, this.streamTimeMs - this.graceMs)
      this.updates.push(isTaken ? this.windows.changed.map(({ start }) => start) : [])
      if (!isTaken) continue
      this.taken.push({ id, at })
      for (const { start, accumulator } of this.windows.changed) this.contents.set(start, accumulator as number[])
    }
    return this
  }
}

function idsWithin(records: readonly Taken[], start: number, end: number): number[] {
  return records.filter(({ at }) => at >= start && at <= end).map(({ id }) => id)
}

/** Where windows begin: with the difference before each record (not before 0, for records from 0 on), and 1 ms after each that has later ones near. */
function startsOf(records: readonly Taken[], differenceMs: number): number[] {
  const starts = new Set<number>()
  for (const { at } of records) {
    starts.add(at >= 0 && at < differenceMs ? 0 : at - differenceMs)
    if (idsWithin(records, at + 1, at + 1 + differenceMs).length > 0) starts.add(at + 1)
  }
  return [...starts].sort((a, b) => a - b)
}

const anyTimes = fc.array(fc.integer({ min: -20, max: 60 }), { maxLength: 25 })

describe('per-record windows', () => {
  it('are all windows that begin or end at a record, each with the records in it', () => {
    fc.assert(
      fc.property(anyTimes, fc.integer({ min: 1, max: 15 }), (times, differenceMs) => {
        const { contents, taken } = new Run(differenceMs, 1000).give(times)
        assert.equal(taken.length, times.length)
        const starts = [...contents.keys()].sort((a, b) => a - b)
        assert.deepEqual(starts, startsOf(taken, differenceMs))
        for (const start of starts) assert.deepEqual(contents.get(start), idsWithin(taken, start, start + differenceMs))
      }),
      { numRuns: 2000 },
    )
  })

  it('are all distinct sets of records within the difference, as KIP-450 says', () => {
    fc.assert(
      fc.property(anyTimes, fc.integer({ min: 1, max: 15 }), (times, differenceMs) => {
        // Before the difference after 0 Kafka joins windows, so these sets are asked for away from 0.
        const later = times.map(at => at + 1000)
        const { contents, taken } = new Run(differenceMs, 1000).give(later)
        const sets = new Set<string>()
        for (let start = 900; start <= 1100; start++) sets.add(`${idsWithin(taken, start, start + differenceMs)}`)
        sets.delete('')
        assert.deepEqual(new Set([...contents.values()].map(String)), sets)
      }),
      { numRuns: 500 },
    )
  })

  it('change with each record exactly where they hold it and are open, or hold its later ones', () => {
    fc.assert(
      fc.property(
        anyTimes,
        fc.integer({ min: 1, max: 15 }),
        fc.integer({ min: 0, max: 30 }),
        (times, differenceMs, graceMs) => {
          const run = new Run(differenceMs, graceMs)
          run.give(times)
          const records: Taken[] = []
          let streamTimeMs = -Infinity
          for (const [id, at] of times.entries()) {
            streamTimeMs = Math.max(streamTimeMs, at)
            const isOpen = (start: number): boolean => start + differenceMs + graceMs >= streamTimeMs
            const after = [...records, { id, at }]
            const existing = new Set(startsOf(records, differenceMs))
            const holding = startsOf(after, differenceMs).filter(
              start => isOpen(start) && at >= start && at <= start + differenceMs,
            )
            const expected = startsOf(after, differenceMs).filter(
              start => holding.includes(start) || (start === at + 1 && isOpen(start) && !existing.has(start)),
            )
            assert.deepEqual(run.updates[id], holding.length === 0 ? [] : expected, `record ${id} at ${at}`)
            if (holding.length > 0) records.push({ id, at })
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('that are open hold all records of their time that were taken', () => {
    fc.assert(
      fc.property(
        anyTimes,
        fc.integer({ min: 1, max: 15 }),
        fc.integer({ min: 0, max: 30 }),
        (times, differenceMs, graceMs) => {
          const { contents, taken, streamTimeMs } = new Run(differenceMs, graceMs).give(times)
          for (const [start, ids] of contents) {
            if (start + differenceMs + graceMs >= streamTimeMs)
              assert.deepEqual(ids, idsWithin(taken, start, start + differenceMs))
          }
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('let go of records that no window can hold any more', () => {
    const run = new Run(10, 5)
    run.give([0, 12])
    run.windows.purge(run.entry, 11)
    assert.deepEqual(run.entry.timestamps, [0, 12])
    run.windows.purge(run.entry, 12)
    assert.deepEqual(run.entry.timestamps, [12])
    assert.deepEqual([run.entry.records, run.entry.sequences], [[1], [1]])
  })
})
