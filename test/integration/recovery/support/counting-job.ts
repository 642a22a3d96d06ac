// A job in a real directory that counts numbers by key, and stops reading wherever a test wants: what is in each of its checkpoints is known.
import { setImmediate } from 'node:timers/promises'
import { StreamEnvironment } from '../../../../src/api/datastream/environment.ts'
import type { Logger, LogLevel } from '../../../../src/base/logger.ts'
import { nodeConnectors } from '../../../../src/connectors/node.ts'
import { nodeDirectories } from '../../../../src/entry/job-directories.ts'
import type { CheckpointOptions } from '../../../../src/model/checkpoint-options.ts'
import type {
  ReaderContext,
  ReadStatus,
  Source,
  SourceOutput,
  Split,
  SplitReader,
} from '../../../../src/model/connector.ts'
import type { KeyedProcessFunction } from '../../../../src/model/functions.ts'
import type { JobHandle, LaunchOptions } from '../../../../src/model/job.ts'
import { noRestart } from '../../../../src/model/restart-strategy.ts'
import { value } from '../../../../src/model/state.ts'
import { nodeFiles } from '../../../../src/platform/node/node-files.ts'
import { nodePlatform } from '../../../../src/platform/node/node-platform.ts'
import { localLauncher } from '../../../../src/runners/local/local-launcher.ts'

/** Records of each of the two splits. */
export const RECORDS = 100
const SPLITS = 2
/** All records. */
export const TOTAL = RECORDS * SPLITS
/** Keys follow each other, so that later checkpoints hold changes on top of earlier ones. */
const keyOf = (n: number): number => Math.floor(n / 8)

/** A source that reads up to a limit, and goes on when that is raised. */
export class GatedNumbers implements Source<number, number> {
  private limit = 0
  private readonly readers = new Set<GatedReader>()

  splits(): readonly Split<number>[] {
    return Array.from({ length: SPLITS }, (_, index) => ({ id: String(index), position: 0 }))
  }

  open({ position }: Split<number>, context: ReaderContext): SplitReader<number, number> {
    const reader = new GatedReader(position, context, () => this.limit)
    this.readers.add(reader)
    return reader
  }

  /** Resolves when every split has read so many records. */
  async readUpTo(limit: number): Promise<void> {
    this.raise(limit)
    while (this.readers.size < SPLITS || [...this.readers].some(reader => reader.position() < limit))
      await setImmediate()
  }

  /** Lets it go on. */
  raise(limit: number): void {
    this.limit = limit
    for (const reader of this.readers) reader.wake()
  }
}

class GatedReader implements SplitReader<number, number> {
  private next: number
  private readonly context: ReaderContext
  private readonly limit: () => number

  constructor(position: number, context: ReaderContext, limit: () => number) {
    this.next = position
    this.context = context
    this.limit = limit
  }

  wake(): void {
    this.context.wake()
  }

  read(output: SourceOutput<number>): ReadStatus {
    while (this.next < this.limit()) if (!output.emit(this.next++)) break
    if (this.next >= RECORDS) return 'end'
    return this.next < this.limit() ? 'more' : 'waiting'
  }

  position(): number {
    return this.next
  }

  close(): void {}
}

/** A line of the log. */
export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** How the job is run. */
export interface CountingOptions {
  readonly name?: string
  readonly launch?: LaunchOptions
  readonly maxParallelism?: number
  readonly checkpoints?: Partial<CheckpointOptions>
  /** Keeps the count of each key. */
  readonly count?: KeyedProcessFunction<never, number, string, never>
  readonly key?: (n: number) => unknown
  /** Fails, or waits, at a line. */
  readonly onLine?: (line: string) => void
  /** What else the state of each key holds. */
  readonly ballast?: string
}

/** A run of the job. */
export interface CountingRun {
  readonly handle: JobHandle
  readonly source: GatedNumbers
  /** `key count`, in the order in which the sink got them. */
  readonly lines: readonly string[]
  readonly log: readonly LogLine[]
}

function counting(ballast: string): KeyedProcessFunction<unknown, number, string, never> {
  const state = { count: value(0), ballast: value('') }
  const fn: KeyedProcessFunction<unknown, number, string, typeof state> = {
    state,
    onRecord(_n, { key, state }, out) {
      state.count.set(state.count.get() + 1)
      if (ballast !== '') state.ballast.set(`${ballast}${state.count.get()}`)
      out.collect(`${String(key)} ${state.count.get()}`)
    },
  }
  return fn as unknown as KeyedProcessFunction<unknown, number, string, never>
}

/** Starts the job in a directory, as environment() would, with a log that can be read. It reads nothing before the gate is raised. */
export function startCounting(directory: string, options: CountingOptions = {}): CountingRun {
  const { name = 'counting', key = keyOf, ballast = '' } = options
  const log: LogLine[] = []
  const lines: string[] = []
  const logger: Logger = { log: (level, message, fields = {}) => log.push({ level, message, fields }) }
  const platform = { ...nodePlatform(), logger, openDirectory: nodeDirectories() }
  const connectors = nodeConnectors({ text: platform.text, files: nodeFiles('/') })
  const env = new StreamEnvironment(localLauncher({ platform, connectors, defaultParallelism: 2 }))
  env.setMaxParallelism(options.maxParallelism ?? 8)
  env.setRestartStrategy(noRestart())
  env.enableCheckpointing(Infinity, options.checkpoints ?? {})
  const source = new GatedNumbers()
  env
    .addSource(source, { isBounded: true })
    .uid('numbers')
    .keyBy(key)
    .process((options.count ?? counting(ballast)) as KeyedProcessFunction<unknown, number, string, never>)
    .uid('counts')
    .addSink(line => {
      options.onLine?.(line)
      lines.push(line)
    })
    .uid('out')
  return { handle: env.execute(name, { directory, ...options.launch }), source, lines, log }
}

/** Runs the job to its end. */
export async function finishCounting(directory: string, options: CountingOptions = {}): Promise<CountingRun> {
  const run = startCounting(directory, options)
  run.source.raise(RECORDS)
  await run.handle.done
  return run
}

/** Runs the job up to each of the limits, with a checkpoint there, and ends it as a kill would: nothing more is written. */
export async function checkpointsAt(
  directory: string,
  limits: readonly number[],
  options: CountingOptions = {},
): Promise<void> {
  const run = startCounting(directory, options)
  for (const limit of limits) {
    await run.source.readUpTo(limit)
    await run.handle.checkpoint()
  }
  await run.handle.cancel()
}

/**
 * How many records had been counted by the snapshot that the lines go on from. Throws unless each key goes on from some count to the very last one,
 * with none left out and none twice.
 */
export function countedBefore(lines: readonly string[]): number {
  const totals = new Map<string, number>()
  for (let n = 0; n < RECORDS; n++) totals.set(`${keyOf(n)}`, (totals.get(`${keyOf(n)}`) ?? 0) + SPLITS)
  const sorted = [...lines].sort()
  const expected: string[] = []
  for (const [key, total] of totals) {
    const after = lines.filter(line => line.startsWith(`${key} `)).length
    for (let count = total - after + 1; count <= total; count++) expected.push(`${key} ${count}`)
  }
  const wrong = expected.sort().find((line, index) => line !== sorted[index])
  if (wrong !== undefined || sorted.length !== expected.length) throw new Error(`the results are wrong at "${wrong}"`)
  return TOTAL - lines.length
}
