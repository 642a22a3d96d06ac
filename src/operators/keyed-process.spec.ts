// Keyed functions: state per key, timers in both kinds of time, and what becomes of them at the end of input.
import test, { describe } from 'node:test'
import type { Collector, KeyedCoProcessFunction, KeyedProcessFunction } from '../model/functions.ts'
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
  stop,
  watermark,
  watermarkOut,
} from '../testing/operator-script.ts'

interface Event {
  readonly user: string
  readonly n: number
}

const keySelectors = [fieldSelector('user')]

function keyed<S extends StateDescriptors>(user: KeyedProcessFunction<string, Event, unknown, S>): OperatorSpec {
  return { kind: 'keyed-process', function: user as never }
}

function event(user: string, n: number, timestamp?: number): ScriptStep {
  return record({ user, n }, timestamp === undefined ? {} : { timestamp })
}

/** Registers a timer at the record's number, and says when it fires. */
function timerAt(domain: 'event-time' | 'processing-time'): OperatorSpec {
  return keyed({
    onRecord(event, ctx) {
      if (domain === 'event-time') ctx.timers.registerEventTimeTimer(event.n)
      else ctx.timers.registerProcessingTimeTimer(event.n)
    },
    onTimer: (timestampMs, ctx, collector: Collector<unknown>) =>
      collector.collect([ctx.key, timestampMs, ctx.timeDomain]),
  })
}

