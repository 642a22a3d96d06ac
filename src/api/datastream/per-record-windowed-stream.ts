// The implementation of PerRecordWindowedStream: a per-record windowing waits for its function, then becomes one step.

import { FIELD_AGGREGATES, type FieldAggregate, reduceOf } from '../../functions/field-aggregates.ts'
import type { AggregateFunction } from '../../model/functions.ts'
import type { OutputTag } from '../../model/output-tag.ts'
import type { WindowedResult } from '../../model/per-record-window-spec.ts'
import { requireFunction, requireMethods, requireText } from './arguments.ts'
import { addStep, type KeyedFlow, outputOf } from './job-context.ts'
import { AGGREGATE_RULES } from './keyed-functions.ts'
import type { PerRecordWindowing } from './per-record-window-options.ts'
import type { DataStream, PerRecordWindowedStream } from './streams.ts'

const COUNT: AggregateFunction<unknown, number, number> = Object.freeze({
  create: () => 0,
  add: (count: number) => count + 1,
  merge: (a: number, b: number) => a + b,
  result: (count: number) => count,
})

/** A keyed stream with a per-record windowing. */
export class PerRecordWindowedStreamNode<T, K> implements PerRecordWindowedStream<T, K> {
  private readonly flow: KeyedFlow
  private readonly windowing: PerRecordWindowing

  constructor(flow: KeyedFlow, windowing: PerRecordWindowing) {
    this.flow = flow
    this.windowing = windowing
  }

  count(): DataStream<WindowedResult<K, number>> {
    return this.compute('count', COUNT)
  }

  sum(field: string): DataStream<WindowedResult<K, T>> {
    return this.byField('sum', field)
  }

  min(field: string): DataStream<WindowedResult<K, T>> {
    return this.byField('min', field)
  }

  max(field: string): DataStream<WindowedResult<K, T>> {
    return this.byField('max', field)
  }

  reduce(fn: (earlier: T, later: T) => T): DataStream<WindowedResult<K, T>> {
    requireFunction('reduce()', fn)
    return this.compute('reduce', reduceOf(fn))
  }

  aggregate<A, R>(fn: AggregateFunction<T, A, R>): DataStream<WindowedResult<K, R>> {
    requireMethods('aggregate()', fn, AGGREGATE_RULES)
    return this.compute('aggregate', fn)
  }

  sideOutputLateData(tag: OutputTag<T>): PerRecordWindowedStream<T, K> {
    requireText('sideOutputLateData()', 'the id of the tag', tag?.id)
    const { label, spec } = this.windowing
    return new PerRecordWindowedStreamNode(this.flow, { label, spec: { ...spec, lateOutputTag: tag.id } })
  }

  private byField(name: FieldAggregate, field: string): DataStream<WindowedResult<K, T>> {
    requireText(`${name}()`, 'the field', field)
    return this.compute(`${name}(${field})`, FIELD_AGGREGATES[name]<T>(field))
  }

  private compute<A, R>(name: string, aggregate: AggregateFunction<T, A, R>): DataStream<WindowedResult<K, R>> {
    const { job, selector } = this.flow
    const { label, spec } = this.windowing
    const operator = { kind: 'per-record-window', window: Object.freeze({ ...spec, aggregate }) } as const
    const step = addStep([this.flow], { name: `${label} ${name}`, operator, keySelectors: [selector] })
    return job.streams.data(outputOf(job, step))
  }
}
