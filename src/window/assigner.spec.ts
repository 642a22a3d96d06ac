import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { AlignedWindows } from './assigner.ts'
import { alignedWindows, GLOBAL_WINDOW, newestStart } from './assigner.ts'

/** The starts of all windows of a timestamp, newest first, as the window operator walks them. */
function startsOf(windows: AlignedWindows, timestampMs: number): number[] {
  const starts: number[] = []
  for (let start = newestStart(windows, timestampMs); start > timestampMs - windows.sizeMs; start -= windows.slideMs) {
    starts.push(start)
  }
  return starts
}

/** The same by trying every start in reach. */
function naiveStarts({ sizeMs, slideMs, offsetMs }: AlignedWindows, timestampMs: number): number[] {
  const starts: number[] = []
  for (let start = timestampMs; start > timestampMs - sizeMs; start--) {
    const steps = (start - offsetMs) / slideMs
    if (Number.isInteger(steps)) starts.push(start)
  }
  return starts
}

const tumbling = (sizeMs: number, offsetMs = 0): AlignedWindows => ({ sizeMs, slideMs: sizeMs, offsetMs })

describe('newestStart', () => {
  for (const [windows, timestampMs, expected] of [
    [tumbling(5000), 0, 0],
    [tumbling(5000), 4999, 0],
    [tumbling(5000), 5000, 5000],
    [tumbling(5000), -1, -5000],
    [tumbling(5000), -5000, -5000],
    [tumbling(5000), -5001, -10_000],
    [tumbling(5000, 1000), 999, -4000],
    [tumbling(5000, 1000), 1000, 1000],
    [tumbling(5000, -1000), 4000, 4000],
    [tumbling(5000, 12_000), 1999, -3000],
    [tumbling(86_400_000, -7_200_000), 1_700_000_000_000, 1_699_999_200_000],
    [{ sizeMs: 10_000, slideMs: 2000, offsetMs: 0 }, 5999, 4000],
    [{ sizeMs: 10_000, slideMs: 2000, offsetMs: 500 }, 499, -1500],
  ] as const) {
    it(`is ${expected} for ${timestampMs} in ${JSON.stringify(windows)}`, () => {
      assert.equal(newestStart(windows, timestampMs), expected)
    })
  }

  it('leads to exactly the windows that hold the timestamp, for negative times and offsets too', () => {
    const windows = fc.record({
      sizeMs: fc.integer({ min: 1, max: 40 }),
      slideMs: fc.integer({ min: 1, max: 40 }),
      offsetMs: fc.integer({ min: -60, max: 60 }),
    })
    fc.assert(
      fc.property(windows, fc.integer({ min: -200, max: 200 }), (aligned, timestampMs) => {
        const starts = startsOf(aligned, timestampMs)
        assert.deepEqual(starts, naiveStarts(aligned, timestampMs))
        for (const start of starts) assert.ok(start <= timestampMs && timestampMs < start + aligned.sizeMs)
      }),
      { numRuns: 3000 },
    )
  })

  it('gives each timestamp size / slide windows when the slide divides the size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: -1e13, max: 1e13 }),
        (slideMs, count, timestampMs) => {
          assert.equal(startsOf({ sizeMs: slideMs * count, slideMs, offsetMs: 0 }, timestampMs).length, count)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('holds fractional timestamps', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), timestampMs => {
        const start = newestStart(tumbling(1000), timestampMs)
        assert.ok(
          start <= timestampMs && timestampMs < start + 1000,
          `${timestampMs} is not in [${start}, ${start + 1000})`,
        )
      }),
      { numRuns: 1000, examples: [[-1e-17], [-Number.MIN_VALUE], [999.9999999999999]] },
    )
  })
})

describe('alignedWindows', () => {
  it('takes a tumbling window as one that slides by its size', () => {
    assert.deepEqual(alignedWindows({ kind: 'tumbling', sizeMs: 5, offsetMs: 2 }), {
      sizeMs: 5,
      slideMs: 5,
      offsetMs: 2,
    })
  })

  it('keeps size, slide and offset of a sliding window', () => {
    const assigner = { kind: 'sliding', sizeMs: 10, slideMs: 5, offsetMs: 1 } as const
    assert.deepEqual(alignedWindows(assigner), { sizeMs: 10, slideMs: 5, offsetMs: 1 })
  })

  it('has none for the global assigner, whose one window is unbounded', () => {
    assert.equal(alignedWindows({ kind: 'global' }), undefined)
    assert.deepEqual(GLOBAL_WINDOW, { start: -Infinity, end: Infinity })
    assert.ok(Object.isFrozen(GLOBAL_WINDOW))
  })
})
