// What the window operator must do, worked out by the plainest means from the whole script: every cell keeps its records, every result is
// computed from them anew. It takes nothing but types from the sources. It does not model evictors, calendars and custom code.
import type { TimeWindow } from '../../../src/model/functions.ts'
import type { PaneTiming } from '../../../src/model/window-functions.ts'
import type { WindowSpec } from '../../../src/model/window-spec.ts'
import type { ScriptStep } from '../../../src/testing/operator-script.ts'
import {
  beginTrigger,
  firesAtWindowEnd,
  joinTriggers,
  type Moment,
  processingTimesAwaited,
  type TriggerModel,
  timesAwaited,
  triggerFires,
  triggerTakes,
  triggerWants,
} from './trigger-model.ts'

/** A record of a case. */
export interface CaseRecord {
  readonly id: number
  readonly key: string
  readonly amount: number
  /** The gap of a session with a gap per record. */
  readonly gapMs: number
}

/** A pane as the model counts it. */
export interface ModelPane {
  readonly timing: PaneTiming
  readonly index: number
  readonly nonSpeculativeIndex: number
  readonly isLast: boolean
}

/** A pane with all that was in it. */
export interface ModelResult {
  readonly key: string
  readonly window: TimeWindow
  readonly pane: ModelPane
  readonly records: readonly CaseRecord[]
  /** Those that came since the pane before. */
  readonly added: readonly CaseRecord[]
  readonly timestamp: number
  readonly isRetraction: boolean
}

/** A record that came too late for all its windows. */
export interface ModelLateRecord {
  readonly record: CaseRecord
  readonly timestamp: number
  readonly window: TimeWindow
  readonly latenessMs: number
}

/** All that must come of a script. */
export interface ModelOutcome {
  readonly results: readonly ModelResult[]
  readonly late: readonly ModelLateRecord[]
  readonly closedWindowRecordsDropped: number
  readonly unfiredRecordsDropped: number
  /** The output watermarks, each above the one before. */
  readonly watermarks: readonly number[]
  /** How often two sessions or more became one. */
  readonly merges: number
}

/** What the model has to know. */
export interface ModelInput {
  readonly spec: Omit<WindowSpec, 'function'>
  /** A pane without records emits nothing. */
  readonly needsRecords: boolean
  readonly channels: number
  readonly script: readonly ScriptStep[]
}

interface Arrival {
  readonly record: CaseRecord
  isNew: boolean
}

interface Cell {
  readonly key: string
  readonly window: TimeWindow
  arrivals: Arrival[]
  /** Timestamps that the combiner sees. */
  heldMs: number[]
  /** The greatest timestamp of its records since the last firing. */
  newestMs: number
  trigger: TriggerModel
  standing: ModelResult[]
  panes: number
  nonSpeculativePanes: number
  hasEndedFiring: boolean
  hasLast: boolean
  wasAskedAtEnd: boolean
}

/** The time of a record by the window's clock, and its own timestamp. */
interface RecordTime {
  readonly timeMs: number
  readonly timestamp: number
}

interface Channel {
  watermark: number
  isIdle: boolean
}

/** Works out what must come of the script. */
export function modelOutcome(input: ModelInput): ModelOutcome {
  const model = new WindowModel(input)
  for (const step of input.script) model.step(step)
  return model.outcome()
}

class WindowModel {
  private readonly input: ModelInput
  private readonly channels: Channel[]
  private cells: Cell[] = []
  private mergedWatermark = -Infinity
  private timeMs: number
  private nowMs = 0
  /** The time before the step in hand. */
  private settledMs = -Infinity
  private readonly results: ModelResult[] = []
  private readonly late: ModelLateRecord[] = []
  private readonly watermarks: number[] = []
  private closedWindowRecordsDropped = 0
  private unfiredRecordsDropped = 0
  private merges = 0

  constructor(input: ModelInput) {
    this.input = input
    this.channels = Array.from({ length: input.channels }, () => ({ watermark: -Infinity, isIdle: false }))
    this.timeMs = this.isByProcessingTime ? -1 : -Infinity
  }

  outcome(): ModelOutcome {
    const { results, late, closedWindowRecordsDropped, unfiredRecordsDropped, watermarks, merges } = this
    return { results, late, closedWindowRecordsDropped, unfiredRecordsDropped, watermarks, merges }
  }

