// Gathers lines and hands them on in pieces of whole lines, for sinks that write text. Holds one piece at most.
import { errorText, StreamError } from '../base/errors.ts'

/** Where the pieces go. */
export interface LineBufferTarget {
  /** For messages: `file out.txt`. */
  readonly description: string
  write(text: string): void | Promise<void>
  /** A piece is handed on when it has this many UTF-16 units. */
  readonly pieceLength?: number
}

/** Pieces of this length are long enough that a write per piece costs little, and short enough to be seen soon. */
const PIECE_LENGTH_DEFAULT = 16_384

/** Lines on their way out. After a failed write it hands on nothing more: what follows a gap would look complete. */
export class LineBuffer {
  private readonly target: LineBufferTarget
  private readonly pieceLength: number
  private piece = ''
  private isBroken = false

  constructor(target: LineBufferTarget) {
    this.target = target
    this.pieceLength = target.pieceLength ?? PIECE_LENGTH_DEFAULT
  }

  /** Adds a line and its line end. A promise means: wait before the next one. Fails with SINK_FAILED. */
  add(line: string): void | Promise<void> {
    this.piece += `${line}\n`
    if (this.piece.length >= this.pieceLength) return this.flush()
  }

  /** Hands on what was gathered. Fails with SINK_FAILED. */
  flush(): void | Promise<void> {
    const text = this.piece
    this.piece = ''
    if (text === '' || this.isBroken) return
    try {
      const written = this.target.write(text)
      return written instanceof Promise ? written.catch(error => this.fail(error)) : undefined
    } catch (error) {
      this.fail(error)
    }
  }

  /** Hands on what was gathered, unless a write failed before: that error has been told. */
  close(): void | Promise<void> {
    return this.flush()
  }

  private fail(error: unknown): never {
    this.isBroken = true
    if (error instanceof StreamError) throw error
    throw new StreamError('SINK_FAILED', `${this.target.description}: ${errorText(error)}`, { cause: error })
  }
}
