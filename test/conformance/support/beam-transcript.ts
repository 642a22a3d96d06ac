// Runs one transcript of Beam on the window operator, action by action, and compares as Beam's own driver of transcripts does: an expected
// pane names some attributes, and a pane that no line expects is an error.
import { parseAllDocuments } from 'yaml'
import type { AggregateFunction } from '../../../src/model/functions.ts'
import { fieldSelector } from '../../../src/model/key.ts'
import type { WindowContext } from '../../../src/model/window-functions.ts'
import { VirtualClock } from '../../../src/runtime/simulated-scheduler.ts'
import { runOperator } from '../../../src/testing/operator-run.ts'
import { record, type ScriptStep, watermark } from '../../../src/testing/operator-script.ts'
import { type BeamWindowing, windowingOf } from './beam-language.ts'

/** A pane as transcripts describe it; a window is [first, last] moment. */
interface BeamPane {
  readonly window: readonly [number, number]
  readonly values: readonly number[]
  readonly timestamp: number
  readonly index: number
  readonly nonspeculative_index: number
  readonly early: boolean
  readonly late: boolean
  readonly final: boolean
}

/** One action and what belongs to it. */
type Action =
  | { readonly input: readonly number[] }
  | { readonly watermark: number }
  | { readonly expect: readonly Partial<BeamPane>[] }
  /** What is left in the state: Beam's own driver does not look at it either. */
  | { readonly state: unknown }

/** A transcript as it is in the file. */
export interface Transcript extends BeamWindowing {
  readonly name: string
  /** The failure that the comparison must report. */
  readonly error?: string
  readonly transcript: readonly Action[]
}

/** The transcripts of a file. */
export function parseTranscripts(text: string): Transcript[] {
  return parseAllDocuments(text).map(document => {
    if (document.errors.length > 0) throw new Error(String(document.errors[0]))
    return document.toJS() as Transcript
  })
}

/** Runs a transcript. Rejects with the first difference, or with Untranslatable. */
export async function runTranscript(transcript: Transcript): Promise<void> {
  const script: ScriptStep[] = []
  let seen = 0
  let open: BeamPane[] = []
  for (const action of transcript.transcript) {
    if ('expect' in action) {
      for (const expected of action.expect) {
        const found = open.findIndex(pane => isMatch(pane, expected))
        if (found < 0) throw new Error(`Unmatched output ${JSON.stringify(expected)} in ${JSON.stringify(open)}`)
        open.splice(found, 1)
      }
      continue
    }
    failIfOpen(open, `before ${JSON.stringify(action)}`)
    if ('state' in action) continue
    if ('input' in action) script.push(...action.input.map(at => record({ key: 'key', at }, { timestamp: at })))
    // Beam's watermark says that nothing below it follows; ours that nothing at it follows either.
    else if ('watermark' in action) script.push(watermark(action.watermark - 1))
    else throw new Error(`the action ${JSON.stringify(action)} is unknown`)
    const panes = await panesOf(transcript, script)
    open = panes.slice(seen)
    seen = panes.length
  }
  failIfOpen(open, 'at the end')
}

function failIfOpen(open: readonly BeamPane[], when: string): void {
  if (open.length > 0) throw new Error(`Unexpected output: ${JSON.stringify(open)} ${when}`)
}

function isMatch(pane: BeamPane, expected: Partial<BeamPane>): boolean {
  return Object.entries(expected).every(
    ([name, value]) => !(name in pane) || JSON.stringify(pane[name as keyof BeamPane]) === JSON.stringify(value),
  )
}

interface Timed {
  readonly key: string
  readonly at: number
}

const listed: AggregateFunction<Timed, readonly number[], readonly number[]> = {
  create: () => [],
  add: (times, { at }) => [...times, at],
  merge: (a, b) => [...a, ...b],
  result: times => times.toSorted((a, b) => a - b),
}

function paneOf(values: readonly number[], { window, pane }: WindowContext<string>): Omit<BeamPane, 'timestamp'> {
  return {
    window: [window.start, window.end - 1],
    values,
    index: pane.index,
    nonspeculative_index: pane.nonSpeculativeIndex,
    early: pane.timing === 'early',
    late: pane.timing === 'late',
    final: pane.isLast,
  }
}

/** All panes that the script gives so far, in order. */
async function panesOf(transcript: Transcript, script: readonly ScriptStep[]): Promise<BeamPane[]> {
  const aggregate = { kind: 'aggregate', aggregate: listed as never, project: paneOf as never } as const
  const run = await runOperator(
    {
      operator: { kind: 'window', window: { ...windowingOf(transcript), function: aggregate } },
      keySelectors: [fieldSelector('key')],
      sideOutputTags: [],
      clock: new VirtualClock(),
    },
    script,
    { batch: 'one', outbox: 'roomy', budget: 1000 },
  )
  if (run.failure !== undefined) throw run.failure
  return (run.outputs.get('main') ?? []).flatMap(element =>
    'value' in element ? [{ ...(element.value as BeamPane), timestamp: element.timestamp ?? Number.NaN }] : [],
  )
}
