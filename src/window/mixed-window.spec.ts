// Storm's windows of one key, against a model that has all records in hand.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { MixedExtent, MixedWindow, MixedWindowSpec } from '../model/mixed-window-spec.ts'
import { MixedWindowEntry, MixedWindows } from './mixed-window.ts'

interface Arrival {
  readonly id: number
  readonly at: number
}

/** Records, and times up to which all have come, as they come. */
type Step = { readonly record: Arrival } | { readonly upTo: number }

function specOf(length: MixedExtent, slide: MixedExtent): MixedWindowSpec {
  return {
    timeDomain: 'event-time',
    length,
    slide,
    lagMs: 0,
    recordsMax: 1000,
    function: { kind: 'process', process: () => {} },
  }
}

function count(records: number): MixedExtent {
  return { kind: 'records', count: records }
}

function time(durationMs: number): MixedExtent {
  return { kind: 'time', durationMs }
}

/** All windows that fire, in order; records that come behind the time are left out, as the operator does. */
function run(spec: MixedWindowSpec, steps: readonly Step[]): MixedWindow<unknown>[] {
  const windows = new MixedWindows(spec)
  const entry = new MixedWindowEntry(null, 0)
  const fired: MixedWindow<unknown>[] = []
  let time = -Infinity
  for (const step of steps) {
    if ('record' in step) {
      if (step.record.at > time) windows.add(entry, step.record, step.record.at)
      continue
    }
    time = Math.max(time, step.upTo)
    while (windows.dueMs(entry) <= time && windows.dueMs(entry) !== Infinity) {
      const window = windows.take(entry, time === Infinity)
      if (window !== undefined) fired.push(window)
    }
  }
  return fired
}

/** The records that count, in the order of time and then of arrival. */
function admitted(steps: readonly Step[]): Arrival[] {
  const records: Arrival[] = []
  let time = -Infinity
  for (const step of steps) {
    if ('upTo' in step) time = Math.max(time, step.upTo)
    else if (step.record.at > time) records.push(step.record)
  }
  return records.sort((a, b) => a.at - b.at || a.id - b.id)
}

/** The end of each window, and how many of the records had come by then, by the words of the contract. */
function* firings(spec: MixedWindowSpec, records: readonly Arrival[]): Generator<{ endMs: number; past: number }> {
  const upTo = (endMs: number): number => records.filter(({ at }) => at <= endMs).length
  if (spec.slide.kind === 'records') {
    for (let past = spec.slide.count; past <= records.length; past += spec.slide.count) {
      const endMs = (records[past - 1] as Arrival).at
      yield { endMs, past: spec.length.kind === 'time' ? upTo(endMs) : past }
    }
    return
  }
  const { durationMs } = spec.slide
  const [first] = records
  const last = records.at(-1)
  if (first === undefined || last === undefined) return
  // Plus 0, as -0 is another number for deepEqual.
  const endOf = (at: number): number => Math.ceil(at / durationMs) * durationMs + 0
  const untilMs = spec.length.kind === 'records' ? endOf(last.at) : last.at + spec.length.durationMs
  for (let endMs = endOf(first.at); endMs <= untilMs; endMs += durationMs) yield { endMs, past: upTo(endMs) }
}

function model(spec: MixedWindowSpec, steps: readonly Step[]): MixedWindow<unknown>[] {
  const records = admitted(steps)
  const fired: MixedWindow<unknown>[] = []
  let left = 0
  let seen = new Set<Arrival>()
  let expired: Arrival[] = []
  for (const { endMs, past } of firings(spec, records)) {
    const start = spec.length.kind === 'time' ? endMs - spec.length.durationMs : -Infinity
    const candidates = records.slice(0, past)
    const elements =
      spec.length.kind === 'time' ? candidates.filter(({ at }) => at > start) : candidates.slice(-spec.length.count)
    const goneBy = past - elements.length
    expired.push(...records.slice(left, Math.max(left, goneBy)))
    left = Math.max(left, goneBy)
    if (elements.length > 0) {
      fired.push({ elements, added: elements.filter(record => !seen.has(record)), expired, start, end: endMs })
    }
    seen = new Set(elements)
    expired = []
  }
  return fired
}

