// Joins and co-groups within windows: what they add to the graph, what is refused at the call, and what they give.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { joinGroups } from '../../functions/join-groups.ts'
import { describeGraph } from '../../model/describe.ts'
import { fieldSelector } from '../../model/key.ts'
import type { OperatorSpec } from '../../model/operator-spec.ts'
import { WINDOW_DEFAULTS, type WindowSpec } from '../../model/window-spec.ts'
import { verifyOperator } from '../../testing/operator-harness.ts'
import { end, out, record, type ScriptStep, watermark, watermarkOut } from '../../testing/operator-script.ts'
import { StreamEnvironment } from './environment.ts'
import { tumblingWindows } from './window-assigners.ts'

interface Untyped {
  readonly [name: string]: (...args: readonly unknown[]) => Untyped
}

function newEnvironment(): StreamEnvironment {
  return new StreamEnvironment({
    defaultParallelism: 2,
    launch: () => assert.fail('nothing may run'),
    explain: graph => ({ text: describeGraph(graph), json: undefined }),
  })
}

function keyed(env: StreamEnvironment) {
  return env.fromElements({ id: 'a' }).keyBy('id')
}

describe('a join within windows', () => {
  test('refuses what it cannot use, and says at which call', () => {
    const env = newEnvironment()
    const [left, right] = [keyed(env) as unknown as Untyped, keyed(env)]
    const window = tumblingWindows(10)
    const refused = (call: () => unknown, message: RegExp): void =>
      assert.throws(call, { code: 'OPTION_INVALID', message })
    refused(() => left.join?.(right, { window }), /join\(\): join.*function/)
    refused(() => left.join?.(right), /join\(\): join.*function/)
    refused(() => left.join?.(right, { join: () => 0 }), /join\(\): window.*expected windows such as/)
    refused(
      () => left.join?.(right, { window, join: () => 0, type: 'outer' }),
      /join\(\).*type is outer; give 'inner' or 'left' or 'right' or 'full'/,
    )
    refused(() => left.join?.(right, { window, join: () => 0, allowedLatenessMs: -1 }), /join\(\).*allowedLatenessMs/)
    refused(() => left.coGroup?.([right], { window }), /coGroup\(\): coGroup.*function/)
    refused(() => left.coGroup?.([right], { coGroup: () => {} }), /coGroup\(\): window.*expected windows such as/)
  })

  test('refuses a stream of another environment', () => {
    const [left, right] = [keyed(newEnvironment()), keyed(newEnvironment())]
    assert.throws(() => left.join(right, { window: tumblingWindows(10), join: () => 0 }), { name: 'StreamError' })
  })

  test('has an input for each stream', () => {
    const env = newEnvironment()
    const [a, b, c] = [keyed(env), keyed(env), keyed(env)]
    a.coGroup([b, c], { window: tumblingWindows(10), coGroup: () => {} }).print()
    assert.match(env.explain().text, /tumbling\(10\) co-group/)
  })
})

function joining(type: 'inner' | 'full', rest: Partial<WindowSpec> = {}): OperatorSpec {
  const text = (side: unknown): string => (side === undefined ? '-' : String((side as { n: number }).n))
  const window: WindowSpec = {
    ...WINDOW_DEFAULTS,
    timeDomain: 'event-time',
    assigner: { kind: 'tumbling', sizeMs: 10, offsetMs: 0 },
    inputs: 2,
    function: {
      kind: 'co-group',
      coGroup: joinGroups(type, (left, right, { key }) => `${String(key)} ${text(left)} ${text(right)}`),
    },
    ...rest,
  }
  return { kind: 'window', window }
}

function at(input: number, timestamp: number, k = 'a'): ScriptStep {
  return record({ k, n: timestamp }, { timestamp, input })
}

const keySelectors = [fieldSelector('k'), fieldSelector('k')]

describe('the window of a join', () => {
  test('ends by the slower of its inputs; late records of either go to the side output', () =>
    verifyOperator({
      operator: joining('inner', { lateOutputTag: 'late' }),
      keySelectors,
      script: [
        at(0, 1),
        watermark(9, { input: 0 }),
        at(1, 2),
        at(1, 3, 'b'),
        watermark(9, { input: 1 }),
        at(0, 5),
        at(1, 6),
        end,
      ],
      expect: {
        output: [out('a 1 2', 9), watermarkOut(9), watermarkOut(Infinity)],
        sideOutputs: { late: [out({ k: 'a', n: 5 }, 5), out({ k: 'a', n: 6 }, 6)] },
      },
    }))

  test('emits all pairs again for a record within the allowed lateness', () =>
    verifyOperator({
      operator: joining('full', { allowedLatenessMs: 5 }),
      keySelectors,
      script: [at(0, 1), at(1, 4, 'b'), watermark(9), at(1, 2), watermark(14), at(1, 3), end],
      expect: {
        output: [
          out('a 1 -', 9),
          out('b - 4', 9),
          watermarkOut(9),
          out('a 1 2', 9),
          watermarkOut(14),
          watermarkOut(Infinity),
        ],
        lateRecordsDropped: 1,
      },
    }))

  test('counts the late records that no output takes', () =>
    verifyOperator({
      operator: joining('inner'),
      keySelectors,
      script: [watermark(30), at(0, 1), at(1, 1), end],
      expect: { output: [watermarkOut(30), watermarkOut(Infinity)], lateRecordsDropped: 2 },
    }))
})
