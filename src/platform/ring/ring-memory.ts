// The shared memory of a ring: a header of words, then the bytes through which frames go in pieces. Each side has a cache line of its own.
import { assert } from '../../base/assert.ts'
import type { ThreadWake } from './thread-wake.ts'

// Indexes of 32-bit words; a cache line has 16.
/** Bytes written and read since the epoch began, modulo 2^32. */
export const WRITTEN = 0
export const READ = 16
/** The room in bytes for which the writer waits; 0: for none. */
export const ROOM_WANTED = 32
export const EPOCH = 48
export const STATE = 49
export const ANNOUNCED = 50
export const HEADER_BYTES = 256

export const OPEN = 0
export const CLOSED = 1
export const ABORTED = 2

/** Before each piece: its length, its kind and flags, the sequence of its frame, the epoch. Pieces begin at multiples of it. */
export const PIECE_HEADER_BYTES = 16
export const PIECE_LENGTH = 0
export const PIECE_KIND = 1
export const PIECE_SEQUENCE = 2
export const PIECE_EPOCH = 3
/** In the word of the kind: more pieces of the frame follow. */
export const MORE_FOLLOWS = 0x100
export const KIND_MASK = 0xff

/** Records travel in frames of this kind. */
export const RECORDS_FRAME = 1
/** Control elements, in their place among the records. */
export const CONTROL_FRAME = 2

const CAPACITY_BYTES_MIN = 64
const CAPACITY_BYTES_MAX = 2 ** 30

/** The other side of a ring gave up (`aborted`), ended (`closed`), or is of another attempt of the job (`stale`). */
export class RingClosedError extends Error {
  readonly reason: 'aborted' | 'closed' | 'stale'

  constructor(reason: 'aborted' | 'closed' | 'stale') {
    super(`the ring is ${reason}`)
    this.name = 'RingClosedError'
    this.reason = reason
  }
}

/** What both ends of a ring are made of. */
export interface RingEnd {
  readonly memory: SharedArrayBuffer
  /** The attempt of the job: that with which the memory was made or reset. */
  readonly epoch: number
  /** Where this thread sleeps. */
  readonly ownWake: ThreadWake
  /** Where the thread of the other end sleeps. */
  readonly otherWake: ThreadWake
}

/** The views that both sides have of a ring. */
export interface RingViews {
  readonly words: Int32Array<SharedArrayBuffer>
  /** The part behind the header, as bytes and as words. */
  readonly bytes: Uint8Array<SharedArrayBuffer>
  readonly pieceWords: Int32Array<SharedArrayBuffer>
  readonly capacityBytes: number
}

/** The memory of a ring of so many bytes (a power of two), for the frames of one epoch: the attempt of the job. */
export function createRingMemory(capacityBytes: number, epoch: number): SharedArrayBuffer {
  assert(
    capacityBytes >= CAPACITY_BYTES_MIN && capacityBytes <= CAPACITY_BYTES_MAX && Math.log2(capacityBytes) % 1 === 0,
    `a ring has a power of two of bytes, not ${capacityBytes}`,
  )
  const memory = new SharedArrayBuffer(HEADER_BYTES + capacityBytes)
  resetRing(memory, epoch)
  return memory
}

/**
 * Empties a ring for a new epoch: frames and halves of frames of the old one are gone. The threads of the old epoch must have ended, or
 * have left the ring for good: endpoints of the old epoch throw RingClosedError ('stale') from then on.
 */
export function resetRing(memory: SharedArrayBuffer, epoch: number): void {
  const words = new Int32Array(memory, 0, HEADER_BYTES / 4)
  Atomics.store(words, EPOCH, epoch)
  for (const word of [WRITTEN, READ, ROOM_WANTED, ANNOUNCED]) Atomics.store(words, word, 0)
  Atomics.store(words, STATE, OPEN)
}

/** From any thread: both sides throw RingClosedError ('aborted') from now on. Whoever calls it wakes their threads then. */
export function abortRing(memory: SharedArrayBuffer): void {
  Atomics.store(new Int32Array(memory, 0, HEADER_BYTES / 4), STATE, ABORTED)
}

/** The views of a ring's memory. */
export function viewsOf(memory: SharedArrayBuffer): RingViews {
  const capacityBytes = memory.byteLength - HEADER_BYTES
  return {
    words: new Int32Array(memory, 0, HEADER_BYTES / 4),
    bytes: new Uint8Array(memory, HEADER_BYTES),
    pieceWords: new Int32Array(memory, HEADER_BYTES),
    capacityBytes,
  }
}

/** The bytes that a piece with so long a payload takes. */
export function pieceBytes(payloadBytes: number): number {
  return PIECE_HEADER_BYTES + ((payloadBytes + PIECE_HEADER_BYTES - 1) & -PIECE_HEADER_BYTES)
}
