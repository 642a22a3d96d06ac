// Record path. The temporal (as-of) join: each record of a stream with the version of a table that is valid at its time. The table is a
// stream too: its records of a key are the versions of a row.
import type { Collector, KeyedContext, KeyedCoProcessFunction, TimerContext } from '../model/functions.ts'
import type { TemporalJoinSpec } from '../model/join-functions.ts'
import { type OrderedListState, orderedList, value } from '../model/state.ts'
import { timeText } from './interval-join.ts'
import { eventTimeOf, refusePromise } from './record-time.ts'

/** The function of a temporal join: records of the stream come by the first input, versions of the table by the second. */
export function temporalJoin(
  spec: TemporalJoinSpec,
): KeyedCoProcessFunction<unknown, unknown, unknown, unknown, typeof VERSIONED | typeof CURRENT> {
  const fn = spec.timeDomain === 'event-time' ? new EventTimeJoin(spec) : new ProcessingTimeJoin(spec)
  return fn as KeyedCoProcessFunction<unknown, unknown, unknown, unknown, typeof VERSIONED | typeof CURRENT>
}

/** Used by messages and plans: `temporal left join of event time, versions valid for 3600000 ms`. */
export function temporalJoinText({ joinType, timeDomain, retentionMs }: TemporalJoinSpec): string {
  const outer = joinType === 'left' ? 'left ' : ''
  const retention = retentionMs === Infinity ? '' : `, versions valid for ${retentionMs} ms`
  return `temporal ${outer}join of ${timeText(timeDomain)}${retention}`
}

/** Of each key: records that wait for the watermark to reach them, and versions; undefined stands for a deletion. */
const VERSIONED = { waiting: orderedList<unknown>(), versions: orderedList<unknown>() }

type VersionedContext = KeyedContext<unknown, typeof VERSIONED>

/**
 * By event time. A record waits until the watermark reaches its time: then every version that could be valid is there. What is late is
 * given up: a record always, a version only if a newer one is in force, since else records yet to come need it.
 */
class EventTimeJoin implements KeyedCoProcessFunction<unknown, unknown, unknown, unknown, typeof VERSIONED> {
  readonly state = VERSIONED
  private readonly spec: TemporalJoinSpec

  constructor(spec: TemporalJoinSpec) {
    this.spec = spec
  }

  onFirst(record: unknown, ctx: VersionedContext): void {
    const timeMs = eventTimeOf(record, ctx)
    if (timeMs <= ctx.currentWatermark()) {
      ctx.drop('late', record, this.spec.lateTag)
      return
    }
    ctx.state.waiting.add(timeMs, record)
    ctx.timers.registerEventTimeTimer(timeMs)
  }

  onSecond(version: unknown, ctx: VersionedContext): void {
    const { isDeleted, lateVersionTag, retentionMs } = this.spec
    const timeMs = eventTimeOf(version, ctx)
    const watermark = ctx.currentWatermark()
    const { versions } = ctx.state
    if (timeMs + retentionMs <= watermark || versions.floorTimeMs(watermark) > timeMs) {
      ctx.drop('late', version, lateVersionTag)
      return
    }
    const isDeletion = isDeleted !== undefined && refusePromise(isDeleted(version))
    // Of two versions of one time the later to arrive counts.
    versions.remove(timeMs, timeMs)
    versions.add(timeMs, isDeletion ? undefined : version)
    if (!isDeletion && retentionMs !== Infinity) ctx.timers.registerEventTimeTimer(timeMs + retentionMs)
    if (timeMs <= watermark) this.letGo(watermark, ctx)
    else ctx.timers.registerEventTimeTimer(timeMs)
  }

  onTimer(timeMs: number, ctx: TimerContext<unknown, typeof VERSIONED>, out: Collector<unknown>): void {
    const { waiting, versions } = ctx.state
    while (waiting.size > 0 && waiting.firstTimeMs() <= timeMs) {
      const recordMs = waiting.firstTimeMs()
      joinRecord(waiting.shift(), this.versionAt(recordMs, versions), this.spec, out)
    }
    this.letGo(timeMs, ctx)
  }

  private versionAt(timeMs: number, versions: OrderedListState<unknown>): unknown {
    const isValid = versions.floorTimeMs(timeMs) + this.spec.retentionMs >= timeMs
    return isValid ? versions.floor(timeMs) : undefined
  }

  /** Lets go of the versions that no record after the time can need. */
  private letGo(timeMs: number, ctx: VersionedContext): void {
    const { versions } = ctx.state
    const inForceMs = versions.floorTimeMs(timeMs)
    while (versions.firstTimeMs() < inForceMs) this.forgetFirst(ctx)
    const isOver = versions.floor(timeMs) === undefined || inForceMs + this.spec.retentionMs <= timeMs
    if (inForceMs !== -Infinity && isOver) this.forgetFirst(ctx)
  }

  private forgetFirst(ctx: VersionedContext): void {
    const timeMs = ctx.state.versions.firstTimeMs()
    ctx.state.versions.shift()
    this.cancelEnd(timeMs, ctx)
  }

  /** Takes back the timer of a version's end, which would keep the key, unless something else waits for the same time. */
  private cancelEnd(timeMs: number, ctx: VersionedContext): void {
    const endMs = timeMs + this.spec.retentionMs
    if (endMs === Infinity) return
    const { waiting, versions } = ctx.state
    if (waiting.floorTimeMs(endMs) === endMs || versions.floorTimeMs(endMs) === endMs) return
    ctx.timers.deleteEventTimeTimer(endMs)
  }
}

/** A version and the processing time from which it is valid no more. */
interface CurrentVersion {
  readonly version: unknown
  readonly endMs: number
}

const CURRENT = { current: value<CurrentVersion>() }

type CurrentContext = KeyedContext<unknown, typeof CURRENT>

/** By processing time: each record at once, with the version that arrived last. */
class ProcessingTimeJoin implements KeyedCoProcessFunction<unknown, unknown, unknown, unknown, typeof CURRENT> {
  readonly state = CURRENT
  private readonly spec: TemporalJoinSpec

  constructor(spec: TemporalJoinSpec) {
    this.spec = spec
  }

  onFirst(record: unknown, ctx: CurrentContext, out: Collector<unknown>): void {
    const current = ctx.state.current.get()
    const isValid = current !== undefined && ctx.currentProcessingTime() < current.endMs
    joinRecord(record, isValid ? current.version : undefined, this.spec, out)
  }

  onSecond(version: unknown, ctx: CurrentContext): void {
    const { isDeleted, retentionMs } = this.spec
    const { current } = ctx.state
    const endMs = ctx.currentProcessingTime() + retentionMs + 1
    const before = current.get()
    if (before !== undefined && before.endMs !== Infinity) ctx.timers.deleteProcessingTimeTimer(before.endMs)
    if (isDeleted !== undefined && refusePromise(isDeleted(version))) {
      current.clear()
      return
    }
    current.set({ version, endMs })
    if (endMs !== Infinity) ctx.timers.registerProcessingTimeTimer(endMs)
  }

  onTimer(_: number, ctx: TimerContext<unknown, typeof CURRENT>): void {
    ctx.state.current.clear()
  }
}

function joinRecord(record: unknown, version: unknown, spec: TemporalJoinSpec, out: Collector<unknown>): void {
  if (version === undefined && spec.joinType === 'inner') return
  out.collect(refusePromise(spec.join(record, version)))
}
