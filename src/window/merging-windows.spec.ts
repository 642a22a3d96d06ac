import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { TimeWindow } from '../model/functions.ts'
import type { SessionAssigner } from '../model/window-spec.ts'
import { type MergingWindows, mergingWindows } from './merging-windows.ts'

function sessions(rest: Partial<SessionAssigner> = {}): MergingWindows {
  return mergingWindows({ kind: 'session', gapMs: 10, touching: 'merge', end: 'after-gap', ...rest })
}

function window(start: number, end: number): TimeWindow {
  return { start, end }
}

function holders(...windows: readonly TimeWindow[]) {
  return windows.map(each => ({ window: each }))
}

describe('sessions', () => {
  test('give each record a window of the gap, and join it with all that it overlaps', () => {
    const merging = sessions()
    assert.deepEqual(merging.windowsOf({}, 5), [window(5, 15)])
    assert.deepEqual(merging.join([], window(5, 15)), { joined: [], into: window(5, 15) })
    assert.deepEqual(merging.join(holders(window(0, 10), window(30, 40), window(14, 24)), window(5, 15)), {
      joined: [0, 2],
      into: window(0, 24),
    })
  })

  test('that touch are one, or separate where asked for', () => {
    const held = holders(window(0, 10), window(20, 30))
    assert.deepEqual(sessions().join(held, window(10, 20)), { joined: [0, 1], into: window(0, 30) })
    assert.deepEqual(sessions({ touching: 'separate' }).join(held, window(10, 20)), {
      joined: [],
      into: window(10, 20),
    })
    assert.deepEqual(sessions({ touching: 'separate' }).join(held, window(9, 19)).joined, [0])
  })

  test('inside a longer one do not shorten it', () => {
    assert.deepEqual(sessions().join(holders(window(0, 100)), window(5, 15)), { joined: [0], into: window(0, 100) })
  })

  test('take the gap of each record where it is a function', () => {
    const merging = sessions({ gapMs: ((record: { gap: number }) => record.gap) as never })
    assert.deepEqual(merging.windowsOf({ gap: 3 }, 100), [window(100, 103)])
    assert.deepEqual(merging.windowsOf({ gap: 0.5 }, 100), [window(100, 100.5)])
  })

  for (const gap of [0, -1, Number.NaN, Infinity, '5', undefined]) {
    test(`refuse ${String(gap)} as the gap of a record`, () => {
      const merging = sessions({ gapMs: (() => gap) as never })
      assert.throws(() => merging.windowsOf({}, 0), {
        code: 'USER_FUNCTION_RESULT',
        message: /the gap of the record is .*; return a finite number of milliseconds above 0/,
      })
    })
  }

  test('that end at their last record join a gap apart, not further, and show the times of their records', () => {
    const merging = sessions({ end: 'last-record' })
    const [first] = merging.windowsOf({}, 0) as [TimeWindow]
    const [apart] = merging.windowsOf({}, 10) as [TimeWindow]
    const [further] = merging.windowsOf({}, 11) as [TimeWindow]
    assert.deepEqual(merging.shown(first), window(0, 0))
    const joined = merging.join(holders(first), apart)
    assert.deepEqual([joined.joined, merging.shown(joined.into)], [[0], window(0, 10)])
    assert.deepEqual(merging.join(holders(first), further).joined, [])
  })

  test('after a gap are shown as they are', () => {
    assert.deepEqual(sessions().shown(window(3, 13)), window(3, 13))
  })
})

describe('custom windows that merge', () => {
  /** All windows of the same hundred become that hundred. */
  function hundreds(windows: readonly TimeWindow[]) {
    const starts = [...new Set(windows.map(({ start }) => Math.floor(start / 100) * 100))]
    return starts.map(start => ({
      merged: windows.filter(each => Math.floor(each.start / 100) * 100 === start),
      into: window(start, start + 100),
    }))
  }

  test('join as their function says', () => {
    const merging = mergingWindows({
      kind: 'custom',
      assigner: { assign: (_record, timestampMs) => [window(timestampMs, timestampMs + 1)], merge: hundreds },
    })
    assert.deepEqual(merging.windowsOf({}, 105), [window(105, 106)])
    assert.deepEqual(merging.join(holders(window(0, 100), window(100, 200)), window(105, 106)), {
      joined: [1],
      into: window(100, 200),
    })
    assert.deepEqual(merging.join([], window(105, 106)), { joined: [], into: window(100, 200) })
  })

  test('that no group names are the same as a window with equal bounds', () => {
    const merging = mergingWindows({ kind: 'custom', assigner: { assign: () => [], merge: () => [] } })
    assert.deepEqual(merging.join(holders(window(0, 5), window(5, 9)), window(5, 9)), {
      joined: [1],
      into: window(5, 9),
    })
    assert.deepEqual(merging.join(holders(window(0, 5)), window(5, 9)), { joined: [], into: window(5, 9) })
  })

  test('are checked as they are assigned', () => {
    for (const found of [undefined, [window(5, 5)], [{ start: 0 }], ['x'], [null]]) {
      const merging = mergingWindows({ kind: 'custom', assigner: { assign: () => found as never, merge: () => [] } })
      assert.throws(() => merging.windowsOf({}, 0), { code: 'USER_FUNCTION_RESULT', message: /the assigner returned/ })
    }
  })
})

test('windows that do not merge have no merging form', () => {
  assert.throws(() => mergingWindows({ kind: 'tumbling', sizeMs: 1, offsetMs: 0 }), { code: 'INTERNAL_ERROR' })
})
