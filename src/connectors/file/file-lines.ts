// A source of the lines of one file. One split; the position is the byte offset of the next line, from which it can be resumed.
// It reads ahead by one chunk while lines of the other are emitted, so neither waits for the other longer than it must.
import { Buffer } from 'node:buffer'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { StreamError } from '../../base/errors.ts'
import type {
  ReaderContext,
  ReadStatus,
  Source,
  SourceOutput,
  SourceSpec,
  Split,
  SplitReader,
} from '../../model/connector.ts'
import { emitLines, LineCutter, type LineInput, logReplacements } from '../line-cutter.ts'
import { ConnectorOptions } from '../options.ts'
import { TEXT_OPTION_NAMES, type TextOptions, textOptions } from '../text-options.ts'
import { readError } from './file-errors.ts'

/** What a file source reads, with its options checked. */
interface FileLinesOptions {
  readonly description: string
  /** The absolute path. */
  readonly path: string
  readonly chunkBytes: number
  readonly text: TextOptions
}

const CHUNK_BYTES_DEFAULT = 256 * 1024
const CHUNK_BYTES_MAX = 64 * 1024 * 1024

/**
 * Makes the source `file-lines` of `path`, `lineBytesMax`, `encodingErrors` and `chunkBytes`; throws OPTION_INVALID.
 * Lines end with a line feed, or carriage return and line feed; the last one may lack it. The file is read as UTF-8.
 * Opening a reader fails with FILE_NOT_FOUND or FILE_NOT_READABLE; reading with LINE_TOO_LONG, TEXT_INVALID or SOURCE_FAILED.
 */
export function fileLinesSource(spec: SourceSpec): Source<string, number> {
  const options = new ConnectorOptions(spec, ['path', 'chunkBytes', ...TEXT_OPTION_NAMES])
  const checked: FileLinesOptions = {
    description: spec.description,
    path: resolve(options.text('path')),
    chunkBytes: options.wholeNumber('chunkBytes', { min: 1, max: CHUNK_BYTES_MAX, default: CHUNK_BYTES_DEFAULT }),
    text: textOptions(options),
  }
  return {
    splits: () => [{ id: checked.path, position: 0 }],
    open: (split, context) => openReader(checked, split, context),
  }
}

async function openReader(
  options: FileLinesOptions,
  split: Split<number>,
  context: ReaderContext,
): Promise<FileLinesReader> {
  const { description, path } = options
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    throw readError(description, path, error)
  }
  try {
    const stat = await file.stat()
    if (stat.isDirectory()) throw Object.assign(new Error(`${path} is a directory`), { code: 'EISDIR' })
    if (split.position > 0) checkPosition(options, split.position, stat)
    return new FileLinesReader(options, { file, isSeekable: stat.isFile() }, split.position, context)
  } catch (error) {
    await file.close()
    throw error instanceof StreamError ? error : readError(description, path, error)
  }
}

function checkPosition(
  { description, path }: FileLinesOptions,
  position: number,
  stat: { readonly size: number; isFile(): boolean },
): void {
  if (stat.isFile() && position <= stat.size) return
  const found = stat.isFile() ? `has ${stat.size} bytes` : 'is not a regular file'
  throw new StreamError(
    'SOURCE_FAILED',
    `${description}: ${path} ${found}, but reading is to go on at byte ${position}; restore the file as it was, or start the job anew`,
  )
}

// idle: nothing asked for; reading: the next chunk is on its way; ready: it is there; at-end: there is no more; closed.
type ReadAhead = 'idle' | 'reading' | 'ready' | 'at-end' | 'closed'

class FileLinesReader implements SplitReader<string, number> {
  private readonly options: FileLinesOptions
  private readonly context: ReaderContext
  private readonly file: FileHandle
  /** Pipes and devices are read where they stand; only a regular file can be read at an offset. */
  private readonly isSeekable: boolean
  private readonly input: LineInput
  private readonly cutter: LineCutter
  private readAhead: ReadAhead = 'idle'
  /** The buffer being filled, or filled and waiting; the other one belongs to the cutter. */
  private filling: Buffer
  private spare: Buffer
  private filledBytes = 0
  private readOffset: number
  private failure: StreamError | undefined

  constructor(
    options: FileLinesOptions,
    { file, isSeekable }: { readonly file: FileHandle; readonly isSeekable: boolean },
    startOffset: number,
    context: ReaderContext,
  ) {
    this.options = options
    this.context = context
    this.file = file
    this.isSeekable = isSeekable
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
    const closed = this.file.close()
    // Closing waits for a read that is under way, and that of a pipe may take for ever.
    if (this.isSeekable) await closed
    else closed.catch(() => {})
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
    const position = this.isSeekable ? this.readOffset : null
    this.file.read(this.filling, 0, this.filling.length, position).then(
      ({ bytesRead }) => {
        if (this.readAhead === 'closed') return
        this.readAhead = bytesRead === 0 ? 'at-end' : 'ready'
        this.filledBytes = bytesRead
        this.readOffset += bytesRead
        this.context.wake()
      },
      error => {
        if (this.readAhead === 'closed') return
        this.failure = readError(this.options.description, this.options.path, error)
        this.context.wake()
      },
    )
  }
}
