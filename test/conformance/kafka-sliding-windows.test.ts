// Kafka Streams' sliding windows: the scenarios of its KStreamSlidingWindowAggregateTest and of SuppressScenarioTest (shouldSupportFinalResultsForSlidingWindows),
// same numbers, both ways to emit. Each runs with records one by one and many at once, and with a full outbox. Kafka's input never ends, so
// the scripts end in a stop, at which nothing more fires.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import { fieldSelector } from '../../src/model/key.ts'
import type { PerRecordEmit, PerRecordWindowSpec, WindowedResult } from '../../src/model/per-record-window-spec.ts'
import { runOperator, type Variant } from '../../src/testing/operator-run.ts'
import { record, stop } from '../../src/testing/operator-script.ts'
import { forMonotonousTimestamps } from '../../src/time/watermark-strategies.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

/** Kafka's MockInitializer.STRING_INIT and MockAggregator.TOSTRING_ADDER: `0+1+2`. */
const ADDER: PerRecordWindowSpec['aggregate'] = {
  create: () => '0',
  add: (text: unknown, row: never) => `${String(text)}+${(row as Row).value}`,
  merge: () => assert.fail('nothing is merged'),
  result: (text: unknown) => text,
}

/** Kafka's MockReducer.STRING_ADDER: `1+2`. */
const REDUCER: PerRecordWindowSpec['aggregate'] = {
  ...ADDER,
  create: () => '',
  add: (text: unknown, row: never) => (text === '' ? (row as Row).value : `${String(text)}+${(row as Row).value}`),
}

const COUNT: PerRecordWindowSpec['aggregate'] = { ...ADDER, create: () => 0, add: (n: unknown) => (n as number) + 1 }

interface Row {
  readonly key: string
  readonly value: string
  readonly at: number
}

const VARIANTS: readonly Variant[] = [1, 1000].flatMap(budget =>
  (['one', 'many'] as const).flatMap(batch =>
    (['roomy', 'full-every-other-call'] as const).map(outbox => ({ budget, batch, outbox })),
  ),
)

/** Rows of a text such as `A:1@10 A:2@14`. */
function rows(text: string): Row[] {
  return text.split(/\s+/).map(row => {
    const [, key, value, at] = /^(\w+):(\w+)@(\d+)$/.exec(row) ?? assert.fail(`not a row: ${row}`)
    return { key: key as string, value: value as string, at: Number(at) }
  })
}

interface Scenario {
  readonly differenceMs: number
  readonly graceMs: number
  readonly input: string
  readonly aggregate?: PerRecordWindowSpec['aggregate']
  readonly late?: number
}

/** The results in the order in which they left, as `[A@0/10] 0+1 @10` with the end inclusive, as Kafka writes windows. */
async function results(scenario: Scenario, emit: PerRecordEmit): Promise<string[]> {
  const { differenceMs, graceMs, input, aggregate = ADDER, late = 0 } = scenario
  const window: PerRecordWindowSpec = { timeDifferenceMs: differenceMs, graceMs, emit, recordsMax: 1000, aggregate }
  const setup = {
    operator: { kind: 'per-record-window', window } as const,
    keySelectors: [fieldSelector('key')],
    sideOutputTags: [],
  }
  const script = [...rows(input).map(row => record(row, { timestamp: row.at })), stop]
  let first: string[] | undefined
  for (const variant of VARIANTS) {
    const run = await runOperator(setup, script, variant)
    assert.equal(run.failure, undefined)
    assert.equal(run.lateRecordsDropped, late)
    const lines = (run.outputs.get('main') ?? []).flatMap(element => {
      if (!('value' in element)) return []
      const { key, window: found, value } = element.value as WindowedResult<string, unknown>
      assert.equal(found.end, found.start + differenceMs + 1)
      return [`[${key}@${found.start}/${found.end - 1}] ${String(value)} @${element.timestamp}`]
    })
    first ??= lines
    assert.deepEqual(lines, first, JSON.stringify(variant))
  }
  return first ?? []
}

/** Results window by window, those of one window in the order in which they left. */
function byWindow(lines: readonly string[]): string[] {
  const placeOf = (line: string): [string, number] => {
    const [, key, start] = /^\[(\w+)@(\d+)\//.exec(line) ?? assert.fail(line)
    return [key as string, Number(start)]
  }
  return lines.toSorted((a, b) => {
    const [keyA, startA] = placeOf(a)
    const [keyB, startB] = placeOf(b)
    return keyA < keyB ? -1 : keyA > keyB ? 1 : startA - startB
  })
}

/** Lines of a text of the form `A 0/10: 0+1@10 0+1+2@10`, one window a line. */
function expected(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .flatMap(line => {
      const [place, values] = line.trim().split(': ') as [string, string]
      const [key, window] = place.split(' ')
      return values.split(' ').map(result => `[${key}@${window}] ${result.replace('@', ' @')}`)
    })
}

async function assertBoth(
  { onUpdate, onClose }: { readonly onUpdate?: Scenario; readonly onClose?: Scenario },
  updates: string,
  finals: string,
): Promise<void> {
  if (onUpdate !== undefined) assert.deepEqual(byWindow(await results(onUpdate, 'on-update')), expected(updates))
  if (onClose !== undefined) {
    const closed = await results(onClose, 'on-close')
    assert.deepEqual(byWindow(closed), expected(finals))
    const ends = closed.map(line => Number(/\/(\d+)\]/.exec(line)?.[1]))
    assert.deepEqual(
      ends,
      ends.toSorted((a, b) => a - b),
    )
  }
}

