// Record path. A trigger that a user wrote with callbacks, as a node: its timers are kept in its slot and asked about when due.
import { preview, StreamError } from '../../base/errors.ts'
import type { TimeWindow } from '../../model/functions.ts'
import type { Trigger, TriggerContext, TriggerResult } from '../../model/trigger-spec.ts'
import type { TriggerState } from '../window-cell.ts'
import { TriggerNode, type TriggerSite } from './trigger-node.ts'

/** Timers that one key and window may hold: a trigger that registers one per record without deleting any is a mistake. */
const TIMERS_MAX = 100_000

interface CustomState {
  user: unknown
  /** Ascending. */
  eventTimes: number[]
  processingTimes: number[]
  isFiring: boolean
  isPurging: boolean
}

/** The node of a user's trigger. */
export class CustomNode extends TriggerNode {
  private readonly trigger: Trigger<unknown, unknown>
  private readonly context: CustomContext

  constructor(index: number, trigger: Trigger<unknown, unknown>) {
    super(index)
    this.trigger = trigger
    this.context = new CustomContext()
  }

  override onRecord(site: TriggerSite): void {
    const state = this.stateOf(site)
    this.context.enter(site, state)
    note(state, this.trigger.onRecord(site.record, site.timestampMs, this.context))
  }

  shouldFire(site: TriggerSite): boolean {
    const state = site.state.slots[this.index] as CustomState | undefined
    if (state === undefined) return false
    this.context.enter(site, state)
    for (
      let timeMs = state.eventTimes[0];
      timeMs !== undefined && timeMs <= site.timeMs;
      timeMs = state.eventTimes[0]
    ) {
      state.eventTimes.shift()
      note(state, this.trigger.onEventTime?.(timeMs, this.context) ?? 'continue')
    }
    const nowMs = state.processingTimes.length > 0 ? site.nowMs() : 0
    for (
      let timeMs = state.processingTimes[0];
      timeMs !== undefined && timeMs <= nowMs;
      timeMs = state.processingTimes[0]
    ) {
      state.processingTimes.shift()
      note(state, this.trigger.onProcessingTime?.(timeMs, this.context) ?? 'continue')
    }
    if (!state.isFiring && state.isPurging) {
      site.isPurging = true
      state.isPurging = false
    }
    return state.isFiring
  }

  override onFire(site: TriggerSite): void {
    const state = this.stateOf(site)
    if (state.isPurging) site.isPurging = true
    state.isFiring = false
    state.isPurging = false
  }

  override onMerge(site: TriggerSite, merged: readonly TriggerState[]): void {
    const states = merged.map(({ slots }) => slots[this.index] as CustomState | undefined)
    const present = states.filter(state => state !== undefined)
    const [first, ...rest] = present
    if (first === undefined) return
    let { user } = first
    for (const state of rest) user = this.trigger.merge?.(user, state.user)
    site.state.slots[this.index] = {
      user,
      eventTimes: union(present.map(state => state.eventTimes)),
      processingTimes: union(present.map(state => state.processingTimes)),
      isFiring: present.some(state => state.isFiring),
      isPurging: present.some(state => state.isPurging),
    } satisfies CustomState
    this.renewTimes(site)
  }

  override renewTimes(site: TriggerSite): void {
    const state = site.state.slots[this.index] as CustomState | undefined
    const [eventTime] = state?.eventTimes ?? []
    const [processingTime] = state?.processingTimes ?? []
    if (eventTime !== undefined) site.wakeAtTime(eventTime)
    if (processingTime !== undefined) site.wakeAtProcessingTime(processingTime)
  }

  private stateOf(site: TriggerSite): CustomState {
    const { slots } = site.state
    let state = slots[this.index] as CustomState | undefined
    if (state === undefined) {
      const user = this.trigger.create?.()
      state = { user, eventTimes: [], processingTimes: [], isFiring: false, isPurging: false }
      slots[this.index] = state
    }
    return state
  }
}

function note(state: CustomState, result: TriggerResult): void {
  switch (result) {
    case 'continue':
      return
    case 'fire':
      state.isFiring = true
      return
    case 'purge':
      state.isPurging = true
      return
    case 'fire-and-purge':
      state.isFiring = true
      state.isPurging = true
      return
    default:
      throw new StreamError(
        'USER_FUNCTION_RESULT',
        `the trigger returned ${preview(result)}; return 'continue', 'fire', 'purge' or 'fire-and-purge'`,
      )
  }
}

class CustomContext implements TriggerContext<unknown> {
  private site: TriggerSite | undefined
  private custom: CustomState | undefined

  enter(site: TriggerSite, state: CustomState): void {
    this.site = site
    this.custom = state
  }

  get window(): TimeWindow {
    return this.current().window
  }

  get state(): unknown {
    return this.own().user
  }

  setState(state: unknown): void {
    this.own().user = state
  }

  currentWatermark(): number {
    return this.current().timeMs
  }

  currentProcessingTime(): number {
    return this.current().nowMs()
  }

  registerEventTimeTimer(timestampMs: number): void {
    insert(this.own().eventTimes, timestampMs)
    this.current().wakeAtTime(timestampMs)
  }

  deleteEventTimeTimer(timestampMs: number): void {
    remove(this.own().eventTimes, timestampMs)
  }

  registerProcessingTimeTimer(timestampMs: number): void {
    insert(this.own().processingTimes, timestampMs)
    this.current().wakeAtProcessingTime(timestampMs)
  }

  deleteProcessingTimeTimer(timestampMs: number): void {
    remove(this.own().processingTimes, timestampMs)
  }

  private current(): TriggerSite {
    return this.site as TriggerSite
  }

  private own(): CustomState {
    return this.custom as CustomState
  }
}

function insert(times: number[], timeMs: number): void {
  if (typeof timeMs !== 'number' || Number.isNaN(timeMs)) {
    throw new StreamError(
      'TIMESTAMP_INVALID',
      `the trigger registered a timer at ${preview(timeMs)}; give epoch milliseconds`,
    )
  }
  if (times.includes(timeMs)) return
  if (times.length >= TIMERS_MAX) {
    throw new StreamError(
      'USER_FUNCTION_FAILED',
      `the trigger holds ${TIMERS_MAX} timers of one key and window; delete those that are no longer wanted`,
    )
  }
  times.push(timeMs)
  times.sort((a, b) => a - b)
}

function remove(times: number[], timeMs: number): void {
  const at = times.indexOf(timeMs)
  if (at >= 0) times.splice(at, 1)
}

function union(lists: readonly (readonly number[])[]): number[] {
  return [...new Set(lists.flat())].sort((a, b) => a - b)
}
