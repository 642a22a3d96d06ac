// Interval joins: which records pair, with which time, what is late, and that nothing is kept longer than a partner may come.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import type { IntervalJoinSpec, JoinType } from '../model/join-functions.ts'
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
import { intervalJoin, type PairFunction, pairMapping } from './interval-join.ts'

interface Side {
  readonly key: string
  readonly id: string
}

const keySelectors = [fieldSelector('key'), fieldSelector('key')]
const SPEC: IntervalJoinSpec = {
  lowerMs: -5,
  upperMs: 5,
  isLowerExclusive: false,
  isUpperExclusive: false,
  timeDomain: 'event-time',
  joinType: 'inner',
}

const ids: PairFunction = pairMapping((left, right) => `${(left as Side)?.id}-${(right as Side)?.id}`)

function join(spec: Partial<IntervalJoinSpec> = {}, fn: PairFunction = ids): OperatorSpec {
  return { kind: 'keyed-co-process', function: intervalJoin({ ...SPEC, ...spec }, fn) as never }
}

/** Between inputs there is no order; with this in between there is. */
const settled = processingTime(0)

function left(id: string, timestamp?: number, key = 'a'): ScriptStep {
  return record({ key, id }, timestamp === undefined ? { input: 0 } : { timestamp, input: 0 })
}

function right(id: string, timestamp?: number, key = 'a'): ScriptStep {
  return record({ key, id }, timestamp === undefined ? { input: 1 } : { timestamp, input: 1 })
}

function verify(operator: OperatorSpec, script: readonly ScriptStep[], expect: OperatorTest['expect']): Promise<void> {
  return verifyOperator({ operator, keySelectors, script, expect })
}

describe('a pair', () => {
  test('lies within the bounds, both included, and has the later time', () =>
    verify(
      join(),
      [
        left('l', 10),
        right('4', 4),
        right('5', 5),
        right('10', 10),
        right('15', 15),
        right('16', 16),
        right('other', 10, 'b'),
        settled,
        left('m', 11),
        end,
      ],
      {
        output: [
          out('l-5', 10),
          out('l-10', 10),
          out('l-15', 15),
          out('m-10', 11),
          out('m-15', 15),
          out('m-16', 16),
          watermarkOut(Infinity),
        ],
        keysHeld: 0,
      },
    ))

  test('at an exclusive bound does not match, whichever side comes last', () => {
    const exclusive = join({ isLowerExclusive: true, isUpperExclusive: true })
    return verify(
      exclusive,
      [
        left('l', 10),
        right('5', 5),
        right('6', 6),
        right('14', 14),
        right('15', 15),
        settled,
        left('m', 20),
        left('n', 9),
        end,
      ],
      {
        output: [out('l-6', 10), out('l-14', 14), out('n-5', 9), out('n-6', 9), watermarkOut(Infinity)],
      },
    )
  })

  test('is told with both times, and its side outputs carry the later one', () => {
    const aside = outputTag<string>('aside')
    const fn: PairFunction = {
      onPair(l, r, ctx, collector) {
        collector.collect([ctx.leftTimestamp, ctx.rightTimestamp, ctx.timestamp, ctx.currentWatermark()])
        ctx.output(aside, `${(l as Side).id}${(r as Side).id}`)
      },
    }
    return verify(join({}, fn), [left('l', 10), watermark(5), right('r', 7), end], {
      output: [watermarkOut(5), out([10, 7, 10, 5], 10), watermarkOut(Infinity)],
      sideOutputs: { aside: [out('lr', 10)] },
    })
  })

  test('cannot wait for a promise', () =>
    verify(join({}, { onPair: () => Promise.resolve() as never }), [left('l', 1), right('r', 1), end], {
      failure: { code: 'USER_FUNCTION_ASYNC', message: /returned a promise/ },
    }))
})

describe('a late record', () => {
  test('is at or below the watermark; it joins nothing and is counted', () =>
    verify(join(), [left('l', 12), watermark(10), right('late', 10), left('late', 9), right('r', 11), end], {
      output: [watermarkOut(10), out('l-r', 12), watermarkOut(Infinity)],
      lateRecordsDropped: 2,
      keysHeld: 0,
    }))

  test('goes to the side output of its side', () =>
    verify(
      join({ lateLeftTag: outputTag('late left'), lateRightTag: outputTag('late right') }),
      [watermark(10), left('l', 10), right('r', 3), end],
      {
        output: [watermarkOut(10), watermarkOut(Infinity)],
        sideOutputs: { 'late left': [out({ key: 'a', id: 'l' }, 10)], 'late right': [out({ key: 'a', id: 'r' }, 3)] },
      },
    ))

  test('without any time is an error', () =>
    verify(join(), [left('l'), end], {
      failure: { code: 'TIMESTAMP_MISSING', message: /record \{"key":"a","id":"l"\} has no timestamp; call assign/ },
    }))
})