describe('KStreamSlidingWindowAggregateTest', () => {
  test('testAggregateSmallInput', () => {
    const input = 'A:1@10 A:2@10 A:3@14 A:4@15 A:5@20 A:6@22 A:7@30'
    const scenario = { differenceMs: 10, graceMs: 5, input }
    return assertBoth(
      { onUpdate: scenario, onClose: scenario },
      `
      A 0/10: 0+1@10 0+1+2@10
      A 4/14: 0+1+2+3@14
      A 5/15: 0+1+2+3+4@15
      A 10/20: 0+1+2+3+4+5@20
      A 11/21: 0+3@14 0+3+4@15 0+3+4+5@20
      A 12/22: 0+3+4+5+6@22
      A 15/25: 0+4@15 0+4+5@20 0+4+5+6@22
      A 16/26: 0+5@20 0+5+6@22
      A 20/30: 0+5+6+7@30
      A 21/31: 0+6@22 0+6+7@30
      A 23/33: 0+7@30`,
      `
      A 0/10: 0+1+2@10
      A 4/14: 0+1+2+3@14
      A 5/15: 0+1+2+3+4@15
      A 10/20: 0+1+2+3+4+5@20
      A 11/21: 0+3+4+5@20
      A 12/22: 0+3+4+5+6@22`,
    )
  })

  test('testReduceSmallInput', () => {
    const input = 'A:1@10 A:2@14 A:3@15 A:4@22 A:5@26 A:6@30'
    const scenario = { differenceMs: 10, graceMs: 5, input, aggregate: REDUCER }
    return assertBoth(
      { onUpdate: scenario, onClose: scenario },
      `
      A 0/10: 1@10
      A 4/14: 1+2@14
      A 5/15: 1+2+3@15
      A 11/21: 2@14 2+3@15
      A 12/22: 2+3+4@22
      A 15/25: 3@15 3+4@22
      A 16/26: 4@22 4+5@26
      A 20/30: 4+5+6@30
      A 23/33: 5@26 5+6@30
      A 27/37: 6@30`,
      `
      A 0/10: 1@10
      A 4/14: 1+2@14
      A 5/15: 1+2+3@15
      A 11/21: 2+3@15
      A 12/22: 2+3+4@22`,
    )
  })

  test('testAggregateLargeInput', () => {
    const input = `A:1@10 A:2@20 A:3@22 A:4@15
      B:1@12 B:2@13 B:3@18 B:4@19 B:5@25 B:6@14
      C:1@11 C:2@15 C:3@16 C:4@21 C:5@23
      D:4@11 D:2@12 D:3@29 D:5@16`
    return assertBoth(
      {
        onUpdate: { differenceMs: 10, graceMs: 50, input },
        // C:1, D:4, D:2 and D:5 find no open window; B:6 does.
        onClose: { differenceMs: 10, graceMs: 10, input, late: 4 },
      },
      `
      A 0/10: 0+1@10
      A 5/15: 0+1+4@15
      A 10/20: 0+1+2@20 0+1+2+4@20
      A 11/21: 0+2@20 0+2+4@20
      A 12/22: 0+2+3@22 0+2+3+4@22
      A 16/26: 0+2+3@22
      A 21/31: 0+3@22
      B 2/12: 0+1@12
      B 3/13: 0+1+2@13
      B 4/14: 0+1+2+6@14
      B 8/18: 0+1+2+3@18 0+1+2+3+6@18
      B 9/19: 0+1+2+3+4@19 0+1+2+3+4+6@19
      B 13/23: 0+2@13 0+2+3@18 0+2+3+4@19 0+2+3+4+6@19
      B 14/24: 0+3@18 0+3+4@19 0+3+4+6@19
      B 15/25: 0+3+4+5@25
      B 19/29: 0+4@19 0+4+5@25
      B 20/30: 0+5@25
      C 1/11: 0+1@11
      C 5/15: 0+1+2@15
      C 6/16: 0+1+2+3@16
      C 11/21: 0+1+2+3+4@21
      C 12/22: 0+2@15 0+2+3@16 0+2+3+4@21
      C 13/23: 0+2+3+4+5@23
      C 16/26: 0+3@16 0+3+4@21 0+3+4+5@23
      C 17/27: 0+4@21 0+4+5@23
      C 22/32: 0+5@23
      D 1/11: 0+4@11
      D 2/12: 0+4+2@12
      D 6/16: 0+4+2+5@16
      D 12/22: 0+2@12 0+2+5@16
      D 13/23: 0+5@16
      D 19/29: 0+3@29`,
      `
      A 0/10: 0+1@10
      A 5/15: 0+1+4@15
      B 2/12: 0+1@12
      B 3/13: 0+1+2@13
      B 8/18: 0+1+2+3+6@18
      C 5/15: 0+2@15
      C 6/16: 0+2+3@16`,
    )
  })

  test('testEarlyRecordsSmallInput and testEarlyNoGracePeriodSmallInput', () => {
    const input = 'A:1@0 A:2@5 A:3@6 A:4@3 A:5@13 A:6@10 A:7@70'
    const scenario = { differenceMs: 50, graceMs: 0, input }
    return assertBoth(
      { onUpdate: scenario, onClose: scenario },
      `
      A 0/50: 0+1@0 0+1+2@5 0+1+2+3@6 0+1+2+3+4@6 0+1+2+3+4+5@13 0+1+2+3+4+5+6@13
      A 1/51: 0+2@5 0+2+3@6 0+2+3+4@6 0+2+3+4+5@13 0+2+3+4+5+6@13
      A 4/54: 0+2+3@6 0+2+3+5@13 0+2+3+5+6@13
      A 6/56: 0+3@6 0+3+5@13 0+3+5+6@13
      A 7/57: 0+5@13 0+5+6@13
      A 11/61: 0+5@13
      A 20/70: 0+7@70`,
      `
      A 0/50: 0+1+2+3+4+5+6@13
      A 1/51: 0+2+3+4+5+6@13
      A 4/54: 0+2+3+5+6@13
      A 6/56: 0+3+5+6@13
      A 7/57: 0+5+6@13
      A 11/61: 0+5@13`,
    )
  })

  test('testEarlyRecordsRepeatedInput', () => {
    const scenario = { differenceMs: 5, graceMs: 0, input: 'A:1@0 A:2@2 A:3@4 A:4@0 A:5@2 A:6@2 A:7@0 A:8@7' }
    return assertBoth(
      { onUpdate: scenario, onClose: scenario },
      `
      A 0/5: 0+1@0 0+1+2@2 0+1+2+3@4 0+1+2+3+4@4 0+1+2+3+4+5@4 0+1+2+3+4+5+6@4 0+1+2+3+4+5+6+7@4
      A 1/6: 0+2@2 0+2+3@4 0+2+3+5@4 0+2+3+5+6@4
      A 2/7: 0+2+3+5+6+8@7
      A 3/8: 0+3@4 0+3+8@7
      A 5/10: 0+8@7`,
      `
      A 0/5: 0+1+2+3+4+5+6+7@4
      A 1/6: 0+2+3+5+6@4`,
    )
  })

  test('testEarlyRecordsLargeInput', () => {
    const input = 'E:1@0 E:3@5 E:4@6 E:2@3 E:6@13 E:5@10 E:7@4 E:8@2 E:9@15'
    return assertBoth(
      { onUpdate: { differenceMs: 10, graceMs: 50, input }, onClose: { differenceMs: 10, graceMs: 1, input, late: 1 } },
      `
      E 0/10: 0+1@0 0+1+3@5 0+1+3+4@6 0+1+3+4+2@6 0+1+3+4+2+5@10 0+1+3+4+2+5+7@10 0+1+3+4+2+5+7+8@10
      E 1/11: 0+3@5 0+3+4@6 0+3+4+2@6 0+3+4+2+5@10 0+3+4+2+5+7@10 0+3+4+2+5+7+8@10
      E 3/13: 0+3+4+2+6@13 0+3+4+2+6+5@13 0+3+4+2+6+5+7@13
      E 4/14: 0+3+4@6 0+3+4+6@13 0+3+4+6+5@13 0+3+4+6+5+7@13
      E 5/15: 0+3+4+6+5@13 0+3+4+6+5+9@15
      E 6/16: 0+4@6 0+4+6@13 0+4+6+5@13 0+4+6+5+9@15
      E 7/17: 0+6@13 0+6+5@13 0+6+5+9@15
      E 11/21: 0+6@13 0+6+9@15
      E 14/24: 0+9@15`,
      `
      E 0/10: 0+1+3+4+2@6
      E 1/11: 0+3+4+2@6
      E 3/13: 0+3+4+2+6+5+7@13`,
    )
  })

  test('testNoGracePeriodSmallInput', () => {
    const scenario = { differenceMs: 50, graceMs: 0, input: 'A:1@100 A:2@105 A:3@106 A:4@103 A:5@113 A:6@110' }
    return assertBoth(
      { onUpdate: scenario, onClose: scenario },
      `
      A 50/100: 0+1@100
      A 55/105: 0+1+2@105
      A 56/106: 0+1+2+3@106 0+1+2+3+4@106
      A 63/113: 0+1+2+3+4+5@113 0+1+2+3+4+5+6@113
      A 101/151: 0+2@105 0+2+3@106 0+2+3+4@106 0+2+3+4+5@113 0+2+3+4+5+6@113
      A 104/154: 0+2+3@106 0+2+3+5@113 0+2+3+5+6@113
      A 106/156: 0+3@106 0+3+5@113 0+3+5+6@113
      A 107/157: 0+5@113 0+5+6@113
      A 111/161: 0+5@113`,
      `
      A 50/100: 0+1@100
      A 55/105: 0+1+2@105
      A 56/106: 0+1+2+3+4@106`,
    )
  })

  test('late records are dropped and counted', () => {
    const input = 'k:100@200 k:0@100 k:1@101 k:2@102 k:3@103 k:4@104 k:5@105 k:6@15 k:101@300 k:102@400'
    const scenario = { differenceMs: 10, graceMs: 90, input, late: 7 }
    return assertBoth(
      { onUpdate: scenario, onClose: scenario },
      `
      k 190/200: 0+100@200
      k 290/300: 0+101@300
      k 390/400: 0+102@400`,
      `
      k 190/200: 0+100@200
      k 290/300: 0+101@300`,
    )
  })

  test('testAggregateRandomInput: whatever the order, each window ends with the same records', async () => {
    const input = rows(
      `A:A@10 A:B@15 A:C@16 A:D@18 A:E@30 A:F@40 A:G@55 A:H@56 A:I@58 A:J@58 A:K@62 A:L@63 A:M@63 A:N@63 A:O@76 A:P@77
       A:Q@80 A:R@2 A:S@3 A:T@5 A:U@8`,
    )
    const finals = `0 ARSTU, 3 ASTU, 4 ATU, 5 ABTU, 6 ABCU, 8 ABCDU, 9 ABCD, 11 BCD, 16 CD, 17 D, 20 E, 30 EF, 31 F, 45 G, 46 GH,
      48 GHIJ, 52 GHIJK, 53 GHIJKLMN, 56 HIJKLMN, 57 IJKLMN, 59 KLMN, 63 LMN, 66 O, 67 OP, 70 OPQ, 77 PQ, 78 Q, 171 V`
    for (let seed = 1; seed <= 50; seed++) {
      const launcher = new SimulatedLauncher(1, { seed })
      const env = new StreamEnvironment(launcher)
      // Another order for each seed: positions by a multiplier that has no divisor in common with 21.
      const step = [1, 2, 4, 5, 8, 10, 11, 13, 16, 17, 19, 20][seed % 12] as number
      const shuffled = input.map((_, index) => input[(index * step + seed) % input.length] as Row)
      const found = await env
        .fromElements(...shuffled, { key: 'A', value: 'V', at: 181 })
        .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: row => row.at }))
        .keyBy('key')
        .perRecordWindow({ timeDifferenceMs: 10, graceMs: 100, emit: 'on-close' })
        .reduce((a, b) => ({ key: a.key, at: a.at, value: [...(a.value + b.value)].sort().join('') }))
        .executeAndCollect()
      const texts = found.map(({ window, value }) => `${window.start} ${value.value}`)
      assert.deepEqual(texts, finals.split(/,\s+/), `seed ${seed}`)
    }
  })
})

describe('SuppressScenarioTest', () => {
  test('shouldSupportFinalResultsForSlidingWindows', () => {
    const input = 'k1:v1@10 k1:v1@11 k1:v1@10 k1:v1@13 k1:v1@10 k1:v1@24 k1:v1@5 k1:v1@7 k1:v1@90'
    const scenario = { differenceMs: 5, graceMs: 15, input, aggregate: COUNT }
    return assertBoth(
      { onUpdate: scenario, onClose: scenario },
      `
      k1 5/10: 1@10 2@10 3@10 4@10 5@10
      k1 6/11: 2@11 3@11 4@11 5@11
      k1 8/13: 4@13 5@13
      k1 11/16: 1@11 2@13
      k1 12/17: 1@13
      k1 19/24: 1@24
      k1 85/90: 1@90`,
      `
      k1 5/10: 5@10
      k1 6/11: 5@11
      k1 8/13: 5@13
      k1 11/16: 2@13
      k1 12/17: 1@13
      k1 19/24: 1@24`,
    )
  })
})
