// Functions over a stream and a broadcast one: who may read and change the broadcast state, and what of a keyed function they keep.
import test, { describe } from 'node:test'
import type {
  BroadcastDescriptors,
  BroadcastProcessFunction,
  KeyedBroadcastProcessFunction,
} from '../model/broadcast-functions.ts'
import type { Collector } from '../model/functions.ts'
import { fieldSelector } from '../model/key.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { outputTag } from '../model/output-tag.ts'
import { list, map, type StateDescriptors, value } from '../model/state.ts'
import { verifyOperator } from '../testing/operator-harness.ts'
import {
  end,
  out,
  processingTime,
  record,
  type ScriptStep,
  watermark,
  watermarkOut,
} from '../testing/operator-script.ts'

const RULES = { rules: map<string, number>() }
type Rules = typeof RULES

interface Rule {
  readonly name: string
  readonly limit: number | undefined
}

interface Event {
  readonly user: string
  readonly n: number
}

const keySelectors = [fieldSelector('user')]

function unkeyed(
  user: Partial<BroadcastProcessFunction<Event, Rule, unknown, Rules>>,
  broadcast: BroadcastDescriptors = RULES,
): OperatorSpec {
  return { kind: 'broadcast-process', broadcast, function: { onRecord() {}, onBroadcast: keepRule, ...user } as never }
}

function keyed<S extends StateDescriptors>(
  user: Partial<KeyedBroadcastProcessFunction<string, Event, Rule, unknown, Rules, S>>,
): OperatorSpec {
  return {
    kind: 'keyed-broadcast-process',
    broadcast: RULES,
    function: { onRecord() {}, onBroadcast: keepRule, ...user } as never,
  }
}

function keepRule(
  rule: Rule,
  ctx: { broadcast: { rules: { set(name: string, limit: number): void; delete(name: string): boolean } } },
): void {
  if (rule.limit === undefined) ctx.broadcast.rules.delete(rule.name)
  else ctx.broadcast.rules.set(rule.name, rule.limit)
}

function event(user: string, n: number, timestamp?: number): ScriptStep {
  return record({ user, n }, timestamp === undefined ? {} : { timestamp })
}

function rule(name: string, limit?: number, timestamp?: number): ScriptStep {
  return record({ name, limit }, { input: 1, ...(timestamp === undefined ? {} : { timestamp }) })
}

/** Lets what came on one input be worked off before the other's: between inputs there is no order. */
let turn = 0
function then(): ScriptStep {
  return processingTime(++turn)
}

