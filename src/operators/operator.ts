// The contract between operators and the task that runs them. Everything an operator does happens inside a call of the task, one
// record, timer, watermark or asynchronous result at a time: no locks, no re-entrance.
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { ConnectorResolver, Split } from '../model/connector.ts'
import type { Vertex } from '../model/graph.ts'
import type { WindowTimeDomain } from '../model/window-spec.ts'
import type { StatePart } from '../state/state-part.ts'
import type { AlignmentCoordinator } from '../time/alignment-coordinator.ts'
import type { SplitState } from './splits-part.ts'

/** Takes one record; its timestamp and key are in the chain's CurrentRecord. */
export type Emit = (record: unknown) => void

/** The timestamp of records that have none. */
export const NO_TIMESTAMP = -Infinity

/** What is known of the record that is passing through the chain. Who changes it for its outputs restores it afterwards. */
export interface CurrentRecord {
  /** Epoch ms, or NO_TIMESTAMP. */
  timestamp: number
  /** The key that came with the record over a hash exchange; undefined inside a chain. */
  key: unknown
  /** True for a record that takes back one emitted before (a refinement replaces it). */
  isRetraction: boolean
}

/** Whether the task may go on: checked between records and between timers. */
export interface Capacity {
  /** How many outputs (channels, writers) are full. */
  blocked: number
  /** How many more units of work (records, timers) this step may do. */
  budget: number
  /** When this step should end, on the monotonic clock. */
  untilMonotonicMs: number
  /** True when a watermark must go through the chain before the next record (`emit: 'per-record'`). */
  isTimeNews: boolean
}

/** Units of work between two readings of the clock. */
const CLOCK_READING_MASK = 63

/** Counts one unit of work; returns true while the step may go on. A reading of the clock costs about 40 ns, so it is taken now and then. */
export function spend(capacity: Capacity, clock: Clock): boolean {
  if ((--capacity.budget & CLOCK_READING_MASK) === 0 && clock.monotonicMs() >= capacity.untilMonotonicMs)
    capacity.budget = 0
  return capacity.budget > 0 && capacity.blocked === 0 && !capacity.isTimeNews
}

/** Where asynchronous results enter: the letter runs inside the task's next step. */
export interface Mailbox {
  post(letter: () => void): void
}

/** What an operator counts beside records. */
export interface OperatorCounters {
  recordsIn: number
  recordsOut: number
  /** Records too late for all their windows, whatever became of them. */
  lateRecords: number
  lateRecordsDropped: number
  duplicatesDropped: number
  timersDropped: number
  /** Records of windows whose trigger had finished. */
  closedWindowRecordsDropped: number
  /** Records that were in no pane when their window was let go of (`finalPane: 'never'`). */
  unfiredRecordsDropped: number
  /** Records whose timestamp was too far ahead of processing time to move the watermark. */
  futureTimestamps: number
}

/** Counters at zero. */
export function newCounters(): OperatorCounters {
  return {
    recordsIn: 0,
    recordsOut: 0,
    lateRecords: 0,
    lateRecordsDropped: 0,
    duplicatesDropped: 0,
    timersDropped: 0,
    closedWindowRecordsDropped: 0,
    unfiredRecordsDropped: 0,
    futureTimestamps: 0,
  }
}

/** What a task gives to one of its operators. */
export interface OperatorContext {
  readonly vertex: Vertex
  readonly subtaskIndex: number
  readonly record: CurrentRecord
  /** The main output. */
  readonly output: Emit
  /** The side output of the given tag id; undefined when nothing reads it. */
  sideOutput(tagId: string): Emit | undefined
  readonly capacity: Capacity
  readonly clock: Clock
  readonly logger: Logger
  readonly mailbox: Mailbox
  readonly counters: OperatorCounters
  readonly connectors: ConnectorResolver
  /** Where splits that are aligned in event time meet; one for the whole job. */
  readonly alignment: AlignmentCoordinator
  /** The splits that a source's subtask reads. */
  readonly splits: readonly Split[]
  /** The ids of the splits of all subtasks, those of the snapshot that the job starts from included; absent: those of `splits`. */
  readonly knownSplits?: ReadonlySet<string>
  /** The splits with which a source goes on where it had got to before a failure, instead of those of the snapshot. */
  readonly resumedSplits?: readonly SplitState[] | undefined
  /** True when sources are to know where they are also after a record that failed behind them (at-most-once). */
  readonly isAtMostOnce?: boolean
  /** True when the job takes snapshots: keyed parts then track what changes. */
  readonly isCheckpointed: boolean
  /** True when records may come that take others back. */
  readonly takesRetractions: boolean
  readonly jobName: string
  /** Tells the job from others of its name; absent where it has no directory. */
  readonly owner?: string | undefined
  /** Which attempt of the job it is, from 1, over all runs in its directory. */
  readonly attempt: number
  /** The snapshot that the attempt starts from; undefined: from the beginning. */
  readonly startedFromId: number | undefined
  /** Takes the key of a record that came in by the given input. */
  keyOf(input: number): (record: never) => unknown
}

