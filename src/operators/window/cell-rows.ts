// The cells of windows as the rows of a snapshot, and back: what they hold, what outlasts their panes, and the times they wait for.
import type { ByteReader } from '../../base/byte-reader.ts'
import type { ByteWriter } from '../../base/byte-writer.ts'
import { StreamError } from '../../base/errors.ts'
import { readValue, writeValue } from '../../serde/value-codec.ts'
import type { PartSchema } from '../../state/state-part.ts'
import type { Deadline } from '../../time/deadline-queue.ts'
import type { CellHistory, EmittedRecord, TriggerState, WindowCell } from '../../window/window-cell.ts'
import type { WindowContents } from '../../window/window-contents.ts'
import type { ReadEntry, WindowUserState } from './window-user-state.ts'

/** A deadline as a snapshot holds it: with its place among those of the same time. */
export interface StoredDeadline {
  readonly timeMs: number
  readonly sequence: number
}

/** What a restored cell waits for. */
export interface CellTimes {
  readonly deadline: StoredDeadline | undefined
  readonly processingDeadline: StoredDeadline | undefined
}

/** Fills a cell from what was written of it, and returns the times that it waited for. */
export type ReadCell = (cell: WindowCell, payload: ByteReader) => CellTimes

/** Which of its fields a history has: most have few. */
const HAS_ENDED = 1
const IS_CLOSED = 2
const HAS_LAST = 4
const HAS_TRIGGER = 8
const HAS_EMITTED = 16
const HAS_TIMESTAMPS = 32
const HAS_USER_STATE = 64

/** Writes and reads the cells of one windowing. */
export class CellRows {
  private readonly contents: WindowContents
  private readonly userState: WindowUserState

  constructor(contents: WindowContents, userState: WindowUserState) {
    this.contents = contents
    this.userState = userState
  }

  /** Appends the cell without key and window, as tagged values. */
  write(cell: WindowCell, out: ByteWriter): void {
    writeValue(out, cell.held)
    writeValue(out, cell.unfired)
    writeValue(out, this.contents.stored(cell.content))
    writeDeadline(out, cell.deadline)
    const { history } = cell
    if (history === undefined) writeValue(out, undefined)
    else this.writeHistory(history, out)
  }

  /** How to read the cells of a snapshot with the given schema. Throws STATE_INCOMPATIBLE when the declared state cannot take it. */
  reader({ states }: PartSchema): ReadCell {
    const readState = this.userState.reader(states)
    return (cell, payload) => this.read(cell, payload, readState)
  }

  private read(cell: WindowCell, payload: ByteReader, readState: ReadEntry): CellTimes {
    cell.held = readValue(payload) as number
    cell.unfired = readValue(payload) as number
    cell.content = this.contents.restored(readValue(payload))
    const deadline = readDeadline(payload)
    const fields = readValue(payload) as number | undefined
    const processingDeadline = fields === undefined ? undefined : this.readHistory(cell, fields, payload, readState)
    return { deadline, processingDeadline }
  }

  private writeHistory(history: CellHistory, out: ByteWriter): void {
    const { trigger, emitted, userState } = history
    const hasTimestamps = !Number.isNaN(history.newestMs) || !Number.isNaN(history.combinedMs)
    writeValue(
      out,
      (history.hasEnded ? HAS_ENDED : 0) |
        (history.isClosed ? IS_CLOSED : 0) |
        (history.hasLast ? HAS_LAST : 0) |
        (trigger === undefined ? 0 : HAS_TRIGGER) |
        (emitted === undefined ? 0 : HAS_EMITTED) |
        (hasTimestamps ? HAS_TIMESTAMPS : 0) |
        (userState === undefined ? 0 : HAS_USER_STATE),
    )
    writeValue(out, history.panes)
    writeValue(out, history.nonSpeculativePanes)
    writeDeadline(out, history.processingDeadline)
    if (trigger !== undefined) {
      writeValue(out, trigger.finished)
      writeValue(out, trigger.slots)
    }
    if (emitted !== undefined) writeEmitted(out, emitted)
    if (hasTimestamps) {
      writeValue(out, history.newestMs)
      writeValue(out, history.combinedMs)
    }
    if (userState !== undefined) this.userState.write(userState, out)
  }

  private readHistory(
    cell: WindowCell,
    fields: number,
    payload: ByteReader,
    readState: ReadEntry,
  ): StoredDeadline | undefined {
    const history = cell.ensureHistory()
    history.hasEnded = (fields & HAS_ENDED) !== 0
    history.isClosed = (fields & IS_CLOSED) !== 0
    history.hasLast = (fields & HAS_LAST) !== 0
    history.panes = readValue(payload) as number
    history.nonSpeculativePanes = readValue(payload) as number
    const processingDeadline = readDeadline(payload)
    if ((fields & HAS_TRIGGER) !== 0) history.trigger = readTrigger(payload)
    if ((fields & HAS_EMITTED) !== 0) history.emitted = readEmitted(payload)
    if ((fields & HAS_TIMESTAMPS) !== 0) {
      history.newestMs = readValue(payload) as number
      history.combinedMs = readValue(payload) as number
    }
    if ((fields & HAS_USER_STATE) !== 0) {
      history.userState = this.userState.newEntry(cell)
      readState(history.userState, payload)
    }
    return processingDeadline
  }
}

/** Throws STATE_INCOMPATIBLE when the rows hold something else than this step keeps. */
export function checkLayout(found: PartSchema, expected: string): void {
  if (found.layout === expected) return
  throw new StreamError(
    'STATE_INCOMPATIBLE',
    `the snapshot holds ${found.layout}, the step now keeps ${expected}; keep the kind of its windows and of its function, or give the step another uid and start it without its old state`,
  )
}

function writeDeadline(out: ByteWriter, deadline: Deadline<WindowCell> | undefined): void {
  if (deadline?.state !== 'waiting') {
    writeValue(out, undefined)
    return
  }
  writeValue(out, deadline.timeMs)
  writeValue(out, deadline.sequence)
}

function readDeadline(payload: ByteReader): StoredDeadline | undefined {
  const timeMs = readValue(payload) as number | undefined
  return timeMs === undefined ? undefined : { timeMs, sequence: readValue(payload) as number }
}

function readTrigger(payload: ByteReader): TriggerState {
  const finished = readValue(payload) as number
  return { slots: readValue(payload) as unknown[], finished }
}

function writeEmitted(out: ByteWriter, emitted: readonly EmittedRecord[]): void {
  writeValue(out, emitted.length)
  for (const { value, timestamp, window } of emitted) {
    writeValue(out, value)
    writeValue(out, timestamp)
    writeValue(out, window.start)
    writeValue(out, window.end)
  }
}

function readEmitted(payload: ByteReader): EmittedRecord[] {
  return Array.from({ length: readValue(payload) as number }, () => {
    const value = readValue(payload)
    const timestamp = readValue(payload) as number
    return { value, timestamp, window: { start: readValue(payload) as number, end: readValue(payload) as number } }
  })
}
