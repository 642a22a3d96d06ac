// How a loop finds out that it is empty: markers per task, and the states of the head.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { LoopEnd } from './batch.ts'
import { Channel, overshootLimit } from './channel.ts'
import type { InputChannel } from './input-channel.ts'
import { LoopHead, LoopMarkers } from './loop-end.ts'

function input(): InputChannel {
  const channel = new Channel({
    name: '',
    capacityRecords: 1,
    hasTimestamps: false,
    hasKeys: false,
    hasRetractions: false,
    senderCapacity: undefined,
    ...overshootLimit('', 1),
  })
  return { input: 0, channel, isFeedback: false }
}

function marker(round: number, isDirty = false, loop = 1): LoopEnd {
  return { kind: 'loop-end', loop, round, isDirty }
}

describe('markers', () => {
  test('are complete when they came over all channels, and dirty if one was', () => {
    const [a, b] = [input(), input()]
    const markers = new LoopMarkers()
    markers.note(marker(1, false), a)
    assert.equal(markers.takeIfComplete(1, [a, b]), undefined)
    markers.note(marker(1, true), b)
    assert.deepEqual(markers.takeIfComplete(1, [a, b]), marker(1, true))
    assert.equal(markers.takeIfComplete(1, [a, b]), undefined)
    assert.deepEqual(markers.loops(), [])
  })

  test('of the next round do not take the place of those of this one', () => {
    const [a, b] = [input(), input()]
    const markers = new LoopMarkers()
    markers.note(marker(1, true), a)
    markers.note(marker(2, false), a)
    markers.note(marker(1, false), b)
    assert.deepEqual(markers.takeIfComplete(1, [a, b]), marker(1, true))
    assert.equal(markers.takeIfComplete(1, [a, b]), undefined)
    markers.note(marker(2, false), b)
    assert.deepEqual(markers.takeIfComplete(1, [a, b]), marker(2, false))
  })

  test('are complete when the channels that are missing have ended', () => {
    const [a, b] = [input(), input()]
    const markers = new LoopMarkers()
    markers.note(marker(1), a)
    assert.equal(markers.takeIfComplete(1, [a, b]), undefined)
    assert.deepEqual(markers.takeIfComplete(1, [a]), marker(1))
  })

  test('of several loops are kept apart', () => {
    const a = input()
    const markers = new LoopMarkers()
    markers.note(marker(1, false, 7), a)
    markers.note(marker(4, true, 8), a)
    assert.deepEqual(markers.loops(), [7, 8])
    assert.deepEqual(markers.takeIfComplete(8, [a]), marker(4, true, 8))
    assert.deepEqual(markers.takeIfComplete(7, [a]), marker(1, false, 7))
  })
})

describe('the head', () => {
  function head(): { loop: LoopHead; sent: LoopEnd[] } {
    const sent: LoopEnd[] = []
    return { loop: new LoopHead(1, one => sent.push(one)), sent }
  }

  test('settles after a clean round, and is empty after another behind the final watermark', () => {
    const { loop, sent } = head()
    loop.drain()
    assert.deepEqual(sent, [marker(1, true)], 'the first round says nothing of what was under way before it')
    loop.onReturn(marker(1, true), true)
    assert.deepEqual(sent.at(-1), marker(2, false))
    loop.onReturn(marker(2, false), true)
    assert.deepEqual([loop.isSettled, loop.isEmpty], [true, false])
    loop.drain()
    assert.deepEqual(sent.at(-1), marker(3, true))
    loop.onReturn(marker(3, true), true)
    loop.onReturn(marker(4, false), true)
    assert.equal(loop.isEmpty, true)
    assert.equal(sent.length, 4)
  })

  test('goes on while records come round', () => {
    const { loop, sent } = head()
    loop.drain()
    for (let round = 1; round <= 3; round++) {
      loop.onFeedbackRecords(5)
      loop.onReturn(marker(round, true), true)
      assert.deepEqual(sent.at(-1), marker(round + 1, true))
    }
    loop.onReturn(marker(4, true), true)
    assert.deepEqual(sent.at(-1), marker(5, false))
    assert.equal(loop.isSettled, false)
  })

  test('goes on when the marker is dirty by another head, though it got no records itself', () => {
    const { loop, sent } = head()
    loop.drain()
    loop.onReturn(marker(1, true), true)
    loop.onReturn(marker(2, true), true)
    assert.equal(loop.isSettled, false)
    assert.equal(sent.length, 3)
  })

  test('passes the marker of a loop around it on after a clean round of its own, and is open again', () => {
    const { loop, sent } = head()
    loop.drainFor(marker(1, true, 9))
    assert.deepEqual(sent, [marker(1, true)])
    loop.onReturn(marker(1, true), false)
    loop.onReturn(marker(2, false), false)
    assert.deepEqual(sent, [marker(1, true), marker(2, false), marker(1, true, 9)])
    assert.deepEqual([loop.isSettled, loop.isEmpty], [false, false])
  })
})
