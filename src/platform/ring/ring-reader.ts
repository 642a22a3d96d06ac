// Record path (bench/exchange.ts). The receiving end of a ring: the frames of one writer in another thread, in order.
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

/** What is kept for frames in pieces; a larger one was an exception. */
const ASSEMBLY_KEPT_BYTES_MAX = 1 << 20

/** The one reader of a ring. */
export class RingReader {
  private readonly views: RingViews
  private readonly end: RingEnd
  /** As last seen; it may have gone on. */
  private written: number
  /** Up to here all was read; what is behind `released` the writer may use again. */
  private position: number
  private released: number
  private sequence = 0
  private lastKind = 0
  private assembly = new Uint8Array(0)
  private assembled = 0
  private isAssembling = false
  private readonly hasWork: () => boolean

  constructor(end: RingEnd) {
    this.end = end
    this.views = viewsOf(end.memory)
    this.written = Atomics.load(this.views.words, WRITTEN)
    this.position = Atomics.load(this.views.words, READ)
    this.released = this.position
    this.hasWork = () => this.hasData || Atomics.load(this.views.words, STATE) !== OPEN
  }

  /** The kind of the frame that was read last. */
  get kind(): number {
    return this.lastKind
  }

  /** How many frames were read. */
  get frames(): number {
    return this.sequence
  }

  /** The word that the writer announced last; 0 before the first. */
  get announced(): number {
    return Atomics.load(this.views.words, ANNOUNCED)
  }

  /** True when something was written that was not read, if only a part of a frame. */
  get hasData(): boolean {
    return Atomics.load(this.views.words, WRITTEN) !== this.position
  }

  /** Bytes in the ring that were not read. */
  get unreadBytes(): number {
    return (Atomics.load(this.views.words, WRITTEN) - this.position) | 0
  }

  /** True when the writer closed the ring and all was read. */
  get isEnded(): boolean {
    return Atomics.load(this.views.words, STATE) === CLOSED && !this.hasData
  }

  /**
   * The next frame, or undefined when none is there whole. Its bytes are mostly those of the ring: valid until the next call or `release`,
   * which give them back to the writer. Throws RingClosedError when the ring was aborted or reset.
   */
  tryRead(): Uint8Array | undefined {
    this.assertValid()
    this.release()
    while (this.isThere()) {
      const { capacityBytes, bytes, pieceWords } = this.views
      const at = this.position & (capacityBytes - 1)
      const word = at >> 2
      const length = pieceWords[word + PIECE_LENGTH] as number
      const kind = pieceWords[word + PIECE_KIND] as number
      assert(pieceWords[word + PIECE_EPOCH] === this.end.epoch, 'a piece in a ring is of another epoch')
      assert(pieceWords[word + PIECE_SEQUENCE] === this.sequence, 'a frame is missing in a ring, or is there twice')
      const from = at + PIECE_HEADER_BYTES
      const piece = bytes.subarray(from, from + length)
      this.position = (this.position + pieceBytes(length)) | 0
      const isLast = (kind & MORE_FOLLOWS) === 0
      const frame = isLast && !this.isAssembling ? piece : this.assemble(piece, isLast)
      if (frame === undefined) continue
      this.sequence = (this.sequence + 1) | 0
      this.lastKind = kind & KIND_MASK
      return frame
    }
    return undefined
  }

  /** Gives the bytes of the frame that was read last back to the writer. */
  release(): void {
    if (this.released === this.position) return
    this.released = this.position
    const { words, capacityBytes } = this.views
    Atomics.store(words, READ, this.position)
    const wanted = Atomics.load(words, ROOM_WANTED)
    if (wanted === 0 || capacityBytes - ((Atomics.load(words, WRITTEN) - this.position) | 0) < wanted) return
    Atomics.store(words, ROOM_WANTED, 0)
    this.end.otherWake.wake()
  }

  /** Gives up: the writer throws RingClosedError from now on. */
  abort(): void {
    Atomics.store(this.views.words, STATE, ABORTED)
    this.end.otherWake.wake()
  }

  /** Blocks until there is data, or the ring was closed or aborted, or something else woke the thread, or the time is over; true unless it is over. */
  waitForDataSync(timeoutMs: number): boolean {
    return this.end.ownWake.waitSync(this.hasWork, timeoutMs)
  }

  /** Resolves when there is data, or the ring was closed or aborted, or something else woke the thread. */
  waitForData(): Promise<void> {
    return this.end.ownWake.wait(this.hasWork)
  }

  private assertValid(): void {
    const { words } = this.views
    if (Atomics.load(words, EPOCH) !== this.end.epoch) throw new RingClosedError('stale')
    if (Atomics.load(words, STATE) === ABORTED) throw new RingClosedError('aborted')
  }

  private isThere(): boolean {
    if (this.written !== this.position) return true
    this.written = Atomics.load(this.views.words, WRITTEN)
    return this.written !== this.position
  }

  // The room of each piece is given back at once: the ring may be smaller than the frame.
  private assemble(piece: Uint8Array, isLast: boolean): Uint8Array | undefined {
    if (!this.isAssembling) {
      this.isAssembling = true
      this.assembled = 0
      if (this.assembly.length > ASSEMBLY_KEPT_BYTES_MAX) this.assembly = new Uint8Array(0)
    }
    const needed = this.assembled + piece.length
    if (needed > this.assembly.length) {
      const next = new Uint8Array(Math.max(needed, this.assembly.length * 2))
      next.set(this.assembly.subarray(0, this.assembled))
      this.assembly = next
    }
    this.assembly.set(piece, this.assembled)
    this.assembled = needed
    this.release()
    if (!isLast) return undefined
    this.isAssembling = false
    return this.assembly.subarray(0, needed)
  }
}
