// The file is also the program of the worker threads that it starts.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import fc from 'fast-check'
import { abortRing, CONTROL_FRAME, createRingMemory, RECORDS_FRAME, RingClosedError, resetRing } from './ring-memory.ts'
import { RingReader } from './ring-reader.ts'
import { RingWriter } from './ring-writer.ts'
import { createWakeMemory, ThreadWake } from './thread-wake.ts'

const RING_BYTES = 4096
const FRAMES = 100_000
const PATIENCE_MS = 60_000

type Role = 'echo-sync' | 'echo-async' | 'die-in-frame' | 'wait-for-announcement'

interface PeerData {
  readonly role: Role
  readonly toPeer: SharedArrayBuffer
  readonly fromPeer: SharedArrayBuffer
  readonly mainWake: SharedArrayBuffer
  readonly peerWake: SharedArrayBuffer
}

interface Ends {
  readonly wake: ThreadWake
  readonly reader: RingReader
  readonly writer: RingWriter
}

function endsOf(data: PeerData, side: 'main' | 'peer', epoch = 1): Ends {
  const main = new ThreadWake(data.mainWake)
  const peer = new ThreadWake(data.peerWake)
  const isMain = side === 'main'
  const wakes = { epoch, ownWake: isMain ? main : peer, otherWake: isMain ? peer : main }
  return {
    wake: wakes.ownWake,
    reader: new RingReader({ ...wakes, memory: isMain ? data.fromPeer : data.toPeer }),
    writer: new RingWriter({ ...wakes, memory: isMain ? data.toPeer : data.fromPeer }),
  }
}

function peerData(role: Role): PeerData {
  return {
    role,
    toPeer: createRingMemory(RING_BYTES, 1),
    fromPeer: createRingMemory(RING_BYTES, 1),
    mainWake: createWakeMemory(),
    peerWake: createWakeMemory(),
  }
}

/** Numbers that both sides can make: of the frame with the given index all follows. */
function noise(index: number): number {
  let value = Math.imul(index + 1, 0x9e3779b1)
  value = Math.imul(value ^ (value >>> 15), 0x85ebca6b)
  return (value ^ (value >>> 13)) >>> 0
}

/** Mostly small; some up to three rings. */
function frameBytes(index: number): number {
  const dice = noise(index)
  const size = noise(index + 0x10000000)
  if (dice % 100 === 0) return size % (3 * RING_BYTES)
  return dice % 10 === 0 ? size % RING_BYTES : size % 200
}

function fill(bytes: Uint8Array, index: number): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = index * 7 + i * 13 + (i >> 8)
}

function isFilled(bytes: Uint8Array, index: number): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== ((index * 7 + i * 13 + (i >> 8)) & 0xff)) return false
  return true
}

const kindOf = (index: number): number => (index % 17 === 0 ? CONTROL_FRAME : RECORDS_FRAME)

/** Work of random length, of the kind that makes the sides meet in all orders. */
function pause(index: number): void {
  const dice = noise(index + 0x20000000)
  if (dice % 500 !== 0) return
  for (let i = 0; i < dice % 100_000; i++) Atomics.load(pauseWord, 0)
}
const pauseWord = new Int32Array(1)

async function echo(ends: Ends, isSync: boolean): Promise<void> {
  const { reader, writer } = ends
  for (let count = 0; ; ) {
    const frame = reader.tryRead()
    if (frame === undefined) {
      if (reader.isEnded) break
      if (isSync) assert.ok(reader.waitForDataSync(PATIENCE_MS))
      else await reader.waitForData()
      continue
    }
    pause(count++)
    while (!writer.tryWrite(reader.kind, frame)) {
      if (isSync) assert.ok(writer.waitForRoomSync(PATIENCE_MS))
      else await writer.waitForRoom()
    }
  }
  writer.close()
}

function dieInFrame({ writer }: Ends): void {
  writer.tryWrite(RECORDS_FRAME, new Uint8Array(10))
  assert.ok(!writer.tryWrite(RECORDS_FRAME, new Uint8Array(2 * RING_BYTES)))
  process.exit()
}

async function runPeer(data: PeerData): Promise<void> {
  const ends = endsOf(data, 'peer')
  // A wait without a block does not keep the thread alive.
  const alive = setInterval(() => {}, PATIENCE_MS)
  if (data.role === 'die-in-frame') dieInFrame(ends)
  else if (data.role === 'wait-for-announcement') {
    const { reader, wake } = ends
    parentPort?.postMessage('ready')
    assert.ok(wake.waitSync(() => reader.announced !== 0, PATIENCE_MS))
    parentPort?.postMessage(reader.announced)
  } else await echo(ends, data.role === 'echo-sync')
  clearInterval(alive)
}

function start(data: PeerData): Worker {
  return new Worker(new URL(import.meta.url), { workerData: data })
}