  step(step: ScriptStep): void {
    switch (step.kind) {
      case 'record':
        this.onRecord(step.value as CaseRecord, step.timestamp as number)
        break
      case 'watermark':
        for (const channel of this.channelsOf(step.input)) {
          channel.isIdle = false
          channel.watermark = Math.max(channel.watermark, step.watermark)
        }
        this.mergeWatermarks()
        break
      case 'status':
        for (const channel of this.channelsOf(step.input)) channel.isIdle = step.isIdle
        this.mergeWatermarks()
        break
      case 'processing-time':
        this.onProcessingTime(step.timeMs)
        break
      case 'end':
        if (step.mode === 'stop') return
        for (const channel of this.channels) channel.watermark = Infinity
        this.mergeWatermarks()
    }
    this.settledMs = this.timeMs
    this.advanceOutput()
  }

  private get isByProcessingTime(): boolean {
    return this.input.spec.timeDomain === 'processing-time'
  }

  private channelsOf(index: number | undefined): readonly Channel[] {
    return index === undefined ? this.channels : this.channels.slice(index, index + 1)
  }

  private mergeWatermarks(): void {
    const active = this.channels.filter(({ watermark, isIdle }) => !isIdle || watermark === Infinity)
    const least = Math.min(...active.map(({ watermark }) => watermark))
    const isWaiting = least === Infinity && active.length < this.channels.length
    if (isWaiting || least <= this.mergedWatermark) return
    this.mergedWatermark = least
    if (!this.isByProcessingTime || least === Infinity) this.advance({ timeMs: least, nowMs: this.nowMs })
  }

  private onProcessingTime(nowMs: number): void {
    if (nowMs <= this.nowMs) return
    this.advance({ timeMs: this.isByProcessingTime ? nowMs - 1 : this.timeMs, nowMs })
  }

  /** Time passes: each cell goes through what became due for it, in the order of time. */
  private advance(to: { readonly timeMs: number; readonly nowMs: number }): void {
    const from = { timeMs: this.timeMs, nowMs: this.nowMs }
    this.timeMs = to.timeMs
    this.nowMs = to.nowMs
    for (const cell of [...this.cells]) {
      let wokenMs = from.timeMs
      let wokenNowMs = from.nowMs
      while (this.cells.includes(cell)) {
        const lastMs = cell.window.end - 1
        const times = timesAwaited(cell.trigger).filter(timeMs => timeMs > wokenMs)
        const processingTimes = processingTimesAwaited(cell.trigger).filter(timeMs => timeMs > wokenNowMs)
        const endMs = cell.wasAskedAtEnd ? Number.NaN : lastMs
        const wakeMs = Math.min(...times)
        const wakeNowMs = Math.min(...processingTimes)
        const due: { readonly atMs: number; readonly action: () => void }[] = []
        if (endMs <= to.timeMs) {
          due.push({
            atMs: endMs,
            action: () => {
              cell.wasAskedAtEnd = true
              this.ask(cell)
            },
          })
        }
        if (times.length > 0 && wakeMs <= to.timeMs) {
          due.push({
            atMs: wakeMs,
            action: () => {
              wokenMs = wakeMs
              this.ask(cell)
            },
          })
        }
        if (processingTimes.length > 0 && wakeNowMs <= to.nowMs) {
          due.push({
            atMs: wakeNowMs - 1,
            action: () => {
              wokenNowMs = wakeNowMs
              this.ask(cell)
            },
          })
        }
        if (this.isClosed(cell.window)) due.push({ atMs: this.closingMs(cell.window), action: () => this.close(cell) })
        const [first] = due.sort((a, b) => (a.atMs === b.atMs ? 0 : a.atMs - b.atMs))
        if (first === undefined) break
        first.action()
      }
    }
  }

  private onRecord(record: CaseRecord, timestamp: number): void {
    const timeMs = this.isByProcessingTime ? this.nowMs : timestamp
    const { assigner } = this.input.spec
    if (assigner.kind === 'session') {
      const cell = this.session(record, timeMs)
      if (cell !== undefined) this.enter(cell, record, { timeMs, timestamp })
      return
    }
    const windows = this.windowsOf(timeMs)
    const open = windows.filter(window => !this.isClosed(window))
    if (open.length === 0) this.noteLate(record, timestamp, windows.at(-1) as TimeWindow)
    for (const window of open) {
      const found = this.cells.find(cell => cell.key === record.key && cell.window.start === window.start)
      this.enter(found ?? this.newCell(record.key, window), record, { timeMs, timestamp })
    }
  }

