// Writes text into one file after another: what a transaction of a file sink consists of. It syncs and closes, and renames nothing.
import type { AppendFile, Files } from '../../base/storage.ts'

/** When a file ends and the next begins, whatever the checkpoints do. */
export interface RollLimits {
  readonly rollBytes: number
  /** Infinity: never. */
  readonly rollMs: number
}

/** Text is handed on in pieces of about this many UTF-16 units. */
const PIECE_LENGTH = 65_536

/** Where the files go. */
export interface PartWriterInit extends RollLimits {
  readonly files: Files
  /** The path of the next file; each is used once. */
  readonly nextPath: () => string
  readonly monotonicMs: () => number
}

/** Files with the lines added since `takeEnded`. After a failed call it may only be closed. */
export class PartWriter {
  private readonly init: PartWriterInit
  private readonly encoder = new TextEncoder()
  private readonly isTimed: boolean
  private file: AppendFile | undefined
  private path = ''
  private piece = ''
  /** Of the file: what is in it already, and when its first line came. */
  private writtenBytes = 0
  private begunMs = 0
  private ended: string[] = []

  constructor(init: PartWriterInit) {
    this.init = init
    this.isTimed = init.rollMs !== Infinity
  }

  /** Adds a line and its line end; a promise means that it goes to the file first. */
  add(line: string): void | Promise<void> {
    if (this.isTimed && this.writtenBytes === 0 && this.piece === '') this.begunMs = this.init.monotonicMs()
    this.piece += `${line}\n`
    const { length } = this.piece
    const isRolled = this.writtenBytes + length >= this.init.rollBytes || (this.isTimed && this.isOverdue())
    if (isRolled) return this.endFile()
    if (length >= PIECE_LENGTH) return this.append()
  }

  /** Hands all lines on, makes them durable, and ends the file. */
  async endFile(): Promise<void> {
    await this.append()
    const { file } = this
    if (file === undefined) return
    await file.sync()
    this.file = undefined
    await file.close()
    this.ended.push(this.path)
    this.writtenBytes = 0
  }

  /** The paths of the files that have ended since the last call, in order. Their directory is not synced. */
  takeEnded(): readonly string[] {
    const { ended } = this
    this.ended = []
    return ended
  }

  /** Lets go of the open file, which stays as it is. */
  async close(): Promise<void> {
    const { file } = this
    this.file = undefined
    this.piece = ''
    await file?.close()
  }

  private async append(): Promise<void> {
    const bytes = this.encoder.encode(this.piece)
    this.piece = ''
    if (bytes.length === 0) return
    this.file ??= await this.create()
    await this.file.append(bytes)
    this.writtenBytes += bytes.length
  }

  private create(): Promise<AppendFile> {
    this.path = this.init.nextPath()
    return this.init.files.open(this.path, 'create')
  }

  private isOverdue(): boolean {
    return this.init.monotonicMs() - this.begunMs >= this.init.rollMs
  }
}
