// Runs a case on the window operator under all variants of the harness and compares with the naive model. The harness is an argument:
// the same check runs against broken copies of the sources.
import { hashText } from '../../../src/base/hash.ts'
import { Prng } from '../../../src/base/prng.ts'
import type { AggregateFunction, TimeWindow } from '../../../src/model/functions.ts'
import { fieldSelector } from '../../../src/model/key.ts'
import type { OperatorSpec } from '../../../src/model/operator-spec.ts'
import type { Pane, WindowContext, WindowProcessFunction } from '../../../src/model/window-functions.ts'
import type { WindowFunctionSpec } from '../../../src/model/window-spec.ts'
import { VirtualClock } from '../../../src/runtime/simulated-scheduler.ts'
import type { RestorePlan } from '../../../src/testing/operator-restores.ts'
import type { HarnessRun, OperatorSetup, Variant } from '../../../src/testing/operator-run.ts'
import type { OutputElement, ScriptStep } from '../../../src/testing/operator-script.ts'
import { caseText, LATE_DETAILS_TAG, LATE_TAG, scriptOf, type WindowCase } from './window-cases.ts'
import { type CaseRecord, type ModelOutcome, type ModelResult, modelOutcome } from './window-model.ts'

/** `runOperator` of the sources under test. */
export type RunOperator = (setup: OperatorSetup, script: readonly ScriptStep[], variant: Variant) => Promise<HarnessRun>

/** `runRestored` of the sources under test. */
export type RunRestored = (
  setup: OperatorSetup,
  script: readonly ScriptStep[],
  plan: RestorePlan,
) => Promise<HarnessRun>

/** What a case was an example of. */
export interface CaseTraits {
  readonly hasLateRecords: boolean
  readonly hasMerges: boolean
  readonly hasRetractions: boolean
  readonly results: number
}

/** What a step of the operator emitted, as the functions of the cases make it. */
interface CaseResult {
  readonly key: string
  readonly window: TimeWindow
  readonly pane: Pane
  readonly content: string
}

const VARIANTS: readonly Variant[] = [1, 1000].flatMap(budget =>
  (['one', 'many'] as const).flatMap(batch =>
    (['roomy', 'full-every-other-call'] as const).map(outbox => ({ budget, batch, outbox })),
  ),
)

const LINES_OF_EVERY_RESTORE = 30

/** Runs a case; rejects with the first difference, the variant and the case in words. */
export async function checkCase(windowCase: WindowCase, runOperator: RunOperator): Promise<CaseTraits> {
  const script = scriptOf(windowCase)
  const expected = expectedOf(windowCase, script)
  const setup = setupOf(windowCase)
  for (const variant of VARIANTS) {
    const run = await runOperator({ ...setup, clock: new VirtualClock() }, script, variant)
    const mistake = mistakeIn(run, { expected, windowCase, batch: variant.batch })
    if (mistake === undefined) continue
    const { batch, outbox, budget } = variant
    throw new Error(`batch of ${batch}, outbox ${outbox}, steps of ${budget}: ${mistake}\n${caseText(windowCase)}`, {
      cause: run.failure,
    })
  }
  return {
    hasLateRecords: expected.late.length > 0,
    hasMerges: expected.merges > 0,
    hasRetractions: expected.results.some(result => result.isRetraction),
    results: expected.results.length,
  }
}

/** Runs a case that is restored from snapshots at one place, or everywhere, as the case decides; what comes of it is the same. */
export async function checkRestored(windowCase: WindowCase, runRestored: RunRestored): Promise<RestorePlan['kind']> {
  const script = scriptOf(windowCase)
  const plan = planOf(windowCase, script)
  const run = await runRestored({ ...setupOf(windowCase), clock: new VirtualClock() }, script, plan)
  const batch = plan.kind === 'rescaled' ? undefined : 'one'
  const mistake = mistakeIn(run, { expected: expectedOf(windowCase, script), windowCase, batch })
  if (mistake === undefined) return plan.kind
  const where = plan.kind === 'every-line' ? 'restored before every line' : `${plan.kind}, restored before ${plan.cut}`
  throw new Error(`${where}: ${mistake}\n${caseText(windowCase)}`, { cause: run.failure })
}

