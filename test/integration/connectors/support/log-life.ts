// A source with a write-ahead log through attempts that die or fail: a feed that gives each record once, as a socket does, snapshots that
// are completed or not, restarts from the newest complete one, and the records as a job with those snapshots would have counted them.
import type { Prng } from '../../../../src/base/prng.ts'
import type { Files } from '../../../../src/base/storage.ts'
import type { LogPosition } from '../../../../src/connectors/write-ahead-log/log-reading.ts'
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

export const SMALL_LOG: LogSettings = { directory: 'log/of/feed', segmentBytes: 100, bytesMax: 100_000 }

/** A reader on a disk, and what drives it. */
export interface OpenReader {
  readonly reader: SplitReader<number, LogPosition>
  readonly driver: ReaderDriver
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

/** More snapshots in a row than this are not left incomplete: the log keeps what the last five need. */
const INCOMPLETE_MAX = 3

/** Lives attempt after attempt on one disk. */
export class LogLife {
  /** What a job would have counted. */
  counted: number[] = []
  readonly everEmitted = new Set<number>()
  failures: unknown[] = []
  readonly feed: Feed
  private readonly files: SimulatedFiles
  private readonly prng: Prng
  private complete: { readonly counted: readonly number[]; readonly position: LogPosition | undefined } = {
    counted: [],
    position: undefined,
  }
  private incomplete = 0

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
    this.counted = [...this.complete.counted]
    return Promise.race([this.live(process, () => calls >= diesAtCall), dead])
  }

  private async live(files: Files, isDead: () => boolean): Promise<AttemptEnd> {
    let open: OpenReader | undefined
    try {
      open = await openReader(this.feed, files, { position: this.complete.position })
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
      if (this.prng.below(3) === 0) this.snapshot(reader.position())
      if (status === 'end') return
      if (status === 'waiting') await driver.woken()
    }
  }

  private snapshot(position: LogPosition): void {
    if (this.incomplete < INCOMPLETE_MAX && this.prng.below(2) === 0) {
      this.incomplete++
      return
    }
    this.incomplete = 0
    this.complete = { counted: [...this.counted], position: JSON.parse(JSON.stringify(position)) as LogPosition }
  }
}
