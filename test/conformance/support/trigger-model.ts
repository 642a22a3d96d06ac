// The triggers of the naive window model: what they want is worked out from a tree of plain objects, by the definitions of each kind.
// It takes nothing but types from the sources, so that it can disagree with them.
import type { TriggerSpec } from '../../../src/model/trigger-spec.ts'

/** When a trigger is asked: the window's time, the processing time, and the last moment of the window. */
export interface Moment {
  readonly timeMs: number
  readonly nowMs: number
  readonly lastMs: number
}

/** What triggers see of a record. */
export interface TriggeringRecord {
  readonly timestamp: number
  readonly amount: number
}

/** A trigger and all that it remembers. */
export interface TriggerModel {
  readonly spec: TriggerSpec
  /** For after-watermark: the repeated early and late triggers, each a `repeatedly` (of `never` where there is none). */
  inner: TriggerModel[]
  isFinished: boolean
  count: number
  dueMs: number | undefined
  /** After-watermark has fired the end of the window. */
  isLate: boolean
  /** The amount of the record that delta compares with. */
  amount: number | undefined
  isOver: boolean
}

/** A trigger that nothing has happened to. */
export function beginTrigger(spec: TriggerSpec): TriggerModel {
  const inner = innerSpecs(spec).map(beginTrigger)
  return {
    spec,
    inner,
    isFinished: false,
    count: 0,
    dueMs: undefined,
    isLate: false,
    amount: undefined,
    isOver: false,
  }
}

const NEVER: TriggerSpec = { kind: 'never' }

function innerSpecs(spec: TriggerSpec): readonly TriggerSpec[] {
  switch (spec.kind) {
    case 'after-watermark':
      return [spec.early ?? NEVER, spec.late ?? NEVER].map(trigger => ({ kind: 'repeatedly', trigger }))
    case 'repeatedly':
    case 'purging':
      return [spec.trigger]
    case 'after-each':
    case 'after-all':
    case 'after-first':
      return spec.triggers
    case 'or-finally':
      return [spec.trigger, spec.until]
    default:
      return []
  }
}

/** Tells the trigger of a record. */
export function triggerTakes(node: TriggerModel, record: TriggeringRecord, moment: Moment): void {
  const { spec } = node
  switch (spec.kind) {
    case 'after-count':
      node.count++
      return
    case 'after-processing-time': {
      const dueMs = moment.nowMs + spec.delayMs
      const alignMs = spec.alignMs ?? 1
      node.dueMs ??= Math.ceil(dueMs / alignMs) * alignMs
      return
    }
    case 'continuous-event-time':
      node.dueMs ??= nextMultiple(record.timestamp, spec.intervalMs)
      return
    case 'continuous-processing-time':
      node.dueMs ??= nextMultiple(moment.nowMs, spec.intervalMs)
      return
    case 'delta': {
      const isBeyond = node.amount !== undefined && Math.abs(record.amount - node.amount) > spec.threshold
      if (isBeyond) node.isOver = true
      if (isBeyond || node.amount === undefined) node.amount = record.amount
      return
    }
    case 'after-watermark':
      triggerTakes(phaseOf(node), record, moment)
      return
    case 'after-each':
      triggerTakes(turnOf(node), record, moment)
      return
    default:
      for (const inner of node.inner) triggerTakes(inner, record, moment)
  }
}

function nextMultiple(timeMs: number, intervalMs: number): number {
  return Math.floor(timeMs / intervalMs) * intervalMs + intervalMs
}

function phaseOf(node: TriggerModel): TriggerModel {
  return node.inner[node.isLate ? 1 : 0] as TriggerModel
}

function turnOf(node: TriggerModel): TriggerModel {
  return (node.inner.find(inner => !inner.isFinished) ?? node.inner.at(-1)) as TriggerModel
}

/** Whether the trigger wants a pane. */
export function triggerWants(node: TriggerModel, moment: Moment): boolean {
  const { spec, inner } = node
  const hasEnded = moment.timeMs >= moment.lastMs
  switch (spec.kind) {
    case 'on-window-end':
      return hasEnded
    case 'after-watermark':
      return (!node.isLate && hasEnded) || triggerWants(phaseOf(node), moment)
    case 'after-count':
      return node.count >= spec.count
    case 'after-processing-time':
      return node.dueMs !== undefined && moment.nowMs >= node.dueMs
    case 'continuous-event-time':
      return hasEnded || (node.dueMs !== undefined && moment.timeMs >= node.dueMs)
    case 'continuous-processing-time':
      return hasEnded || (node.dueMs !== undefined && moment.nowMs >= node.dueMs)
    case 'delta':
      return node.isOver
    case 'after-each':
      return triggerWants(turnOf(node), moment)
    case 'after-all':
      return inner.every(one => triggerWants(one, moment))
    case 'repeatedly':
    case 'purging':
    case 'after-first':
    case 'or-finally':
      return inner.some(one => triggerWants(one, moment))
    case 'never':
      return false
    default:
      throw new Error(`the model knows no trigger ${spec.kind}`)
  }
}