/** How the end of input came: `finish` at the end of the data (pending windows fire), `stop` on request (they do not). */
export type EndMode = 'finish' | 'stop'

/** One generator of watermarks: that of a split, or that of a subtask of a timestamps step. */
export interface TimePlace {
  /** The split's id, or the step's name. */
  readonly id: string
  /** Epoch ms; -Infinity before the first, Infinity at the end. */
  readonly watermark: number
  readonly isIdle: boolean
  /** The processing time at which the watermark last advanced; before the first time, when its subtask was made. */
  readonly advancedAtMs: number
  /** The alignment group that it waits for; absent while it is not too far ahead of one. */
  readonly alignmentGroup?: string
}

/** What an operator's own watermark is made of: the smallest of these that is neither idle nor ended holds it. */
export interface TimeHolder {
  readonly splits: readonly TimePlace[]
}

/** What an operator keeps for results that are still to come, and the times at which the next of them fires; Infinity for none. */
export interface PendingWork {
  /** Windows, counted per key, that may still fire; or timers that a function registered. */
  readonly kind: 'windows' | 'timers'
  readonly count: number
  readonly timeDomain: WindowTimeDomain
  readonly nextTimeMs: number
  readonly nextProcessingTimeMs: number
}

/** One running operator of one subtask. */
export interface Operator {
  /** What takes the records of each input, by ordinal. */
  readonly inputs: readonly Emit[]
  /** What a snapshot holds of it; none for operators without state. They are restored after the operator was made and before `open`. */
  readonly parts?: readonly StatePart[]
  /**
   * The barrier of a snapshot has come: readies what must be ready before the parts are asked for it. Returns false while something
   * asynchronous is pending: it is called again, and no record comes in between.
   */
  prepareSnapshot?(snapshotId: number): boolean
  /** A snapshot, and every earlier one, is complete on the storage or will never be. */
  settleSnapshot?(snapshotId: number, outcome: 'completed' | 'aborted'): void
  /** Opens what needs opening (readers, writers) before the first record. */
  open?(): void | Promise<void>
  /** Fires what the watermark makes due. Returns false when budget or room ended first: it is then called again with the same watermark. */
  onWatermark?(watermark: number): boolean
  /** The watermark of the outputs, given that of the inputs; never goes back. Without it: the inputs' own. */
  outputWatermark?(inputWatermark: number): number
  /**
   * True when the operator says of its own accord that it is idle (a source of watermarks without records). It is told when the task last
   * looked at its input: time in which nobody looked (no room downstream, a machine that slept) is no time without records.
   */
  isIdle?(lookedAtMs: number, isInputIdle: boolean): boolean
  /** The processing time of the next timer; Infinity when there is none. */
  nextTimerMs?(): number
  /** Fires processing-time timers that are due; returns false as onWatermark does. */
  onProcessingTime?(nowMs: number): boolean
  /** What is still to come out of it, for those that keep windows or timers. Costs O(windows kept). */
  pending?(): PendingWork
  /** Where the operator's own watermarks come from; for those that make some. */
  timeHolder?(): TimeHolder
  /** How many keys it keeps state or timers for, where it works per key. */
  keysHeld?(): number
  /** Called when the task's input is drained for now. */
  onDrained?(): void
  /** The end of input: fires or flushes what is left. Returns false while something is pending: it is called again. */
  finish?(mode: EndMode): boolean
  /** Lets go of everything at once; called exactly once, also after a failure. */
  close?(): void | Promise<void>
}

/**
 * An operator whose results come later than its records. It heads its task, which gives it no record while it is full, and ends only
 * after it is empty.
 */
export interface AsyncOperator extends Operator {
  readonly isFull: boolean
  /** True when nothing is left to emit and no watermark is held back. */
  readonly isEmpty: boolean
  /** Emits the results that are there, within budget and room, up to the next watermark; true when anything went on or its watermark moved. */
  emitReady(): boolean
}

/** An operator that brings records into its task by itself. */
export interface SourceOperator extends Operator {
  /** Emits what is there within budget and room. */
  read(): 'busy' | 'waiting' | 'end'
  /** Asks the source to end its input: the next `read` returns 'end'. */
  stopReading(): void
  /** Where it has got to, behind the last record that it emitted; undefined unless the context says that it is to know. */
  splitStates(): readonly SplitState[] | undefined
}
