// Restores an operator from a snapshot between any two lines of a script, in every way in which snapshots are taken, and compares what it sends
// from there on with the run that was not interrupted.
import { preview } from '../base/errors.ts'
import { Prng } from '../base/prng.ts'
import type { OperatorCounters } from '../operators/operator.ts'
import { deepEqual } from './deep-equal.ts'
import { end, processingTime, record, type ScriptStep, watermark } from './operator-script.ts'
import {
  beginSnapshot,
  restoreFromSubtasks,
  restoreParts,
  settleParts,
  snapshotParts,
  type TakenSnapshot,
  takeParts,
} from './snapshot-operator.ts'
import { type SentElement, SnapshotRun, type SnapshotRunSetup } from './snapshot-run.ts'

/** A test of an operator's snapshots. */
export interface SnapshotTest extends Omit<SnapshotRunSetup, 'operator' | 'keyGroups'> {
  /** Made anew for each run where its functions keep something themselves. */
  readonly operator: SnapshotRunSetup['operator'] | (() => SnapshotRunSetup['operator'])
  readonly script: readonly ScriptStep[]
  /** Which key a result is of: results of one key keep their order, those of several need not. The value up to its first space unless given. */
  readonly keyOf?: (value: unknown) => unknown
  /** Whether it is also restored as two subtasks, and back as one: not where time goes by a subtask's own records. True unless given. */
  readonly isRescaled?: boolean
}

/** What came of a test: for the test's own expectations. */
export interface VerifiedRun {
  readonly sent: readonly SentElement[]
  readonly restores: number
  /** Rows of all the snapshots taken one upon the other. */
  readonly rows: number
}

/**
 * How the snapshot that is restored is taken: `full`: everything, at once; `late`: everything, encoded after the end of the run, as it was at the
 * barrier; `changes` and `late-changes`: the same upon a snapshot after every line before; `aborted`: upon every other of them.
 */
type Mode = 'full' | 'late' | 'changes' | 'late-changes' | 'aborted'

const MODES: readonly Mode[] = ['full', 'late', 'changes', 'late-changes', 'aborted']

/** Runs the test; throws an Error that names the line, the way and the first difference. */
export function verifySnapshots(test: SnapshotTest): VerifiedRun {
  const whole = wholeRun(test)
  let rows = 0
  let restores = 0
  for (let line = 0; line <= test.script.length; line++) {
    for (const mode of MODES) {
      const interrupted = interruptedRun(test, line, mode)
      if (mode === 'changes') rows += countRows(interrupted.snapshots)
      verifyRestored(test, whole, interrupted, mode)
      restores++
    }
    const interrupted = interruptedRun(test, line, 'changes')
    verifyTwice(test, whole, interrupted)
    if (test.isRescaled !== false) verifyRescaled(test, whole, interrupted)
  }
  return { sent: whole.sent.flat(), restores, rows }
}

/** Records `{ k, n }` of three keys, mostly in the order of time but also late, watermarks, passing time, the end: the same for the same seed. */
export function randomScript(seed: number, lines = 18): readonly ScriptStep[] {
  const prng = new Prng(seed)
  const steps: ScriptStep[] = []
  let timeMs = 0
  let nowMs = 0
  for (let n = 0; n < lines; n++) {
    const choice = prng.below(10)
    timeMs += prng.below(5)
    if (choice < 7) {
      const behindMs = prng.below(4) === 0 ? prng.below(25) : prng.below(3)
      steps.push(record({ k: 'abc'[prng.below(3)], n }, { timestamp: Math.max(0, timeMs - behindMs) }))
    } else if (choice < 9) steps.push(watermark(Math.max(0, timeMs - prng.below(6))))
    else {
      nowMs += 1 + prng.below(12)
      steps.push(processingTime(nowMs))
    }
  }
  return [...steps, end]
}

interface WholeRun {
  /** What was sent by each line. */
  readonly sent: readonly (readonly SentElement[])[]
  readonly counters: readonly OperatorCounters[]
}

