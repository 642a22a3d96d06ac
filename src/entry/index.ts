// What `import ... from 'millrace'` gives, on Node. Everything public is listed here by name; what is not listed is private.
export type { EnvironmentOptions, StreamEnvironment } from '../api/datastream/environment.ts'
export type {
  DeduplicateOptions,
  InnerTemporalJoin,
  LeftTemporalJoin,
  TemporalJoinOptions,
  TemporalJoinSettings,
  UnboundedStateOptions,
} from '../api/datastream/join-options.ts'
export type { FieldOf, KeyOf, NumberFieldOf } from '../api/datastream/key-selection.ts'
export type {
  GenerateOptions,
  IterableInput,
  SocketTextOptions,
  SourceOptions,
  TextOptions,
} from '../api/datastream/sources.ts'
export type {
  ConnectedStreams,
  DataStream,
  DataStreamSink,
  IntervalJoin,
  IntervalJoined,
  Iteration,
  IterationOptions,
  KeyedConnectedStreams,
  KeyedStream,
  SinkOptions,
  StepSettings,
  WindowedStream,
} from '../api/datastream/streams.ts'
export type { Clock } from '../base/clock.ts'
export type { ErrorCode } from '../base/error-codes.ts'
export { StreamError } from '../base/errors.ts'
export type { Logger, LogLevel } from '../base/logger.ts'
export type {
  Placement,
  ReaderContext,
  ReadStatus,
  Sink,
  SinkWriter,
  Source,
  SourceOutput,
  Split,
  SplitReader,
  WriterContext,
} from '../model/connector.ts'
export { days, hours, milliseconds, minutes, seconds } from '../model/duration.ts'
export type {
  AggregateFunction,
  Collector,
  CoProcessFunction,
  DropReason,
  KeyedContext,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  OpenContext,
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
  VertexMetrics,
} from '../model/job.ts'
export type { IntervalJoinContext, IntervalJoinFunction, JoinType } from '../model/join-functions.ts'
export type { Key } from '../model/key.ts'
export { type OutputTag, outputTag } from '../model/output-tag.ts'
export {
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
  type StateDescriptor,
  type StateDescriptors,
  type StateHandle,
  type StateHandles,
  type ValueDescriptor,
  type ValueState,
  value,
} from '../model/state.ts'
export type { WatermarkGenerator, WatermarkStrategy } from '../model/watermark-strategy.ts'
export {
  forBoundedOutOfOrderness,
  forMonotonousTimestamps,
  type WatermarkOptions,
} from '../time/watermark-strategies.ts'
export { environment } from './environment.ts'
export { explain, type RunOptions, run } from './run.ts'
