// A source with a write-ahead log through attempts that die or fail: a feed that gives each record once, as a socket does, snapshots that
// are completed or not, restarts from the newest complete one, and the records as a job with those snapshots would have counted them.
import type { Prng } from '../../../../src/base/prng.ts'
import type { Files } from '../../../../src/base/storage.ts'
import type { LogPosition } from '../../../../src/connectors/write-ahead-log/log-folder.ts'
import { SNAPSHOTS_KEPT } from '../../../../src/connectors/write-ahead-log/logged-reader.ts'
import { type LogSettings, loggedSource } from '../../../../src/connectors/write-ahead-log/logged-source.ts'
import type { ReaderContext, Source, SplitReader } from '../../../../src/model/connector.ts'
import type { SimulatedFiles } from '../../../../src/testing/simulated-files.ts'
import { FragileFiles } from '../../../../src/testing/simulation/fragile-files.ts'
import { ManualClock, ReaderDriver, RecordingOutput } from './reader-driver.ts'

/** Gives the numbers from 0, each once, whoever asks; what is taken and not kept is gone. */
export class Feed {
  next = 0
  opened = 0
  readonly end: number
  /** What `read` gives at most before it waits. */
  readonly burst: number

  constructor(end: number, burst = 3) {
    this.end = end
    this.burst = burst
  }

  source(): Source<number, null> {
    return { splits: () => [{ id: 'feed', position: null }], open: (_split, context) => this.reader(context) }
  }

  private reader(context: ReaderContext): SplitReader<number, null> {
    this.opened++
    return {
      read: output => {
        for (let given = 0; given < this.burst && this.next < this.end; given++) {
          if (!output.emit(this.next++)) return 'more'
        }
        if (this.next >= this.end) return 'end'
        queueMicrotask(() => context.wake())
        return 'waiting'
      },
      position: () => null,
      close: () => {},
    }
  }
}

export const SMALL_LOG: LogSettings = { directoryOf: () => 'log/of/feed', segmentBytes: 100, bytesMax: 100_000 }

/** A reader on a disk, and what drives it. */
export interface OpenReader {
  readonly reader: SplitReader<number, LogPosition>
  readonly driver: ReaderDriver
}

/** Takes a snapshot of a reader that is complete at once; returns the position that it holds, as a file gives it back. */
export function completeSnapshot({ reader }: Pick<OpenReader, 'reader'>): LogPosition {
  const position = reader.position()
  reader.onSnapshotComplete?.(position)
  return JSON.parse(JSON.stringify(position)) as LogPosition
}

/** Opens the feed through its log, at a position or at the beginning. */
export async function openReader(
  feed: Feed,
  files: Files,
  { position, settings = SMALL_LOG }: { position?: LogPosition | undefined; settings?: LogSettings } = {},
): Promise<OpenReader> {
  const driver = new ReaderDriver(new ManualClock())
  const source = loggedSource(feed.source(), settings, { description: 'the feed', files })
  const [split] = await source.splits(1)
  if (split === undefined) throw new Error('the feed has no split')
  return { reader: await source.open({ id: split.id, position: position ?? split.position }, driver), driver }
}

/** How an attempt ended: all of the input came, it was killed, or it failed. */
export type AttemptEnd = 'end' | 'killed' | 'failed'

/** A snapshot that is complete. */
interface CompleteSnapshot {
  readonly counted: readonly number[]
  readonly position: LogPosition | undefined
}

const NOTHING: CompleteSnapshot = { counted: [], position: undefined }

/** Lives attempt after attempt on one disk. */
export class LogLife {
  /** What a job would have counted. */
  counted: number[] = []
  readonly everEmitted = new Set<number>()
  failures: unknown[] = []
  readonly feed: Feed
  private readonly files: SimulatedFiles
  private readonly prng: Prng
  /** The newest complete snapshots that a job retains, the oldest first. */
  private complete: CompleteSnapshot[] = []
  /** Snapshots that have begun and are not complete yet; most never will be. */
  private begun: CompleteSnapshot[] = []

  constructor(feed: Feed, files: SimulatedFiles, prng: Prng) {
    this.feed = feed
    this.files = files
    this.prng = prng
  }

  /** Runs until the end of the feed, or the n-th call to the disk, at which the power fails. */
  async attempt(diesAtCall = Infinity): Promise<AttemptEnd> {
    const { files, prng } = this
    let calls = 0
    let tellDead = (): void => {}
    const dead = new Promise<'killed'>(resolve => {
      tellDead = () => resolve('killed')
    })
    const process = new FragileFiles(
      files,
      () => {
        if (++calls < diesAtCall) return true
        process.die()
        files.crash(prng)
        tellDead()
        return false
      },
      // Calls take turns of their own lengths.
      async () => {
        for (let turns = prng.below(3); turns > 0; turns--) await undefined
      },
    )
    // Now and then the newest snapshots turn out to be damaged, and the job goes back to the oldest that it retains.
    while (this.complete.length > 1 && prng.below(8) === 0) this.complete.pop()
    this.begun = []
    this.counted = [...this.newest.counted]
    return Promise.race([this.live(process, () => calls >= diesAtCall), dead])
  }

  private async live(files: Files, isDead: () => boolean): Promise<AttemptEnd> {
    let open: OpenReader | undefined
    try {
      open = await openReader(this.feed, files, { position: this.newest.position })
      await this.readToEnd(open, isDead)
      await open.reader.close()
      return 'end'
    } catch (error) {
      this.failures.push(error)
      await Promise.resolve(open?.reader.close()).catch(() => {})
      return 'failed'
    }
  }

  // A process that is dead does nothing more, though its promises may go on.
  private async readToEnd({ reader, driver }: OpenReader, isDead: () => boolean): Promise<void> {
    while (!isDead()) {
      const output = new RecordingOutput<number>(1 + this.prng.below(4))
      const status = reader.read(output)
      for (const record of output.records) {
        this.counted.push(record)
        this.everEmitted.add(record)
      }
      if (this.prng.below(3) === 0) this.snapshot(reader)
      if (status === 'end') return
      if (status === 'waiting') await driver.woken()
    }
  }

  private get newest(): CompleteSnapshot {
    return this.complete.at(-1) ?? NOTHING
  }

  // Any number in a row may fail, and one that is complete may be so only when others have been given up.
  private snapshot(reader: SplitReader<number, LogPosition>): void {
    this.begun.push({ counted: [...this.counted], position: reader.position() })
    if (this.prng.below(5) > 0) return
    const chosen = this.begun[this.prng.below(this.begun.length)] as CompleteSnapshot
    this.begun = this.begun.slice(this.begun.indexOf(chosen) + 1)
    const position = chosen.position as LogPosition
    this.complete.push({ counted: chosen.counted, position: JSON.parse(JSON.stringify(position)) as LogPosition })
    if (this.complete.length > SNAPSHOTS_KEPT) this.complete.shift()
    // The reader may hear of it late, or never if the process dies before.
    queueMicrotask(() => reader.onSnapshotComplete?.(position))
  }
}