function planOf(windowCase: WindowCase, script: readonly ScriptStep[]): RestorePlan {
  const prng = new Prng(hashText(caseText(windowCase)))
  const end = script.findIndex(step => step.kind === 'end')
  const cut = prng.below(end < 0 ? script.length : end + 1)
  const kinds: RestorePlan['kind'][] = ['full', 'changes']
  // A restore before every line costs as much again for each line.
  if (script.length <= LINES_OF_EVERY_RESTORE) kinds.push('every-line')
  // In other times two subtasks have each another time than one, and what holds the watermark of one does not hold that of the other.
  const { timeDomain, timestampCombiner } = windowCase.spec
  if (timeDomain === 'event-time' && timestampCombiner === 'end-of-window') kinds.push('rescaled', 'rescaled')
  const kind = kinds[prng.below(kinds.length)] as RestorePlan['kind']
  return kind === 'rescaled' ? { kind, cut, middle: prng.below(128) } : { kind, cut: kind === 'every-line' ? 0 : cut }
}

function expectedOf({ spec, channels, function: kind }: WindowCase, script: readonly ScriptStep[]): ModelOutcome {
  return modelOutcome({ spec, channels, script, needsRecords: kind === 'newest' })
}

function setupOf(windowCase: WindowCase): Omit<OperatorSetup, 'clock'> {
  const { spec, channels } = windowCase
  return {
    operator: operatorOf(windowCase),
    keySelectors: [fieldSelector('key')],
    sideOutputTags: [spec.lateOutputTag, spec.lateDetailsTag].filter(tag => tag !== undefined),
    channelsPerInput: channels,
  }
}

function operatorOf(windowCase: WindowCase): OperatorSpec {
  return { kind: 'window', window: { ...windowCase.spec, function: functionOf(windowCase) } }
}

function functionOf(windowCase: WindowCase): WindowFunctionSpec {
  if (windowCase.function === 'process') return { kind: 'process', function: listing as never }
  const project = (content: string, { key, window, pane }: WindowContext<string>): CaseResult => ({
    key,
    window: { ...window },
    pane: { ...pane },
    content,
  })
  return { kind: 'aggregate', aggregate: aggregateOf(windowCase) as never, project: project as never }
}

const listing: WindowProcessFunction<string, CaseRecord, CaseResult> = {
  onWindow(elements, { key, window, pane, added }, out) {
    out.collect({ key, window: { ...window }, pane: { ...pane }, content: listText(elements, added) })
  },
}

const sum: AggregateFunction<CaseRecord, { total: number }, string> = {
  create: () => ({ total: 0 }),
  add: (accumulator, { amount }) => {
    accumulator.total += amount
    return accumulator
  },
  merge: (a, b) => {
    a.total += b.total
    return a
  },
  result: ({ total }) => `sum ${total}`,
}

const subtractableSum: typeof sum = {
  ...sum,
  subtract: (accumulator, { total }) => {
    accumulator.total -= total
    return accumulator
  },
}

const newest: AggregateFunction<CaseRecord, { id: number }, string> = {
  needsRecords: true,
  create: () => ({ id: -1 }),
  add: (accumulator, { id }) => {
    accumulator.id = Math.max(accumulator.id, id)
    return accumulator
  },
  merge: (a, b) => {
    a.id = Math.max(a.id, b.id)
    return a
  },
  result: ({ id }) => `newest ${id}`,
}

function aggregateOf(windowCase: WindowCase): AggregateFunction<CaseRecord, never, string> {
  switch (windowCase.function) {
    case 'sum':
      return sum as AggregateFunction<CaseRecord, never, string>
    case 'subtractable-sum':
      return subtractableSum as AggregateFunction<CaseRecord, never, string>
    case 'newest':
      return newest as AggregateFunction<CaseRecord, never, string>
    default: {
      const list: AggregateFunction<CaseRecord, readonly CaseRecord[], string> = {
        create: () => [],
        add: (accumulator, record) => [...accumulator, record],
        merge: (a, b) => [...a, ...b],
        result: accumulator => idsText(accumulator, isOrdered(windowCase)),
      }
      return list as AggregateFunction<CaseRecord, never, string>
    }
  }
}

