import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Capacity } from '../../../operators/operator.ts'
import type { Exchange } from '../../../plan/physical-plan.ts'
import { createRingMemory } from '../../../platform/ring/ring-memory.ts'
import { RingReader } from '../../../platform/ring/ring-reader.ts'
import { RingWriter } from '../../../platform/ring/ring-writer.ts'
import { createWakeMemory, ThreadWake } from '../../../platform/ring/thread-wake.ts'
import type { ControlElement, Element } from '../../../runtime/batch.ts'
import { Channel, overshootLimit } from '../../../runtime/channel.ts'
import { RingExchange } from './ring-exchange.ts'

const NAME = 'a[0] -> b[0]'
const CAPACITY_RECORDS = 8
/** More than the parts of the largest frame here. */
const IDLE_ROUNDS_MAX = 2000
const EXCHANGE = { id: 0 } as Exchange

function emptyCapacity(): Capacity {
  return { blocked: 0, budget: 0, untilMonotonicMs: Infinity, isTimeNews: false }
}

function channelOf(senderCapacity: Capacity): Channel {
  return new Channel({
    name: NAME,
    capacityRecords: CAPACITY_RECORDS,
    hasTimestamps: true,
    hasKeys: false,
    hasRetractions: false,
    senderCapacity,
    ...overshootLimit(NAME, CAPACITY_RECORDS),
  })
}

/** Both ends of one ring in one thread, each with its channel and its exchange. */
function pair(ringBytes = 4096) {
  const memory = createRingMemory(ringBytes, 1)
  const wakes = [createWakeMemory(), createWakeMemory()] as const
  const [a, b] = [new ThreadWake(wakes[0]), new ThreadWake(wakes[1])]
  const rooms = { out: emptyCapacity(), in: emptyCapacity() }
  const [out, arrived] = [channelOf(rooms.out), channelOf(rooms.in)]
  const crossing = { exchange: EXCHANGE, sender: 0, receiver: 0 }
  const wakeUps = { sender: 0, receiver: 0 }
  const sender = new RingExchange({
    outs: [
      {
        crossing: { ...crossing, channel: out, side: 'out', room: rooms.out },
        writer: new RingWriter({ memory, epoch: 1, ownWake: a, otherWake: b }),
      },
    ],
    ins: [],
    ownWake: a,
    wake: () => wakeUps.sender++,
  })
  const receiver = new RingExchange({
    outs: [],
    ins: [
      {
        crossing: { ...crossing, channel: arrived, side: 'in', room: rooms.in },
        reader: new RingReader({ memory, epoch: 1, ownWake: b, otherWake: a }),
      },
    ],
    ownWake: b,
    wake: () => wakeUps.receiver++,
  })
  return { sender, receiver, out, arrived, rooms, wakeUps }
}

/** Steps both until neither does anything, taking what arrives; gives values and control elements in order. */
function drain({ sender, receiver, arrived }: ReturnType<typeof pair>): readonly unknown[] {
  const taken: unknown[] = []
  // Parts of a frame that move count as no work: whoever waits for the rest is woken.
  for (let idleRounds = 0; idleRounds < IDLE_ROUNDS_MAX; idleRounds++) {
    sender.step()
    receiver.step()
    for (let element = arrived.poll(); element !== undefined; element = arrived.poll()) {
      taken.push(...flat(element))
      if (element.kind === 'batch') arrived.consumed(element.values.length)
      idleRounds = 0
    }
  }
  return taken
}

function flat(element: Element): readonly unknown[] {
  if (element.kind !== 'batch') return [element]
  return element.values.map((value, index) => [value, element.timestamps?.[index]])
}

const BARRIER: ControlElement = { kind: 'barrier', snapshotId: 7, snapshot: 'checkpoint', isUnaligned: true }