  /** Ascending. */
  private windowsOf(timeMs: number): TimeWindow[] {
    const { assigner } = this.input.spec
    if (assigner.kind === 'global') return [{ start: -Infinity, end: Infinity }]
    if (assigner.kind !== 'tumbling' && assigner.kind !== 'sliding') throw new Error(`no model of ${assigner.kind}`)
    const { sizeMs, offsetMs } = assigner
    const windows: TimeWindow[] = []
    for (let start = timeMs - sizeMs + 1; start <= timeMs; start++) {
      const slideMs = assigner.kind === 'sliding' ? assigner.slideMs : sizeMs
      if ((start - offsetMs) % slideMs === 0) windows.push({ start, end: start + sizeMs })
    }
    return windows
  }

  /** The cell that takes the record, joined of all that its window meets; undefined when the record is late. */
  private session(record: CaseRecord, timeMs: number): Cell | undefined {
    const { assigner } = this.input.spec
    if (assigner.kind !== 'session') throw new Error('not a session')
    const own = {
      start: timeMs,
      end: timeMs + (typeof assigner.gapMs === 'number' ? assigner.gapMs : assigner.gapMs(record as never)),
    }
    const isMet = ({ window: { start, end } }: Cell): boolean =>
      assigner.touching === 'merge' ? start <= own.end && own.start <= end : start < own.end && own.start < end
    const met = this.cells
      .filter(cell => cell.key === record.key && isMet(cell))
      .sort((a, b) => a.window.start - b.window.start)
    if (met.length === 0) {
      if (!this.isClosed(own)) return this.newCell(record.key, own)
      this.noteLate(record, timeMs, own)
      return undefined
    }
    if (met.length > 1) this.merges++
    const window = {
      start: Math.min(own.start, ...met.map(cell => cell.window.start)),
      end: Math.max(own.end, ...met.map(cell => cell.window.end)),
    }
    const [only] = met
    if (met.length === 1 && only?.window.start === window.start && only.window.end === window.end) return only
    return this.join(met, window)
  }

  private join(met: readonly Cell[], window: TimeWindow): Cell {
    this.cells = this.cells.filter(cell => !met.includes(cell))
    const joined = this.newCell((met[0] as Cell).key, window)
    joined.arrivals = met.flatMap(cell => cell.arrivals)
    joined.heldMs = met.flatMap(cell => cell.heldMs)
    joined.standing = met.flatMap(cell => cell.standing)
    joined.trigger = joinTriggers(
      met.map(cell => cell.trigger),
      this.momentOf(joined),
    )
    return joined
  }

  private newCell(key: string, window: TimeWindow): Cell {
    const cell: Cell = {
      key,
      window,
      arrivals: [],
      heldMs: [],
      newestMs: -Infinity,
      trigger: beginTrigger(this.input.spec.trigger),
      standing: [],
      panes: 0,
      nonSpeculativePanes: 0,
      hasEndedFiring: false,
      hasLast: false,
      wasAskedAtEnd: window.end - 1 <= this.timeMs,
    }
    this.cells.push(cell)
    return cell
  }

  private enter(cell: Cell, record: CaseRecord, { timeMs, timestamp }: RecordTime): void {
    if (cell.trigger.isFinished) {
      this.closedWindowRecordsDropped++
      return
    }
    cell.arrivals.push({ record, isNew: true })
    const isHeld = this.input.spec.timestampCombiner !== 'end-of-window' && timeMs > this.outputWatermark
    if (isHeld) cell.heldMs.push(timeMs)
    const isFirst = cell.arrivals.filter(({ isNew }) => isNew).length === 1
    cell.newestMs = isFirst ? timestamp : Math.max(cell.newestMs, timestamp)
    triggerTakes(cell.trigger, { timestamp: timeMs, amount: record.amount }, this.momentOf(cell))
    this.ask(cell)
  }

  private ask(cell: Cell): void {
    if (!cell.trigger.isFinished && triggerWants(cell.trigger, this.momentOf(cell))) this.fire(cell)
  }

  private momentOf({ window }: Cell): Moment {
    return { timeMs: this.timeMs, nowMs: this.nowMs, lastMs: window.end - 1 }
  }

