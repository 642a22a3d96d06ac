// Reads the lines of a file that is not compressed, to its end or as it grows. It reads ahead by one chunk while lines of the other are emitted,
// so neither waits for the other longer than it must.
import { Buffer } from 'node:buffer'
import { stat } from 'node:fs/promises'
import { StreamError } from '../../base/errors.ts'
import type { ReaderContext, ReadStatus, SourceOutput, SplitReader } from '../../model/connector.ts'
import { emitLines, LineCutter, type LineInput, logReplacements } from '../line-cutter.ts'
import { readError, systemCode } from './file-errors.ts'
import type { FileLinesOptions } from './file-options.ts'
import { type OpenFile, positionLost } from './open-file.ts'

// reading: the next chunk is on its way; ready: it is there; at-end: there is no more for now; closed.
type ReadAhead = 'reading' | 'ready' | 'at-end' | 'closed'

/** A reader of one file, which it closes. The position is the byte offset of the next line. A last line without end is one only if the file is not followed. */
export class PlainLinesReader implements SplitReader<string, number> {
  /** While it follows the file: when to look at it again. */
  wakeAtMs: number | undefined = undefined
  private readonly options: FileLinesOptions
  private readonly context: ReaderContext
  private readonly file: OpenFile
  private readonly input: LineInput
  private readonly cutter: LineCutter
  private readAhead: ReadAhead = 'reading'
  /** The buffer being filled, or filled and waiting; the other one belongs to the cutter. */
  private filling: Buffer
  private spare: Buffer
  private filledBytes = 0
  private readOffset: number
  private failure: StreamError | undefined

  /** Throws SOURCE_FAILED when the file has no such offset. */
  constructor(options: FileLinesOptions, file: OpenFile, startOffset: number, context: ReaderContext) {
    checkPosition(options, file, startOffset)
    this.options = options
    this.context = context
    this.file = file
    this.input = { ...options.text, description: options.description, startOffset, logger: context.logger }
    this.cutter = new LineCutter(this.input)
    this.filling = Buffer.allocUnsafeSlow(options.chunkBytes)
    this.spare = Buffer.allocUnsafeSlow(options.chunkBytes)
    this.readOffset = startOffset
    this.fill()
  }

  read(output: SourceOutput<string>): ReadStatus {
    if (emitLines(this.cutter, () => this.takeChunk(), output) === 'full') return 'more'
    if (this.failure !== undefined) throw this.failure
    if (this.readAhead !== 'at-end') return 'waiting'
    if (this.options.followEveryMs !== undefined) return this.waitForMore(this.options.followEveryMs)
    const last = this.cutter.finish()
    if (last !== undefined) output.emit(last)
    return 'end'
  }

  position(): number {
    return this.cutter.position()
  }

  async close(): Promise<void> {
    if (this.readAhead === 'closed') return
    this.readAhead = 'closed'
    logReplacements(this.cutter, this.input)
    const closed = this.file.handle.close()
    // Closing waits for a read that is under way, and that of a pipe may take for ever.
    if (this.file.isSeekable) await closed
    else closed.catch(() => {})
  }

  private waitForMore(everyMs: number): ReadStatus {
    const nowMs = this.context.clock.now()
    if (this.wakeAtMs === undefined) this.wakeAtMs = nowMs + everyMs
    else if (nowMs >= this.wakeAtMs) {
      this.wakeAtMs = undefined
      this.fill()
    }
    return 'waiting'
  }

  private takeChunk(): Buffer | undefined {
    if (this.readAhead !== 'ready') return undefined
    const chunk = this.filling.subarray(0, this.filledBytes)
    ;[this.filling, this.spare] = [this.spare, this.filling]
    this.fill()
    return chunk
  }

  private fill(): void {
    this.readAhead = 'reading'
    this.readChunk().then(
      bytesRead => {
        if (this.readAhead === 'closed') return
        this.readAhead = bytesRead === 0 ? 'at-end' : 'ready'
        this.filledBytes = bytesRead
        this.readOffset += bytesRead
        this.context.wake()
      },
      error => {
        if (this.readAhead === 'closed') return
        const { description } = this.options
        this.failure = error instanceof StreamError ? error : readError(description, this.file.path, error)
        this.context.wake()
      },
    )
  }

  private async readChunk(): Promise<number> {
    const { handle, isSeekable } = this.file
    const position = isSeekable ? this.readOffset : null
    const { bytesRead } = await handle.read(this.filling, 0, this.filling.length, position)
    if (bytesRead === 0 && this.options.followEveryMs !== undefined) await this.checkFollowed()
    return bytesRead
  }

  // What comes after a file was cut or replaced is not what comes after what was read: to go on would lose lines in silence.
  private async checkFollowed(): Promise<void> {
    const { handle, path } = this.file
    const own = await handle.stat()
    if (own.size < this.readOffset) throw this.notFollowed(`shrank from ${this.readOffset} to ${own.size} bytes`)
    const named = await stat(path).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    })
    if (named === undefined) throw this.notFollowed('was removed or renamed')
    if (named.ino !== own.ino || named.dev !== own.dev) throw this.notFollowed('was replaced by another file')
  }

  private notFollowed(what: string): StreamError {
    return new StreamError(
      'SOURCE_FAILED',
      `${this.options.description}: ${this.file.path} ${what} while it was followed; follow files that only grow (let each rotation begin a file with a new name, and read them by a pattern), or start the job anew`,
    )
  }
}

function checkPosition({ description, followEveryMs }: FileLinesOptions, file: OpenFile, position: number): void {
  const { path, isSeekable, bytes } = file
  if (!isSeekable && followEveryMs !== undefined) {
    throw new StreamError(
      'FILE_NOT_READABLE',
      `${description}: ${path} is not a regular file, so it cannot be followed; read it without follow`,
    )
  }
  if (position === 0 || (isSeekable && position <= bytes)) return
  throw positionLost(description, path, {
    found: isSeekable ? `has ${bytes} bytes` : 'is not a regular file',
    position,
  })
}
