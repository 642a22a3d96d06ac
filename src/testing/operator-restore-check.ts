// Restores an operator between the lines of a script, from full snapshots and from chains of changes, as one subtask and as two, and compares
// what it sends with the run that was not interrupted, line by line.
import { preview } from '../base/errors.ts'
import { Prng } from '../base/prng.ts'
import { keyGroupOf } from '../model/key-groups.ts'
import { isKeyed, type OperatorSpec } from '../model/operator-spec.ts'
import { hashKey } from '../serde/key-encoding.ts'
import { deepEqual } from './deep-equal.ts'
import {
  COUNTED,
  type LinedRun,
  type RestorableSetup,
  type RestorePlan,
  runLined,
  runRestored,
} from './operator-restores.ts'
import type { OperatorSetup } from './operator-run.ts'
import type { OutputElement, ScriptStep } from './operator-script.ts'

/** What is restored. */
export interface RestoreTest {
  /** Makes operator and clock anew for each run. */
  readonly makeSetup: () => RestorableSetup
  readonly script: readonly ScriptStep[]
  /** Whether keyed operators are restored as two subtasks as well. */
  readonly isRescaled: boolean
  readonly observe: (() => unknown) | undefined
  /** The most lines before which it is restored; 12 unless given. */
  readonly cutsMax?: number
}

/** The first difference, and what the run failed with if it did. */
export interface RestoreMistake {
  readonly text: string
  readonly failure: Error | undefined
}

/** A script of so many lines is cut before each of them; a longer one before some of them. */
const CUTS_MAX = 12
/** As many as vertices of the harness have. */
const MAX_PARALLELISM = 128

/** Runs the script with all interruptions; undefined when none of them shows. */
export async function verifyRestores(test: RestoreTest): Promise<RestoreMistake | undefined> {
  const setup = test.makeSetup()
  const whole = await runLined(setup, test.script)
  const observed = test.observe?.()
  for (const plan of plansFor(test, setup)) {
    const restored = await runRestored(test.makeSetup(), test.script, plan)
    const mistake =
      mistakeIn(restored, { whole, plan, operator: setup.operator }) ??
      (deepEqual(test.observe?.(), observed) ? undefined : difference('what was observed', test.observe?.(), observed))
    if (mistake === undefined) continue
    return { text: `operator ${setup.operator.kind}, ${planText(plan)}: ${mistake}`, failure: restored.failure }
  }
  return undefined
}

function plansFor({ script, isRescaled, cutsMax }: RestoreTest, setup: OperatorSetup): readonly RestorePlan[] {
  const plans: RestorePlan[] = []
  const middle = isRescaled && goesByKey(setup.operator) ? middleOf(setup, script) : undefined
  const cuts = cutsOf(script, cutsMax ?? CUTS_MAX)
  for (const cut of cuts) {
    plans.push({ kind: 'full', cut }, { kind: 'changes', cut })
    if (middle !== undefined) plans.push({ kind: 'rescaled', cut, middle })
  }
  if (cuts.length > 0) plans.push({ kind: 'every-line', cut: 0 })
  return plans
}

/** Stream time goes by the records of a subtask, so two have another than one. */
function goesByKey(operator: OperatorSpec): boolean {
  if (operator.kind === 'window') return operator.window.timeDomain !== 'stream-time'
  return isKeyed(operator) && operator.kind !== 'per-record-window'
}

/** All lines up to the end, or evenly some of them: which ones the script decides. */
function cutsOf(script: readonly ScriptStep[], cutsMax: number): readonly number[] {
  const end = script.findIndex(step => step.kind === 'end')
  const lines = end < 0 ? script.length : end + 1
  const every = Math.max(1, Math.ceil(lines / cutsMax))
  const first = new Prng(lines + 1).below(every)
  return Array.from({ length: lines }, (_, line) => line).filter(line => line % every === first)
}

/** Of the key groups that come in the script, the one in the middle: where there are two keys, both subtasks have some. */
function middleOf({ keySelectors = [], channelsPerInput = 1 }: OperatorSetup, script: readonly ScriptStep[]): number {
  const groups = new Set<number>()
  for (const step of script) {
    if (step.kind !== 'record') continue
    const selector = keySelectors[Math.floor(step.input / channelsPerInput)]
    if (selector !== undefined) groups.add(keyGroupOf(hashKey(selector.select(step.value as never)), MAX_PARALLELISM))
  }
  const sorted = [...groups].sort((a, b) => a - b)
  return sorted.length < 2 ? MAX_PARALLELISM / 2 : (sorted[Math.floor(sorted.length / 2)] as number)
}

interface Comparison {
  readonly whole: LinedRun
  readonly plan: RestorePlan
  readonly operator: OperatorSpec
}

function mistakeIn(restored: LinedRun, { whole, plan, operator }: Comparison): string | undefined {
  if (whole.failure === undefined && restored.failure !== undefined) return `it failed: ${String(restored.failure)}`
  // Two subtasks have each their own time, and send it on each.
  const hasTime = plan.kind !== 'rescaled'
  for (const [line, outputs] of whole.lines.entries()) {
    for (const [name, expected] of outputs) {
      const found = restored.lines[line]?.get(name) ?? []
      const [a, b] = [found, expected].map(output => comparable(output, { hasTime, isKeyed: isKeyed(operator) }))
      if (!deepEqual(a, b)) return difference(`line ${line}, ${name}`, found, expected)
    }
  }
  // What a source counted behind the barrier it reads, and counts, again.
  if (operator.kind === 'source') return undefined
  for (const name of [...COUNTED, 'keysHeld', 'end'] as const) {
    if (restored[name] !== whole[name]) return difference(name, restored[name], whole[name])
  }
  return undefined
}

/** Between two watermarks results of different keys have no order among each other. */
function comparable(
  output: readonly OutputElement[],
  { hasTime, isKeyed }: { readonly hasTime: boolean; readonly isKeyed: boolean },
): readonly unknown[] {
  const kept = hasTime ? output : output.filter(element => 'value' in element)
  if (!isKeyed) return kept
  let place = 0
  const placed = kept.map(element => {
    if (!('value' in element)) place++
    const sorted = 'value' in element ? `${preview(element.value, 10_000)} ${element.timestamp}` : ''
    return { place: 'value' in element ? place : place - 0.5, sorted, element }
  })
  placed.sort((a, b) => a.place - b.place || (a.sorted < b.sorted ? -1 : a.sorted > b.sorted ? 1 : 0))
  return placed.map(({ element }) => element)
}

function planText(plan: RestorePlan): string {
  switch (plan.kind) {
    case 'full':
      return `restored from a full snapshot before line ${plan.cut}`
    case 'changes':
      return `restored before line ${plan.cut} from snapshots before each line up to there`
    case 'every-line':
      return 'restored before every line'
    case 'rescaled':
      return `restored before line ${plan.cut} as two subtasks, then as one`
  }
}

function difference(what: string, found: unknown, expected: unknown): string {
  return `${what}: got ${preview(found, 2000)}, without it ${preview(expected, 2000)}`
}
