// Temporal joins: which version a record gets, when it gets it, what is late, and which versions are kept.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import type { TemporalJoinSpec } from '../model/join-functions.ts'
import { fieldSelector } from '../model/key.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { outputTag } from '../model/output-tag.ts'
import { type OperatorTest, verifyOperator } from '../testing/operator-harness.ts'
import { runOperator } from '../testing/operator-run.ts'
import {
  end,
  type OutputElement,
  out,
  processingTime,
  record,
  type ScriptStep,
  stop,
  watermark,
  watermarkOut,
} from '../testing/operator-script.ts'
import { temporalJoin } from './temporal-join.ts'

interface Row {
  readonly key: string
  readonly id: string
}

const keySelectors = [fieldSelector('key'), fieldSelector('key')]
const SPEC: TemporalJoinSpec = {
  timeDomain: 'event-time',
  joinType: 'inner',
  join: (order, rate) => `${(order as Row).id}@${(rate as Row | undefined)?.id}`,
  isDeleted: rate => (rate as Row).id.startsWith('x'),
  retentionMs: Infinity,
}

function join(spec: Partial<TemporalJoinSpec> = {}): OperatorSpec {
  return { kind: 'keyed-co-process', function: temporalJoin({ ...SPEC, ...spec }) as never }
}

function order(id: string, timestamp?: number, key = 'a'): ScriptStep {
  return record({ key, id }, timestamp === undefined ? { input: 0 } : { timestamp, input: 0 })
}

function rate(id: string, timestamp?: number, key = 'a'): ScriptStep {
  return record({ key, id }, timestamp === undefined ? { input: 1 } : { timestamp, input: 1 })
}

/** Between inputs there is no order; with this in between there is. */
const settled = processingTime(0)

function verify(operator: OperatorSpec, script: readonly ScriptStep[], expect: OperatorTest['expect']): Promise<void> {
  return verifyOperator({ operator, keySelectors, script, expect })
}

describe('by event time a record', () => {
  test('gets the version of its time, even one that comes after it', () =>
    verify(join(), [order('9', 9), order('10', 10), order('15', 15), settled, rate('r20', 20), rate('r10', 10), end], {
      output: [out('10@r10', 10), out('15@r10', 15), watermarkOut(Infinity)],
    }))

  test('waits for the watermark, and leaves in the order of time, then of arrival', () =>
    verify(
      join({ joinType: 'left' }),
      [order('7', 7), order('5', 5), order('7 too', 7), watermark(5), settled, rate('r6', 6), watermark(7), end],
      {
        output: [
          out('5@undefined', 5),
          watermarkOut(5),
          out('7@r6', 7),
          out('7 too@r6', 7),
          watermarkOut(7),
          watermarkOut(Infinity),
        ],
      },
    ))

  test('gets the last to arrive of two versions of one time', () =>
    verify(join(), [rate('old', 3), rate('new', 3), order('5', 5), end], {
      output: [out('5@new', 5), watermarkOut(Infinity)],
    }))

  test('gets no version of another key, and none that was deleted', () =>
    verify(
      join({ joinType: 'left' }),
      [rate('r', 1), rate('r of b', 1, 'b'), rate('x', 5), order('4', 4), order('5', 5), order('6', 6, 'b'), end],
      {
        output: [out('4@r', 4), out('5@undefined', 5), out('6@r of b', 6), watermarkOut(Infinity)],
      },
    ))

  test('without any time is an error, on either side', async () => {
    for (const step of [order('1'), rate('1')]) {
      await verify(join(), [step, end], { failure: { code: 'TIMESTAMP_MISSING', message: /has no timestamp/ } })
    }
  })
})

describe('what is late', () => {
  const lateTag = outputTag<unknown>('late')
  const lateVersionTag = outputTag<unknown>('late version')

  test('is a record at or below the watermark: counted, or sent to the side output', async () => {
    const script = [rate('r', 1), watermark(10), settled, order('10', 10), order('11', 11), end]
    const output = [watermarkOut(10), out('11@r', 11), watermarkOut(Infinity)]
    await verify(join(), script, { output, lateRecordsDropped: 1 })
    await verify(join({ lateTag }), script, { output, sideOutputs: { late: [out({ key: 'a', id: '10' }, 10)] } })
  })

  test('is not a version that records to come need', () =>
    verify(join(), [rate('r1', 1), watermark(10), settled, rate('r8', 8), settled, order('11', 11), end], {
      output: [watermarkOut(10), out('11@r8', 11), watermarkOut(Infinity)],
    }))

  test('is a version when a newer one is in force', async () => {
    const script = [rate('r9', 9), watermark(10), settled, rate('r8', 8), settled, order('11', 11), end]
    const output = [watermarkOut(10), out('11@r9', 11), watermarkOut(Infinity)]
    await verify(join(), script, { output, lateRecordsDropped: 1 })
    const late = out({ key: 'a', id: 'r8' }, 8)
    await verify(join({ lateVersionTag }), script, { output, sideOutputs: { 'late version': [late] } })
  })

  test('is a version that is too old to be valid', () =>
    verify(join({ retentionMs: 5 }), [watermark(10), rate('r5', 5), rate('r6', 6), settled, order('11', 11), end], {
      output: [watermarkOut(10), out('11@r6', 11), watermarkOut(Infinity)],
      lateRecordsDropped: 1,
    }))
})

