// Storm's and Kafka's windows over random scripts of several keys: however records are batched, steps are cut and the outbox fills, the output is the
// same, and it is what the records of each key alone would give.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import { fieldSelector } from '../model/key.ts'
import type { MixedExtent, MixedWindow, MixedWindowSpec } from '../model/mixed-window-spec.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import type { PerRecordWindowSpec, WindowedResult } from '../model/per-record-window-spec.ts'
import { type HarnessRun, runOperator, type Variant } from '../testing/operator-run.ts'
import { end, type OutputElement, record, type ScriptStep, watermark } from '../testing/operator-script.ts'

interface Row {
  readonly k: string
  readonly id: number
}

const VARIANTS: readonly Variant[] = [
  { batch: 'one', outbox: 'roomy', budget: 1000 },
  { batch: 'one', outbox: 'full-every-other-call', budget: 1 },
  { batch: 'many', outbox: 'roomy', budget: 3 },
  { batch: 'many', outbox: 'full-every-other-call', budget: 1000 },
]

const anyScript: fc.Arbitrary<ScriptStep[]> = fc
  .array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ k: fc.constantFrom('a', 'b', 'c'), at: fc.integer({ min: -10, max: 60 }) }),
      },
      { weight: 1, arbitrary: fc.integer({ min: -10, max: 60 }) },
    ),
    { maxLength: 40 },
  )
  .map(steps => {
    let newest = -Infinity
    const script: ScriptStep[] = []
    for (const [id, step] of steps.entries()) {
      if (typeof step !== 'number') script.push(record({ k: step.k, id }, { timestamp: step.at }))
      else if (step > newest) {
        newest = step
        script.push(watermark(step))
      }
    }
    return [...script, end]
  })

async function runAll(operator: OperatorSpec, script: readonly ScriptStep[]): Promise<HarnessRun> {
  const setup = { operator, keySelectors: [fieldSelector('k')], sideOutputTags: [] }
  let first: HarnessRun | undefined
  for (const variant of VARIANTS) {
    const run = await runOperator(setup, script, variant)
    assert.equal(run.failure, undefined)
    assert.equal(run.emittedWhileFull, 0)
    assert.equal(run.overspent, 0)
    first ??= run
    assert.deepEqual(run.outputs, first.outputs, JSON.stringify(variant))
    assert.equal(run.lateRecordsDropped, first.lateRecordsDropped)
  }
  return first as HarnessRun
}

function mainOutput(run: HarnessRun): readonly OutputElement[] {
  return run.outputs.get('main') ?? []
}

/** Fails where a record comes behind a watermark that it belongs before. */
function assertNoneLate(output: readonly OutputElement[]): void {
  let newest = -Infinity
  for (const element of output) {
    if ('watermark' in element) newest = element.watermark
    if ('value' in element) assert.ok((element.timestamp as number) > newest, `${element.timestamp} behind ${newest}`)
  }
}

function onlyKey(script: readonly ScriptStep[], key: string): ScriptStep[] {
  return script.filter(step => step.kind !== 'record' || (step.value as Row).k === key)
}

const anyExtent: fc.Arbitrary<MixedExtent> = fc.oneof(
  fc.integer({ min: 1, max: 4 }).map((count): MixedExtent => ({ kind: 'records', count })),
  fc.integer({ min: 1, max: 12 }).map((durationMs): MixedExtent => ({ kind: 'time', durationMs })),
)

function mixed(length: MixedExtent, slide: MixedExtent, lagMs: number): OperatorSpec {
  const window: MixedWindowSpec = {
    timeDomain: 'event-time',
    length,
    slide,
    lagMs,
    recordsMax: 1000,
    function: {
      kind: 'process',
      process: (key, found, out) => out.collect({ key, window: found as MixedWindow<Row> }),
    },
  }
  return { kind: 'mixed-window', window }
}

function keyOf(element: OutputElement): string | undefined {
  return 'value' in element ? (element.value as { key: string }).key : undefined
}

describe('mixed windows', () => {
  test('do not depend on batches, steps, room or other keys, and are never late', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyScript,
        anyExtent,
        anyExtent,
        fc.integer({ min: 0, max: 5 }),
        async (script, length, slide, lagMs) => {
          const operator = mixed(length, slide, lagMs)
          const output = mainOutput(await runAll(operator, script))
          assertNoneLate(output)
          for (const key of ['a', 'b', 'c']) {
            const [variant] = VARIANTS
            const setup = { operator, keySelectors: [fieldSelector('k')], sideOutputTags: [] }
            const alone = mainOutput(await runOperator(setup, onlyKey(script, key), variant as Variant))
            assert.deepEqual(
              output.filter(element => keyOf(element) === key),
              alone.filter(element => 'value' in element),
            )
          }
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('per-record windows', () => {
  function perRecord(emit: PerRecordWindowSpec['emit'], timeDifferenceMs: number, graceMs: number): OperatorSpec {
    const aggregate: PerRecordWindowSpec['aggregate'] = {
      create: () => [],
      add: (ids: unknown, row: never) => [...(ids as number[]), (row as Row).id],
      merge: (a: unknown) => a,
      result: (ids: unknown) => ids,
    }
    const window: PerRecordWindowSpec = { timeDifferenceMs, graceMs, emit, recordsMax: 1000, aggregate }
    return { kind: 'per-record-window', window }
  }

  function results(output: readonly OutputElement[]): Map<string, readonly number[]> {
    const found = new Map<string, readonly number[]>()
    for (const element of output) {
      if (!('value' in element)) continue
      const { key, window, value } = element.value as WindowedResult<string, readonly number[]>
      found.set(`${key} ${window.start}`, value)
    }
    return found
  }

  test('do not depend on batches, steps or room; on close they are the last of their updates, each once, in the order of their ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyScript,
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 0, max: 20 }),
        async (script, differenceMs, graceMs) => {
          const onUpdate = await runAll(perRecord('on-update', differenceMs, graceMs), script)
          const onClose = await runAll(perRecord('on-close', differenceMs, graceMs), script)
          assert.equal(onClose.lateRecordsDropped, onUpdate.lateRecordsDropped)
          const finals = mainOutput(onClose).filter(element => 'value' in element)
          assert.deepEqual(results(finals), results(mainOutput(onUpdate)))
          assert.equal(results(finals).size, finals.length)
          const starts = finals.map(({ value }) => (value as WindowedResult<string, unknown>).window.start)
          assert.deepEqual(
            starts,
            starts.toSorted((a, b) => a - b),
          )
        },
      ),
      { numRuns: 150 },
    )
  })

  test('hold the watermark back so that no result on close is late, if no record was', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyScript,
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 0, max: 20 }),
        async (script, differenceMs, graceMs) => {
          let newest = -Infinity
          const inTime = script.filter(step => {
            if (step.kind === 'watermark') newest = step.watermark
            return step.kind !== 'record' || (step.timestamp as number) > newest
          })
          assertNoneLate(mainOutput(await runAll(perRecord('on-close', differenceMs, graceMs), inTime)))
        },
      ),
      { numRuns: 100 },
    )
  })
})
