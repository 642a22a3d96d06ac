// The channel between two tasks: order, batches, columns, fullness and limits.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamError } from '../base/errors.ts'
import type { Capacity } from '../operators/operator.ts'
import { BATCH_RECORDS_MAX, type Batch, type Element } from './batch.ts'
import { Channel, type ChannelInit, feedbackLimit, overshootLimit } from './channel.ts'

function capacity(): Capacity {
  return { blocked: 0, budget: 0, untilMonotonicMs: Infinity, isTimeNews: false }
}

function channel(init: Partial<ChannelInit> = {}): Channel {
  return new Channel({
    name: 'a[0] -> b[0]',
    capacityRecords: 4,
    hasTimestamps: false,
    hasRetractions: false,
    hasKeys: false,
    senderCapacity: undefined,
    ...overshootLimit('a[0] -> b[0]', init.capacityRecords ?? 4),
    ...init,
  })
}

function pollAll(from: Channel): Element[] {
  const elements: Element[] = []
  for (let element = from.poll(); element !== undefined; element = from.poll()) elements.push(element)
  return elements
}

describe('order', () => {
  test('records and control elements leave as they came, and no batch straddles a control element', () => {
    const sent = channel()
    sent.append('a', 0, undefined)
    sent.append('b', 0, undefined)
    sent.control({ kind: 'watermark', watermark: 7 })
    sent.append('c', 0, undefined)
    sent.control({ kind: 'end', mode: 'finish' })
    assert.deepEqual(
      pollAll(sent).map(element => (element.kind === 'batch' ? element.values : element.kind)),
      [['a', 'b'], 'watermark', ['c'], 'end'],
    )
  })

  test('a batch that is being filled leaves as it is, and later records make a new one', () => {
    const sent = channel()
    sent.append(1, 0, undefined)
    assert.deepEqual((sent.poll() as Batch).values, [1])
    assert.equal(sent.poll(), undefined)
    sent.append(2, 0, undefined)
    assert.deepEqual((sent.poll() as Batch).values, [2])
  })

  test('batches are no larger than their limit', () => {
    const sent = channel({ capacityRecords: 10_000 })
    for (let i = 0; i < 2 * BATCH_RECORDS_MAX + 3; i++) sent.append(i, 0, undefined)
    const batches = pollAll(sent) as Batch[]
    assert.deepEqual(
      batches.map(({ values }) => values.length),
      [BATCH_RECORDS_MAX, BATCH_RECORDS_MAX, 3],
    )
    assert.deepEqual(
      batches.flatMap(({ values }) => values),
      Array.from({ length: 2 * BATCH_RECORDS_MAX + 3 }, (_, i) => i),
    )
  })

  test('nothing may follow the end', () => {
    const sent = channel()
    sent.control({ kind: 'end', mode: 'finish' })
    assert.throws(() => sent.control({ kind: 'watermark', watermark: 1 }), /INTERNAL_ERROR.*after the end/)
  })
})

describe('columns', () => {
  test('only those declared are carried', () => {
    const full = channel({ hasTimestamps: true, hasRetractions: false, hasKeys: true })
    full.append('v', 5, 'k')
    assert.deepEqual(full.poll(), {
      kind: 'batch',
      values: ['v'],
      timestamps: [5],
      keys: ['k'],
      retractions: undefined,
    })
    const bare = channel()
    bare.append('v', 5, 'k')
    assert.deepEqual(bare.poll(), {
      kind: 'batch',
      values: ['v'],
      timestamps: undefined,
      keys: undefined,
      retractions: undefined,
    })
    const changes = channel({ hasRetractions: true })
    changes.append('v', 5, 'k', true)
    assert.deepEqual((changes.poll() as Batch).retractions, [true])
  })
})

describe('fullness', () => {
  test('blocks the sender once while the channel holds its capacity, and gives the room back when enough is consumed', () => {
    const sender = capacity()
    const sent = channel({ capacityRecords: 2, senderCapacity: sender })
    sent.append(1, 0, undefined)
    assert.equal(sender.blocked, 0)
    sent.append(2, 0, undefined)
    sent.append(3, 0, undefined)
    assert.equal(sender.blocked, 1)
    assert.equal(sent.heldRecords, 3)
    pollAll(sent)
    assert.equal(sender.blocked, 1, 'what was polled is not consumed yet')
    sent.consumed(1)
    assert.equal(sender.blocked, 1)
    sent.consumed(1)
    assert.equal(sender.blocked, 0)
    sent.consumed(1)
    assert.equal(sender.blocked, 0)
  })

  test('several full channels of one sender count each', () => {
    const sender = capacity()
    const channels = [1, 2].map(() => channel({ capacityRecords: 1, senderCapacity: sender }))
    for (const sent of channels) sent.append(1, 0, undefined)
    assert.equal(sender.blocked, 2)
    channels[0]?.consumed(1)
    assert.equal(sender.blocked, 1)
  })

  test('the peak is the most records ever held, also of batches that left while being filled', () => {
    const sent = channel({ capacityRecords: 100 })
    assert.equal(sent.heldRecordsPeak, 0)
    for (let i = 0; i < 3; i++) sent.append(i, 0, undefined)
    assert.equal(sent.heldRecordsPeak, 3)
    pollAll(sent)
    sent.consumed(3)
    sent.append(4, 0, undefined)
    assert.equal(sent.heldRecordsPeak, 3)
  })

  test('more consumed than sent is a bug of the engine', () => {
    assert.throws(() => channel().consumed(1), /INTERNAL_ERROR.*more records consumed than sent/)
  })
})

describe('limits', () => {
  test('one record may exceed the capacity by a million records, then OUTPUT_OVERFLOW names the channel', () => {
    const { overflowRecords, overflow } = overshootLimit('x', 10)
    assert.equal(overflowRecords, 1_000_010)
    assert.match(overflow().message, /^OUTPUT_OVERFLOW: channel x: .* emit less for one record/)
    const sent = channel({ capacityRecords: 1, overflowRecords: 3 })
    for (let i = 0; i < 3; i++) sent.append(i, 0, undefined)
    assert.throws(
      () => sent.append(3, 0, undefined),
      (error: unknown) => error instanceof StreamError && error.code === 'OUTPUT_OVERFLOW',
    )
  })

  test('a feedback channel has its own limit', () => {
    const sent = channel({ capacityRecords: 2, ...feedbackLimit('loop', 2) })
    sent.append(1, 0, undefined)
    sent.append(2, 0, undefined)
    assert.throws(
      () => sent.append(3, 0, undefined),
      /^StreamError: FEEDBACK_OVERFLOW: feedback loop: more than 2 records/,
    )
  })
})
