// Record path. Reads a split through its write-ahead log: what the inner reader gives is emitted only when it is durable, and what the log
// holds behind a position is emitted again after a failure. Group commit: while one batch is made durable the next one is collected.
import type { ReaderContext, ReadStatus, SourceOutput, SplitReader } from '../../model/connector.ts'
import { logError } from './log-errors.ts'
import { FIRST_OFFSET, type LogFolder, type LogPosition } from './log-folder.ts'
import { LogBatch, type LogEntry } from './log-format.ts'
import { LogWriter } from './log-writer.ts'
import type { OpenLog } from './open-log.ts'

/** What bounds a log. */
export interface LogLimits {
  /** A segment that has so many bytes is ended. */
  readonly segmentBytes: number
  /** With so many bytes on the disk, no more is taken from the inner reader. */
  readonly bytesMax: number
}

/** What a reader is made of. */
export interface LoggedReaderInit<T> extends LogLimits {
  readonly folder: LogFolder
  readonly log: OpenLog
  /** Undefined where the log holds all of the input. */
  readonly inner: SplitReader<T> | undefined
  readonly context: ReaderContext
}

/** How many of the newest complete snapshots the log keeps the records of: as many as a job retains unless it says otherwise. */
export const SNAPSHOTS_KEPT = 3
/** A batch with so many bytes takes no more. */
const BATCH_BYTES_MAX = 256 * 1024

/** Entries that are durable, and how many of them are emitted. */
interface ReadyEntries {
  readonly segment: number
  readonly offset: number
  readonly entries: readonly LogEntry[]
  emitted: number
}

/** replaying: entries are read from the log; live: they come from the inner reader; ended: the end of the input was emitted; closed. */
type ReaderState = 'replaying' | 'live' | 'ended' | 'closed'

/** Reads one split. It fails with what the inner reader does, STORAGE_FAILED, DIRECTORY_NOT_WRITABLE, and SOURCE_FAILED for a log that cannot be replayed. */
export class LoggedReader<T> implements SplitReader<T, LogPosition> {
  private readonly init: LoggedReaderInit<T>
  private readonly writer: LogWriter
  private readonly collector: SourceOutput<T>
  private state: ReaderState = 'replaying'
  private ready: ReadyEntries | undefined
  private collecting = new LogBatch()
  private spare = new LogBatch()
  private isInputEnded = false
  private failure: Error | undefined
  /** The call to the file system that is under way: one at a time, but for removals. */
  private underWay: Promise<void> | undefined
  private removal: Promise<void> | undefined
  private emittedTo: LogPosition
  /** The positions of the newest complete snapshots, the oldest first. */
  private readonly complete: LogPosition[] = []
  private isFullTold = false

  constructor(init: LoggedReaderInit<T>) {
    const { folder, log, segmentBytes } = init
    this.init = init
    this.writer = new LogWriter(folder, log.nextNumber, segmentBytes)
    this.emittedTo = log.start
    this.collector = {
      emit: (record, timestampMs, isRetraction = false) => {
        this.collecting.add(record, timestampMs, isRetraction)
        return !this.isBatchFull()
      },
    }
  }

  /** When the inner reader wants to be read, unless there is no room for what it would give. */
  get wakeAtMs(): number | undefined {
    return this.state === 'live' && this.hasRoom() ? this.init.inner?.wakeAtMs : undefined
  }

  read(output: SourceOutput<T>): ReadStatus {
    if (this.failure !== undefined) throw this.failure
    if (this.ready !== undefined && !this.emitReady(this.ready, output)) return 'more'
    switch (this.state) {
      case 'replaying':
        if (this.underWay === undefined) this.await('cannot be read', () => this.replayMore())
        return 'waiting'
      case 'live':
        return this.readInner()
      case 'ended':
      case 'closed':
        return 'end'
    }
  }

  /** The position behind all that was emitted: behind the end of a segment that gets no more, the next one begins, so that the old one can go. */
  position(): LogPosition {
    const { emittedTo, writer, init } = this
    const { segment, offset } = emittedTo
    if (segment >= writer.number) return emittedTo
    const end = init.folder.segments.find(({ number }) => number === segment)?.bytes
    // A segment that was removed was behind all that is needed.
    const isPassed = end === undefined || end === offset
    return isPassed ? { segment: segment + 1, offset: FIRST_OFFSET } : emittedTo
  }

  /** Lets go of what is before the oldest of the complete snapshots that a job may go back to. */
  onSnapshotComplete(position: LogPosition): void {
    this.complete.push(position)
    if (this.complete.length > SNAPSHOTS_KEPT) this.complete.shift()
    if (this.removal === undefined && this.state !== 'closed') this.settle()
  }

