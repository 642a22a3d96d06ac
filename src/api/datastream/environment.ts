// Where a job of the DataStream API begins and ends: sources, and the ways to run or to explain what was built. It knows runners by
// their port only.
import { StreamError } from '../../base/errors.ts'
import { callerLocation } from '../../base/source-location.ts'
import type { RuntimeMode } from '../../model/batch-mode.ts'
import { type CheckpointOptions, checkpointOptionsMistake } from '../../model/checkpoint-options.ts'
import type { Source, SourceSpec } from '../../model/connector.ts'
import { MAX_PARALLELISM_LIMIT } from '../../model/graph.ts'
import { GraphBuilder, type GraphDefaults } from '../../model/graph-builder.ts'
import type { Explanation, JobHandle, JobLauncher, LaunchOptions } from '../../model/job.ts'
import type { RestartStrategy } from '../../model/restart-strategy.ts'
import type { WatermarkStrategy } from '../../model/watermark-strategy.ts'
import { requireText, requireWhole } from './arguments.ts'
import { type JobContext, outputOf } from './job-context.ts'
import {
  collectionSpec,
  customSourceSpec,
  type GenerateOptions,
  generatorSpec,
  type IterableInput,
  iterableSpec,
  type SocketTextOptions,
  type SourceOptions,
  type StdinOptions,
  socketTextSpec,
  stdinSpec,
  strategyIn,
  type TextFileOptions,
  textFileSpec,
  type WatermarkedOptions,
} from './sources.ts'
import { streamFactory } from './stream-factory.ts'
import type { DataStream } from './streams.ts'
import { requireChoice } from './window-assigners.ts'

/** What holds for all steps that do not say otherwise. */
export interface EnvironmentOptions {
  /** The number of subtasks of each step, from 1. */
  readonly parallelism?: number
  /** The number of key groups of keyed state, from 1 to 32768; 128 unless said otherwise. */
  readonly maxParallelism?: number
  /**
   * `batch` for input that has an end: only final results come out, one for each window and one for each key of a rolling aggregation, and
   * nothing is late. `streaming` unless given.
   */
  readonly runtimeMode?: RuntimeMode
}

/**
 * Builds a job and runs it. Get one from `environment()`, or as the first argument of an exported function `job`.
 * @example
 * ```ts
 * import { environment } from 'millrace'
 * const env = environment({ parallelism: 2 })
 * env.fromElements(1, 2, 3).map(n => n * n).print()
 * await env.execute('squares')
 * ```
 */
export class StreamEnvironment {
  private readonly builder = new GraphBuilder()
  private readonly launcher: JobLauncher
  private readonly job: JobContext
  private parallelism: number | undefined
  private maxParallelism: number | undefined
  private readonly runtimeMode: RuntimeMode
  private wasExecuted = false
  private recovery: Pick<LaunchOptions, 'checkpoints' | 'restart'> = {}

  constructor(launcher: JobLauncher, options: EnvironmentOptions = {}) {
    this.launcher = launcher
    this.runtimeMode = options.runtimeMode ?? 'streaming'
    requireChoice('environment()', 'runtimeMode', this.runtimeMode, ['streaming', 'batch'])
    this.job = { builder: this.builder, streams: streamFactory, launch: (part, name) => this.launch(part, name) }
    if (options.parallelism !== undefined) this.setParallelism(options.parallelism)
    if (options.maxParallelism !== undefined) this.setMaxParallelism(options.maxParallelism)
  }

  /** True when something was built that writes somewhere. */
  get hasSinks(): boolean {
    return this.builder.hasSinks()
  }

  /** True after execute(), or after a stream was collected or iterated. */
  get isExecuted(): boolean {
    return this.wasExecuted
  }

  /** Sets the number of subtasks of steps that do not say their own. Throws OPTION_INVALID unless it is a whole number from 1. */
  setParallelism(parallelism: number): this {
    requireWhole('setParallelism()', 'the parallelism', parallelism, { min: 1, max: MAX_PARALLELISM_LIMIT })
    this.parallelism = parallelism
    return this
  }

  /** Sets the number of key groups of steps that do not say their own. Throws OPTION_INVALID unless it is from 1 to 32768. */
  setMaxParallelism(maxParallelism: number): this {
    requireWhole('setMaxParallelism()', 'maxParallelism', maxParallelism, { min: 1, max: MAX_PARALLELISM_LIMIT })
    this.maxParallelism = maxParallelism
    return this
  }

  /**
   * Takes a checkpoint each so many milliseconds: after a failure, also of the whole process, the job goes on from the newest one as if
   * nothing had happened; `mode` says what counts twice or is lost instead. Jobs started with `millrace run --dir`, or with execute() options, may say the same from outside. Throws
   * OPTION_INVALID.
   * @example
   * ```ts
   * import { environment, fixedDelay, seconds } from 'millrace'
   * const env = environment()
   * env.enableCheckpointing(seconds(1))
   * env.setRestartStrategy(fixedDelay({ attempts: 3, delayMs: seconds(1) }))
   * env.generate(n => n, { count: 5 }).keyBy(n => n % 2).reduce((a, b) => a + b).print()
   * await env.execute('sums', { directory: './sums-state' })
   * ```
   */
  enableCheckpointing(intervalMs: number, options: Omit<CheckpointOptions, 'intervalMs'> = {}): this {
    const checkpoints = { ...options, intervalMs }
    const mistake = checkpointOptionsMistake(checkpoints)
    if (mistake !== undefined) throw new StreamError('OPTION_INVALID', `enableCheckpointing(): ${mistake}`)
    this.recovery = { ...this.recovery, checkpoints }
    return this
  }

