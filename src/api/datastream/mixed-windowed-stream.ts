// The implementation of MixedWindowedStream: a mixed windowing waits for its function, then becomes one step.

import { reduceOf } from '../../functions/field-aggregates.ts'
import type { AggregateFunction, Collector } from '../../model/functions.ts'
import type { MixedWindow, MixedWindowFunctionSpec } from '../../model/mixed-window-spec.ts'
import type { OutputTag } from '../../model/output-tag.ts'
import { optionInvalid, requireFunction, requireMethods, requireText } from './arguments.ts'
import { addStep, type KeyedFlow, outputOf } from './job-context.ts'
import { AGGREGATE_RULES } from './keyed-functions.ts'
import type { MixedWindowing } from './mixed-window-options.ts'
import type { DataStream, MixedWindowedStream } from './streams.ts'

/** A keyed stream with a mixed windowing. */
export class MixedWindowedStreamNode<T, K> implements MixedWindowedStream<T, K> {
  private readonly flow: KeyedFlow
  private readonly windowing: MixedWindowing

  constructor(flow: KeyedFlow, windowing: MixedWindowing) {
    this.flow = flow
    this.windowing = windowing
  }

  process<O>(fn: (key: K, window: MixedWindow<T>, out: Collector<O>) => void): DataStream<O> {
    requireFunction('process()', fn)
    return this.compute('process', { kind: 'process', process: fn as unknown as ProcessWindow })
  }

  reduce(fn: (earlier: T, later: T) => T): DataStream<T> {
    requireFunction('reduce()', fn)
    return this.compute('reduce', { kind: 'aggregate', aggregate: reduceOf(fn) })
  }

  aggregate<A, R>(fn: AggregateFunction<T, A, R>): DataStream<R> {
    requireMethods('aggregate()', fn, AGGREGATE_RULES)
    return this.compute('aggregate', { kind: 'aggregate', aggregate: fn })
  }

  sideOutputLateData(tag: OutputTag<T>): MixedWindowedStream<T, K> {
    const { label, spec } = this.windowing
    if (spec.timeDomain === 'processing-time') {
      throw optionInvalid('sideOutputLateData()', 'no record is late in processing time; use it with event time')
    }
    requireText('sideOutputLateData()', 'the id of the tag', tag?.id)
    return new MixedWindowedStreamNode(this.flow, { label, spec: { ...spec, lateOutputTag: tag.id } })
  }

  private compute<O>(name: string, fn: MixedWindowFunctionSpec): DataStream<O> {
    const { job, selector } = this.flow
    const { label, spec } = this.windowing
    const operator = { kind: 'mixed-window', window: Object.freeze({ ...spec, function: fn }) } as const
    const step = addStep([this.flow], { name: `${label} ${name}`, operator, keySelectors: [selector] })
    return job.streams.data(outputOf(job, step))
  }
}

// The operator hands in the keys and records of this very stream; the graph knows them by wider types only.
type ProcessWindow = Extract<MixedWindowFunctionSpec, { readonly kind: 'process' }>['process']