  /** What was taken from the inner reader goes into the log, for the next run. */
  async close(): Promise<void> {
    if (this.state === 'closed') return
    this.state = 'closed'
    await this.underWay
    await this.removal
    try {
      await this.init.inner?.close()
    } finally {
      await this.closeWriter()
    }
  }

  // True when all of it is emitted.
  private emitReady(ready: ReadyEntries, output: SourceOutput<T>): boolean {
    const { entries } = ready
    let hasRoom = true
    while (hasRoom && ready.emitted < entries.length) {
      const entry = entries[ready.emitted++] as LogEntry
      if (entry.isEnd) this.onEnd()
      else hasRoom = output.emit(entry.value as T, entry.timestampMs, entry.isRetraction)
    }
    const last = entries[ready.emitted - 1]
    if (last !== undefined) this.emittedTo = { segment: ready.segment, offset: ready.offset + last.endBytes }
    if (ready.emitted === entries.length) this.ready = undefined
    return hasRoom
  }

  // While replaying, other records may come behind a mark: it belongs to a run that is over.
  private onEnd(): void {
    if (this.state === 'live') this.state = 'ended'
  }

  private async replayMore(): Promise<void> {
    const { cursor, isComplete } = this.init.log
    const piece = await cursor.next()
    if (piece !== undefined) this.ready = { ...piece, emitted: 0 }
    else if (this.state === 'replaying') this.state = isComplete ? 'ended' : 'live'
  }

  private readInner(): ReadStatus {
    const { inner } = this.init
    let status: ReadStatus = 'waiting'
    if (inner !== undefined && this.hasRoom()) {
      status = inner.read(this.collector)
      if (status === 'end') {
        this.isInputEnded = true
        this.collecting.addEnd()
      }
    }
    if (this.underWay === undefined) this.beginWrite()
    return status === 'more' && this.hasRoom() ? 'more' : 'waiting'
  }

  private beginWrite(): void {
    const { writer } = this
    if (this.collecting.entries.length > 0) this.await('cannot be written', () => this.write())
    // What is full would stay so for ever if the segment that is written could not be removed.
    else if (this.isLogFull() && writer.isSegmentOpen) this.await('cannot be written', () => writer.endSegment())
  }

  private async write(): Promise<void> {
    const batch = this.collecting
    this.collecting = this.spare
    const place = await this.writer.write(batch)
    this.ready = { ...place, entries: batch.entries, emitted: 0 }
    batch.reset()
    this.spare = batch
  }

  private hasRoom(): boolean {
    return !this.isInputEnded && !this.isBatchFull() && !this.isLogFull()
  }

  private isBatchFull(): boolean {
    return this.collecting.bytes >= Math.min(BATCH_BYTES_MAX, this.init.segmentBytes)
  }

  private isLogFull(): boolean {
    const { folder, bytesMax, context } = this.init
    const bytes = folder.totalBytes + this.collecting.bytes
    if (bytes < bytesMax) {
      this.isFullTold = false
      return false
    }
    if (!this.isFullTold) {
      context.logger.log(
        'warn',
        `${folder.description}: the write-ahead log is full: nothing is read until checkpoints let go of old records`,
        { bytes, bytesMax },
      )
      this.isFullTold = true
    }
    return true
  }

  // One at a time; what is complete meanwhile is looked at when it is over.
  private settle(): void {
    const { folder, context } = this.init
    this.removal = this.settleAll()
      .catch(error => {
        const failure = logError(folder.description, 'keeps old segments, which cannot be removed', error)
        context.logger.log('warn', failure.message)
      })
      .then(() => {
        this.removal = undefined
        if (this.state !== 'closed') context.wake()
      })
  }

  private async settleAll(): Promise<void> {
    const { folder } = this.init
    for (let newest = this.complete.at(-1); newest !== undefined; ) {
      await folder.settle(newest)
      const oldest = this.complete.length < SNAPSHOTS_KEPT ? undefined : this.complete[0]
      if (oldest !== undefined) await folder.removeBelow(oldest.segment)
      const next = this.complete.at(-1)
      newest = next === newest ? undefined : next
    }
  }

  private await(what: string, action: () => Promise<void>): void {
    const { folder, context } = this.init
    this.underWay = action()
      .catch(error => {
        this.failure = logError(folder.description, what, error)
      })
      .then(() => {
        this.underWay = undefined
        if (this.state !== 'closed') context.wake()
      })
  }

  private async closeWriter(): Promise<void> {
    const { writer, collecting, init } = this
    try {
      if (this.failure === undefined && collecting.entries.length > 0) await writer.write(collecting)
    } catch (error) {
      this.failure = logError(init.folder.description, 'cannot be written', error)
      throw this.failure
    } finally {
      // What counts was synced: whatever this says, nothing is lost.
      await writer.close().catch(() => {})
    }
  }
}