/** Windows that share slices hold their records slice by slice, others in the order of arrival. */
function isOrdered({ spec }: WindowCase): boolean {
  return spec.assigner.kind !== 'sliding' || spec.slices === 'separate'
}

function idsText(records: readonly CaseRecord[], isOrderKept: boolean): string {
  const ids = records.map(({ id }) => id)
  return `ids ${(isOrderKept ? ids : ids.sort((a, b) => a - b)).join(' ')}`
}

/** Merged windows may hold what was in panes before what is new. */
function listText(elements: readonly CaseRecord[], added: readonly CaseRecord[]): string {
  return `${idsText(elements, false)}, added ${idsText(added, true)}`
}

function contentOf({ records, added }: ModelResult, windowCase: WindowCase): string {
  switch (windowCase.function) {
    case 'process':
      return listText(records, added)
    case 'list':
      return idsText(records, isOrdered(windowCase))
    case 'newest':
      return `newest ${records.reduce((most, { id }) => Math.max(most, id), -1)}`
    default:
      return `sum ${records.reduce((total, { amount }) => total + amount, 0)}`
  }
}

interface Judged {
  readonly expected: ModelOutcome
  readonly windowCase: WindowCase
  /** Undefined where two subtasks ran, which hold their watermarks each by itself. */
  readonly batch: Variant['batch'] | undefined
}

function mistakeIn(run: HarnessRun, { expected, windowCase, batch }: Judged): string | undefined {
  if (run.failure !== undefined) return `it failed: ${String(run.failure)}`
  if (run.emittedWhileFull > 0) return `${run.emittedWhileFull} record(s) were emitted into a full outbox`
  if (run.overspent > 0) return `${run.overspent} record(s) or timer(s) beyond the budget`
  const output = run.outputs.get('main') ?? []
  const { spec } = windowCase
  const hasSideOutput = spec.lateOutputTag !== undefined || spec.lateDetailsTag !== undefined
  const lateRecords = expected.late.map(({ record, timestamp }) => ({ id: record.id, timestamp }))
  const found = (run.outputs.get(`side ${LATE_TAG}`) ?? []).flatMap(element =>
    'value' in element ? [{ id: (element.value as CaseRecord).id, timestamp: element.timestamp }] : [],
  )
  return (
    resultMistake(output, expected, windowCase) ??
    watermarkMistake(output, expected.watermarks, batch) ??
    orderMistake(output, spec.timeDomain === 'event-time' && spec.assigner.kind !== 'global') ??
    differs('late records', found, spec.lateOutputTag === undefined ? [] : lateRecords) ??
    lateDetailsMistake(run, expected, windowCase) ??
    differs('lateRecordsDropped', run.lateRecordsDropped, hasSideOutput ? 0 : lateRecords.length) ??
    differs('closedWindowRecordsDropped', run.closedWindowRecordsDropped, expected.closedWindowRecordsDropped) ??
    differs('unfiredRecordsDropped', run.unfiredRecordsDropped, expected.unfiredRecordsDropped)
  )
}

/** The sequence of results of each key and window. */
function resultMistake(
  output: readonly OutputElement[],
  expected: ModelOutcome,
  windowCase: WindowCase,
): string | undefined {
  const found = new Map<string, string[]>()
  for (const element of output) {
    if (!('value' in element)) continue
    const { key, window, pane, content } = element.value as CaseResult
    const isFirst = pane.index === 0
    if (pane.isFirst !== isFirst) return `pane ${pane.index} of ${placeText(key, window)} has isFirst ${pane.isFirst}`
    const line = lineText({ pane, content, timestamp: element.timestamp, isRetraction: element.isRetraction === true })
    append(found, placeText(key, window), line)
  }
  const wanted = new Map<string, string[]>()
  for (const result of expected.results) {
    const content = contentOf(result, windowCase)
    append(wanted, placeText(result.key, result.window), lineText({ ...result, content }))
  }
  for (const place of new Set([...wanted.keys(), ...found.keys()])) {
    const mistake = differs(place, found.get(place) ?? [], wanted.get(place) ?? [])
    if (mistake !== undefined) return mistake
  }
  return undefined
}