/** Moves the trigger on because a pane leaves; true when the window is to forget its records. */
export function triggerFires(node: TriggerModel, moment: Moment): boolean {
  const { spec, inner } = node
  switch (spec.kind) {
    case 'after-count':
    case 'after-processing-time':
      node.isFinished = true
      return false
    case 'continuous-event-time':
    case 'continuous-processing-time':
      node.dueMs = undefined
      return false
    case 'delta':
      node.isOver = false
      return false
    case 'after-watermark': {
      const isEnd = !node.isLate && moment.timeMs >= moment.lastMs
      if (!isEnd) return triggerFires(phaseOf(node), moment)
      node.isLate = true
      node.isFinished = spec.late === undefined
      return false
    }
    case 'repeatedly': {
      const purges = fireAll(inner, moment)
      node.inner = inner.map(one => (one.isFinished ? beginTrigger(one.spec) : one))
      return purges
    }
    case 'purging':
      fireAll(inner, moment)
      node.isFinished = inner.every(one => one.isFinished)
      return true
    case 'after-each': {
      const purges = triggerFires(turnOf(node), moment)
      node.isFinished = inner.every(one => one.isFinished)
      return purges
    }
    case 'after-all':
    case 'after-first': {
      node.isFinished = true
      return fireAll(
        inner.filter(one => triggerWants(one, moment)),
        moment,
      )
    }
    case 'or-finally': {
      const [main, until] = inner as [TriggerModel, TriggerModel]
      const isOver = triggerWants(until, moment)
      const purges = triggerFires(isOver ? until : main, moment)
      node.isFinished = isOver || main.isFinished
      return purges
    }
    default:
      return false
  }
}

function fireAll(nodes: readonly TriggerModel[], moment: Moment): boolean {
  return nodes.map(node => triggerFires(node, moment)).some(purges => purges)
}

/** The trigger of a cell that several were joined into, at the moment of the joined window. */
export function joinTriggers(nodes: readonly TriggerModel[], moment: Moment): TriggerModel {
  const { spec, inner } = nodes[0] as TriggerModel
  const joined = beginTrigger(spec)
  const dueTimes = nodes.flatMap(({ dueMs }) => (dueMs === undefined ? [] : [dueMs]))
  joined.count = nodes.reduce((sum, { count }) => sum + count, 0)
  joined.dueMs = dueTimes.length === 0 ? undefined : Math.min(...dueTimes)
  joined.inner = inner.map((_, index) =>
    joinTriggers(
      nodes.map(node => node.inner[index] as TriggerModel),
      moment,
    ),
  )
  joined.isFinished = nodes.every(node => node.isFinished)
  // What began anew inside begins anew outside as well.
  const hasBegunAnew = joined.inner.some(
    (one, index) => !one.isFinished && nodes.every(node => node.inner[index]?.isFinished === true),
  )
  if (hasBegunAnew) joined.isFinished = false
  if (spec.kind === 'after-watermark') {
    joined.isLate = nodes.every(node => node.isLate) && moment.timeMs >= moment.lastMs
    if (!joined.isLate) {
      joined.isFinished = false
      joined.inner = [joined.inner[0] as TriggerModel, beginTrigger((inner[1] as TriggerModel).spec)]
    }
  }
  if (spec.kind === 'after-each') {
    const turn = joined.inner.findIndex(one => !one.isFinished)
    if (turn >= 0) joined.inner = joined.inner.map((one, index) => (index > turn ? beginTrigger(one.spec) : one))
  }
  return joined
}

/** The times of the window's own clock at which the trigger wants to be asked. */
export function timesAwaited(node: TriggerModel): readonly number[] {
  const own = node.spec.kind === 'continuous-event-time' && node.dueMs !== undefined ? [node.dueMs] : []
  return [...own, ...node.inner.flatMap(timesAwaited)]
}

/** The processing times at which the trigger wants to be asked. */
export function processingTimesAwaited(node: TriggerModel): readonly number[] {
  const { kind } = node.spec
  const isTimed = kind === 'after-processing-time' || kind === 'continuous-processing-time'
  const own = isTimed && node.dueMs !== undefined ? [node.dueMs] : []
  return [...own, ...node.inner.flatMap(processingTimesAwaited)]
}

/** Whether the trigger has a firing for the end of the window. */
export function firesAtWindowEnd(spec: TriggerSpec): boolean {
  switch (spec.kind) {
    case 'on-window-end':
    case 'after-watermark':
    case 'continuous-event-time':
    case 'continuous-processing-time':
      return true
    default:
      return innerSpecs(spec).some(firesAtWindowEnd)
  }
}