describe('broadcast state', () => {
  test('is what the broadcast records make of it, and each record of the other stream reads it', () =>
    verifyOperator({
      operator: unkeyed({
        onRecord: ({ n }, { broadcast: { rules }, timestamp }, collector) =>
          collector.collect([
            n,
            rules.get('a'),
            rules.has('b'),
            [...rules.keys()],
            [...rules.entries()],
            rules.size,
            timestamp,
          ]),
      }),
      script: [
        event('u', 1),
        then(),
        rule('a', 10),
        rule('b', 20),
        then(),
        event('u', 2, 5),
        then(),
        rule('a', 11),
        rule('b'),
        then(),
        event('u', 3),
        end,
      ],
      expect: {
        output: [
          out([1, undefined, false, [], [], 0, undefined]),
          out(
            [
              2,
              10,
              true,
              ['a', 'b'],
              [
                ['a', 10],
                ['b', 20],
              ],
              2,
              5,
            ],
            5,
          ),
          out([3, 11, false, ['a'], [['a', 11]], 1, undefined]),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('is new in each subtask, however often the descriptors are used', () => {
    const operator = unkeyed({
      onBroadcast(rule, ctx, collector: Collector<unknown>) {
        keepRule(rule, ctx)
        collector.collect(ctx.broadcast.rules.size)
      },
    })
    return verifyOperator({
      operator,
      script: [rule('a', 1), end],
      expect: { output: [out(1), watermarkOut(Infinity)] },
    })
  })

  test('emits from broadcast records too, to side outputs as well, and sees the least watermark of both', () => {
    const log = outputTag<string>('log')
    return verifyOperator({
      operator: unkeyed({
        onBroadcast(rule, ctx, collector: Collector<unknown>) {
          ctx.output(log, `rule ${rule.name}`)
          collector.collect([rule.name, ctx.currentWatermark(), ctx.timestamp])
        },
      }),
      script: [watermark(9, { input: 0 }), watermark(5, { input: 1 }), rule('a', 1, 7), end],
      expect: {
        output: [watermarkOut(5), out(['a', 5, 7], 7), watermarkOut(Infinity)],
        sideOutputs: { log: [out('rule a', 7)] },
      },
    })
  })

  for (const [what, change] of [
    ['set', (rules: Map<string, number>) => rules.set('x', 1)],
    ['delete', (rules: Map<string, number>) => rules.delete('x')],
    ['clear', (rules: Map<string, number>) => rules.clear()],
  ] as const) {
    test(`cannot be changed by another record (${what}): STATE_READ_ONLY`, () =>
      verifyOperator({
        operator: unkeyed({
          onRecord: (_event, { broadcast }) => change(broadcast.rules as unknown as Map<string, number>),
        }),
        script: [event('u', 1)],
        expect: {
          failure: {
            code: 'STATE_READ_ONLY',
            message:
              /step "step": broadcast state "rules" was changed outside onBroadcast.*on record {"user":"u","n":1}/,
          },
        },
      }))
  }

  test('cannot be changed later by what a broadcast record left behind', () => {
    let leaked: { clear(): void } | undefined
    return verifyOperator({
      operator: unkeyed({
        onBroadcast(_rule, ctx) {
          leaked = ctx.broadcast.rules
        },
        onRecord: () => leaked?.clear(),
      }),
      script: [rule('a', 1), then(), event('u', 1)],
      expect: { failure: { code: 'STATE_READ_ONLY', message: /outside onBroadcast/ } },
    })
  })
})

describe('a keyed function beside a broadcast stream', () => {
  test('keeps state per key and reads the broadcast state by records and timers', () =>
    verifyOperator({
      operator: keyed({
        state: { sum: value(0) },
        onRecord(event, { state, key, broadcast, timers }, collector) {
          state.sum.set(state.sum.get() + event.n)
          timers.registerEventTimeTimer(100)
          if (state.sum.get() > (broadcast.rules.get('limit') ?? Infinity)) collector.collect([key, state.sum.get()])
        },
        onTimer: (timestampMs, ctx, collector: Collector<unknown>) =>
          collector.collect([
            ctx.key,
            timestampMs,
            ctx.timeDomain,
            ctx.state.sum.get(),
            ctx.broadcast.rules.get('limit'),
          ]),
      }),
      keySelectors,
      script: [
        event('ann', 5),
        then(),
        rule('limit', 6),
        then(),
        event('ann', 2),
        event('bob', 6),
        then(),
        watermark(100, { input: 0 }),
        rule('limit', 7),
        watermark(100, { input: 1 }),
        end,
      ],
      expect: {
        output: [
          out(['ann', 7]),
          out(['ann', 100, 'event-time', 7, 7], 100),
          out(['bob', 100, 'event-time', 6, 7], 100),
          watermarkOut(100),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('visits by a broadcast record all keys that have the state, and may change it', () =>
    verifyOperator({
      operator: keyed({
        state: { sum: value(0), seen: list<number>() },
        onRecord(event, { state, key }, collector) {
          if (event.n > 0) state.sum.set(state.sum.get() + event.n)
          state.seen.add(event.n)
          collector.collect([key, state.sum.get(), [...state.seen.get()]])
        },
        onBroadcast({ name, limit = 0 }, ctx, collector: Collector<unknown>) {
          ctx.applyToKeyedState('sum', (key, sum) => {
            collector.collect([name, key, sum.get()])
            if (sum.get() > limit) sum.clear()
          })
          ctx.applyToKeyedState('seen', (_key, seen) => seen.clear())
        },
      }),
      keySelectors,
      script: [
        event('ann', 5),
        event('bob', 2),
        event('cid', -1),
        then(),
        rule('a', 4),
        then(),
        rule('b', 4),
        then(),
        event('ann', 1),
        event('bob', 1),
        end,
      ],
      expect: {
        output: [
          out(['ann', 5, [5]]),
          out(['bob', 2, [2]]),
          out(['cid', 0, [-1]]),
          out(['a', 'ann', 5]),
          out(['a', 'bob', 2]),
          out(['b', 'bob', 2]),
          out(['ann', 1, [1]]),
          out(['bob', 3, [1]]),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('has no current key in a broadcast record', () => {
    let leaked: { get(): number } | undefined
    return verifyOperator({
      operator: keyed({
        state: { sum: value(0) },
        onRecord(_event, { state }) {
          leaked = state.sum
        },
        onBroadcast: () => void leaked?.get(),
      }),
      keySelectors,
      script: [event('a', 1), then(), rule('a', 1)],
      expect: { failure: { code: 'STATE_UNDECLARED', message: /keyed state was used outside onRecord/ } },
    })
  })

  test('can visit declared state only', () =>
    verifyOperator({
      operator: keyed({ onBroadcast: (_rule, ctx) => ctx.applyToKeyedState('sum' as never, () => {}) }),
      keySelectors,
      script: [rule('a', 1)],
      expect: { failure: { code: 'STATE_UNDECLARED', message: /state "sum" is not declared.*on record {"name":"a"/ } },
    }))

  test('cannot change the broadcast state by a timer', () =>
    verifyOperator({
      operator: keyed({
        onRecord: (_event, ctx) => ctx.timers.registerEventTimeTimer(1),
        onTimer: (_timestampMs, ctx) => (ctx.broadcast.rules as unknown as Map<string, number>).clear(),
      }),
      keySelectors,
      script: [event('a', 1), watermark(1)],
      expect: { failure: { code: 'STATE_READ_ONLY', message: /in onTimer at 1 \(event-time\) for key "a"/ } },
    }))
})

describe('a broadcast function', () => {
  for (const [what, operator, script] of [
    ['onBroadcast', unkeyed({ onBroadcast: () => Promise.resolve() as never }), rule('a', 1)],
    ['onBroadcast of a keyed one', keyed({ onBroadcast: () => Promise.resolve() as never }), rule('a', 1)],
    ['onRecord', unkeyed({ onRecord: () => Promise.resolve() as never }), event('u', 1)],
  ] as const) {
    test(`must not return a promise (${what})`, () =>
      verifyOperator({
        operator,
        keySelectors: operator.kind === 'keyed-broadcast-process' ? keySelectors : [],
        script: [script],
        expect: { failure: { code: 'USER_FUNCTION_ASYNC', message: /returned a promise.*mapAsync\(\)/ } },
      }))
  }

  test('is opened before the first record and closed at the end', () => {
    const calls: string[] = []
    return verifyOperator({
      // A restored function is opened, and closed, once more.
      snapshots: 'off',
      operator: unkeyed({
        open: ({ parallelism }) => calls.push(`open ${parallelism}`),
        onRecord: () => calls.push('record'),
        close: () => calls.push('close'),
      }),
      script: [event('u', 1), end],
      expect: { observed: ['open 1', 'record', 'close'] },
      observe: () => calls.splice(0),
    })
  })
})
