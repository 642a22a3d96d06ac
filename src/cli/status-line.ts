// One line at the bottom of a terminal that is rewritten in place. What else is written to the same terminal comes before it, never into it.

/** The part of a standard stream that is needed. */
export interface TextStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string | Uint8Array, ...rest: readonly unknown[]): boolean
}

const CLEAR = '\r\u001b[2K'
const COLUMNS_DEFAULT = 80
const LINE_FEED = 10

/** Draws a line on a terminal, and takes it away before the process writes something else there. */
export class StatusLine {
  private readonly stream: TextStream
  private readonly write: (text: string) => boolean
  private readonly restore: (() => void)[] = []
  private isDrawn = false
  /** False while somebody's line has no end yet: drawing would erase it. */
  private isAtLineStart = true

  /** `others` are streams that may show on the same terminal. */
  constructor(stream: TextStream, ...others: readonly TextStream[]) {
    this.stream = stream
    const write = stream.write
    this.write = text => write.call(stream, text)
    for (const each of [stream, ...others]) if (each.isTTY === true) this.giveWay(each)
  }

  /** Shows the text, cut to the width of the terminal, instead of the one before. */
  draw(text: string): void {
    if (!this.isAtLineStart) return
    // A terminal that does not know its width says 0.
    const columns = this.stream.columns || COLUMNS_DEFAULT
    this.write(`${CLEAR}${text.slice(0, columns - 1)}`)
    this.isDrawn = true
  }

  /** Takes the line away. */
  clear(): void {
    if (this.isDrawn) this.write(CLEAR)
    this.isDrawn = false
  }

  /** Takes the line away for good. */
  close(): void {
    this.clear()
    for (const restore of this.restore.splice(0)) restore()
  }

  private giveWay(stream: TextStream): void {
    const { write } = stream
    stream.write = (text, ...rest) => {
      this.clear()
      if (text.length > 0) this.isAtLineStart = text.at(-1) === (typeof text === 'string' ? '\n' : LINE_FEED)
      return write.call(stream, text, ...rest)
    }
    this.restore.push(() => {
      stream.write = write
    })
  }
}
