// The implementation of interval joins: bounds and options are collected, then become one step with two inputs.
import { preview } from '../../base/errors.ts'
import { intervalJoin, intervalJoinText, type PairFunction, pairMapping } from '../../functions/interval-join.ts'
import type { IntervalJoinFunction, IntervalJoinSpec, JoinType } from '../../model/join-functions.ts'
import type { OutputTag } from '../../model/output-tag.ts'
import { optionInvalid, requireFunction, requireMethods } from './arguments.ts'
import { addStep, type KeyedFlow, outputOf } from './job-context.ts'
import type { UnboundedStateOptions } from './join-options.ts'
import type { AnyKeyedCoProcessFunction } from './keyed-functions.ts'
import { refuseLateTag, requireBoolean, requireTimestamps, stateUnbounded } from './state-bounds.ts'
import type { DataStream, IntervalJoin, IntervalJoined } from './streams.ts'

const JOIN_TYPES: readonly unknown[] = ['inner', 'left', 'right', 'full']

/** Two keyed streams without bounds yet. */
export class IntervalJoinNode<A, B> implements IntervalJoin<A, B> {
  private readonly left: KeyedFlow
  private readonly right: KeyedFlow
  private readonly timeDomain: IntervalJoinSpec['timeDomain']

  constructor(left: KeyedFlow, right: KeyedFlow, timeDomain: IntervalJoinSpec['timeDomain'] = 'event-time') {
    this.left = left
    this.right = right
    this.timeDomain = timeDomain
  }

  inEventTime(): IntervalJoin<A, B> {
    return new IntervalJoinNode(this.left, this.right, 'event-time')
  }

  inProcessingTime(): IntervalJoin<A, B> {
    return new IntervalJoinNode(this.left, this.right, 'processing-time')
  }

  between(lowerMs: number, upperMs: number, options: UnboundedStateOptions = {}): IntervalJoined<A, B> {
    requireBounds(lowerMs, upperMs, options)
    return new IntervalJoinedNode(this.left, this.right, {
      lowerMs,
      upperMs,
      isLowerExclusive: false,
      isUpperExclusive: false,
      timeDomain: this.timeDomain,
      joinType: 'inner',
    })
  }
}

/** An interval join with its bounds; each call gives a new one. */
class IntervalJoinedNode<A, B, ML, MR> implements IntervalJoined<A, B, ML, MR> {
  private readonly left: KeyedFlow
  private readonly right: KeyedFlow
  private readonly spec: IntervalJoinSpec

  constructor(left: KeyedFlow, right: KeyedFlow, spec: IntervalJoinSpec) {
    this.left = left
    this.right = right
    this.spec = spec
  }

  lowerBoundExclusive(): IntervalJoined<A, B, ML, MR> {
    return this.with({ isLowerExclusive: true })
  }

  upperBoundExclusive(): IntervalJoined<A, B, ML, MR> {
    return this.with({ isUpperExclusive: true })
  }

  inEventTime(): IntervalJoined<A, B, ML, MR> {
    return this.with({ timeDomain: 'event-time' })
  }

  inProcessingTime(): IntervalJoined<A, B, ML, MR> {
    return this.with({ timeDomain: 'processing-time' })
  }

  sideOutputLeftLateData(tag: OutputTag<A>): IntervalJoined<A, B, ML, MR> {
    refuseLateTag('sideOutputLeftLateData()', 'event-time', { 'the tag': tag ?? null })
    return this.with({ lateLeftTag: tag })
  }

  sideOutputRightLateData(tag: OutputTag<B>): IntervalJoined<A, B, ML, MR> {
    refuseLateTag('sideOutputRightLateData()', 'event-time', { 'the tag': tag ?? null })
    return this.with({ lateRightTag: tag })
  }

  joinType(type: 'inner'): IntervalJoined<A, B>
  joinType(type: 'left'): IntervalJoined<A, B, never, undefined>
  joinType(type: 'right'): IntervalJoined<A, B, undefined, never>
  joinType(type: 'full'): IntervalJoined<A, B, undefined, undefined>
  joinType(type: JoinType): unknown {
    if (JOIN_TYPES.includes(type)) return this.with({ joinType: type })
    throw optionInvalid('joinType()', `the type is ${preview(type)}; give 'inner', 'left', 'right' or 'full'`)
  }

  map<O>(fn: (left: A | ML, right: B | MR) => O): DataStream<O> {
    requireFunction('map()', fn)
    return this.step('map()', pairMapping(fn as (left: unknown, right: unknown) => O))
  }

  process<O>(fn: IntervalJoinFunction<A, B, O, ML, MR>): DataStream<O> {
    requireMethods('process()', fn, { required: ['onPair'], optional: ['open', 'close'] })
    return this.step('process()', fn as unknown as PairFunction)
  }

  private with(change: Partial<IntervalJoinSpec>): IntervalJoinedNode<A, B, ML, MR> {
    return new IntervalJoinedNode(this.left, this.right, { ...this.spec, ...change })
  }

  private step<O>(call: string, fn: PairFunction): DataStream<O> {
    const { left, right, spec } = this
    const { job } = left
    const { lateLeftTag, lateRightTag, timeDomain } = spec
    requireTimestamps(`intervalJoin() ${call}`, timeDomain, [left, right], 'join inProcessingTime()')
    refuseLateTag(`intervalJoin() ${call}`, timeDomain, {
      sideOutputLeftLateData: lateLeftTag,
      sideOutputRightLateData: lateRightTag,
    })
    const operator = {
      kind: 'keyed-co-process',
      function: intervalJoin(spec, fn) as unknown as AnyKeyedCoProcessFunction,
      description: intervalJoinText(spec),
    } as const
    const keySelectors = [left.selector, right.selector]
    return job.streams.data(outputOf(job, addStep([left, right], { name: 'interval-join', operator, keySelectors })))
  }
}

function requireBounds(lowerMs: unknown, upperMs: unknown, options: UnboundedStateOptions): void {
  const call = `between(${String(lowerMs)}, ${String(upperMs)})`
  const bounds = { 'the lower bound': lowerMs, 'the upper bound': upperMs }
  for (const [what, bound] of Object.entries(bounds)) {
    if (Number.isInteger(bound) || bound === Infinity || bound === -Infinity) continue
    throw optionInvalid(call, `${what} is ${preview(bound)}; give a whole number of milliseconds`)
  }
  if ((lowerMs as number) > (upperMs as number) || lowerMs === Infinity || upperMs === -Infinity) {
    throw optionInvalid(call, 'no record lies between the two; give the lower bound first, as in between(-5000, 5000)')
  }
  requireBoolean(call, 'allowUnboundedState', options.allowUnboundedState)
  if (options.allowUnboundedState === true) return
  if (lowerMs === -Infinity) {
    throw stateUnbounded(call, 'without a lower bound every right record is kept for ever', 'a lower bound')
  }
  if (upperMs === Infinity) {
    throw stateUnbounded(call, 'without an upper bound every left record is kept for ever', 'an upper bound')
  }
}
