// Joins of keyed streams within windows: the step has an input for each stream, and its function sees the elements of each side.

import { type Joiner, joinGroups } from '../../functions/join-groups.ts'
import type { TimeWindow } from '../../model/functions.ts'
import type { JoinType } from '../../model/join-functions.ts'
import type { KeySelector } from '../../model/key.ts'
import { type CoGroupFunction, WINDOW_DEFAULTS } from '../../model/window-spec.ts'
import { requireFunction } from './arguments.ts'
import { addStep, type KeyedFlow, outputOf } from './job-context.ts'
import type { DataStream } from './streams.ts'
import { requireAssigner, requireChoice, type WindowAssigner } from './window-assigners.ts'
import type { CoGroupOptions, WindowJoinOptions } from './window-join-options.ts'
import { type WindowOptions, withOptions } from './window-options.ts'
import { timeOf } from './windowing.ts'

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
