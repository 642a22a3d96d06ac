// Runs one operator by a script, in a real task between real channels, again and again under the conditions that break operators: records
// one by one and many at once, an outbox that is full every other call, steps of one record and of many. All runs must agree with what the
// test expects, and so must runs that are restored from a snapshot between two lines. Feedback heads need a loop around them and are not run
// here; simulateRun() runs whole jobs.
import { preview } from '../base/errors.ts'
import { type OperatorSpec, strategyOf } from '../model/operator-spec.ts'
import { VirtualClock } from '../runtime/simulated-scheduler.ts'
import { deepEqual } from './deep-equal.ts'
import { MutationLedger } from './mutation-ledger.ts'
import { verifyRestores } from './operator-restore-check.ts'
import { type HarnessRun, type OperatorSetup, runOperator, type Variant } from './operator-run.ts'
import type { OutputElement, ScriptStep } from './operator-script.ts'

/** What must come of a script, whatever the variant. */
export interface Expectation {
  /** The main output in order, watermarks and statuses between the records. Left out for sinks. */
  readonly output?: readonly OutputElement[]
  /** The records of side outputs, by tag id; only these are read. */
  readonly sideOutputs?: Readonly<Record<string, readonly OutputElement[]>>
  /** What `observe` gives at the end: for sinks, and for what else the operator does to its surroundings. */
  readonly observed?: unknown
  readonly lateRecordsDropped?: number
  readonly duplicatesDropped?: number
  /** Keys that the operator keeps anything for at the end of the script; not compared unless given. */
  readonly keysHeld?: number
  readonly timersDropped?: number
  readonly futureTimestamps?: number
  /** The failure that ends the run: its code, and what its message must say. */
  readonly failure?: { readonly code: string; readonly message: RegExp }
}

/** A test of one operator. */
export interface OperatorTest extends Omit<OperatorSetup, 'operator' | 'sideOutputTags' | 'clock' | 'ledger'> {
  /**
   * The operator, or a function that makes it anew for each run where its functions keep something themselves, or sleep by the clock of
   * the run.
   */
  readonly operator: OperatorSpec | ((clock: VirtualClock) => OperatorSpec)
  /** The processing time at the start, epoch ms; 0 unless given. */
  readonly startMs?: number
  readonly script: readonly ScriptStep[]
  readonly expect: Expectation
  /** Read after each run and compared with `expect.observed`. */
  readonly observe?: () => unknown
  /**
   * Whether the script is also run with snapshots between its lines, each restored into a fresh operator: on unless given. `not-rescaled`:
   * not as two subtasks, where time or numbers go by the records of the subtask rather than of the key. `off`: for operators whose
   * functions keep something themselves that no snapshot holds, and where calls under way are made again. A test that fails on purpose
   * is not restored.
   */
  readonly snapshots?: 'on' | 'not-rescaled' | 'off'
  /** Whether records and objects of state that were changed in place fail it (RECORD_MUTATED, STATE_MUTATED). True unless given. */
  readonly checkMutations?: boolean
}

const VARIANTS: readonly Variant[] = [1, 1000].flatMap(budget =>
  (['one', 'many'] as const).flatMap(batch =>
    (['roomy', 'full-every-other-call'] as const).map(outbox => ({ budget, batch, outbox })),
  ),
)

/**
 * Runs the script under all variants. Rejects with an Error that names the variant and the first difference: another output than
 * expected, records emitted while the outbox was full (beyond the record or timer in hand), more work in a step than it may do, a watermark that
 * goes back, a record or an object of state that was changed where it may not be, or that what follows a restore is not what follows without.
 */
export async function verifyOperator(test: OperatorTest): Promise<void> {
  const sideOutputTags = Object.keys(test.expect.sideOutputs ?? {})
  let burstRecords = 0
  for (const variant of VARIANTS) {
    const clock = new VirtualClock(test.startMs)
    const operator = typeof test.operator === 'function' ? test.operator(clock) : test.operator
    const ledger = test.checkMutations === false ? {} : { ledger: new MutationLedger() }
    const setup: OperatorSetup = { ...test, operator, sideOutputTags, clock, ...ledger }
    const run = await runOperator(setup, test.script, variant)
    // Steps of one record into a roomy outbox show how much one record or timer emits; the runs come in this order.
    if (variant.budget === 1 && variant.outbox === 'roomy') burstRecords = Math.max(burstRecords, run.emittedByStepMax)
    const mistake = ruleMistake(run, variant, burstRecords) ?? mistakeIn(run, test.expect, operator, test.observe?.())
    if (mistake === undefined) continue
    throw new Error(`operator ${operator.kind}, ${variantText(variant)}: ${mistake}`, { cause: run.failure })
  }
  if (test.snapshots === 'off' || test.expect.failure !== undefined) return
  const mistake = await verifyRestores({
    makeSetup: () => {
      const clock = new VirtualClock(test.startMs)
      const remake = (): OperatorSpec => (typeof test.operator === 'function' ? test.operator(clock) : test.operator)
      return { ...test, operator: remake(), remake, sideOutputTags, clock }
    },
    script: test.script,
    isRescaled: test.snapshots !== 'not-rescaled',
    observe: test.observe,
  })
  if (mistake !== undefined) throw new Error(mistake.text, { cause: mistake.failure })
}

