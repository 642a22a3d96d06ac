import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type AlignedWindows, alignedWindows, GLOBAL_WINDOW, newestStart } from './assigner.ts'

/** The starts of all windows that hold a timestamp, newest first, as the window operator walks them. */
function startsOf(windows: AlignedWindows, timestampMs: number): number[] {
  const starts: number[] = []
  for (let start = newestStart(windows, timestampMs); start > timestampMs - windows.sizeMs; start -= windows.slideMs) {
    starts.push(start)
  }
  return starts
}

function tumbling(sizeMs: number, offsetMs = 0): AlignedWindows {
  return alignedWindows({ kind: 'tumbling', sizeMs, offsetMs }) as AlignedWindows
}

describe('newestStart', () => {
  it('begins a tumbling window at each multiple of its size', () => {
    assert.deepEqual(
      [0, 1, 4999, 5000, 12_345].map(timestamp => newestStart(tumbling(5000), timestamp)),
      [0, 0, 0, 5000, 10_000],
    )
  })

  it('goes on before the epoch', () => {
    assert.deepEqual(
      [-1, -4999, -5000, -5001].map(timestamp => newestStart(tumbling(5000), timestamp)),
      [-5000, -5000, -5000, -10_000],
    )
  })

  it('moves all windows by the offset, which may be negative or more than a size', () => {
    for (const offset of [1000, -4000, 11_000]) {
      assert.deepEqual(
        [-4001, 0, 999, 1000, 5999, 6000].map(timestamp => newestStart(tumbling(5000, offset), timestamp)),
        [-9000, -4000, -4000, 1000, 1000, 6000],
      )
    }
  })

  it('begins a sliding window at each multiple of its slide', () => {
    const sliding = { sizeMs: 10, slideMs: 4, offsetMs: 0 }
    assert.deepEqual(startsOf(sliding, 9), [8, 4, 0])
    assert.deepEqual(startsOf(sliding, 10), [8, 4])
    assert.deepEqual(startsOf(sliding, -1), [-4, -8])
  })

  it('leaves a timestamp between windows that slide further than their size to none', () => {
    const gaps = { sizeMs: 3, slideMs: 10, offsetMs: 0 }
    assert.deepEqual(startsOf(gaps, 2), [0])
    assert.deepEqual(startsOf(gaps, 3), [])
  })

  it('takes fractions of a millisecond', () => {
    assert.deepEqual(
      [-0.25, 0.5, 4999.75].map(timestamp => newestStart(tumbling(5000), timestamp)),
      [-5000, 0, 0],
    )
  })

  it('gives every window that holds the timestamp and no other', () => {
    const duration = fc.integer({ min: 1, max: 60 })
    const anyTime = fc.oneof(
      fc.integer({ min: -200, max: 200 }),
      fc.integer({ min: -1, max: 1 }).map(n => n * 8e15),
    )
    fc.assert(
      fc.property(duration, duration, fc.integer({ min: -80, max: 80 }), anyTime, (sizeMs, slideMs, offsetMs, time) => {
        const starts = startsOf({ sizeMs, slideMs, offsetMs }, time)
        for (const start of starts) {
          assert.ok(start <= time && time < start + sizeMs, `[${start}, ${start + sizeMs}) holds ${time}`)
        }
        const expected: number[] = []
        for (let start = time; start > time - sizeMs; start--) {
          if (Math.abs((start - offsetMs) % slideMs) === 0) expected.push(start)
        }
        assert.deepEqual(starts, expected)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('alignedWindows', () => {
  it('takes a tumbling window for one that slides by its size', () => {
    assert.deepEqual(tumbling(5000, 100), { sizeMs: 5000, slideMs: 5000, offsetMs: 100 })
  })

  it('keeps size, slide and offset of a sliding window apart', () => {
    assert.deepEqual(alignedWindows({ kind: 'sliding', sizeMs: 10, slideMs: 4, offsetMs: 3 }), {
      sizeMs: 10,
      slideMs: 4,
      offsetMs: 3,
    })
  })

  it('has no aligned form of the global window, which is without end', () => {
    assert.equal(alignedWindows({ kind: 'global', restarts: false }), undefined)
    assert.deepEqual(GLOBAL_WINDOW, { start: -Infinity, end: Infinity })
    assert.ok(Object.isFrozen(GLOBAL_WINDOW))
  })
})