interface InterruptedRun {
  readonly line: number
  readonly snapshots: readonly TakenSnapshot[]
  readonly nowMs: number
  readonly inputWatermark: number
  readonly outputWatermark: number
}

function setupOf(test: SnapshotTest): SnapshotRunSetup {
  return { ...test, operator: typeof test.operator === 'function' ? test.operator() : test.operator }
}

function wholeRun(test: SnapshotTest): WholeRun {
  const run = new SnapshotRun(setupOf(test))
  run.open()
  const sent: SentElement[][] = []
  const counters: OperatorCounters[] = [{ ...run.counters }]
  for (const step of test.script) {
    sent.push(runStep(run, step))
    counters.push({ ...run.counters })
  }
  return { sent, counters }
}

function runStep(run: SnapshotRun, step: ScriptStep): SentElement[] {
  run.run(step)
  return run.sent.splice(0)
}

/** Runs the whole script, with snapshots up to one line. */
function interruptedRun(test: SnapshotTest, line: number, mode: Mode): InterruptedRun {
  const run = new SnapshotRun(setupOf(test))
  run.open()
  const snapshots: TakenSnapshot[] = []
  const isChain = mode !== 'full' && mode !== 'late'
  for (let at = 0; at < line; at++) {
    if (isChain) takeAt(run, at, mode, snapshots)
    run.run(test.script[at] as ScriptStep)
  }
  const at = { line, nowMs: run.clock.now(), inputWatermark: run.inputWatermark, outputWatermark: run.outputWatermark }
  beginSnapshot(run.parts, line + 1)
  if (mode === 'late' || mode === 'late-changes') for (const step of test.script.slice(line)) run.run(step)
  snapshots.push(takeParts(run.parts))
  return { ...at, snapshots }
}

function takeAt(run: SnapshotRun, at: number, mode: Mode, snapshots: TakenSnapshot[]): void {
  const isAborted = mode === 'aborted' && at % 2 === 1
  beginSnapshot(run.parts, at + 1)
  const taken = takeParts(run.parts)
  settleParts(run.parts, at + 1, isAborted ? 'aborted' : 'completed')
  if (!isAborted) snapshots.push(taken)
}

function restoredRun(test: SnapshotTest, { snapshots, nowMs, inputWatermark }: InterruptedRun): SnapshotRun {
  const run = new SnapshotRun(setupOf(test), nowMs)
  restoreParts(run.parts, snapshots)
  run.open(inputWatermark)
  return run
}

function verifyRestored(test: SnapshotTest, whole: WholeRun, interrupted: InterruptedRun, mode: Mode): void {
  const { line } = interrupted
  const where = `restored before line ${line}, ${mode}`
  const run = restoredRun(test, interrupted)
  noteNothingSent(run, interrupted, where)
  const sent = test.script.slice(line).map(step => runStep(run, step))
  compare(test, sent, whole.sent.slice(line), where)
  compareCounters(run.counters, whole, line, where)
}

/** Restored, one line further, snapshot again, restored again. */
function verifyTwice(test: SnapshotTest, whole: WholeRun, interrupted: InterruptedRun): void {
  const { line } = interrupted
  const step = test.script[line]
  if (step === undefined) return
  const first = restoredRun(test, interrupted)
  const where = `restored before line ${line} and again after it`
  noteNothingSent(first, interrupted, where)
  const sent = [runStep(first, step)]
  const again: InterruptedRun = {
    line: line + 1,
    snapshots: [...interrupted.snapshots, snapshotParts(first.parts, 1000 + line)],
    nowMs: first.clock.now(),
    inputWatermark: first.inputWatermark,
    outputWatermark: first.outputWatermark,
  }
  const second = restoredRun(test, again)
  noteNothingSent(second, again, where)
  for (const later of test.script.slice(line + 1)) sent.push(runStep(second, later))
  compare(test, sent, whole.sent.slice(line), where)
}