/** Sends frames and takes them back in the thread of the test, which does not block. */
async function sendAndCheck({ wake, reader, writer }: Ends): Promise<void> {
  const buffer = new Uint8Array(3 * RING_BYTES)
  let frame: Uint8Array | undefined
  let received = 0
  while (!reader.isEnded) {
    if (frame === undefined && writer.frames < FRAMES) {
      frame = buffer.subarray(0, frameBytes(writer.frames))
      fill(frame, writer.frames)
    }
    const index = writer.frames
    const isWritten = frame !== undefined && writer.tryWrite(kindOf(index), frame)
    if (isWritten) {
      frame = undefined
      pause(index)
      if (writer.frames === FRAMES) writer.close()
    }
    const read = reader.tryRead()
    if (read !== undefined) {
      assert.equal(read.length, frameBytes(received))
      assert.equal(reader.kind, kindOf(received))
      assert.ok(isFilled(read, received), `frame ${received} is not what was sent`)
      received++
    } else if (!isWritten && !reader.isEnded) {
      await wake.wait(() => reader.hasData || reader.isEnded || (frame !== undefined && !writer.isBlocked))
    }
  }
  assert.equal(received, FRAMES)
}

/** Both ends in one thread. */
function pair(capacityBytes: number): { memory: SharedArrayBuffer; writer: RingWriter; reader: RingReader } {
  const memory = createRingMemory(capacityBytes, 1)
  const wakes = { ownWake: new ThreadWake(createWakeMemory()), otherWake: new ThreadWake(createWakeMemory()) }
  return {
    memory,
    writer: new RingWriter({ memory, epoch: 1, ...wakes }),
    reader: new RingReader({ memory, epoch: 1, ...wakes }),
  }
}

const closedBecause = (reason: string) => (error: unknown) =>
  error instanceof RingClosedError && error.reason === reason

if (isMainThread)
  describe('a ring', () => {
    test('frames come out whole and in order, however they are cut', () => {
      const size = fc.oneof({ weight: 5, arbitrary: fc.nat(60) }, { weight: 1, arbitrary: fc.nat(800) })
      const turn = fc.record({ sizes: fc.array(size, { maxLength: 6 }), reads: fc.nat(6) })
      fc.assert(
        fc.property(fc.constantFrom(64, 128, 256), fc.array(turn, { maxLength: 30 }), (capacity, turns) => {
          const { writer, reader } = pair(capacity)
          const waiting = turns
            .flatMap(({ sizes }) => sizes)
            .map((length, index) => {
              const frame = new Uint8Array(length)
              fill(frame, index)
              return frame
            })
          const total = waiting.length
          let received = 0
          const readSome = (reads: number): void => {
            for (let i = 0; i < reads; i++) {
              const frame = reader.tryRead()
              if (frame === undefined) return
              assert.ok(isFilled(frame, received++))
            }
          }
          for (const { sizes, reads } of turns) {
            for (const _ of sizes)
              if (waiting.length > 0 && writer.tryWrite(1, waiting[0] as Uint8Array)) waiting.shift()
            readSome(reads)
          }
          while (received < total) {
            if (waiting.length > 0 && writer.tryWrite(1, waiting[0] as Uint8Array)) waiting.shift()
            readSome(1)
          }
          assert.equal(reader.tryRead(), undefined)
          assert.equal(writer.usedBytes, 0)
        }),
        { numRuns: 2000 },
      )
    })

    test('a full ring takes nothing, and takes again when half of it is given back', () => {
      const { writer, reader } = pair(256)
      const frame = new Uint8Array(16)
      let frames = 0
      while (writer.tryWrite(1, frame)) frames++
      assert.equal(frames, 256 / 32)
      assert.ok(writer.isBlocked)
      for (let i = 0; i < 4; i++) reader.tryRead()
      assert.ok(writer.isBlocked, 'the frame that was read last is not given back yet')
      reader.release()
      assert.ok(!writer.isBlocked)
      assert.ok(writer.tryWrite(1, frame))
    })

    test('the word beside the ring is seen while the ring is full', () => {
      const { writer, reader } = pair(64)
      assert.equal(reader.announced, 0)
      while (writer.tryWrite(1, new Uint8Array(3))) {}
      writer.announce(42)
      assert.equal(reader.announced, 42)
    })

    test('the end comes behind the last frame', () => {
      const { writer, reader } = pair(64)
      writer.tryWrite(1, new Uint8Array(3))
      writer.close()
      assert.ok(!reader.isEnded)
      assert.equal(reader.tryRead()?.length, 3)
      assert.ok(reader.isEnded)
      assert.throws(() => writer.tryWrite(1, new Uint8Array(0)), closedBecause('closed'))
    })

    test('counters go on beyond 2^32 bytes', () => {
      const { memory } = pair(64)
      const words = new Int32Array(memory)
      words[0] = -64
      words[16] = -64
      const wakes = { ownWake: new ThreadWake(createWakeMemory()), otherWake: new ThreadWake(createWakeMemory()) }
      const writer = new RingWriter({ memory, epoch: 1, ...wakes })
      const reader = new RingReader({ memory, epoch: 1, ...wakes })
      for (let i = 0; i < 10; i++) {
        assert.ok(writer.tryWrite(1, new Uint8Array([i])))
        assert.deepEqual([...(reader.tryRead() as Uint8Array)], [i])
      }
      assert.ok(reader.frames === 10 && writer.frames === 10)
    })

    test('an aborted ring stops both sides at once', () => {
      for (const abort of ['memory', 'writer', 'reader'] as const) {
        const { memory, writer, reader } = pair(64)
        writer.tryWrite(1, new Uint8Array(1))
        if (abort === 'memory') abortRing(memory)
        else (abort === 'writer' ? writer : reader).abort()
        assert.throws(() => writer.tryWrite(1, new Uint8Array(1)), closedBecause('aborted'))
        assert.throws(() => reader.tryRead(), closedBecause('aborted'))
        assert.ok(!writer.isBlocked)
        assert.ok(writer.waitForRoomSync(0) && reader.waitForDataSync(0))
      }
    })

    test('a new epoch drops all of the old one, halves of frames among it', () => {
      const { memory, writer, reader } = pair(64)
      writer.tryWrite(1, new Uint8Array([1]))
      assert.ok(!writer.tryWrite(1, new Uint8Array(100)))
      resetRing(memory, 2)
      assert.throws(() => writer.tryWrite(1, new Uint8Array(100)), closedBecause('stale'))
      assert.throws(() => reader.tryRead(), closedBecause('stale'))
      const wakes = { ownWake: new ThreadWake(createWakeMemory()), otherWake: new ThreadWake(createWakeMemory()) }
      const next = new RingReader({ memory, epoch: 2, ...wakes })
      assert.equal(next.tryRead(), undefined)
      assert.ok(new RingWriter({ memory, epoch: 2, ...wakes }).tryWrite(1, new Uint8Array([5])))
      assert.deepEqual([...(next.tryRead() as Uint8Array)], [5])
    })

    test('a signal that comes before the sleep ends it at once', async () => {
      const memory = createWakeMemory()
      const own = new ThreadWake(memory)
      new ThreadWake(memory).signal()
      assert.ok(own.waitSync(() => false, PATIENCE_MS))
      await own.wait(() => false)
      assert.ok(own.takeSignals())
      assert.ok(!own.takeSignals())
      assert.ok(!own.waitSync(() => false, 1))
    })

    test('a wait that was left for something else serves the next one', async () => {
      const alive = setInterval(() => {}, PATIENCE_MS)
      const memory = createWakeMemory()
      const own = new ThreadWake(memory)
      const other = new ThreadWake(memory)
      const left = own.wait(() => false)
      own.stayAwake()
      other.wake()
      const again = own.wait(() => false)
      other.wake()
      await Promise.all([left, again])
      clearInterval(alive)
    })
  })