  /** What becomes of the job when it fails: noRestart(), fixedDelay(), exponentialDelay() (the default), failureRate(). */
  setRestartStrategy(restart: RestartStrategy): this {
    this.recovery = { ...this.recovery, restart }
    return this
  }

  /** Lines from a TCP server; the server's end of stream is the end of input. */
  socketTextStream(host: string, port: number, options: SocketTextOptions = {}): DataStream<string> {
    return this.read(socketTextSpec(host, port, options), strategyIn('socketTextStream()', options))
  }

  /** The lines of a file, without their ends. */
  readTextFile(path: string, options: TextFileOptions = {}): DataStream<string> {
    return this.read(textFileSpec(path, options), strategyIn('readTextFile()', options))
  }

  /** The lines of standard input. */
  readStdin(options: StdinOptions = {}): DataStream<string> {
    return this.read(stdinSpec(options), strategyIn('readStdin()', options))
  }

  /** The given values, in order. */
  fromElements<T>(...values: readonly T[]): DataStream<T> {
    return this.read(collectionSpec(values))
  }

  /**
   * The values of an iterable or async iterable, or of the one that a function makes for each run.
   * @example
   * ```ts
   * import { environment, forMonotonousTimestamps, seconds } from 'millrace'
   * const env = environment()
   * const watermarks = forMonotonousTimestamps<{ from: string; at: number }>({
   *   timestamp: reading => reading.at,
   *   idleTimeoutMs: seconds(10),
   *   alignment: { group: 'readings', maxDriftMs: seconds(60) },
   * })
   * // Neither source gets more than a minute of event time ahead of the other.
   * const hall = env.from([{ from: 'hall', at: 0 }, { from: 'hall', at: 90_000 }], { watermarks })
   * const yard = env.from([{ from: 'yard', at: 5_000 }], { watermarks })
   * console.log((await hall.union(yard).executeAndCollect()).length)
   * ```
   */
  from<T>(input: IterableInput<T>, options: WatermarkedOptions<T> = {}): DataStream<T> {
    return this.read(iterableSpec(input), strategyIn('from()', options))
  }

  /** Records made by a function of their index, from 0. */
  generate<T>(generate: (index: number) => T, options: GenerateOptions<T> = {}): DataStream<T> {
    return this.read(generatorSpec(generate, options), strategyIn('generate()', options))
  }

  /** The records of a source of your own. */
  addSource<T>(source: Source<T>, options: SourceOptions<T>): DataStream<T> {
    return this.read(customSourceSpec(source as Source<unknown>, options), strategyIn('addSource()', options))
  }

  /**
   * Starts the job and returns its handle, which can be awaited. Calling it again runs all of it again.
   * Throws JOB_EMPTY when nothing writes anywhere, GRAPH_INVALID with all mistakes of the job.
   */
  execute(name = 'job', options?: LaunchOptions): JobHandle {
    this.wasExecuted = true
    if (!this.hasSinks) {
      const mend = 'end a stream in print(), addSink() or writeToFile(), or read one with executeAndCollect()'
      throw new StreamError('JOB_EMPTY', `the job "${name}" has no sink, so it would do nothing; ${mend}`)
    }
    return this.launch(this.builder, name, { ...this.recovery, ...options })
  }

  /** How the job would run, without running it. Throws GRAPH_INVALID with all mistakes of the job. */
  explain(name = 'job'): Explanation {
    return this.launcher.explain(this.builder.build(name, this.defaults()), this.recovery.checkpoints)
  }

  private launch(part: GraphBuilder, name: string, options?: LaunchOptions): JobHandle {
    requireText('execute()', 'the name of the job', name)
    this.wasExecuted = true
    return this.launcher.launch(part.build(name, this.defaults()), options)
  }

  private defaults(): GraphDefaults {
    const { maxParallelism, runtimeMode } = this
    const parallelism = this.parallelism ?? this.launcher.defaultParallelism
    return maxParallelism === undefined ? { parallelism, runtimeMode } : { parallelism, runtimeMode, maxParallelism }
  }

  private read<T>(source: SourceSpec, strategy?: WatermarkStrategy<T>): DataStream<T> {
    const { connector: name, placement } = source
    const location = callerLocation()
    const timed = strategy === undefined ? {} : { strategy }
    const vertex = this.builder.addVertex({
      name,
      placement,
      operator: { kind: 'source', source, ...timed },
      location,
    })
    return this.job.streams.data(outputOf(this.job, vertex))
  }
}