describe('what is kept by event time', () => {
  test('is the version in force and those to come', () =>
    verify(join(), [rate('r1', 1), rate('r5', 5), watermark(5), settled, order('6', 6), stop], {
      output: [watermarkOut(5)],
      keysHeld: 1,
    }))

  test('is nothing of a key whose version was deleted', async () => {
    await verify(join(), [rate('r1', 1), rate('x', 5), watermark(4)], { output: [watermarkOut(4)], keysHeld: 1 })
    await verify(join(), [rate('r1', 1), rate('x', 5), watermark(5)], { output: [watermarkOut(5)], keysHeld: 0 })
    await verify(join(), [rate('r1', 1), watermark(9), settled, rate('x', 5)], {
      output: [watermarkOut(9)],
      keysHeld: 0,
    })
  })

  test('is nothing of a key whose version is valid no more', async () => {
    const old = join({ retentionMs: 10 })
    await verify(old, [rate('r1', 1), watermark(10)], { output: [watermarkOut(10)], keysHeld: 1 })
    await verify(old, [rate('r1', 1), watermark(11)], { output: [watermarkOut(11)], keysHeld: 0 })
    await verify(old, [rate('r1', 1), order('11', 11), order('12', 12), end], {
      output: [out('11@r1', 11), watermarkOut(Infinity)],
      keysHeld: 0,
    })
  })
})

describe('by processing time a record', () => {
  const current = join({ timeDomain: 'processing-time', joinType: 'left' })

  test('gets the version that arrived last, at once and with its own time', () =>
    verify(
      current,
      [
        order('1', 70),
        settled,
        rate('r', 99),
        settled,
        order('2', 71),
        settled,
        rate('s', 5),
        settled,
        order('3'),
        end,
      ],
      { output: [out('1@undefined', 70), out('2@r', 71), out('3@s'), watermarkOut(Infinity)], keysHeld: 1 },
    ))

  test('gets none that was deleted, nor one that is too old, and neither is kept', async () => {
    await verify(current, [rate('r'), rate('x'), settled, order('1'), end], {
      output: [out('1@undefined'), watermarkOut(Infinity)],
      keysHeld: 0,
    })
    await verify(
      join({ timeDomain: 'processing-time', joinType: 'left', retentionMs: 10 }),
      [
        rate('r'),
        processingTime(5),
        rate('s'),
        processingTime(15),
        order('1'),
        processingTime(16),
        order('2'),
        processingTime(17),
      ],
      { output: [out('1@s'), out('2@undefined')], keysHeld: 0 },
    )
  })

  test('is left out where there is none, unless the join is a left one', () =>
    verify(join({ timeDomain: 'processing-time' }), [order('1'), settled, rate('r'), settled, order('2'), end], {
      output: [out('2@r'), watermarkOut(Infinity)],
    }))
})

interface Event {
  readonly kind: 'order' | 'rate' | 'deletion' | 'watermark'
  readonly key: string
  readonly timeMs: number
}

const event: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom<Event['kind']>('order', 'order', 'rate', 'rate', 'deletion', 'watermark'),
  key: fc.constantFrom('a', 'b'),
  timeMs: fc.integer({ min: 0, max: 30 }),
})

interface Version {
  readonly id: string | undefined
  readonly timeMs: number
}

/**
 * What must come of the events, by a model that keeps every version and looks through all of them; deletions too, until the watermark
 * passes them with nothing newer: then the key is as if it had never been.
 */