function append(lists: Map<string, string[]>, name: string, line: string): void {
  const list = lists.get(name)
  if (list === undefined) lists.set(name, [line])
  else list.push(line)
}

function placeText(key: string, { start, end }: TimeWindow): string {
  return `key ${key} in [${start}, ${end})`
}

function lineText(result: {
  readonly pane: Omit<Pane, 'isFirst'>
  readonly content: string
  readonly timestamp: number | undefined
  readonly isRetraction: boolean
}): string {
  const { timing, index, nonSpeculativeIndex, isLast } = result.pane
  const sign = result.isRetraction ? 'not ' : ''
  return `${sign}${result.content} (${timing} ${index}/${nonSpeculativeIndex}${isLast ? ' last' : ''}) at ${result.timestamp}`
}

/** One watermark a step where each step is worked off alone; else some of these, up to the last. */
function watermarkMistake(
  output: readonly OutputElement[],
  expected: readonly number[],
  batch: Variant['batch'] | undefined,
): string | undefined {
  const found = output.flatMap(element => ('watermark' in element ? [element.watermark] : []))
  if (batch === undefined) return differs('last output watermark', found.at(-1), expected.at(-1))
  if (batch === 'one') return differs('output watermarks', found, expected)
  const allowed = expected.filter(watermark => found.includes(watermark))
  return (
    differs('output watermarks among those allowed', found, allowed) ??
    differs('last output watermark', found.at(-1), expected.at(-1))
  )
}

/** Results on time are ahead of the output watermark where windows end by event time; retractions stand right before what replaces them. */
function orderMistake(output: readonly OutputElement[], hasEnds: boolean): string | undefined {
  let watermark = -Infinity
  let retracted: CaseResult | undefined
  for (const element of output) {
    if ('watermark' in element) watermark = element.watermark
    if (!('value' in element)) continue
    const result = element.value as CaseResult
    const place = placeText(result.key, result.window)
    if (retracted !== undefined) {
      const { window } = retracted
      const isPartOf = result.window.start <= window.start && window.end <= result.window.end
      const isOther = result.key !== retracted.key || (element.isRetraction !== true && !isPartOf)
      if (isOther) return `a result of ${place} follows a retraction of ${placeText(retracted.key, window)}`
    }
    retracted = element.isRetraction === true ? result : undefined
    if (element.isRetraction === true || result.pane.timing !== 'on-time' || !hasEnds) continue
    const isBehind = element.timestamp !== undefined && element.timestamp <= watermark
    if (isBehind) return `the pane on time of ${place} at ${element.timestamp} is behind the watermark ${watermark}`
  }
  return undefined
}

function lateDetailsMistake(run: HarnessRun, expected: ModelOutcome, { spec }: WindowCase): string | undefined {
  if (spec.lateDetailsTag === undefined) return undefined
  const found = (run.outputs.get(`side ${LATE_DETAILS_TAG}`) ?? []).filter(element => 'value' in element)
  const wanted = expected.late.map(late => ({ value: late, timestamp: late.timestamp }))
  const texts = (elements: readonly OutputElement[]) =>
    elements.map(element => {
      if (!('value' in element)) return ''
      const { record, timestamp, window, latenessMs } = element.value as ModelOutcome['late'][number]
      return `record ${record.id} at ${timestamp} (${element.timestamp}), ${latenessMs} ms late for [${window.start}, ${window.end})`
    })
  return differs('late records with details', texts(found), texts(wanted))
}

function differs(what: string, found: unknown, expected: unknown): string | undefined {
  const text = (value: unknown): string =>
    Array.isArray(value)
      ? `\n    ${value.map(text).join('\n    ')}`
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value)
  return text(found) === text(expected) ? undefined : `${what}: got ${text(found)}\n  expected ${text(expected)}`
}