describe('what is kept', () => {
  const cases: readonly [bounds: [number, number], side: 'left' | 'right', keptUntil: number][] = [
    [[-5, 5], 'left', 15],
    [[-5, 5], 'right', 15],
    [[0, 20], 'left', 30],
    [[-20, 0], 'right', 30],
  ]
  for (const [[lowerMs, upperMs], side, untilMs] of cases) {
    test(`of the ${side} at 10 goes at ${untilMs} when the bounds are ${lowerMs} and ${upperMs}`, async () => {
      const step = side === 'left' ? left('x', 10) : right('x', 10)
      for (const [watermarkMs, keysHeld] of [
        [untilMs - 1, 1],
        [untilMs, 0],
      ] as const) {
        await verify(join({ lowerMs, upperMs }), [step, watermark(watermarkMs)], {
          output: [watermarkOut(watermarkMs)],
          keysHeld,
        })
      }
    })
  }

  test('is nothing where every partner has come', async () => {
    await verify(join({ lowerMs: -20, upperMs: -10 }), [watermark(0), left('l', 10), stop], {
      output: [watermarkOut(0)],
      keysHeld: 0,
    })
    await verify(join({ lowerMs: 0, upperMs: 20 }), [watermark(9), right('r', 10)], {
      output: [watermarkOut(9)],
      keysHeld: 1,
    })
    await verify(join({ lowerMs: 0, upperMs: 20 }), [right('r', 10), watermark(10)], {
      output: [watermarkOut(10)],
      keysHeld: 0,
    })
  })

  test('is everything without bounds, to the end', () =>
    verify(
      join({ lowerMs: -Infinity, upperMs: Infinity }),
      [left('l', 1), watermark(1000), right('r', 1001), watermark(5000), stop],
      { output: [watermarkOut(1000), out('l-r', 1001), watermarkOut(5000)], keysHeld: 1 },
    ))
})

describe('an inner join', () => {
  test('changes nothing that it searches, so a search gives the next snapshot nothing to write', () => {
    const stateOf = (joinType: JoinType) => Object.values(intervalJoin({ ...SPEC, joinType }, ids).state ?? {})
    assert.ok(stateOf('inner').every(({ isImmutable }) => isImmutable === true))
    assert.ok(stateOf('left').every(({ isImmutable }) => isImmutable !== true))
  })

  test('sets no timer for what it keeps for ever', () =>
    verify(join({ lowerMs: -Infinity, upperMs: Infinity }), [left('l', 1), right('r', 2), end], {
      output: [out('l-r', 2), watermarkOut(Infinity)],
      keysHeld: 1,
    }))
})

describe('an outer join', () => {
  test('emits what found no partner when its interval has closed, with its own time, and holds the watermark back', () =>
    verify(
      join({ joinType: 'full', lowerMs: 0, upperMs: 5 }),
      [left('l', 10), right('r', 9), left('m', 11), right('n', 12), watermark(14), watermark(15), watermark(16), end],
      {
        output: [
          out('l-n', 12),
          out('m-n', 12),
          out('undefined-r', 9),
          watermarkOut(9),
          watermarkOut(10),
          watermarkOut(11),
          watermarkOut(Infinity),
        ],
        keysHeld: 0,
      },
    ))

  test('emits at once what can find no partner any more', () =>
    verify(
      join({ joinType: 'left', lowerMs: -20, upperMs: -10 }),
      [watermark(0), left('l', 10), right('r', 5), left('m', 16), end],
      { output: [watermarkOut(0), out('l-undefined', 10), out('m-r', 16), watermarkOut(Infinity)] },
    ))

  test('leaves the watermark alone where the outer side waits for nothing', () =>
    verify(join({ joinType: 'right', lowerMs: 0, upperMs: 5 }), [right('r', 10), watermark(10), end], {
      output: [out('undefined-r', 10), watermarkOut(10), watermarkOut(Infinity)],
    }))

  test('emits at the end what was left without bounds', () =>
    verify(
      join({ joinType: 'left', lowerMs: -5, upperMs: Infinity }),
      [left('l', 10), left('m', 20), right('r', 15), watermark(100), end],
      { output: [out('l-r', 15), out('m-r', 20), watermarkOut(Infinity)], keysHeld: 0 },
    ))
})

describe('in processing time', () => {
  const arrivals = join({ timeDomain: 'processing-time', lowerMs: 0, upperMs: 10, joinType: 'left' })

  test('pairs by arrival, to the last millisecond, and keeps nothing longer', () =>
    verify(
      arrivals,
      [left('l'), processingTime(10), right('10'), processingTime(11), right('11'), left('m'), processingTime(25)],
      { output: [out('l-10'), out('m-11')], keysHeld: 0 },
    ))

  test('emits what found no partner when its time is over, at the end at once', () =>
    verify(arrivals, [left('l', 77), processingTime(11), left('m'), end], {
      output: [out('l-undefined', 11), out('m-undefined', 22), watermarkOut(Infinity)],
      keysHeld: 0,
    }))
})

