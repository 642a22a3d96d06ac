// Record path (bench/exchange.ts). The sending end of a ring: frames of bytes to one reader in another thread, in order.
import { assert } from '../../base/assert.ts'
import {
  ABORTED,
  ANNOUNCED,
  CLOSED,
  EPOCH,
  KIND_MASK,
  MORE_FOLLOWS,
  OPEN,
  PIECE_EPOCH,
  PIECE_HEADER_BYTES,
  PIECE_KIND,
  PIECE_LENGTH,
  PIECE_SEQUENCE,
  pieceBytes,
  READ,
  RingClosedError,
  type RingEnd,
  type RingViews,
  ROOM_WANTED,
  STATE,
  viewsOf,
  WRITTEN,
} from './ring-memory.ts'

/** The one writer of a ring. */
export class RingWriter {
  private readonly views: RingViews
  private readonly end: RingEnd
  private written: number
  /** As last seen; it may have gone on. */
  private read: number
  private sequence = 0
  /** Bytes of the frame that is being written that are in the ring already. */
  private done = 0
  private hasBegun = false
  private readonly hasRoomFor: () => boolean

  constructor(end: RingEnd) {
    this.end = end
    this.views = viewsOf(end.memory)
    this.written = Atomics.load(this.views.words, WRITTEN)
    this.read = Atomics.load(this.views.words, READ)
    this.hasRoomFor = () => this.isRoomThere()
  }

  /** Bytes in the ring that the reader has not given back. */
  get usedBytes(): number {
    return (this.written - Atomics.load(this.views.words, READ)) | 0
  }

  /** How many frames were written. */
  get frames(): number {
    return this.sequence
  }

  /**
   * Writes a frame whole, kind from 0 to 255. False while the ring has no room: the thread is woken when it has, and the call is made
   * again with the same frame, of which a part may be on its way if it is larger than half the ring. Throws RingClosedError.
   */
  tryWrite(kind: number, frame: Uint8Array): boolean {
    this.assertOpen()
    if (frame.length > this.views.capacityBytes >> 1) return this.tryWritePieces(kind, frame)
    assert(!this.hasBegun, 'a frame follows one of which a part is written')
    const needed = this.bytesFor(frame.length)
    if (!this.hasRoom(needed)) return false
    this.writeFrom(kind, frame, frame.length)
    this.publish()
    return true
  }

  /** Sets the word beside the ring, which the reader sees however full the ring is: for the id of a barrier. An int32. */
  announce(word: number): void {
    Atomics.store(this.views.words, ANNOUNCED, word)
    this.end.otherWake.wake()
  }

  /** No frame follows; the reader finds the end behind the last one. */
  close(): void {
    assert(!this.hasBegun, 'a ring is closed in the middle of a frame')
    Atomics.compareExchange(this.views.words, STATE, OPEN, CLOSED)
    this.end.otherWake.wake()
  }

  /** Gives up: the reader throws RingClosedError from now on. */
  abort(): void {
    Atomics.store(this.views.words, STATE, ABORTED)
    this.end.otherWake.wake()
  }

  /** After a write that failed: blocks until there is room, the ring was aborted, something else woke the thread, or the time is over; true unless it is over. */
  waitForRoomSync(timeoutMs: number): boolean {
    return this.end.ownWake.waitSync(this.hasRoomFor, timeoutMs)
  }

  /** After a write that failed: resolves when there is room, or something else woke the thread. */
  waitForRoom(): Promise<void> {
    return this.end.ownWake.wait(this.hasRoomFor)
  }

  /** True after a write that failed, until the reader gives back the room that this one waits for, or the ring is aborted. */
  get isBlocked(): boolean {
    return !this.isRoomThere()
  }

  private isRoomThere(): boolean {
    const { words } = this.views
    return Atomics.load(words, ROOM_WANTED) === 0 || Atomics.load(words, STATE) !== OPEN
  }

  private assertOpen(): void {
    const { words } = this.views
    if (Atomics.load(words, EPOCH) !== this.end.epoch) throw new RingClosedError('stale')
    const state = Atomics.load(words, STATE)
    if (state !== OPEN) throw new RingClosedError(state === ABORTED ? 'aborted' : 'closed')
  }

  // Pieces of a quarter of the ring, so that the reader copies few of them, and has some to copy while the next is written.
  private tryWritePieces(kind: number, frame: Uint8Array): boolean {
    this.hasBegun = true
    const pieceMax = this.views.capacityBytes >> 2
    while (this.hasBegun) {
      const next = Math.min(frame.length, this.done + pieceMax)
      if (!this.hasRoom(this.bytesFor(next - this.done))) return false
      this.writeFrom(kind, frame, next)
      this.publish()
    }
    return true
  }

  /** The bytes that so much of a frame takes at this place: a second header where it goes round the end of the ring. */
  private bytesFor(length: number): number {
    const { capacityBytes } = this.views
    const beforeEnd = capacityBytes - (this.written & (capacityBytes - 1)) - PIECE_HEADER_BYTES
    return length <= beforeEnd ? pieceBytes(length) : PIECE_HEADER_BYTES + beforeEnd + pieceBytes(length - beforeEnd)
  }

  private hasRoom(needed: number): boolean {
    const { capacityBytes, words } = this.views
    if (capacityBytes - ((this.written - this.read) | 0) >= needed) return true
    this.read = Atomics.load(words, READ)
    if (capacityBytes - ((this.written - this.read) | 0) >= needed) return true
    // Half a ring at least: a reader that gives back frame after frame does not wake this thread for each. The second look is for room that
    // was given back before the reader could see the wish.
    Atomics.store(words, ROOM_WANTED, Math.max(needed, capacityBytes >> 1))
    this.read = Atomics.load(words, READ)
    if (capacityBytes - ((this.written - this.read) | 0) < needed) return false
    Atomics.store(words, ROOM_WANTED, 0)
    return true
  }

  // One piece, or two around the end of the ring, which the reader sees when they are published.
  private writeFrom(kind: number, frame: Uint8Array, until: number): void {
    const { capacityBytes, bytes, pieceWords } = this.views
    do {
      const at = this.written & (capacityBytes - 1)
      const length = Math.min(until - this.done, capacityBytes - at - PIECE_HEADER_BYTES)
      const isLast = this.done + length === frame.length
      const word = at >> 2
      pieceWords[word + PIECE_LENGTH] = length
      pieceWords[word + PIECE_KIND] = (kind & KIND_MASK) | (isLast ? 0 : MORE_FOLLOWS)
      pieceWords[word + PIECE_SEQUENCE] = this.sequence
      pieceWords[word + PIECE_EPOCH] = this.end.epoch
      const isWhole = length === frame.length
      bytes.set(isWhole ? frame : frame.subarray(this.done, this.done + length), at + PIECE_HEADER_BYTES)
      this.done += length
      this.written = (this.written + pieceBytes(length)) | 0
    } while (this.done < until)
    if (this.done < frame.length) return
    this.done = 0
    this.hasBegun = false
    this.sequence = (this.sequence + 1) | 0
  }

  private publish(): void {
    Atomics.store(this.views.words, WRITTEN, this.written)
    this.end.otherWake.wake()
  }
}