function model(events: readonly Event[], { joinType, retentionMs }: TemporalJoinSpec) {
  const versions = new Map<string, Version[]>([
    ['a', []],
    ['b', []],
  ])
  const results: string[] = []
  let waiting: { readonly id: string; readonly key: string; readonly timeMs: number }[] = []
  let watermarkMs = -Infinity
  let late = 0
  const lastAt = (key: string, timeMs: number): Version | undefined =>
    (versions.get(key) ?? [])
      .filter(version => version.timeMs <= timeMs)
      .reduce<Version | undefined>(
        (last, next) => (last === undefined || next.timeMs >= last.timeMs ? next : last),
        undefined,
      )
  const forgetDeleted = (): void => {
    for (const [key, all] of versions) {
      const last = lastAt(key, watermarkMs)
      const toCome = all.filter(({ timeMs }) => timeMs > watermarkMs)
      if (last !== undefined && last.id === undefined) versions.set(key, toCome)
    }
  }
  const advance = (timeMs: number): void => {
    watermarkMs = Math.max(watermarkMs, timeMs)
    for (const order of waiting.filter(order => order.timeMs <= watermarkMs)) {
      const version = lastAt(order.key, order.timeMs)
      const isValid = version !== undefined && version.timeMs + retentionMs >= order.timeMs
      const found = isValid ? version.id : undefined
      if (found !== undefined || joinType === 'left') results.push(`${order.id}@${found} at ${order.timeMs}`)
    }
    waiting = waiting.filter(order => order.timeMs > watermarkMs)
    forgetDeleted()
  }
  for (const [n, { kind, key, timeMs }] of events.entries()) {
    if (kind === 'watermark') advance(timeMs)
    else if (kind === 'order') {
      if (timeMs <= watermarkMs) late++
      else waiting.push({ id: `o${n}`, key, timeMs })
    } else {
      const newestMs = lastAt(key, watermarkMs)?.timeMs ?? -Infinity
      if (timeMs + retentionMs <= watermarkMs || newestMs > timeMs) late++
      else versions.get(key)?.push({ id: kind === 'rate' ? `r${n}` : undefined, timeMs })
      forgetDeleted()
    }
  }
  const isKept = ([key, all]: [string, Version[]]): boolean => {
    const last = lastAt(key, watermarkMs)
    const isInForce = last !== undefined && last.timeMs + retentionMs > watermarkMs
    return isInForce || all.some(({ timeMs }) => timeMs > watermarkMs) || waiting.some(order => order.key === key)
  }
  const keysHeld = [...versions].filter(isKept).length
  advance(Infinity)
  return { results: results.sort(), late, keysHeld }
}

function scriptOf(events: readonly Event[]): ScriptStep[] {
  let newest = -Infinity
  return events.flatMap(({ kind, key, timeMs }, n): ScriptStep[] => {
    if (kind === 'order') return [order(`o${n}`, timeMs, key), settled]
    if (kind === 'rate') return [rate(`r${n}`, timeMs, key), settled]
    if (kind === 'deletion') return [rate(`x${n}`, timeMs, key), settled]
    newest = Math.max(newest, timeMs)
    return [watermark(newest), settled]
  })
}

function resultsOf(output: readonly OutputElement[]): string[] {
  return output.flatMap(element => ('value' in element ? [`${element.value} at ${element.timestamp}`] : [])).sort()
}

describe('random streams', () => {
  test('join as a model that keeps all versions says, deletions and retention included; nothing emitted is late', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 40 }),
        fc.constantFrom('inner' as const, 'left' as const),
        fc.constantFrom(Infinity, 0, 4, 15),
        fc.constantFrom('one' as const, 'many' as const),
        fc.constantFrom('roomy' as const, 'full-every-other-call' as const),
        async (events, joinType, retentionMs, batch, outbox) => {
          const spec = { ...SPEC, joinType, retentionMs }
          const setup = { operator: join(spec), keySelectors, sideOutputTags: [] }
          const open = await runOperator(setup, scriptOf(events), { batch, outbox, budget: 3 })
          const run = await runOperator(setup, [...scriptOf(events), end], { batch, outbox, budget: 3 })
          const expected = model(events, spec)
          assert.equal(run.failure, undefined)
          const output = run.outputs.get('main') ?? []
          assert.deepEqual(resultsOf(output), expected.results)
          assert.equal(run.lateRecordsDropped, expected.late)
          assert.equal(open.keysHeld, expected.keysHeld, 'keys held')
          if (retentionMs !== Infinity) assert.equal(run.keysHeld, 0)
          let watermarkMs = -Infinity
          for (const element of output) {
            if ('watermark' in element) watermarkMs = element.watermark
            if ('value' in element) assert.ok((element.timestamp as number) > watermarkMs, 'a result is late')
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})
