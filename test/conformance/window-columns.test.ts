// Windows of a field aggregation keep records of one form in columns and others in cells; nobody can tell which. Random scripts run with
// snapshots and restores at every line, against a naive model.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { Prng } from '../../src/base/prng.ts'
import { maxOf, minOf, sumOf } from '../../src/functions/field-aggregates.ts'
import { fieldSelector } from '../../src/model/key.ts'
import { WINDOW_DEFAULTS } from '../../src/model/window-spec.ts'
import { type RestorePlan, runRestored } from '../../src/testing/operator-restores.ts'
import { type HarnessRun, type OperatorSetup, runOperator } from '../../src/testing/operator-run.ts'
import {
  end,
  type OutputElement,
  out,
  record,
  type ScriptStep,
  watermark,
  watermarkOut,
} from '../../src/testing/operator-script.ts'

type Row = Readonly<Record<string, unknown>>

const SIZE_MS = 10
const KEYS = [1, 2, -70, 1.5, 2 ** 33, 'a', 'é', true] as const

const AGGREGATES = {
  sum: { of: sumOf<Row>('n'), combine: (a: number, b: number) => a + b },
  min: { of: minOf<Row>('n'), combine: (a: number, b: number) => (b < a ? b : a) },
  max: { of: maxOf<Row>('n'), combine: (a: number, b: number) => (b > a ? b : a) },
} as const

/** Mostly of one form. */
function rowOf(prng: Prng, key: unknown): Row {
  const n = prng.below(4) === 0 ? prng.below(1000) / 8 : prng.below(300) - 150
  if (prng.below(8) === 0) return { k: key, n, note: `n${n}` }
  return prng.below(12) === 0 ? { n, k: key } : { k: key, n }
}

interface Scripted {
  readonly script: readonly ScriptStep[]
  readonly output: readonly OutputElement[]
}

function scripted(seed: number, combine: (a: number, b: number) => number): Scripted {
  const prng = new Prng(seed)
  const script: ScriptStep[] = []
  const output: OutputElement[] = []
  const windows = new Map<number, Map<unknown, Row>>()
  let timeMs = 0
  const fire = (untilMs: number): void => {
    for (const start of [...windows.keys()].sort((a, b) => a - b)) {
      if (start + SIZE_MS - 1 > untilMs) continue
      for (const row of windows.get(start)?.values() ?? []) output.push(out(row, start + SIZE_MS - 1))
      windows.delete(start)
    }
    output.push(watermarkOut(untilMs))
  }
  for (let line = 0; line < 40; line++) {
    if (prng.below(6) === 0) {
      timeMs += 1 + prng.below(12)
      script.push(watermark(timeMs))
      fire(timeMs)
      continue
    }
    const key = KEYS[prng.below(KEYS.length)]
    const row = rowOf(prng, key)
    const timestamp = timeMs + 1 + prng.below(25)
    const start = Math.floor(timestamp / SIZE_MS) * SIZE_MS
    if (start + SIZE_MS - 1 <= timeMs) continue
    script.push(record(row, { timestamp }))
    const window = windows.get(start) ?? new Map<unknown, Row>()
    windows.set(start, window)
    const before = window.get(key)
    window.set(key, before === undefined ? row : { ...before, n: combine(before['n'] as number, row['n'] as number) })
  }
  script.push(end)
  fire(Infinity)
  return { script, output }
}

/** A window gives the keys in its columns before those in cells, each in the order in which they came; only that is left open. */
function ordered(output: readonly OutputElement[]): readonly OutputElement[] {
  const text = (element: OutputElement): string => JSON.stringify(element)
  const pending: OutputElement[] = []
  const all: OutputElement[] = []
  for (const element of output) {
    if ('watermark' in element) {
      all.push(...pending.splice(0).sort((a, b) => (text(a) < text(b) ? -1 : 1)), element)
    } else pending.push(element)
  }
  return all
}

function assertGives({ failure, outputs }: HarnessRun, expected: readonly OutputElement[], what: string): void {
  assert.equal(failure, undefined, `${what}: ${failure?.stack}`)
  assert.deepEqual(ordered(outputs.get('main') ?? []), ordered(expected), what)
}

function plansOf(script: readonly ScriptStep[]): readonly RestorePlan[] {
  const cut = Math.floor(script.length / 2)
  const kinds = ['full', 'changes', 'every-line'] as const
  return [...kinds.map(kind => ({ kind, cut })), { kind: 'rescaled', cut, middle: 2 }]
}

describe('tumbling windows of a field aggregation', () => {
  for (const [name, { of, combine }] of Object.entries(AGGREGATES)) {
    test(`${name}: give what a plain map would hold, whatever form records have`, async () => {
      let results = 0
      for (let seed = 1; seed <= 25; seed++) {
        const { script, output } = scripted(seed, combine)
        results += output.length
        const setup: OperatorSetup = {
          operator: {
            kind: 'window',
            window: {
              ...WINDOW_DEFAULTS,
              timeDomain: 'event-time',
              assigner: { kind: 'tumbling', sizeMs: SIZE_MS, offsetMs: 0 },
              function: { kind: 'aggregate', aggregate: of as never },
            },
          },
          keySelectors: [fieldSelector('k')],
          sideOutputTags: [],
        }
        for (const batch of ['one', 'many'] as const) {
          const run = await runOperator(setup, script, { batch, outbox: 'full-every-other-call', budget: 1 })
          assertGives(run, output, `seed ${seed}, batch of ${batch}`)
        }
        for (const plan of plansOf(script)) {
          assertGives(await runRestored(setup, script, plan), output, `seed ${seed}, ${JSON.stringify(plan)}`)
        }
      }
      assert.ok(results > 300)
    })
  }
})
