// What `import ... from 'millrace/browser'` gives: the same API with the connectors that work anywhere, and nothing of Node. There is
// no launch context: a page builds its jobs and executes them itself.
import { type EnvironmentOptions, StreamEnvironment } from '../api/datastream/environment.ts'
import { portableConnectors } from '../connectors/portable.ts'
import { browserPlatform } from '../platform/browser/browser-platform.ts'
import { localLauncher } from '../runners/local/local-launcher.ts'
import { memoryDirectories } from './memory-directories.ts'

export type { AsyncOptions, AsyncRetry } from '../api/datastream/async-calls.ts'
export type { FileDirectoryOptions } from '../api/datastream/file-options.ts'
export type {
  DeduplicateOptions,
  InnerTemporalJoin,
  LeftTemporalJoin,
  TemporalJoinOptions,
  TemporalJoinSettings,
  UnboundedStateOptions,
} from '../api/datastream/join-options.ts'
export type { FieldOf, KeyOf, NumberFieldOf } from '../api/datastream/key-selection.ts'
export type { MixedWindowOptions } from '../api/datastream/mixed-window-options.ts'
export type { PerRecordWindowOptions } from '../api/datastream/per-record-window-options.ts'
export type { PostgresSinkOptions } from '../api/datastream/postgres-options.ts'
export type {
  GenerateOptions,
  IterableInput,
  LoggedOptions,
  SocketTextOptions,
  SourceOptions,
  StdinOptions,
  TextFileOptions,
  TextOptions,
  WatermarkedOptions,
  WriteAheadLogOptions,
} from '../api/datastream/sources.ts'
export type {
  Aggregations,
  BroadcastConnectedStreams,
  BroadcastStream,
  ConnectedStreams,
  DataStream,
  DataStreamSink,
  IntervalJoin,
  IntervalJoined,
  Iteration,
  IterationOptions,
  KeyedBroadcastConnectedStreams,
  KeyedConnectedStreams,
  KeyedStream,
  MixedWindowedStream,
  PerRecordWindowedStream,
  SinkOptions,
  StepSettings,
  WindowedStream,
} from '../api/datastream/streams.ts'
export {
  type AlignmentOptions,
  type CustomWindows,
  calendarWindows,
  customWindows,
  globalWindows,
  type SessionOptions,
  sessionWindows,
  slidingWindows,
  tumblingWindows,
  type WindowAssigner,
  type WindowTimeOptions,
} from '../api/datastream/window-assigners.ts'
export {
  countEvictor,
  customEvictor,
  deltaEvictor,
  type EvictorOptions,
  timeEvictor,
  type WindowEvictor,
} from '../api/datastream/window-evictors.ts'
export type { CoGroupOptions, JoinSides, WindowJoinOptions } from '../api/datastream/window-join-options.ts'
export type { WindowOptions } from '../api/datastream/window-options.ts'
export {
  afterAll,
  afterCount,
  afterDelta,
  afterEach,
  afterFirst,
  afterProcessingTime,
  afterWatermark,
  continuousEventTime,
  continuousProcessingTime,
  customTrigger,
  never,
  onWindowEnd,
  orFinally,
  type ProcessingTimeOptions,
  purging,
  repeatedly,
  type WindowTrigger,
} from '../api/datastream/window-triggers.ts'
export type { Clock } from '../base/clock.ts'
export type { ErrorCode } from '../base/error-codes.ts'
export { StreamError } from '../base/errors.ts'
export type { Logger, LogLevel } from '../base/logger.ts'
export { type ApproximationOptions, approximateDistinctCount } from '../functions/approximate-distinct-count.ts'
export { type AggregateParts, composite, type RecordOfParts, type ResultOfParts } from '../functions/composite.ts'
export { collectList, collectSet, distinctCount, type KeptValuesOptions } from '../functions/distinct-values.ts'
export { avg, count, max, min, sum } from '../functions/number-aggregates.ts'
export { type QuantilesOptions, quantiles } from '../functions/quantiles.ts'
export { type TopNOptions, topN } from '../functions/top-n.ts'
export type { AsyncContext, AsyncOrder } from '../model/async-spec.ts'
export type { RuntimeMode } from '../model/batch-mode.ts'
export type {
  BroadcastDescriptors,
  BroadcastProcessFunction,
  BroadcastReadContext,
  BroadcastTimerContext,
  BroadcastWriteContext,
  KeyedBroadcastProcessFunction,
  KeyedBroadcastReadContext,
  KeyedBroadcastWriteContext,
  ReadOnlyHandles,
  ReadOnlyMapState,
} from '../model/broadcast-functions.ts'
export type { CalendarDate, CalendarSpec, CalendarUnit } from '../model/calendar-spec.ts'
export type { CheckpointMode, CheckpointOptions } from '../model/checkpoint-options.ts'
export { type Codec, jsonCodec } from '../model/codec.ts'
export type {
  Placement,
  PreparedTransaction,
  ReaderContext,
  ReadStatus,
  Sink,
  SinkDelivery,
  SinkWriter,
  Source,
  SourceOutput,
  Split,
  SplitReader,
  TransactionalWriter,
  WriterContext,
} from '../model/connector.ts'
export { days, hours, milliseconds, minutes, seconds } from '../model/duration.ts'
export type {
  AggregateFunction,
  Change,
  Collector,
  CoProcessFunction,
  DropReason,
  KeyedContext,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  OpenContext,
  ProcessContext,
  ProcessFunction,
  RecordContext,
  TimeDomain,
  TimerContext,
  TimerService,
  TimeWindow,
} from '../model/functions.ts'
export type {
  CancelSignal,
  EdgeMetrics,
  Explanation,
  JobHandle,
  JobMetrics,
  JobResult,
  JobStatus,
  LaunchOptions,
  NoOutput,
  SnapshotInfo,
  VertexMetrics,
  WatermarkHold,
} from '../model/job.ts'
export type { IntervalJoinContext, IntervalJoinFunction, JoinType } from '../model/join-functions.ts'
export type { Key } from '../model/key.ts'
export { type MixedWindow, type RecordCount, records } from '../model/mixed-window-spec.ts'
export {
  type NoOperatorState,
  type OperatorListDescriptor,
  type OperatorState,
  type OperatorStateDescriptors,
  type OperatorStateHandles,
  type OperatorUnionDescriptor,
  operatorList,
  operatorUnion,
} from '../model/operator-state.ts'
export { type OutputTag, outputTag } from '../model/output-tag.ts'
export type { PerRecordEmit, WindowedResult } from '../model/per-record-window-spec.ts'
export {
  type ExponentialDelayOptions,
  exponentialDelay,
  type FailureRateOptions,
  type FixedDelayOptions,
  failureRate,
  fixedDelay,
  noRestart,
  type RestartStrategy,
} from '../model/restart-strategy.ts'
export {
  type AggregatingDescriptor,
  type AggregatingState,
  aggregating,
  type ListDescriptor,
  type ListState,
  list,
  type MapDescriptor,
  type MapKey,
  type MapState,
  map,
  type OrderedListDescriptor,
  type OrderedListState,
  orderedList,
  type ReducingDescriptor,
  type ReducingState,
  reducing,
  type StateDescriptor,
  type StateDescriptors,
  type StateHandle,
  type StateHandles,
  type ValueDescriptor,
  type ValueState,
  value,
} from '../model/state.ts'
export type { StandardSchema, StateOptions, StoredValueOptions, TtlOptions } from '../model/state-options.ts'
export type { Trigger, TriggerContext, TriggerResult } from '../model/trigger-spec.ts'
export type {
  WatermarkAlignment,
  WatermarkEmission,
  WatermarkGenerator,
  WatermarkStrategy,
} from '../model/watermark-strategy.ts'
export type {
  Evictor,
  EvictorContext,
  LateRecord,
  Pane,
  PaneTiming,
  TimestampedElement,
  WindowContext,
  WindowProcessContext,
  WindowProcessFunction,
} from '../model/window-functions.ts'
export type { Accumulation, TimestampCombiner, WindowTimeDomain } from '../model/window-spec.ts'
export {
  forBoundedOutOfOrderness,
  forGenerator,
  forMonotonousTimestamps,
  type GeneratorOptions,
  type WatermarkOptions,
} from '../time/watermark-strategies.ts'
export type { EnvironmentOptions, StreamEnvironment }

const DIRECTORIES = memoryDirectories()

/**
 * A new environment to build a job with, in a page or a web worker. Its parallelism is 1 unless said otherwise.
 * Throws OPTION_INVALID for a parallelism that is not a whole number from 1.
 * @example
 * ```ts
 * import { environment } from 'millrace/browser'
 * const env = environment()
 * const squares = env.fromElements(1, 2, 3).map(n => n * n)
 * console.log(await squares.executeAndCollect())
 * ```
 */
export function environment(options: EnvironmentOptions = {}): StreamEnvironment {
  const platform = { ...browserPlatform(), openDirectory: DIRECTORIES }
  const connectors = portableConnectors({ text: platform.text })
  return new StreamEnvironment(localLauncher({ platform, connectors, defaultParallelism: 1 }), options)
}