describe('state', () => {
  test('of values, lists and maps is kept per key', () =>
    verifyOperator({
      operator: keyed({
        state: { sum: value(0), seen: list<number>(), counts: map<string, number>() },
        onRecord(event, { state, key }, collector) {
          state.sum.set(state.sum.get() + event.n)
          state.seen.add(event.n)
          const parity = event.n % 2 === 0 ? 'even' : 'odd'
          state.counts.set(parity, (state.counts.get(parity) ?? 0) + 1)
          collector.collect([key, state.sum.get(), [...state.seen.get()], [...state.counts.entries()]])
        },
      }),
      keySelectors,
      script: [event('ann', 1, 10), event('bob', 2), event('ann', 4), event('bob', 6), end],
      expect: {
        output: [
          out(['ann', 1, [1], [['odd', 1]]], 10),
          out(['bob', 2, [2], [['even', 1]]]),
          out([
            'ann',
            5,
            [1, 4],
            [
              ['odd', 1],
              ['even', 1],
            ],
          ]),
          out(['bob', 8, [2, 6], [['even', 2]]]),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('begins anew after clear, and objects come from their factory for each key', () =>
    verifyOperator({
      operator: keyed({
        state: { names: value(() => new Set<number>()) },
        onRecord({ n }, { state }, collector) {
          if (n < 0) state.names.clear()
          else state.names.get().add(n)
          collector.collect([...state.names.get()])
        },
      }),
      keySelectors,
      script: [event('a', 1), event('b', 2), event('a', 3), event('a', -1), event('a', 4), end],
      expect: { output: [out([1]), out([2]), out([1, 3]), out([]), out([4]), watermarkOut(Infinity)] },
    }))

  test('outside records and timers is STATE_UNDECLARED', () => {
    let leaked: { get(): number } | undefined
    return verifyOperator({
      operator: keyed({
        state: { sum: value(0) },
        onRecord(_event, { state }) {
          leaked = state.sum
        },
        close: () => leaked?.get(),
      }),
      keySelectors,
      script: [event('a', 1), end],
      expect: { failure: { code: 'STATE_UNDECLARED', message: /step "step": keyed state was used outside onRecord/ } },
    })
  })
})

describe('event-time timers', () => {
  test('fire with the watermark, in the order of time and then of registration, before it is sent on', () =>
    verifyOperator({
      operator: timerAt('event-time'),
      keySelectors,
      script: [
        event('b', 20),
        event('a', 10),
        event('c', 20),
        event('d', 30),
        watermark(9),
        watermark(20),
        watermark(40),
        end,
      ],
      expect: {
        output: [
          watermarkOut(9),
          out(['a', 10, 'event-time'], 10),
          out(['b', 20, 'event-time'], 20),
          out(['c', 20, 'event-time'], 20),
          watermarkOut(20),
          out(['d', 30, 'event-time'], 30),
          watermarkOut(40),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('exist once for a key and time, and can be deleted', () =>
    verifyOperator({
      operator: keyed({
        onRecord({ n }, { timers }) {
          if (n < 0) timers.deleteEventTimeTimer(-n)
          else timers.registerEventTimeTimer(n)
        },
        onTimer: (timestampMs, ctx, collector) => collector.collect([ctx.key, timestampMs]),
      }),
      keySelectors,
      script: [
        event('a', 5),
        event('a', 5),
        event('a', 6),
        event('b', 6),
        event('a', -6),
        event('a', -7),
        watermark(10),
        end,
      ],
      expect: { output: [out(['a', 5], 5), out(['b', 6], 6), watermarkOut(10), watermarkOut(Infinity)] },
    }))

  test('that are pending at the end of input fire, at a stop they do not', async () => {
    const script = [event('a', 50), event('b', 40), watermark(10)]
    await verifyOperator({
      operator: timerAt('event-time'),
      keySelectors,
      script: [...script, end],
      expect: {
        output: [
          watermarkOut(10),
          out(['b', 40, 'event-time'], 40),
          out(['a', 50, 'event-time'], 50),
          watermarkOut(Infinity),
        ],
      },
    })
    await verifyOperator({
      operator: timerAt('event-time'),
      keySelectors,
      script: [...script, stop],
      expect: { output: [watermarkOut(10)] },
    })
  })

  test('registered by a timer fire too when they are due', () =>
    verifyOperator({
      operator: keyed({
        onRecord: ({ n }, { timers }) => timers.registerEventTimeTimer(n),
        onTimer(timestampMs, { timers }, collector) {
          collector.collect(timestampMs)
          if (timestampMs < 30) timers.registerEventTimeTimer(timestampMs + 10)
        },
      }),
      keySelectors,
      script: [event('a', 10), watermark(25), watermark(30), end],
      expect: {
        output: [out(10, 10), out(20, 20), watermarkOut(25), out(30, 30), watermarkOut(30), watermarkOut(Infinity)],
      },
    }))

  test('see the state of their key, the watermark and side outputs', () =>
    verifyOperator({
      operator: keyed({
        state: { count: value(0) },
        onRecord({ n }, { state, timers }) {
          state.count.set(state.count.get() + 1)
          timers.registerEventTimeTimer(n)
        },
        onTimer(timestampMs, ctx, collector) {
          collector.collect([ctx.key, ctx.state.count.get(), ctx.currentWatermark(), ctx.timestamp])
          ctx.output(outputTag<number>('fired'), timestampMs)
          ctx.state.count.clear()
        },
      }),
      keySelectors,
      script: [event('a', 5), event('a', 6), event('b', 7), watermark(8), event('a', 9), end],
      expect: {
        output: [
          out(['a', 2, 8, 5], 5),
          out(['a', 0, 8, 6], 6),
          out(['b', 1, 8, 7], 7),
          watermarkOut(8),
          out(['a', 1, Infinity, 9], 9),
          watermarkOut(Infinity),
        ],
        sideOutputs: { fired: [out(5, 5), out(6, 6), out(7, 7), out(9, 9)] },
      },
    }))

  test('at something that is no time are TIMESTAMP_INVALID', () =>
    verifyOperator({
      operator: timerAt('event-time'),
      keySelectors,
      script: [event('a', Number.NaN), end],
      expect: {
        failure: { code: 'TIMESTAMP_INVALID', message: /a timer was registered at NaN .*give epoch milliseconds/ },
      },
    }))

  test('that throw say when and for which key', () =>
    verifyOperator({
      operator: keyed({
        onRecord: ({ n }, { timers }) => timers.registerEventTimeTimer(n),
        onTimer: () => {
          throw new Error('boom')
        },
      }),
      keySelectors,
      script: [event('ann', 5), watermark(6), end],
      expect: {
        failure: { code: 'USER_FUNCTION_FAILED', message: /in onTimer at 5 \(event-time\) for key "ann": Error: boom/ },
      },
    }))
})

describe('processing-time timers', () => {
  test('fire when their time has come, in order', () =>
    verifyOperator({
      operator: timerAt('processing-time'),
      keySelectors,
      script: [
        event('b', 20),
        event('a', 10),
        event('c', 30),
        processingTime(9),
        processingTime(20),
        watermark(1),
        processingTime(35),
        end,
      ],
      expect: {
        output: [
          out(['a', 10, 'processing-time'], 10),
          out(['b', 20, 'processing-time'], 20),
          watermarkOut(1),
          out(['c', 30, 'processing-time'], 30),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('that are pending at the end of input fire then, but not those that they register; these are counted', () =>
    verifyOperator({
      operator: keyed({
        onRecord: ({ n }, { timers }) => timers.registerProcessingTimeTimer(n),
        onTimer(timestampMs, { timers }, collector) {
          collector.collect(timestampMs)
          timers.registerProcessingTimeTimer(timestampMs + 1000)
        },
      }),
      keySelectors,
      script: [event('a', 100), event('b', 50), end],
      expect: { output: [out(50, 50), out(100, 100), watermarkOut(Infinity)], timersDropped: 2 },
    }))

  test('registered by event-time timers of the final watermark do not fire, and are counted', () =>
    verifyOperator({
      operator: keyed({
        onRecord: ({ n }, { timers }) => timers.registerEventTimeTimer(n),
        onTimer(timestampMs, { timers }, collector) {
          collector.collect(timestampMs)
          timers.registerProcessingTimeTimer(timestampMs + 1000)
        },
      }),
      keySelectors,
      script: [event('a', 100), end],
      expect: { output: [out(100, 100), watermarkOut(Infinity)], timersDropped: 1 },
    }))

  test('do not fire at a stop', () =>
    verifyOperator({
      operator: timerAt('processing-time'),
      keySelectors,
      script: [event('a', 100), stop],
      expect: { output: [] },
    }))
})

describe('keyed co-process', () => {
  const both: KeyedCoProcessFunction<string, Event, Event, unknown, { left: ReturnType<typeof value<number>> }> = {
    state: { left: value<number>(0) as never },
    onFirst(event, { state, timers }) {
      state.left.set((state.left.get() ?? 0) + event.n)
      timers.registerEventTimeTimer(100)
    },
    onSecond: (event, { state, key }, collector) => collector.collect([key, (state.left.get() ?? 0) * event.n]),
    onTimer: (_timestampMs, { state, key }, collector) => collector.collect([key, 'left', state.left.get()]),
  }

  test('shares state and timers between its inputs, per key', () =>
    verifyOperator({
      operator: { kind: 'keyed-co-process', function: both as never },
      keySelectors: [fieldSelector('user'), fieldSelector('user')],
      script: [
        event('a', 3),
        event('a', 4),
        event('b', 1),
        // An exchange keeps no order between inputs: the watermark makes the harness work the first off.
        watermark(10),
        record({ user: 'a', n: 10 }, { input: 1 }),
        record({ user: 'c', n: 10 }, { input: 1 }),
        watermark(100),
        end,
      ],
      expect: {
        output: [
          watermarkOut(10),
          out(['a', 70]),
          out(['c', 0]),
          out(['a', 'left', 7], 100),
          out(['b', 'left', 1], 100),
          watermarkOut(100),
          watermarkOut(Infinity),
        ],
      },
    }))
})