const anyExtent: fc.Arbitrary<MixedExtent> = fc.oneof(
  fc.integer({ min: 1, max: 6 }).map(count),
  fc.integer({ min: 1, max: 12 }).map(time),
)

const anySpec: fc.Arbitrary<MixedWindowSpec> = fc
  .tuple(anyExtent, anyExtent)
  .filter(([length, slide]) => length.kind !== 'time' || slide.kind !== 'time' || slide.durationMs <= length.durationMs)
  .map(([length, slide]) => specOf(length, slide))

const anySteps: fc.Arbitrary<Step[]> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: -30, max: 60 }).map(at => ({ record: { id: 0, at } })) },
      { weight: 1, arbitrary: fc.integer({ min: -30, max: 60 }).map(upTo => ({ upTo })) },
    ),
    { maxLength: 40 },
  )
  .map(steps => [
    ...steps.map((step, id): Step => ('record' in step ? { record: { ...step.record, id } } : step)),
    { upTo: Infinity },
  ])

describe('mixed windows', () => {
  it('are those of a model that has all records in hand, whatever the mix', () => {
    fc.assert(
      fc.property(anySpec, anySteps, (spec, steps) => {
        const found = run(spec, steps)
        const expected = model(spec, steps)
        if (spec.length.kind === 'time' || spec.slide.kind === 'records') {
          assert.deepEqual(found, expected)
          return
        }
        // Repetitions of the last window depend on how far time goes, the others do not.
        const isNews = (window: MixedWindow<unknown>, index: number): boolean => index === 0 || window.added.length > 0
        assert.deepEqual(found.filter(isNews), expected.filter(isNews))
        for (const { added, expired } of found.filter((window, index) => !isNews(window, index))) {
          assert.deepEqual([added, expired], [[], []])
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('do not depend on how often it was said that time went on, if no record is late', () => {
    fc.assert(
      fc.property(anySpec, fc.array(fc.integer({ min: -30, max: 60 }), { maxLength: 40 }), (spec, times) => {
        const arrivals = times.map((at, id) => ({ id, at })).sort((a, b) => a.at - b.at)
        const once: Step[] = [...arrivals.map(record => ({ record })), { upTo: Infinity }]
        const often: Step[] = [...arrivals.flatMap(record => [{ upTo: record.at - 1 }, { record }]), { upTo: Infinity }]
        assert.deepEqual(run(spec, often), run(spec, once))
      }),
    )
  })

  it('of a number of records repeat as long as time goes on, and end with the last record at the end', () => {
    const spec = specOf(count(2), time(10))
    const steps: Step[] = [{ record: { id: 1, at: 5 } }, { record: { id: 2, at: 12 } }]
    const ends = (...more: Step[]): number[] => run(spec, [...steps, ...more]).map(({ end }) => end)
    assert.deepEqual(ends({ upTo: 45 }), [10, 20, 30, 40])
    assert.deepEqual(ends({ upTo: 45 }, { upTo: Infinity }), [10, 20, 30, 40])
    assert.deepEqual(ends({ upTo: Infinity }), [10, 20])
  })

  it('of time hold all records of the moment at which a slide by count is complete', () => {
    const spec = specOf(time(5), count(2))
    const steps: Step[] = [1, 2, 3].map(id => ({ record: { id, at: 7 } }))
    const [window, ...others] = run(spec, [...steps, { upTo: 7 }])
    assert.deepEqual(others, [])
    assert.deepEqual([window?.elements.length, window?.start, window?.end], [3, 2, 7])
  })

  it('keep nothing of a key once a window was empty', () => {
    const windows = new MixedWindows(specOf(time(10), time(10)))
    const entry = new MixedWindowEntry(null, 0)
    windows.add(entry, 'x', 3)
    assert.deepEqual(windows.take(entry, false)?.elements, ['x'])
    assert.equal(entry.isEmpty(), false)
    assert.equal(windows.take(entry, false), undefined)
    assert.equal(entry.isEmpty(), true)
    assert.equal(windows.dueMs(entry), Infinity)
  })
})