/** Restored as two subtasks, two lines further restored as one. */
function verifyRescaled(test: SnapshotTest, whole: WholeRun, interrupted: InterruptedRun): void {
  const { line, nowMs, inputWatermark } = interrupted
  const middle = Math.floor((test.maxParallelism ?? 128) / 2)
  const halves = [
    { first: 0, last: middle - 1 },
    { first: middle, last: Infinity },
  ].map(keyGroups => {
    const run = new SnapshotRun({ ...setupOf(test), keyGroups }, nowMs)
    restoreFromSubtasks(run.parts, [interrupted.snapshots], keyGroups)
    run.open(inputWatermark)
    return run
  })
  const until = Math.min(line + 2, test.script.length)
  const sent = test.script.slice(line, until).map(step => halves.flatMap(run => runStep(run, step)))
  const one = new SnapshotRun(setupOf(test), halves[0]?.clock.now())
  restoreFromSubtasks(
    one.parts,
    halves.map((run, half) => [snapshotParts(run.parts, 1000 + half, true)]),
  )
  one.open(halves[0]?.inputWatermark)
  for (const step of test.script.slice(until)) sent.push(runStep(one, step))
  const withoutTime = (lines: readonly (readonly SentElement[])[]) =>
    lines.map(line => line.filter(element => !('watermark' in element)))
  compare(
    test,
    withoutTime(sent),
    withoutTime(whole.sent.slice(line)),
    `restored before line ${line} as two, then as one`,
  )
}

// The watermark at which the run was interrupted had been sent before.
function noteNothingSent(run: SnapshotRun, { outputWatermark }: InterruptedRun, where: string): void {
  const sent = run.sent.splice(0)
  const expected = outputWatermark === -Infinity ? [] : [{ watermark: outputWatermark }]
  if (!deepEqual(sent, expected)) fail(where, 'by the restore', sent, expected)
}

function compare(
  { script, keyOf = firstWord }: SnapshotTest,
  sent: readonly (readonly SentElement[])[],
  expected: readonly (readonly SentElement[])[],
  where: string,
): void {
  for (const [offset, line] of expected.entries()) {
    const found = sent[offset] ?? []
    if (deepEqual(byKey(found, keyOf), byKey(line, keyOf))) continue
    fail(where, `by line ${script.length - expected.length + offset}`, found, line)
  }
}

/** What was sent for each key, in order, by the text of the key; watermarks stand between all of them. */
function byKey(elements: readonly SentElement[], keyOf: (value: unknown) => unknown): readonly unknown[] {
  const groups = new Map<string, unknown[]>()
  let watermarks = 0
  for (const element of elements) {
    const isTime = 'watermark' in element
    if (isTime) watermarks++
    const key = isTime ? 'watermark' : `${watermarks} ${preview(keyOf(element.value))}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [element])
    else group.push(element)
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1))
}

function firstWord(value: unknown): unknown {
  return typeof value === 'string' ? value.split(' ')[0] : value
}

function compareCounters(found: OperatorCounters, { counters }: WholeRun, line: number, where: string): void {
  const before = counters[line] as OperatorCounters
  const end = counters.at(-1) as OperatorCounters
  for (const name of [
    'lateRecords',
    'lateRecordsDropped',
    'closedWindowRecordsDropped',
    'unfiredRecordsDropped',
  ] as const) {
    const expected = end[name] - before[name]
    if (found[name] !== expected) throw new Error(`${where}: ${name} is ${found[name]}, expected ${expected}`)
  }
}

function countRows(snapshots: readonly TakenSnapshot[]): number {
  return snapshots
    .flatMap(({ parts }) => parts)
    .filter(({ kind }) => kind === 'keyed')
    .flatMap(({ sections }) => sections)
    .reduce((sum, { rows }) => sum + rows, 0)
}

function fail(where: string, what: string, found: unknown, expected: unknown): never {
  throw new Error(`${where}: ${what} came ${preview(found, 1500)}, expected ${preview(expected, 1500)}`)
}
