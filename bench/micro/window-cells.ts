// What windows cost beside the rest of a job: a slice or a pane takes a record, a session grows, a window is joined of its slices and leaves.
// Run it with `node bench/micro/window-cells.ts`.
import { sumOf } from '../../src/functions/field-aggregates.ts'
import type { AggregateFunction } from '../../src/model/functions.ts'
import { type AlignedWindows, newestStart } from '../../src/window/assigner.ts'
import { type MutableWindow, mergingWindows } from '../../src/window/merging-windows.ts'
import { SlicedCell } from '../../src/window/sliced-cell.ts'
import { nextState, pick } from '../workloads.ts'
import { measure } from './measure.ts'

interface Reading {
  readonly key: number
  readonly value: number
}

const OPERATIONS = 5_000_000
const KEYS = 1000
const SLIDE_MS = 1000
const SIZE_MS = 60_000
const RECORDS_PER_MS = 100
const aggregate = sumOf<Reading>('value') as AggregateFunction<unknown, unknown, unknown>

function slicesOf(records: readonly Reading[], isLeaving: boolean): number {
  const windows: AlignedWindows = { sizeMs: SIZE_MS, slideMs: SLIDE_MS, offsetMs: 0 }
  const cells = Array.from({ length: KEYS }, (_, key) => new SlicedCell(key, 0))
  let nextEnd = SLIDE_MS
  let sum = 0
  const fire = (end: number): void => {
    const window = { start: end - SIZE_MS, end }
    for (const cell of cells) {
      if (cell.moveTo(aggregate, window)) sum += (aggregate.result(cell.content) as Reading).value
      cell.leave(window.start + SLIDE_MS, aggregate)
    }
  }
  for (let i = 0; i < OPERATIONS; i++) {
    const timeMs = Math.floor(i / RECORDS_PER_MS)
    for (; isLeaving && timeMs >= nextEnd; nextEnd += SLIDE_MS) fire(nextEnd)
    const record = records[i & (records.length - 1)] as Reading
    ;(cells[record.key] as SlicedCell).add(aggregate, newestStart(windows, timeMs), record)
  }
  return sum + (cells[0]?.firstStart ?? 0)
}

function plainSums(records: readonly Reading[]): number {
  const sums: unknown[] = Array.from({ length: KEYS }, () => aggregate.create())
  for (let i = 0; i < OPERATIONS; i++) {
    const record = records[i & (records.length - 1)] as Reading
    sums[record.key] = aggregate.add(sums[record.key], record)
  }
  return sums.reduce<number>((total, sum) => total + (aggregate.result(sum) as Reading).value, 0)
}

function sessionsOf(records: readonly Reading[]): number {
  const sessions = mergingWindows({ kind: 'session', gapMs: SIZE_MS, touching: 'merge', end: 'after-gap' })
  const held: MutableWindow[] = Array.from({ length: KEYS }, () => ({ start: 0, end: SIZE_MS }))
  let grown = 0
  for (let i = 0; i < OPERATIONS; i++) {
    const { key } = records[i & (records.length - 1)] as Reading
    const window = held[key] as MutableWindow
    if (sessions.extend?.(window, Math.floor(i / RECORDS_PER_MS)) === 'grown') grown++
  }
  return grown
}

let state = 1
const readings = Array.from({ length: 65_536 }, (): Reading => {
  state = nextState(state)
  return { key: pick(state, KEYS), value: 1 }
})
measure('sums without windows', OPERATIONS, () => plainSums(readings))
measure('into slices', OPERATIONS, () => slicesOf(readings, false))
measure('into slices, 60 windows of each slice leave', OPERATIONS, () => slicesOf(readings, true))
measure('sessions that grow', OPERATIONS, () => sessionsOf(readings))
