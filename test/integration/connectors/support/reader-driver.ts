// Drives the readers and writers of connectors as a runner does, for their tests: a recording output that can be full, a clock set by hand,
// a logger that remembers, and a loop that waits for `wake` and `wakeAtMs` instead of sleeping.
import type { Clock } from '../../../../src/base/clock.ts'
import type { Logger, LogLevel } from '../../../../src/base/logger.ts'
import type { TextOutput } from '../../../../src/base/text-output.ts'
import type {
  ReaderContext,
  SinkSpec,
  Source,
  SourceOutput,
  SourceSpec,
  SplitReader,
  WriterContext,
} from '../../../../src/model/connector.ts'

/** Remembers what is emitted; says that it is full after `roomPerRead` records, until `startRead`. */
export class RecordingOutput<T> implements SourceOutput<T> {
  readonly records: T[] = []
  readonly timestamps: (number | undefined)[] = []
  /** Records emitted after `emit` returned false in the same read: a mistake of the reader. */
  emittedWhileFull = 0
  private readonly roomPerRead: number
  private room: number

  constructor(roomPerRead = Number.POSITIVE_INFINITY) {
    this.roomPerRead = roomPerRead
    this.room = roomPerRead
  }

  startRead(): void {
    this.room = this.roomPerRead
  }

  emit(record: T, timestampMs?: number): boolean {
    if (this.room <= 0) this.emittedWhileFull++
    this.records.push(record)
    this.timestamps.push(timestampMs)
    this.room--
    return this.room > 0
  }
}

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  private nowMs: number

  constructor(nowMs = 1_000_000) {
    this.nowMs = nowMs
  }

  now(): number {
    return this.nowMs
  }

  // Another origin than the wall clock's, as in a real one.
  monotonicMs(): number {
    return this.nowMs - 999_000
  }

  advance(byMs: number): void {
    this.nowMs += byMs
  }
}

/** The machine's clock. */
export const realClock: Clock = { now: () => Date.now(), monotonicMs: () => performance.now() }

/** One remembered log entry. */
export interface LogEntry {
  readonly level: LogLevel
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Remembers what is logged. */
export class RecordingLogger implements Logger {
  readonly entries: LogEntry[] = []

  log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.entries.push({ level, message, fields })
  }
}

/** A context for one reader, and the waiting for its wakes. */
export class ReaderDriver implements ReaderContext {
  readonly jobName: string = 'job'
  readonly isCheckpointed: boolean = true
  readonly subtaskIndex = 0
  readonly parallelism = 1
  readonly clock: Clock
  readonly logger = new RecordingLogger()
  wakes = 0
  private isWoken = false
  private resume: (() => void) | undefined

  constructor(clock: Clock = realClock) {
    this.clock = clock
  }

  wake(): void {
    this.wakes++
    this.isWoken = true
    this.resume?.()
  }

  /** Resolves at the next wake, at once if there was one since the last call. */
  async woken(): Promise<void> {
    if (!this.isWoken) {
      await new Promise<void>(resolve => {
        this.resume = resolve
      })
    }
    this.resume = undefined
    this.isWoken = false
  }

  /** Reads until `isEnough` holds or the split ends. Rejects with what `read` throws. */
  async readUntil<T, P>(
    reader: SplitReader<T, P>,
    output: RecordingOutput<T>,
    isEnough: () => boolean = () => false,
  ): Promise<void> {
    while (!isEnough()) {
      output.startRead()
      const status = reader.read(output)
      if (status === 'end') return
      if (status === 'waiting' && !isEnough()) await this.wakenOrDue(reader.wakeAtMs)
    }
  }

  private async wakenOrDue(wakeAtMs: number | undefined): Promise<void> {
    if (wakeAtMs === undefined) return this.woken()
    const timer = setTimeout(() => this.wake(), Math.max(0, wakeAtMs - this.clock.now()))
    await this.woken()
    clearTimeout(timer)
  }
}

/** Reads the only split of a source to its end, from a position if one is given. */
export async function readAll<T, P>(
  source: Source<T, P>,
  options: { readonly roomPerRead?: number; readonly position?: P; readonly driver?: ReaderDriver } = {},
): Promise<RecordingOutput<T>> {
  const { driver = new ReaderDriver() } = options
  const output = new RecordingOutput<T>(options.roomPerRead)
  const [split] = await source.splits(1)
  const position = options.position === undefined ? split.position : options.position
  const reader = await source.open({ id: split.id, position }, driver)
  try {
    await driver.readUntil(reader, output)
  } finally {
    await reader.close()
  }
  return output
}

/** A source spec by name and options. */
export function sourceSpec(connector: string, options: Readonly<Record<string, unknown>> = {}): SourceSpec {
  return {
    connector,
    options,
    description: `the ${connector}`,
    isBounded: true,
    hasTimestamps: false,
    placement: 'any',
  }
}

/** A sink spec by name and options. */
export function sinkSpec(connector: string, options: Readonly<Record<string, unknown>> = {}): SinkSpec {
  return { connector, options, description: `the ${connector}`, placement: 'any' }
}

/** A context for a writer: by default the only one. */
export function writerContext(options: { subtaskIndex?: number; parallelism?: number } = {}): WriterContext {
  const { subtaskIndex = 0, parallelism = 1 } = options
  const job = { jobName: 'job', uid: 'sink', attempt: 1 }
  return { subtaskIndex, parallelism, clock: realClock, logger: new RecordingLogger(), ...job }
}

/** Remembers the pieces of text written to it. */
export class RecordingText implements TextOutput {
  readonly pieces: string[] = []

  get text(): string {
    return this.pieces.join('')
  }

  write(text: string): void {
    this.pieces.push(text)
  }
}