describe('an exchange through a ring', () => {
  test('brings records and control elements over in their order, whatever their sizes', () => {
    const item = fc.oneof(
      fc.record({ text: fc.string({ maxLength: 3000 }), n: fc.double() }),
      fc.integer({ min: -1000, max: 1000 }).map(watermark => ({ kind: 'watermark', watermark }) as const),
      fc.boolean().map(isIdle => ({ kind: 'status', isIdle }) as const),
    )
    fc.assert(
      fc.property(fc.array(item, { maxLength: 60 }), items => {
        const ends = pair()
        const expected = items.map((each, index) => ('kind' in each ? each : [each, index]))
        for (const [index, each] of items.entries()) {
          if ('kind' in each) ends.out.control(each)
          else ends.out.append(each, index, undefined)
        }
        ends.out.control({ kind: 'end', mode: 'finish' })
        assert.deepEqual(drain(ends), [...expected, { kind: 'end', mode: 'finish' }])
      }),
      { numRuns: 60, seed: 5 },
    )
  })

  test('takes a record that is larger than the ring', () => {
    const ends = pair(256)
    const text = 'x'.repeat(100_000)
    ends.out.append({ text }, 1, undefined)
    assert.deepEqual(drain(ends), [[{ text }, 1]])
  })

  test('gives the sender its room back when records are in the ring, and holds it back when that is full', () => {
    const ends = pair(256)
    const { sender, out, rooms } = ends
    for (let n = 0; n < CAPACITY_RECORDS; n++) out.append(n, n, undefined)
    assert.equal(rooms.out.blocked, 1)
    sender.step()
    assert.equal(rooms.out.blocked, 0)
    for (let n = 0; n < 1000 && rooms.out.blocked === 0; n++) {
      out.append({ text: 'some text', n }, n, undefined)
      sender.step()
    }
    assert.equal(rooms.out.blocked, 1)
    assert.ok(drain(ends).length > CAPACITY_RECORDS)
    assert.equal(rooms.out.blocked, 0)
  })

  test('leaves what comes in the ring while the receiver has no room', () => {
    const { sender, receiver, out, arrived } = pair()
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < CAPACITY_RECORDS; n++) out.append(n, n, undefined)
      sender.step()
    }
    receiver.step()
    assert.equal(arrived.heldRecords, CAPACITY_RECORDS)
    receiver.step()
    assert.equal(receiver.didWork, false)
    assert.equal(arrived.heldRecords, CAPACITY_RECORDS)
  })

  test('brings a barrier in though neither the ring nor the receiver has room, with all that was before it', () => {
    const ends = pair(256)
    const { sender, receiver, out, arrived, rooms } = ends
    for (let n = 0; n < 200; n++) {
      out.append({ text: 'some text', n }, n, undefined)
      // It ends the batch, so that there are many.
      out.control({ kind: 'watermark', watermark: n })
      sender.step()
    }
    for (let turn = 0; turn < 20; turn++) {
      receiver.step()
      sender.step()
    }
    assert.ok(rooms.in.blocked > 0 && rooms.out.blocked > 0)
    out.control(BARRIER)
    for (let turn = 0; turn < 500 && arrived.queuedBarrier === undefined; turn++) {
      sender.step()
      receiver.step()
    }
    assert.deepEqual(arrived.queuedBarrier, BARRIER)
    assert.equal(arrived.takeBarrier(7)?.flatMap(flat).length, 400)
    // Behind the barrier the receiver has no room again.
    out.append({ text: 'later', n: 0 }, 0, undefined)
    sender.step()
    receiver.step()
    assert.equal(receiver.didWork, false)
  })

  test('does nothing any more when it is halted', () => {
    const { sender, receiver, out, arrived } = pair()
    out.append(1, 1, undefined)
    sender.halt()
    sender.step()
    receiver.step()
    assert.deepEqual([sender.didWork, arrived.hasElements], [false, false])
  })

  test('does an action before its first step, once, and fails the step with what that throws', () => {
    const { sender } = pair()
    let times = 0
    sender.beforeFirstStep(() => times++)
    sender.step()
    sender.step()
    assert.equal(times, 1)
    const { receiver } = pair()
    receiver.beforeFirstStep(() => {
      throw new Error('a thread is gone')
    })
    assert.throws(() => receiver.step(), /a thread is gone/)
  })

  test('sleeps until the other end has something for it', async () => {
    const { sender, receiver, out, wakeUps } = pair()
    receiver.step()
    receiver.onSleep()
    await new Promise<void>(resolve => setImmediate(resolve))
    assert.equal(wakeUps.receiver, 0)
    out.append(1, 1, undefined)
    sender.step()
    while (wakeUps.receiver === 0) await new Promise<void>(resolve => setImmediate(resolve))
    receiver.step()
    assert.equal(receiver.didWork, true)
  })
})
