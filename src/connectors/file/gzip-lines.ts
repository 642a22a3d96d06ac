// Reads the lines of a gzip file. The position is the offset in the decompressed text; going on from there decompresses what is before it again,
// since gzip has no other way in.

import type { Readable } from 'node:stream'
import { createGunzip, type Gunzip } from 'node:zlib'
import { errorText, StreamError } from '../../base/errors.ts'
import type { ReaderContext, ReadStatus, SourceOutput, SplitReader } from '../../model/connector.ts'
import { ChunkQueue } from '../chunk-queue.ts'
import { emitLines, LineCutter, type LineInput, logReplacements } from '../line-cutter.ts'
import { readError, systemCode } from './file-errors.ts'
import type { FileLinesOptions } from './file-options.ts'
import { type OpenFile, positionLost } from './open-file.ts'

/** A reader of one file, which it closes. Reading fails with SOURCE_FAILED for what is not gzip, and for a file that ends too early. */
export class GzipLinesReader implements SplitReader<string, number> {
  private readonly input: LineInput
  private readonly path: string
  private readonly isSeekable: boolean
  private readonly context: ReaderContext
  private readonly compressed: Readable
  private readonly gunzip: Gunzip
  private readonly queue: ChunkQueue
  private readonly cutter: LineCutter
  private readonly startOffset: number
  /** Decompressed so far. */
  private bytes = 0
  private state: 'open' | 'ended' | 'closed' = 'open'
  private failure: StreamError | undefined

  constructor(options: FileLinesOptions, file: OpenFile, startOffset: number, context: ReaderContext) {
    const { description, text, chunkBytes } = options
    this.path = file.path
    this.isSeekable = file.isSeekable
    this.context = context
    this.startOffset = startOffset
    this.input = { ...text, description, startOffset, logger: context.logger }
    this.cutter = new LineCutter(this.input)
    this.compressed = file.handle.createReadStream({ highWaterMark: chunkBytes })
    this.gunzip = createGunzip({ chunkSize: Math.max(64, chunkBytes) })
    this.queue = new ChunkQueue(this.gunzip)
    this.gunzip.on('data', (chunk: Uint8Array) => this.onChunk(chunk))
    // Not pipeline(): it is content when all is written to the last stream, which may still fail at its end.
    this.compressed.on('error', error => this.onEnd(error))
    this.gunzip.on('error', error => this.onEnd(error))
    this.gunzip.on('end', () => this.onEnd(undefined))
    this.compressed.pipe(this.gunzip)
  }

  read(output: SourceOutput<string>): ReadStatus {
    if (emitLines(this.cutter, () => this.queue.take(), output) === 'full') return 'more'
    if (this.failure !== undefined) throw this.failure
    if (this.state === 'open') return 'waiting'
    const last = this.cutter.finish()
    if (last !== undefined) output.emit(last)
    return 'end'
  }

  position(): number {
    return this.cutter.position()
  }

  async close(): Promise<void> {
    if (this.state === 'closed') return
    this.state = 'closed'
    logReplacements(this.cutter, this.input)
    this.queue.clear()
    this.gunzip.destroy()
    // The stream owns the file, and has let go of it when it is closed.
    if (this.compressed.closed) return
    const closed = new Promise<void>(resolve => this.compressed.once('close', resolve))
    this.compressed.destroy()
    // A read of a pipe that is under way may take for ever.
    if (this.isSeekable) await closed
  }

  private onChunk(chunk: Uint8Array): void {
    if (this.state === 'closed') return
    const skipped = Math.min(chunk.length, Math.max(0, this.startOffset - this.bytes))
    this.bytes += chunk.length
    if (skipped === chunk.length) return
    this.queue.push(chunk.subarray(skipped))
    this.context.wake()
  }

  private onEnd(error: Error | undefined): void {
    if (this.state !== 'open') return
    this.state = 'ended'
    if (error !== undefined) this.failure = this.failureOf(error)
    else if (this.bytes < this.startOffset) {
      const found = `has ${this.bytes} bytes when decompressed`
      this.failure = positionLost(this.input.description, this.path, { found, position: this.startOffset })
    }
    this.context.wake()
  }

  private failureOf(error: Error): StreamError {
    const { description } = this.input
    if (!systemCode(error).startsWith('Z_')) return readError(description, this.path, error)
    const where = `after ${this.bytes} decompressed bytes`
    return new StreamError(
      'SOURCE_FAILED',
      `${description}: ${this.path} is not a whole gzip file (${errorText(error)} ${where}); restore the file, or set compression to 'none' if it is plain text`,
      { cause: error },
    )
  }
}
