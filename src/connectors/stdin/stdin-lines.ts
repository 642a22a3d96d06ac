// A source of the lines of standard input. It belongs to the main thread, is read once and cannot be resumed, in the same process neither.
import { Buffer } from 'node:buffer'
import type { Readable } from 'node:stream'
import { errorText, StreamError } from '../../base/errors.ts'
import type { ReaderContext, ReadStatus, Source, SourceOutput, SourceSpec, SplitReader } from '../../model/connector.ts'
import { ChunkQueue } from '../chunk-queue.ts'
import { emitLines, LineCutter, type LineInput, logReplacements } from '../line-cutter.ts'
import { ConnectorOptions } from '../options.ts'
import { TEXT_OPTION_NAMES, textOptions } from '../text-options.ts'

/**
 * Makes the source `stdin-lines` of `lineBytesMax` and `encodingErrors`; throws OPTION_INVALID. `input` gives the stream of bytes.
 * Reading fails with LINE_TOO_LONG, TEXT_INVALID or SOURCE_FAILED. Its position counts the bytes read and cannot be gone back to: opening fails with
 * SOURCE_FAILED for one above 0, and for a stream that has given lines already to a job that is restarted; `readFor` stands for the job then.
 */
export function stdinLinesSource(spec: SourceSpec, input: () => Readable, readFor?: object): Source<string, number> {
  const options = new ConnectorOptions(spec, TEXT_OPTION_NAMES)
  const text = textOptions(options)
  return {
    splits: () => [{ id: 'stdin', position: 0 }],
    open(split, context) {
      if (split.position > 0) {
        throw new StreamError(
          'SOURCE_FAILED',
          `${spec.description}: standard input cannot be resumed at byte ${split.position}: what was read is not kept anywhere, so it cannot be replayed after a failure or a stop; read a file, keep what comes in (writeAheadLog: true), or start from the beginning`,
        )
      }
      const stream = input()
      const bytesLost = readFor === undefined ? 0 : (bytesGiven.get(stream)?.get(readFor) ?? 0)
      if (bytesLost > 0) throw lostError(spec.description, bytesLost)
      return new StdinReader(
        stream,
        { ...text, description: spec.description, logger: context.logger },
        context,
        readFor,
      )
    },
  }
}

// How many bytes of a stream have become lines, by whom they were read for. A source is made anew when its job is restarted, and what was read of
// the stream stays read: so this is kept beside the stream itself.
const bytesGiven = new WeakMap<Readable, WeakMap<object, number>>()

function lostError(description: string, bytes: number): StreamError {
  return new StreamError(
    'SOURCE_FAILED',
    `${description}: the job is restarted from its beginning, and the lines in the first ${bytes} bytes of standard input were read before the failure: they are in no checkpoint and cannot be read again; read a file, or keep what comes in (writeAheadLog: true)`,
  )
}

class StdinReader implements SplitReader<string, number> {
  private readonly stream: Readable
  private readonly input: LineInput
  private readonly context: ReaderContext
  private readonly readFor: object | undefined
  private readonly queue: ChunkQueue
  private readonly cutter: LineCutter
  /** The chunks of the line that is not complete, and of those behind it; the first begins at the byte `givenFrom`. */
  private readonly given: Uint8Array[] = []
  private givenFrom = 0
  private state: 'open' | 'ended' | 'closed' = 'open'
  private failure: StreamError | undefined

  constructor(stream: Readable, input: LineInput, context: ReaderContext, readFor: object | undefined) {
    this.stream = stream
    this.readFor = readFor
    this.input = input
    this.context = context
    this.queue = new ChunkQueue(stream)
    this.cutter = new LineCutter(input)
    if (stream.readableEnded || stream.destroyed) this.state = 'ended'
    stream.on('data', this.onData)
    stream.on('end', this.onEnd)
    stream.on('error', this.onError)
    stream.on('close', this.onEnd)
    // A stream that an earlier reader paused does not go on by itself.
    stream.resume()
  }

  read(output: SourceOutput<string>): ReadStatus {
    if (emitLines(this.cutter, () => this.takeChunk(), output) === 'full') return 'more'
    if (this.failure !== undefined) throw this.failure
    if (this.state === 'open') return 'waiting'
    const last = this.cutter.finish()
    if (last !== undefined) output.emit(last)
    return 'end'
  }

  position(): number {
    return this.cutter.position()
  }

  close(): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.noteGiven()
    logReplacements(this.cutter, this.input)
    this.stream.off('data', this.onData)
    this.stream.off('end', this.onEnd)
    this.stream.off('error', this.onError)
    this.stream.off('close', this.onEnd)
    const left = this.leftBytes()
    this.queue.clear()
    // Paused, not destroyed: the stream is the process's; a paused one does not keep the process alive.
    this.stream.pause()
    // Else the next reader in this process would begin within a line.
    const isOpen = !this.stream.readableEnded && !this.stream.destroyed && this.stream.readableEncoding === null
    if (left.length > 0 && isOpen) this.stream.unshift(left)
  }

  private noteGiven(): void {
    if (this.readFor === undefined) return
    const byReader = bytesGiven.get(this.stream) ?? new WeakMap<object, number>()
    bytesGiven.set(this.stream, byReader.set(this.readFor, this.cutter.position()))
  }

  private takeChunk(): Uint8Array | undefined {
    const { given, queue, cutter } = this
    for (let first = given[0]; first !== undefined; first = given[0]) {
      if (this.givenFrom + first.length > cutter.position()) break
      this.givenFrom += first.length
      given.shift()
    }
    const chunk = queue.take()
    if (chunk !== undefined) given.push(chunk)
    return chunk
  }

  // What was read of the stream and is in no line that was emitted.
  private leftBytes(): Uint8Array {
    const { given, queue, cutter, givenFrom } = this
    const chunks = [...given]
    for (let chunk = queue.take(); chunk !== undefined; chunk = queue.take()) chunks.push(chunk)
    return Buffer.concat(chunks).subarray(cutter.position() - givenFrom)
  }

  private readonly onData = (chunk: Uint8Array | string): void => {
    // Text arrives where somebody called setEncoding on the process's stream.
    this.queue.push(typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk)
    this.context.wake()
  }

  private readonly onEnd = (): void => {
    if (this.state === 'open') this.state = 'ended'
    this.context.wake()
  }

  private readonly onError = (error: unknown): void => {
    this.failure = new StreamError('SOURCE_FAILED', `${this.input.description}: ${errorText(error)}`, { cause: error })
    this.context.wake()
  }
}