  private fire(cell: Cell): void {
    const { spec } = this.input
    const timing = this.timingOf(cell)
    const isPurging = triggerFires(cell.trigger, this.momentOf(cell))
    const { isFinished } = cell.trigger
    const isLast = isFinished || this.isClosed(cell.window)
    const isWantedEmpty =
      (timing === 'on-time' && spec.onTimePane === 'always') || (isLast && spec.finalPane === 'always' && !cell.hasLast)
    if (hasNew(cell) || isWantedEmpty) this.emit(cell, timing, isLast)
    this.afterFiring(cell, timing)
    if (spec.accumulation === 'discarding' || isPurging) cell.arrivals = []
    if (!isFinished) return
    cell.arrivals = []
    cell.heldMs = []
    cell.standing = []
    if (spec.assigner.kind === 'global' && spec.assigner.restarts) this.remove(cell)
  }

  private timingOf(cell: Cell): PaneTiming {
    const lastMs = cell.window.end - 1
    if (this.timeMs < lastMs) return 'early'
    const isBehind = (this.isByProcessingTime ? this.settledMs : this.outputWatermark) >= lastMs
    return isBehind || cell.hasEndedFiring ? 'late' : 'on-time'
  }

  private afterFiring(cell: Cell, timing: PaneTiming): void {
    for (const arrival of cell.arrivals) arrival.isNew = false
    if (timing !== 'early') cell.hasEndedFiring = true
    if (timing !== 'early' || !firesAtWindowEnd(this.input.spec.trigger)) cell.heldMs = []
  }

  private emit(cell: Cell, timing: PaneTiming, isLast: boolean): void {
    const { spec, needsRecords } = this.input
    const { key, window, arrivals, heldMs } = cell
    if (needsRecords && arrivals.length === 0) return
    if (spec.accumulation === 'retracting') {
      for (const standing of cell.standing) this.results.push({ ...standing, isRetraction: true })
    }
    const result: ModelResult = {
      key,
      window,
      pane: {
        timing,
        index: cell.panes++,
        nonSpeculativeIndex: timing === 'early' ? -1 : cell.nonSpeculativePanes++,
        isLast,
      },
      records: arrivals.map(({ record }) => record),
      added: arrivals.filter(({ isNew }) => isNew).map(({ record }) => record),
      timestamp: heldMs.length > 0 ? this.combined(heldMs) : window.end === Infinity ? cell.newestMs : window.end - 1,
      isRetraction: false,
    }
    this.results.push(result)
    cell.standing = [result]
    if (isLast) cell.hasLast = true
  }

  // Asked a last time: what a trigger waited for may have come in the same step.
  private close(cell: Cell): void {
    this.ask(cell)
    const { finalPane } = this.input.spec
    const isOver = cell.trigger.isFinished || cell.hasLast
    const isWanted = finalPane === 'always' || (finalPane === 'if-not-empty' && hasNew(cell))
    if (!isOver && isWanted) this.emit(cell, this.timingOf(cell), true)
    if (!isOver && finalPane === 'never') {
      this.unfiredRecordsDropped += cell.arrivals.filter(({ isNew }) => isNew).length
    }
    this.remove(cell)
  }

  private remove(cell: Cell): void {
    this.cells = this.cells.filter(other => other !== cell)
  }

  private closingMs({ end }: TimeWindow): number {
    return end - 1 + this.input.spec.allowedLatenessMs
  }

  private isClosed(window: TimeWindow): boolean {
    return this.closingMs(window) <= this.timeMs
  }

  private noteLate(record: CaseRecord, timestamp: number, window: TimeWindow): void {
    this.late.push({ record, timestamp, window, latenessMs: this.timeMs - (window.end - 1) })
  }

  /** After each step: as far as the time and the timestamps that are held allow, and never back. */
  private advanceOutput(): void {
    let output = this.isByProcessingTime ? this.mergedWatermark : this.timeMs
    for (const { heldMs } of this.cells) {
      if (heldMs.length > 0) output = Math.min(output, this.combined(heldMs) - 1)
    }
    if (output > this.outputWatermark) this.watermarks.push(output)
  }

  private get outputWatermark(): number {
    return this.watermarks.at(-1) ?? -Infinity
  }

  private combined(heldMs: readonly number[]): number {
    return this.input.spec.timestampCombiner === 'latest' ? Math.max(...heldMs) : Math.min(...heldMs)
  }
}

function hasNew(cell: Cell): boolean {
  return cell.arrivals.some(({ isNew }) => isNew)
}
