// The inputs of a task: turns, merged time, ends, feedback first.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { Batch } from './batch.ts'
import { Channel, overshootLimit } from './channel.ts'
import { InputGate, type Received } from './input-gate.ts'

function channels(count: number): Channel[] {
  return Array.from(
    { length: count },
    (_, index) =>
      new Channel({
        name: String(index),
        capacityRecords: 1000,
        hasTimestamps: false,
        hasKeys: false,
        hasRetractions: false,
        senderCapacity: undefined,
        ...overshootLimit('', 1000),
      }),
  )
}

function gateOf(ordinary: readonly Channel[], feedback: readonly Channel[] = []): InputGate {
  return new InputGate([
    ...ordinary.map((channel, input) => ({ input, channel, isFeedback: false })),
    ...feedback.map(channel => ({ input: 0, channel, isFeedback: true })),
  ])
}

function pollAll(gate: InputGate): Received[] {
  const all: Received[] = []
  for (let next = gate.poll(); next !== undefined; next = gate.poll()) all.push(next)
  return all
}

function values(received: readonly Received[]): unknown[] {
  return received.flatMap(one => (one.kind === 'batch' ? (one.received.batch as Batch).values : []))
}

describe('polling', () => {
  test('takes the channels in turn, so that none starves', () => {
    const [a, b] = channels(2) as [Channel, Channel]
    const gate = gateOf([a, b])
    for (const batch of [1, 2, 3]) {
      a.append(`a${batch}`, 0, undefined)
      b.append(`b${batch}`, 0, undefined)
      // A watermark seals the batch, so that each is an element of its own.
      a.control({ kind: 'watermark', watermark: batch })
      b.control({ kind: 'watermark', watermark: batch })
    }
    assert.deepEqual(values(pollAll(gate)), ['a1', 'b1', 'a2', 'b2', 'a3', 'b3'])
  })

  test('takes feedback before all else', () => {
    const [a, loop] = channels(2) as [Channel, Channel]
    const gate = gateOf([a], [loop])
    a.append('ordinary', 0, undefined)
    loop.append('round', 0, undefined)
    assert.deepEqual(values(pollAll(gate)), ['round', 'ordinary'])
  })

  test('says which input a batch came by', () => {
    const [a, b] = channels(2) as [Channel, Channel]
    b.append(1, 0, undefined)
    const received = gateOf([a, b]).poll()
    assert.ok(received?.kind === 'batch')
    assert.equal(received.received.from.input, 1)
  })

  test('gives nothing when nothing is there', () => {
    assert.equal(gateOf(channels(2)).poll(), undefined)
  })
})

describe('time', () => {
  test('is the smallest watermark, and moves only when the last input does', () => {
    const [a, b] = channels(2) as [Channel, Channel]
    const gate = gateOf([a, b])
    a.control({ kind: 'watermark', watermark: 10 })
    pollAll(gate)
    assert.equal(gate.watermark, -Infinity)
    b.control({ kind: 'watermark', watermark: 4 })
    pollAll(gate)
    assert.equal(gate.watermark, 4)
    b.control({ kind: 'watermark', watermark: 30 })
    pollAll(gate)
    assert.equal(gate.watermark, 10)
  })

  test('leaves idle inputs out until they have records again', () => {
    const [a, b] = channels(2) as [Channel, Channel]
    const gate = gateOf([a, b])
    b.control({ kind: 'status', isIdle: true })
    a.control({ kind: 'watermark', watermark: 10 })
    pollAll(gate)
    assert.equal(gate.watermark, 10)
    assert.equal(gate.isIdle, false)
    a.control({ kind: 'status', isIdle: true })
    pollAll(gate)
    assert.equal(gate.isIdle, true)
    b.append('late riser', 0, undefined)
    pollAll(gate)
    assert.equal(gate.isIdle, false)
    a.control({ kind: 'watermark', watermark: 20 })
    pollAll(gate)
    assert.equal(gate.watermark, 10, 'the input with records holds it again')
  })

  test('does not end while one input has ended and another is only idle', () => {
    const [a, b] = channels(2) as [Channel, Channel]
    const gate = gateOf([a, b])
    b.control({ kind: 'status', isIdle: true })
    a.control({ kind: 'watermark', watermark: Infinity })
    a.control({ kind: 'end', mode: 'finish' })
    pollAll(gate)
    assert.notEqual(gate.watermark, Infinity)
    b.control({ kind: 'watermark', watermark: 8 })
    pollAll(gate)
    assert.equal(gate.watermark, 8)
  })

  test('is held by one channel, and each tells how it stands', () => {
    const [a, b, c, loop] = channels(4) as [Channel, Channel, Channel, Channel]
    const gate = gateOf([a, b, c], [loop])
    a.control({ kind: 'watermark', watermark: 20 })
    b.control({ kind: 'watermark', watermark: 10 })
    c.control({ kind: 'watermark', watermark: 5 })
    c.control({ kind: 'status', isIdle: true })
    pollAll(gate)
    assert.equal(gate.times[gate.timeHolder]?.from.channel, b)
    b.control({ kind: 'end', mode: 'finish' })
    pollAll(gate)
    assert.equal(gate.times[gate.timeHolder]?.from.channel, a)
    assert.deepEqual(
      gate.times.map(({ watermark, isIdle, isEnded }) => [watermark, isIdle, isEnded]),
      [
        [20, false, false],
        [Infinity, false, true],
        [5, true, false],
      ],
    )
    a.control({ kind: 'status', isIdle: true })
    pollAll(gate)
    assert.equal(gate.timeHolder, -1)
  })

  test('is not that of feedback', () => {
    const [a, loop] = channels(2) as [Channel, Channel]
    const gate = gateOf([a], [loop])
    a.control({ kind: 'watermark', watermark: 10 })
    loop.append('x', 0, undefined)
    pollAll(gate)
    assert.equal(gate.watermark, 10)
  })
})

