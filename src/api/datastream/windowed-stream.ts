// The implementation of WindowedStream: a windowing waits for its function, then becomes one step.

import { reduceOf } from '../../functions/field-aggregates.ts'
import type { AggregateFunction, Collector, TimeWindow } from '../../model/functions.ts'
import type { OutputTag } from '../../model/output-tag.ts'
import type { StateDescriptors } from '../../model/state.ts'
import type { LateRecord, WindowContext, WindowProcessFunction } from '../../model/window-functions.ts'
import type { Accumulation, WindowFunctionSpec } from '../../model/window-spec.ts'
import { optionInvalid, requireFunction, requireMethods, requireText, requireWhole } from './arguments.ts'
import { FieldAggregations } from './field-aggregations.ts'
import type { Windowing } from './job-context.ts'
import { addStep, type KeyedFlow, outputOf } from './job-context.ts'
import { AGGREGATE_RULES, requireKeyedFunction, requireStates } from './keyed-functions.ts'
import type { DataStream, WindowedStream } from './streams.ts'
import { evictorSpec, type WindowEvictor } from './window-evictors.ts'
import { requireDistinctTags, type WindowOptions, withOptions } from './window-options.ts'
import { specOf, type WindowTrigger } from './window-triggers.ts'

/** A keyed stream with a windowing. */
export class WindowedStreamNode<T, K, W extends TimeWindow = TimeWindow>
  extends FieldAggregations<T>
  implements WindowedStream<T, K, W>
{
  private readonly flow: KeyedFlow
  private readonly windowing: Windowing

  constructor(flow: KeyedFlow, windowing: Windowing) {
    super()
    this.flow = flow
    this.windowing = windowing
  }

  override reduce(fn: (earlier: T, later: T) => T): DataStream<T>
  override reduce<O>(
    fn: (earlier: T, later: T) => T,
    project: (result: T, ctx: WindowContext<K, W>) => O,
  ): DataStream<O>
  override reduce<O>(
    fn: (earlier: T, later: T) => T,
    project?: (result: T, ctx: WindowContext<K, W>) => O,
  ): DataStream<T> | DataStream<O> {
    if (project === undefined) return super.reduce(fn)
    requireFunction('reduce()', fn)
    return this.projected('reduce', reduceOf(fn), project)
  }

  override aggregate<A, R>(fn: AggregateFunction<T, A, R>): DataStream<R>
  override aggregate<A, R, O>(
    fn: AggregateFunction<T, A, R>,
    project: (result: R, ctx: WindowContext<K, W>) => O,
  ): DataStream<O>
  override aggregate<A, R, O>(
    fn: AggregateFunction<T, A, R>,
    project?: (result: R, ctx: WindowContext<K, W>) => O,
  ): DataStream<R> | DataStream<O> {
    if (project === undefined) return super.aggregate(fn)
    requireMethods('aggregate()', fn, AGGREGATE_RULES)
    return this.projected('aggregate', fn, project)
  }

  aggregated<A, R>(name: string, aggregate: AggregateFunction<T, A, R>): DataStream<R> {
    return this.compute(name, { kind: 'aggregate', aggregate })
  }

  process<O, S extends StateDescriptors, G extends StateDescriptors>(
    fn: WindowProcessFunction<K, T, O, W, S, G>,
  ): DataStream<O> {
    requireKeyedFunction('process()', fn, ['onWindow'])
    requireStates('process()', fn.globalState)
    return this.compute('process', { kind: 'process', function: fn as unknown as AnyProcessFunction })
  }

  apply<O>(fn: (key: K, window: W, elements: readonly T[], out: Collector<O>) => void): DataStream<O> {
    requireFunction('apply()', fn)
    const apply: WindowProcessFunction<K, T, O, W> = {
      onWindow: (elements, ctx, out) => fn(ctx.key, ctx.window, elements, out),
    }
    return this.compute('apply', { kind: 'process', function: apply as unknown as AnyProcessFunction })
  }

  allowedLateness(latenessMs: number): WindowedStream<T, K, W> {
    this.requireTime('allowedLateness()')
    requireWhole('allowedLateness()', 'the lateness in milliseconds', latenessMs, { min: 0 })
    return this.change({ allowedLatenessMs: latenessMs })
  }

  sideOutputLateData(tag: OutputTag<T>): WindowedStream<T, K, W> {
    this.requireTime('sideOutputLateData()')
    requireText('sideOutputLateData()', 'the id of the tag', tag?.id)
    requireDistinctTags('sideOutputLateData()', tag.id, this.windowing.spec.lateDetailsTag)
    return this.change({ lateOutputTag: tag.id })
  }

  sideOutputLateDetails(tag: OutputTag<LateRecord<T, W>>): WindowedStream<T, K, W> {
    this.requireTime('sideOutputLateDetails()')
    requireText('sideOutputLateDetails()', 'the id of the tag', tag?.id)
    requireDistinctTags('sideOutputLateDetails()', this.windowing.spec.lateOutputTag, tag.id)
    return this.change({ lateDetailsTag: tag.id })
  }

  trigger(trigger: WindowTrigger<T>): WindowedStream<T, K, W> {
    return this.change({ trigger: specOf('trigger()', trigger) })
  }

  evictor(evictor: WindowEvictor<T>): WindowedStream<T, K, W> {
    return this.change({ evictor: evictorSpec('evictor()', evictor) })
  }

  accumulation(accumulation: Accumulation): WindowedStream<T, K, W> {
    return this.change(withOptions('accumulation()', this.windowing.spec, { accumulation }))
  }

  emitOnClose(): WindowedStream<T, K, W> {
    return this.change({ trigger: { kind: 'never' }, finalPane: 'if-not-empty' })
  }

  with(options: WindowOptions<T, W>): WindowedStream<T, K, W> {
    return this.change(withOptions('with()', this.windowing.spec, options))
  }

  private change(change: Partial<Windowing['spec']>): WindowedStream<T, K, W> {
    const { windowing } = this
    return this.flow.job.streams.windowed(this.flow, { ...windowing, spec: { ...windowing.spec, ...change } })
  }

  private requireTime(call: string): void {
    if (this.windowing.spec.assigner.kind !== 'global') return
    throw optionInvalid(call, 'a window without end in time has no late records; use it with windows of time')
  }

  private projected<A, R, O>(
    name: string,
    aggregate: AggregateFunction<T, A, R>,
    project: (result: R, ctx: WindowContext<K, W>) => O,
  ): DataStream<O> {
    requireFunction(`${name}(): the second argument`, project)
    return this.compute(name, { kind: 'aggregate', aggregate, project: project as unknown as AnyProject })
  }

  private compute<O>(name: string, fn: WindowFunctionSpec): DataStream<O> {
    const { job, selector } = this.flow
    const { label, spec, parallelism } = this.windowing
    const window = Object.freeze({ ...spec, function: fn })
    const step = { name: `${label} ${name}`, operator: { kind: 'window', window } as const, keySelectors: [selector] }
    const limited = parallelism === undefined ? step : { ...step, parallelism }
    return job.streams.data(outputOf(job, addStep([this.flow], limited)))
  }
}

// The operator hands in the keys and elements of this very stream; the graph knows them by wider types only.
type AnyProcessFunction = Extract<WindowFunctionSpec, { readonly kind: 'process' }>['function']
type AnyProject = Extract<WindowFunctionSpec, { readonly kind: 'aggregate' }>['project']
