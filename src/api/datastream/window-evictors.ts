// The evictors of windows as users call them: which elements leave a window before its function sees the rest, or after.
import { preview } from '../../base/errors.ts'
import type { TimeWindow } from '../../model/functions.ts'
import type { Evictor } from '../../model/window-functions.ts'
import type { EvictorSpec } from '../../model/window-spec.ts'
import { optionInvalid, requireFunction, requireMethods, requireWhole } from './arguments.ts'

declare const recordType: unique symbol

/** Says which elements leave a window; made by `countEvictor()` and its siblings. */
export interface WindowEvictor<T = unknown> {
  readonly spec: EvictorSpec
  [recordType]?(record: T): void
}

/** When an evictor does its work. */
export interface EvictorOptions {
  /** True: after the function saw the elements, so that they are gone for the next pane. Before, unless given. */
  readonly after?: boolean
}

/** Keeps the newest elements, in the order of arrival. OPTION_INVALID unless the count is from 1. */
export function countEvictor(count: number, { after = false }: EvictorOptions = {}): WindowEvictor {
  requireWhole(`countEvictor(${String(count)})`, 'the count', count, { min: 1 })
  return evictor({ kind: 'count', count, after })
}

/** Keeps the elements whose timestamp is less than `keepMs` before the newest one. OPTION_INVALID unless it is a whole number from 1. */
export function timeEvictor(keepMs: number, { after = false }: EvictorOptions = {}): WindowEvictor {
  requireWhole(`timeEvictor(${String(keepMs)})`, 'the time in milliseconds', keepMs, { min: 1 })
  return evictor({ kind: 'time', keepMs, after })
}

/** Keeps the elements that differ by less than the threshold from the one that came last. */
export function deltaEvictor<T>(
  threshold: number,
  delta: (element: T, newest: T) => number,
  { after = false }: EvictorOptions = {},
): WindowEvictor<T> {
  if (typeof threshold !== 'number' || Number.isNaN(threshold)) {
    throw optionInvalid('deltaEvictor()', `the threshold is ${preview(threshold)}; give a number`)
  }
  requireFunction('deltaEvictor()', delta)
  return evictor({ kind: 'delta', threshold, delta: delta as (element: never, newest: never) => number, after })
}

/** An evictor of your own. */
export function customEvictor<T, W extends TimeWindow = TimeWindow>(custom: Evictor<T, W>): WindowEvictor<T> {
  requireMethods('customEvictor()', custom, { required: [], optional: ['before', 'after'] })
  if (custom.before === undefined && custom.after === undefined) {
    throw optionInvalid('customEvictor()', 'it has neither before nor after; give one of them')
  }
  return evictor({ kind: 'custom', evictor: custom as unknown as Evictor<never, never> })
}

/** The evictor as data. Throws OPTION_INVALID for what was not made by one of the functions above. */
export function evictorSpec(call: string, value: WindowEvictor<never>): EvictorSpec {
  const spec = (value as Partial<WindowEvictor> | null | undefined)?.spec
  if (typeof spec === 'object' && spec !== null && 'kind' in spec) return spec
  throw optionInvalid(call, `expected an evictor such as countEvictor(100), got ${preview(value)}`)
}

function evictor<T>(spec: EvictorSpec): WindowEvictor<T> {
  return Object.freeze({ spec: Object.freeze(spec) })
}
