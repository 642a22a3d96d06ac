// Joins of keyed streams within windows: the step has an input for each stream, and its function sees the elements of each side.

import { type Joiner, type JoinType, joinGroups } from '../../functions/join-groups.ts'
import type { TimeWindow } from '../../model/functions.ts'
import type { KeySelector } from '../../model/key.ts'
import type { WindowContext } from '../../model/window-functions.ts'
import { type CoGroupFunction, WINDOW_DEFAULTS } from '../../model/window-spec.ts'
import { requireFunction } from './arguments.ts'
import { addStep, type KeyedFlow, outputOf } from './job-context.ts'
import type { DataStream } from './streams.ts'
import { requireAssigner, requireChoice, type WindowAssigner } from './window-assigners.ts'
import { type WindowOptions, withOptions } from './window-options.ts'
import { timeOf } from './windowing.ts'

/** The sides of a join as its function gets them: the one that may be missing in an outer join may be undefined. */
export type JoinSides<L, R, J extends JoinType> = J extends 'inner'
  ? readonly [left: L, right: R]
  : J extends 'left'
    ? readonly [left: L, right: R | undefined]
    : J extends 'right'
      ? readonly [left: L | undefined, right: R]
      : readonly [left: L | undefined, right: R | undefined]

/** A join of two keyed streams within windows. */
export interface WindowJoinOptions<K, L, R, O, W extends TimeWindow, J extends JoinType>
  extends WindowOptions<L | R, W> {
  readonly window: WindowAssigner<L | R, W>
  /** `inner` unless given. */
  readonly type?: J
  /** Makes a record of each pair of elements of a key and window, and of those without a partner where the join is an outer one. */
  readonly join: (...args: [...sides: JoinSides<L, R, J>, ctx: WindowContext<K, W>]) => O
}

/** A co-group of any number of keyed streams within windows. */
export interface CoGroupOptions<K, G extends readonly unknown[], O, W extends TimeWindow>
  extends WindowOptions<G[number], W> {
  readonly window: WindowAssigner<G[number], W>
  /** Makes records of the elements of a key and window, a list for each stream in the order given, possibly empty. */
  readonly coGroup: (
    groups: { readonly [I in keyof G]: readonly G[I][] },
    ctx: WindowContext<K, W>,
    out: { collect(record: O): void },
  ) => void
}

/** The step of a windowed join. */
export function windowJoin<O>(
  flows: readonly [KeyedFlow, KeyedFlow],
  options: WindowJoinOptions<unknown, never, never, O, TimeWindow, JoinType>,
): DataStream<O> {
  const { type = 'inner' } = options ?? {}
  requireChoice('join()', 'type', type, ['inner', 'left', 'right', 'full'])
  requireFunction('join(): join', options?.join)
  return grouped('join()', `${type}-join`, flows, options as never, joinGroups(type, options.join as Joiner))
}

/** The step of a windowed co-group. */
export function windowCoGroup<O>(
  flows: readonly [KeyedFlow, ...KeyedFlow[]],
  options: CoGroupOptions<unknown, readonly never[], O, TimeWindow>,
): DataStream<O> {
  requireFunction('coGroup(): coGroup', options?.coGroup)
  return grouped('coGroup()', 'co-group', flows, options as never, options.coGroup as unknown as CoGroupFunction)
}

function grouped<O>(
  call: string,
  name: string,
  flows: readonly [KeyedFlow, ...KeyedFlow[]],
  options: WindowOptions<never, never> & { readonly window: WindowAssigner<never> },
  coGroup: CoGroupFunction,
): DataStream<O> {
  requireAssigner(`${call}: window`, options.window)
  const [{ job }] = flows
  const timeDomain = timeOf(options.window, flows)
  const plain = { ...WINDOW_DEFAULTS, timeDomain, assigner: options.window.spec, inputs: flows.length }
  const window = Object.freeze({
    ...withOptions(call, plain, options),
    function: { kind: 'co-group', coGroup } as const,
  })
  const keySelectors: KeySelector[] = flows.map(({ selector }) => selector)
  const step = { name: `${options.window.label} ${name}`, operator: { kind: 'window', window } as const, keySelectors }
  return job.streams.data(outputOf(job, addStep(flows, step)))
}
