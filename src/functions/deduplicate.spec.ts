// Deduplication: what is a duplicate, which record comes out, and that nothing is kept longer than a duplicate may come.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import type { DeduplicationSpec } from '../model/join-functions.ts'
import { fieldSelector } from '../model/key.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { outputTag } from '../model/output-tag.ts'
import { type OperatorTest, verifyOperator } from '../testing/operator-harness.ts'
import { runOperator } from '../testing/operator-run.ts'
import {
  end,
  out,
  processingTime,
  record,
  type ScriptStep,
  watermark,
  watermarkOut,
} from '../testing/operator-script.ts'
import { deduplicate } from './deduplicate.ts'

const keySelectors = [fieldSelector('key')]
const SPEC: DeduplicationSpec = { withinMs: 10, timeDomain: 'event-time', keep: 'first' }

function operator(spec: Partial<DeduplicationSpec> = {}): OperatorSpec {
  return { kind: 'keyed-process', function: deduplicate({ ...SPEC, ...spec }) as never }
}

function a(n: number, timestamp?: number, key = 'a'): ScriptStep {
  return record({ key, n }, timestamp === undefined ? {} : { timestamp })
}

function aOut(n: number, timestamp?: number, key = 'a') {
  return out({ key, n }, timestamp)
}

function verify(
  spec: Partial<DeduplicationSpec>,
  script: readonly ScriptStep[],
  expect: OperatorTest['expect'],
): Promise<void> {
  return verifyOperator({ operator: operator(spec), keySelectors, script, expect })
}

describe('the first record', () => {
  test('passes at once; what is near it in time, before or after, is a duplicate', () =>
    verify({}, [a(1, 20), a(2, 30), a(3, 10), a(4, 31), a(5, 25), a(6, 20, 'b'), end], {
      output: [aOut(1, 20), aOut(4, 31), aOut(6, 20, 'b'), watermarkOut(Infinity)],
      duplicatesDropped: 3,
      keysHeld: 0,
    }))

  test('is forgotten when no duplicate can come any more', async () => {
    await verify({}, [a(1, 20), watermark(29)], { output: [aOut(1, 20), watermarkOut(29)], keysHeld: 1 })
    await verify({}, [a(1, 20), watermark(30)], { output: [aOut(1, 20), watermarkOut(30)], keysHeld: 0 })
  })

  test('is the only one without a time', () =>
    verify({ withinMs: Infinity }, [a(1, 20), watermark(1000), a(2, 5000), watermark(9000)], {
      output: [aOut(1, 20), watermarkOut(1000), watermarkOut(9000)],
      duplicatesDropped: 1,
      keysHeld: 1,
    }))

  test('has duplicates at its very time where the time is 0', () =>
    verify({ withinMs: 0 }, [a(1, 20), a(2, 20), a(3, 21), end], {
      output: [aOut(1, 20), aOut(3, 21), watermarkOut(Infinity)],
      duplicatesDropped: 1,
    }))
})

describe('what does not come out', () => {
  const lateTag = outputTag<unknown>('late')
  const duplicatesTag = outputTag<unknown>('duplicates')

  test('can be had from side outputs', () =>
    verify({ lateTag, duplicatesTag }, [a(1, 20), watermark(15), a(2, 15), a(3, 16), end], {
      output: [aOut(1, 20), watermarkOut(15), watermarkOut(Infinity)],
      sideOutputs: { late: [aOut(2, 15)], duplicates: [aOut(3, 16)] },
    }))

  test('is counted without them', () =>
    verify({}, [a(1, 20), watermark(15), a(2, 15), a(3, 16), end], {
      output: [aOut(1, 20), watermarkOut(15), watermarkOut(Infinity)],
      lateRecordsDropped: 1,
      duplicatesDropped: 1,
    }))

  test('is never a record without timestamp', () =>
    verify({}, [a(1), end], { failure: { code: 'TIMESTAMP_MISSING', message: /has no timestamp/ } }))
})

describe('the last record', () => {
  test('comes out when no duplicate can come any more, with its own time, and is not late then', () =>
    verify({ keep: 'last' }, [a(1, 20), a(2, 28), a(3, 24), a(4, 31), watermark(29), watermark(30), end], {
      output: [watermarkOut(19), aOut(2, 28), watermarkOut(20), aOut(4, 31), watermarkOut(Infinity)],
      duplicatesDropped: 2,
      keysHeld: 0,
    }))

  test('is the last to arrive of those of one time; the older ones go to the side output with their own', () =>
    verify({ keep: 'last', duplicatesTag: outputTag('duplicates') }, [a(1, 20), a(2, 25), a(3, 25), end], {
      output: [aOut(3, 25), watermarkOut(Infinity)],
      sideOutputs: { duplicates: [aOut(1, 20), aOut(2, 25)] },
    }))
})