describe('the end', () => {
  test('comes with that of the last ordinary channel, feedback or not', () => {
    const [a, b, loop] = channels(3) as [Channel, Channel, Channel]
    const gate = gateOf([a, b], [loop])
    a.control({ kind: 'end', mode: 'finish' })
    pollAll(gate)
    assert.equal(gate.end, undefined)
    assert.deepEqual(
      gate.open.map(({ channel }) => channel),
      [b],
    )
    b.control({ kind: 'end', mode: 'finish' })
    pollAll(gate)
    assert.equal(gate.end, 'finish')
    assert.equal(gate.watermark, Infinity)
  })

  test('is a stop when one input was stopped, and then holds the watermark', () => {
    const [a, b] = channels(2) as [Channel, Channel]
    const gate = gateOf([a, b])
    a.control({ kind: 'end', mode: 'finish' })
    b.control({ kind: 'watermark', watermark: 5 })
    b.control({ kind: 'end', mode: 'stop' })
    pollAll(gate)
    assert.equal(gate.end, 'stop')
    assert.equal(gate.watermark, 5)
  })

  test('end markers of loops are handed over with the channel they came by', () => {
    const [a, loop] = channels(2) as [Channel, Channel]
    const gate = gateOf([a], [loop])
    loop.control({ kind: 'loop-end', loop: 1, round: 1, isDirty: false })
    const received = gate.poll()
    assert.ok(received?.kind === 'loop-end')
    assert.equal(received.element.round, 1)
    assert.equal(received.from.isFeedback, true)
  })
})

describe('a bootstrap input', () => {
  /** Two channels of the table (input 1), one of the stream (input 0). */
  function held(untilMs?: number): { gate: InputGate; stream: Channel; tables: [Channel, Channel] } {
    const [stream, a, b] = channels(3) as [Channel, Channel, Channel]
    const inputs = [stream, a, b].map((channel, index) => ({
      input: index === 0 ? 0 : 1,
      channel,
      isFeedback: false,
    }))
    const gate = new InputGate(inputs, untilMs === undefined ? { input: 1 } : { input: 1, untilMs })
    stream.append('stream', 0, undefined)
    stream.control({ kind: 'watermark', watermark: 50 })
    return { gate, stream, tables: [a, b] }
  }

  test('is read alone until each of its channels has ended', () => {
    const { gate, tables } = held()
    const [a, b] = tables
    a.append('a', 0, undefined)
    a.control({ kind: 'end', mode: 'finish' })
    b.append('b', 0, undefined)
    assert.deepEqual(values(pollAll(gate)), ['a', 'b'])
    assert.equal(gate.watermark, -Infinity, 'time stands still while the stream is held back')
    b.control({ kind: 'end', mode: 'finish' })
    assert.deepEqual(values(pollAll(gate)), ['stream'])
    assert.equal(gate.watermark, 50)
  })

  test('is read alone until it is idle, and not again when it is active', () => {
    const { gate, stream, tables } = held()
    for (const table of tables) table.control({ kind: 'status', isIdle: true })
    assert.deepEqual(values(pollAll(gate)), ['stream'])
    tables[0].append('a', 0, undefined)
    stream.append('more', 0, undefined)
    assert.deepEqual(values(pollAll(gate)).sort(), ['a', 'more'])
  })

  test('is read alone until its watermark has reached the time', () => {
    const { gate, tables } = held(100)
    const [a, b] = tables
    a.control({ kind: 'watermark', watermark: 100 })
    b.control({ kind: 'watermark', watermark: 99 })
    assert.deepEqual(values(pollAll(gate)), [])
    a.append('more of a', 0, undefined)
    assert.deepEqual(values(pollAll(gate)), ['more of a'], 'a channel that is far enough is read all the same')
    b.control({ kind: 'watermark', watermark: 101 })
    assert.deepEqual(values(pollAll(gate)), ['stream'])
  })

  test('that was stopped holds nothing back', () => {
    const { gate, tables } = held()
    for (const table of tables) table.control({ kind: 'end', mode: 'stop' })
    assert.deepEqual(values(pollAll(gate)), ['stream'])
  })

  test('may have no channel, and holds nothing back then', () => {
    const [stream] = channels(1) as [Channel]
    const gate = new InputGate([{ input: 0, channel: stream, isFeedback: false }], { input: 1 })
    stream.append('stream', 0, undefined)
    assert.deepEqual(values(pollAll(gate)), ['stream'])
  })
})
