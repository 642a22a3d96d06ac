// The implementation of WindowedStream: a windowing waits for its function, then becomes one step.

import type { AggregateFunction, Collector, TimeWindow } from '../../model/functions.ts'
import type { OutputTag } from '../../model/output-tag.ts'
import type { WindowFunctionSpec } from '../../model/window-spec.ts'
import { optionInvalid, requireFunction, requireText, requireWhole } from './arguments.ts'
import { FieldAggregations } from './field-aggregations.ts'
import { addStep, type KeyedFlow, outputOf } from './job-context.ts'
import type { DataStream, WindowedStream } from './streams.ts'
import type { Windowing } from './windowing.ts'

/** A keyed stream with a windowing. */
export class WindowedStreamNode<T, K> extends FieldAggregations<T> implements WindowedStream<T, K> {
  private readonly flow: KeyedFlow
  private readonly windowing: Windowing

  constructor(flow: KeyedFlow, windowing: Windowing) {
    super()
    this.flow = flow
    this.windowing = windowing
  }

  aggregated<A, R>(name: string, aggregate: AggregateFunction<T, A, R>): DataStream<R> {
    return this.compute(name, { kind: 'aggregate', aggregate })
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