interface Event {
  readonly kind: 'left' | 'right' | 'watermark'
  readonly key: string
  readonly timeMs: number
}

const event: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom('left' as const, 'right' as const, 'left' as const, 'right' as const, 'watermark' as const),
  key: fc.constantFrom('a', 'b'),
  timeMs: fc.integer({ min: 0, max: 30 }),
})

const bounds = fc.tuple(fc.integer({ min: -12, max: 12 }), fc.integer({ min: 0, max: 12 }))

interface Arrived {
  readonly id: string
  readonly key: string
  readonly timeMs: number
  readonly isLeft: boolean
}

/** What must come of the events, found by looking at all records at once: nothing is ever let go of. */
function model(events: readonly Event[], spec: IntervalJoinSpec) {
  const { lowerMs, upperMs, isLowerExclusive, isUpperExclusive, joinType } = spec
  const arrived: Arrived[] = []
  let watermarkMs = -Infinity
  let late = 0
  for (const [n, { kind, key, timeMs }] of events.entries()) {
    if (kind === 'watermark') watermarkMs = Math.max(watermarkMs, timeMs)
    else if (timeMs <= watermarkMs) late++
    else arrived.push({ id: `${kind[0]}${n}`, key, timeMs, isLeft: kind === 'left' })
  }
  const matches = (l: Arrived, r: Arrived): boolean => {
    const apart = r.timeMs - l.timeMs
    const isAbove = isLowerExclusive ? apart > lowerMs : apart >= lowerMs
    return l.key === r.key && isAbove && (isUpperExclusive ? apart < upperMs : apart <= upperMs)
  }
  const lefts = arrived.filter(({ isLeft }) => isLeft)
  const rights = arrived.filter(({ isLeft }) => !isLeft)
  const results: string[] = []
  for (const l of lefts)
    for (const r of rights) if (matches(l, r)) results.push(`${l.id}-${r.id} at ${Math.max(l.timeMs, r.timeMs)}`)
  if (joinType === 'left' || joinType === 'full')
    for (const l of lefts) if (!rights.some(r => matches(l, r))) results.push(`${l.id}-undefined at ${l.timeMs}`)
  if (joinType === 'right' || joinType === 'full')
    for (const r of rights) if (!lefts.some(l => matches(l, r))) results.push(`undefined-${r.id} at ${r.timeMs}`)
  const isOpen = ({ isLeft, timeMs }: Arrived): boolean => timeMs + (isLeft ? upperMs : -lowerMs) > watermarkMs
  return {
    results: results.sort(),
    late,
    keysHeld: new Set(arrived.filter(isOpen).map(({ key }) => key)).size,
  }
}

function scriptOf(events: readonly Event[]): ScriptStep[] {
  let newest = -Infinity
  return events.flatMap(({ kind, key, timeMs }, n): ScriptStep[] => {
    if (kind === 'left') return [left(`l${n}`, timeMs, key), settled]
    if (kind === 'right') return [right(`r${n}`, timeMs, key), settled]
    newest = Math.max(newest, timeMs)
    return [watermark(newest), settled]
  })
}

function resultsOf(output: readonly OutputElement[]): string[] {
  return output.flatMap(element => ('value' in element ? [`${element.value} at ${element.timestamp}`] : [])).sort()
}

describe('random streams', () => {
  test('join as if all records were looked at together; nothing emitted is late, and nothing is kept too long', async () => {
    let lateSeen = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 40 }),
        bounds,
        fc.record({ isLowerExclusive: fc.boolean(), isUpperExclusive: fc.boolean() }),
        fc.constantFrom<JoinType>('inner', 'left', 'right', 'full'),
        fc.constantFrom('one' as const, 'many' as const),
        fc.constantFrom('roomy' as const, 'full-every-other-call' as const),
        async (events, [lowerMs, widthMs], exclusive, joinType, batch, outbox) => {
          const spec = { ...SPEC, ...exclusive, lowerMs, upperMs: lowerMs + widthMs, joinType }
          const expected = model(events, spec)
          lateSeen += expected.late
          const setup = { operator: join(spec), keySelectors, sideOutputTags: [] }
          const open = await runOperator(setup, scriptOf(events), { batch, outbox, budget: 3 })
          assert.equal(open.failure, undefined)
          assert.equal(open.keysHeld, expected.keysHeld, 'keys held')
          const run = await runOperator(setup, [...scriptOf(events), end], { batch, outbox, budget: 3 })
          const output = run.outputs.get('main') ?? []
          assert.deepEqual(resultsOf(output), expected.results)
          assert.equal(run.lateRecordsDropped, expected.late)
          assert.equal(run.keysHeld, 0)
          let watermarkMs = -Infinity
          for (const element of output) {
            if ('watermark' in element) watermarkMs = element.watermark
            if ('value' in element) assert.ok((element.timestamp as number) > watermarkMs, 'a result is late')
          }
        },
      ),
      { numRuns: 400 },
    )
    assert.ok(lateSeen > 100, `${lateSeen} late records`)
  })
})
