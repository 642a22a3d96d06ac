// The implementation of WindowedStream: a windowing waits for its function, then becomes one step.

import { FIELD_AGGREGATES, type FieldAggregate, reduceOf } from '../../functions/field-aggregates.ts'
import type { AggregateFunction, Collector, TimeWindow } from '../../model/functions.ts'
import type { OutputTag } from '../../model/output-tag.ts'
import type { WindowFunctionSpec } from '../../model/window-spec.ts'
import { optionInvalid, requireFunction, requireMethods, requireText, requireWhole } from './arguments.ts'
import { addStep, type KeyedFlow, outputOf } from './job-context.ts'
import { AGGREGATE_RULES } from './keyed-functions.ts'
import type { DataStream, WindowedStream } from './streams.ts'
import type { Windowing } from './windowing.ts'

/** A keyed stream with a windowing. */
export class WindowedStreamNode<T, K> implements WindowedStream<T, K> {
  private readonly flow: KeyedFlow
  private readonly windowing: Windowing

  constructor(flow: KeyedFlow, windowing: Windowing) {
    this.flow = flow
    this.windowing = windowing
  }

  sum(field: string): DataStream<T> {
    return this.byField('sum', field)
  }

  min(field: string): DataStream<T> {
    return this.byField('min', field)
  }

  max(field: string): DataStream<T> {
    return this.byField('max', field)
  }

  minBy(field: string): DataStream<T> {
    return this.byField('minBy', field)
  }

  maxBy(field: string): DataStream<T> {
    return this.byField('maxBy', field)
  }

  reduce(fn: (earlier: T, later: T) => T): DataStream<T> {
    requireFunction('reduce()', fn)
    return this.incremental('reduce', reduceOf(fn))
  }

  aggregate<A, R>(fn: AggregateFunction<T, A, R>): DataStream<R> {
    requireMethods('aggregate()', fn, AGGREGATE_RULES)
    return this.incremental('aggregate', fn)
  }

  apply<O>(fn: (key: K, window: TimeWindow, elements: readonly T[], out: Collector<O>) => void): DataStream<O> {
    requireFunction('apply()', fn)
    return this.compute('apply', { kind: 'apply', apply: fn as unknown as ApplyFunction })
  }

  allowedLateness(latenessMs: number): WindowedStream<T, K> {
    this.requireTime('allowedLateness()')
    requireWhole('allowedLateness()', 'the lateness in milliseconds', latenessMs, { min: 0 })
    return this.with({ allowedLatenessMs: latenessMs })
  }

  sideOutputLateData(tag: OutputTag<T>): WindowedStream<T, K> {
    this.requireTime('sideOutputLateData()')
    requireText('sideOutputLateData()', 'the id of the tag', tag?.id)
    return this.with({ lateOutputTag: tag.id })
  }

  private with(change: Partial<Windowing['spec']>): WindowedStream<T, K> {
    const { label, spec } = this.windowing
    return this.flow.job.streams.windowed(this.flow, { label, spec: { ...spec, ...change } })
  }

  private requireTime(call: string): void {
    if (this.windowing.spec.assigner.kind !== 'global') return
    throw optionInvalid(
      call,
      'a count window has no end in time, so no record is late for it; use it with timeWindow()',
    )
  }

  private byField(name: FieldAggregate, field: string): DataStream<T> {
    requireText(`${name}()`, 'the field', field)
    return this.incremental(`${name}(${field})`, FIELD_AGGREGATES[name]<T>(field))
  }

  private incremental<A, R>(name: string, aggregate: AggregateFunction<T, A, R>): DataStream<R> {
    return this.compute(name, { kind: 'aggregate', aggregate })
  }

  private compute<O>(name: string, fn: WindowFunctionSpec): DataStream<O> {
    const { job, selector } = this.flow
    const { label, spec } = this.windowing
    const window = Object.freeze({ ...spec, function: fn })
    const step = { name: `${label} ${name}`, operator: { kind: 'window', window } as const, keySelectors: [selector] }
    return job.streams.data(outputOf(job, addStep([this.flow], step)))
  }
}

// The operator hands in the keys and elements of this very stream; the graph knows them by wider types only.
type ApplyFunction = Extract<WindowFunctionSpec, { readonly kind: 'apply' }>['apply']