function variantText({ batch, outbox, budget }: Variant): string {
  const room = outbox === 'roomy' ? 'a roomy outbox' : 'an outbox full every other call'
  return `batch of ${batch}, ${room}, steps of ${budget}`
}

function ruleMistake(run: HarnessRun, { outbox }: Variant, burstRecords: number): string | undefined {
  if (run.emittedWhileFull > 0)
    return `${run.emittedWhileFull} record(s) were emitted by steps that began with a full outbox`
  if (run.overspent > 0)
    return `${run.overspent} record(s) or timer(s) were worked off beyond the budgets of their steps`
  if (outbox === 'full-every-other-call' && run.emittedByStepMax > burstRecords) {
    return `a step emitted ${run.emittedByStepMax} records into an outbox for one; one record or timer emits ${burstRecords} at most`
  }
  for (const [name, output] of run.outputs) {
    let newest = -Infinity
    for (const element of output) {
      if (!('watermark' in element)) continue
      if (element.watermark <= newest) return `${name}: watermark ${element.watermark} follows ${newest}`
      newest = element.watermark
    }
  }
  return undefined
}

function mistakeIn(
  run: HarnessRun,
  expect: Expectation,
  operator: OperatorSpec,
  observed: unknown,
): string | undefined {
  const { failure } = run
  if (expect.failure === undefined && failure !== undefined) return `it failed: ${String(failure)}`
  if (expect.failure !== undefined) {
    const { code, message } = expect.failure
    if (failure === undefined) return `it did not fail, expected ${code}`
    if (!('code' in failure) || failure.code !== code || !message.test(failure.message)) {
      return `it failed with ${failure.message}, expected ${code} matching ${message}`
    }
  } else if (run.end !== run.expectedEnd) return `it ended with ${run.end}, expected ${run.expectedEnd}`
  return (
    outputMistake('main output', run.outputs.get('main') ?? [], expect.output, operator) ??
    Object.entries(expect.sideOutputs ?? {})
      .map(([tag, elements]) => sideMistake(tag, run.outputs.get(`side ${tag}`) ?? [], elements))
      .find(mistake => mistake !== undefined) ??
    differs('what was observed', observed, expect.observed) ??
    differs('late records dropped', run.lateRecordsDropped, expect.lateRecordsDropped ?? 0) ??
    differs('duplicates dropped', run.duplicatesDropped, expect.duplicatesDropped ?? 0) ??
    (expect.keysHeld === undefined ? undefined : differs('keys held', run.keysHeld, expect.keysHeld)) ??
    differs('timers dropped', run.timersDropped, expect.timersDropped ?? 0) ??
    differs('future timestamps', run.futureTimestamps, expect.futureTimestamps ?? 0)
  )
}

/**
 * Where the operator makes the watermarks itself it makes one a batch, so fewer of them come of larger batches: there the records must be
 * equal, and the watermarks some of those expected, up to the last.
 */
function outputMistake(
  name: string,
  found: readonly OutputElement[],
  expected: readonly OutputElement[] | undefined,
  operator: OperatorSpec,
): string | undefined {
  if (expected === undefined) return undefined
  const strategy = strategyOf(operator)
  if (strategy === undefined || (strategy.emit ?? 'per-batch') !== 'per-batch') return differs(name, found, expected)
  const records = differs(`${name}, records`, found.filter(isRecord), expected.filter(isRecord))
  if (records !== undefined) return records
  const control = found.filter(element => !isRecord(element))
  const allowed = expected.filter(element => !isRecord(element))
  let next = 0
  for (const element of control) {
    while (next < allowed.length && !deepEqual(allowed[next], element)) next++
    if (next++ === allowed.length) return differs(`${name}, watermarks`, control, allowed)
  }
  return differs(`${name}, last watermark`, control.at(-1), allowed.at(-1))
}

function sideMistake(
  tag: string,
  found: readonly OutputElement[],
  expected: readonly OutputElement[],
): string | undefined {
  return differs(`side output ${tag}`, found.filter(isRecord), expected)
}

function isRecord(element: OutputElement): boolean {
  return 'value' in element
}

function differs(what: string, found: unknown, expected: unknown): string | undefined {
  if (deepEqual(found, expected)) return undefined
  return `${what}: got ${text(found)}, expected ${text(expected)}`
}

function text(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(element => elementText(element)).join(', ')}]` : preview(value, 2000)
}

// Infinity is a usual watermark, which JSON would show as null.
function elementText(element: unknown): string {
  if (typeof element !== 'object' || element === null) return preview(element, 300)
  if ('watermark' in element) return `watermark ${String(element.watermark)}`
  if ('value' in element && 'timestamp' in element)
    return `${'isRetraction' in element ? 'retracted ' : ''}${preview(element.value, 300)} at ${String(element.timestamp)}`
  return preview(element, 300)
}
