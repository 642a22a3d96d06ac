// Writes batches of records to the segments of a write-ahead log, each of them durable before the next.
import type { AppendFile } from '../../base/storage.ts'
import { systemCode, takenOverError } from './log-errors.ts'
import type { LogFolder } from './log-folder.ts'
import { HEADER, type LogBatch } from './log-format.ts'

/** Where a batch stands. */
export interface BatchPlace {
  readonly segment: number
  readonly offset: number
}

/** A segment while it is written. */
interface OpenSegment {
  readonly number: number
  readonly file: AppendFile
  bytes: number
}

/** Appends to a log that is open. Calls come one at a time; after one that failed only `close` may be called. */
export class LogWriter {
  /** The number of the segment that is written, or that will be. */
  number: number
  private readonly folder: LogFolder
  private readonly segmentBytes: number
  private open: OpenSegment | undefined

  constructor(folder: LogFolder, number: number, segmentBytes: number) {
    this.folder = folder
    this.number = number
    this.segmentBytes = segmentBytes
  }

  /** True while a segment has records and may get more. */
  get isSegmentOpen(): boolean {
    return this.open !== undefined
  }

  /** Resolves when the batch survives a crash. */
  async write(batch: LogBatch): Promise<BatchPlace> {
    const { folder } = this
    const isNew = this.open === undefined
    const segment = this.open ?? (await this.beginSegment())
    const offset = segment.bytes
    await segment.file.append(batch.view())
    segment.bytes += batch.bytes
    folder.note({ number: segment.number, bytes: segment.bytes })
    await segment.file.sync()
    if (isNew) await folder.syncNames()
    // Whoever takes the log over reads it after that: what was durable before is replayed there, and anything else is not emitted here.
    await folder.requireOwned()
    if (segment.bytes >= this.segmentBytes) await this.endSegment()
    return { segment: segment.number, offset }
  }

  /** The next batch begins a segment, so that this one can be removed some day. */
  async endSegment(): Promise<void> {
    const { open } = this
    if (open === undefined) return
    this.open = undefined
    this.number = open.number + 1
    await open.file.close()
  }

  async close(): Promise<void> {
    const { open } = this
    this.open = undefined
    await open?.file.close()
  }

  private async beginSegment(): Promise<OpenSegment> {
    const { folder, number } = this
    // A file of this reader would be in the way of whoever has taken the log over.
    await folder.requireOwned()
    try {
      const file = await folder.files.open(folder.pathOf(number), 'create')
      this.open = { number, file, bytes: HEADER.length }
    } catch (error) {
      if (systemCode(error) === 'EEXIST') throw takenOverError(folder.description, folder.pathOf(number))
      throw error
    }
    await this.open.file.append(HEADER)
    return this.open
  }
}