describe('in processing time', () => {
  test('the last millisecond counts, and nothing is kept longer', () =>
    verify(
      { timeDomain: 'processing-time' },
      [a(1, 77), processingTime(10), a(2), processingTime(11), a(3), processingTime(22)],
      { output: [aOut(1, 77), aOut(3)], duplicatesDropped: 1, keysHeld: 0 },
    ))

  test('the last one comes when the time is over', () =>
    verify(
      { timeDomain: 'processing-time', keep: 'last' },
      [a(1), processingTime(10), a(2), processingTime(11), a(3), end],
      { output: [aOut(2, 11), aOut(3, 22), watermarkOut(Infinity)], duplicatesDropped: 1 },
    ))
})

interface Event {
  readonly kind: 'record' | 'watermark'
  readonly key: string
  readonly timeMs: number
}

const event: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom<Event['kind']>('record', 'record', 'record', 'watermark'),
  key: fc.constantFrom('a', 'b'),
  timeMs: fc.integer({ min: 0, max: 40 }),
})

interface Group {
  readonly key: string
  readonly firstMs: number
  readonly ids: { readonly n: number; readonly timeMs: number }[]
}

/** Groups that are never let go of. */
function model(events: readonly Event[], { withinMs, keep }: DeduplicationSpec) {
  const groups: Group[] = []
  let watermarkMs = -Infinity
  let late = 0
  for (const [n, { kind, key, timeMs }] of events.entries()) {
    if (kind === 'watermark') watermarkMs = Math.max(watermarkMs, timeMs)
    else if (timeMs <= watermarkMs) late++
    else {
      const near = groups.filter(group => group.key === key && Math.abs(timeMs - group.firstMs) <= withinMs)
      const group = near.sort((x, y) => x.firstMs - y.firstMs)[0]
      if (group === undefined) groups.push({ key, firstMs: timeMs, ids: [{ n, timeMs }] })
      else group.ids.push({ n, timeMs })
    }
  }
  const results = groups.map(({ ids }) => {
    const last = ids.reduce((newest, next) => (next.timeMs >= newest.timeMs ? next : newest))
    const { n, timeMs } = keep === 'first' ? (ids[0] as { n: number; timeMs: number }) : last
    return `${n} at ${timeMs}`
  })
  const kept = groups.filter(({ firstMs }) => firstMs + withinMs > watermarkMs)
  const duplicates = groups.reduce((sum, { ids }) => sum + ids.length - 1, 0)
  return { results: results.sort(), late, duplicates, keysHeld: new Set(kept.map(({ key }) => key)).size }
}

describe('random streams', () => {
  test('lose exactly what a model that keeps all groups calls a duplicate; nothing emitted is late', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 50 }),
        fc.integer({ min: 0, max: 15 }),
        fc.constantFrom('first' as const, 'last' as const),
        fc.constantFrom('one' as const, 'many' as const),
        async (events, withinMs, keep, batch) => {
          let newest = -Infinity
          const script = events.map(({ kind, key, timeMs }, n) => {
            if (kind === 'record') return a(n, timeMs, key)
            newest = Math.max(newest, timeMs)
            return watermark(newest)
          })
          const spec = { ...SPEC, withinMs, keep }
          const setup = { operator: operator(spec), keySelectors, sideOutputTags: [] }
          const variant = { batch, outbox: 'full-every-other-call', budget: 2 } as const
          const expected = model(events, spec)
          const open = await runOperator(setup, script, variant)
          assert.equal(open.keysHeld, expected.keysHeld, 'keys held')
          const run = await runOperator(setup, [...script, end], variant)
          assert.equal(run.failure, undefined)
          let watermarkMs = -Infinity
          const results: string[] = []
          for (const element of run.outputs.get('main') ?? []) {
            if ('watermark' in element) watermarkMs = element.watermark
            if (!('value' in element)) continue
            assert.ok((element.timestamp as number) > watermarkMs, 'a result is late')
            results.push(`${(element.value as { n: number }).n} at ${element.timestamp}`)
          }
          assert.deepEqual(results.sort(), expected.results)
          assert.equal(run.duplicatesDropped, expected.duplicates)
          assert.equal(run.lateRecordsDropped, expected.late)
          assert.equal(run.keysHeld, 0)
        },
      ),
      { numRuns: 400 },
    )
  })
})