if (isMainThread)
  describe('a ring between threads', () => {
    for (const role of ['echo-sync', 'echo-async'] as const) {
      test(`${FRAMES} frames of up to three rings go there and back (${role})`, { timeout: PATIENCE_MS }, async () => {
        const data = peerData(role)
        const worker = start(data)
        const exit = once(worker, 'exit')
        try {
          await sendAndCheck(endsOf(data, 'main'))
          assert.deepEqual(await exit, [0])
        } finally {
          await worker.terminate()
        }
      })
    }

    test('a writer that dies in the middle of a frame leaves no frame, and the ring serves the next', async () => {
      const data = peerData('die-in-frame')
      await once(start(data), 'exit')
      const { reader } = endsOf(data, 'main')
      assert.equal(reader.tryRead()?.length, 10)
      assert.equal(reader.tryRead(), undefined)
      resetRing(data.fromPeer, 2)
      resetRing(data.toPeer, 2)
      assert.throws(() => reader.tryRead(), closedBecause('stale'))
      const next = endsOf(data, 'main', 2)
      assert.ok(!next.reader.hasData)
      endsOf(data, 'peer', 2).writer.tryWrite(RECORDS_FRAME, new Uint8Array([1, 2]))
      assert.deepEqual([...(next.reader.tryRead() as Uint8Array)], [1, 2])
    })

    test('an announcement wakes a thread whose ring is full', async () => {
      const data = peerData('wait-for-announcement')
      const worker = start(data)
      const { writer } = endsOf(data, 'main')
      while (writer.tryWrite(RECORDS_FRAME, new Uint8Array(100))) {}
      await once(worker, 'message')
      writer.announce(9)
      assert.deepEqual(await once(worker, 'message'), [9])
      await once(worker, 'exit')
    })
  })

if (!isMainThread) await runPeer(workerData as PeerData)
