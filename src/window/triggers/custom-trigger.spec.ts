// Triggers that users write with callbacks, in real windows.
import test, { describe } from 'node:test'
import { fieldSelector } from '../../model/key.ts'
import type { OperatorSpec } from '../../model/operator-spec.ts'
import type { Trigger } from '../../model/trigger-spec.ts'
import { type AssignerSpec, WINDOW_DEFAULTS, type WindowSpec } from '../../model/window-spec.ts'
import { verifyOperator } from '../../testing/operator-harness.ts'
import {
  end,
  out,
  processingTime,
  record,
  type ScriptStep,
  watermark,
  watermarkOut,
} from '../../testing/operator-script.ts'

interface Numbered {
  readonly k: string
  readonly n: number
}

const keySelectors = [fieldSelector('k')]
const tumbling: AssignerSpec = { kind: 'tumbling', sizeMs: 100, offsetMs: 0 }
const session: AssignerSpec = { kind: 'session', gapMs: 10, touching: 'merge', end: 'after-gap' }

/** The numbers of each pane with key and timing: `a early: 1 2`. */
function panes<S>(trigger: Trigger<Numbered, S>, rest: Partial<WindowSpec> = {}): OperatorSpec {
  const window: WindowSpec = {
    ...WINDOW_DEFAULTS,
    timeDomain: 'event-time',
    assigner: tumbling,
    trigger: { kind: 'custom', trigger: trigger as never },
    finalPane: 'never',
    function: {
      kind: 'process',
      function: {
        onWindow: (elements, { key, pane }, collector) =>
          collector.collect(
            `${String(key)} ${pane.timing}: ${(elements as readonly Numbered[]).map(({ n }) => n).join(' ')}`,
          ),
      },
    },
    ...rest,
  }
  return { kind: 'window', window }
}

function at(n: number, k = 'a'): ScriptStep {
  return record({ k, n }, { timestamp: n })
}

describe('a custom trigger', () => {
  test('has state of its own per key and window, and says what happens with each record', () => {
    const everyThird: Trigger<Numbered, number> = {
      create: () => 0,
      onRecord(_record, _timestampMs, ctx) {
        ctx.setState((ctx.state + 1) % 3)
        return ctx.state === 0 ? 'fire-and-purge' : 'continue'
      },
    }
    return verifyOperator({
      operator: panes(everyThird),
      keySelectors,
      script: [at(1), at(2), at(11, 'b'), at(3), at(101), at(4), at(102), at(5), at(103), at(6), at(12, 'b'), end],
      expect: {
        output: [
          out('a early: 1 2 3', 99),
          out('a early: 101 102 103', 199),
          out('a early: 4 5 6', 99),
          watermarkOut(Infinity),
        ],
      },
    })
  })

  test('keeps the records where it only fires', () =>
    verifyOperator({
      operator: panes({ onRecord: ({ n }) => (n % 2 === 0 ? 'fire' : 'continue') }),
      keySelectors,
      script: [at(1), at(2), at(3), at(4), end],
      expect: { output: [out('a early: 1 2', 99), out('a early: 1 2 3 4', 99), watermarkOut(Infinity)] },
    }))

  test('forgets records without firing where it purges', () =>
    verifyOperator({
      operator: panes({
        onRecord: ({ n }) => {
          if (n === 9) return 'purge'
          return n % 2 === 0 ? 'fire' : 'continue'
        },
      }),
      keySelectors,
      script: [at(1), at(9), at(3), at(4), end],
      expect: { output: [out('a early: 3 4', 99), watermarkOut(Infinity)] },
    }))

  test('sees the record with its timestamp, the window, the watermark and the clock', () => {
    const seen: unknown[] = []
    const watching: Trigger<Numbered> = {
      onRecord({ n }, timestampMs, ctx) {
        const { start, end } = ctx.window
        seen.push([n, timestampMs, start, end, ctx.currentWatermark(), ctx.currentProcessingTime()])
        return 'continue'
      },
    }
    return verifyOperator({
      operator: () => {
        seen.length = 0
        return panes(watching)
      },
      keySelectors,
      startMs: 70,
      script: [at(1), watermark(20), processingTime(80), at(150), end],
      observe: () => seen,
      expect: {
        output: [watermarkOut(20), watermarkOut(Infinity)],
        observed: [
          [1, 1, 0, 100, -Infinity, 70],
          [150, 150, 100, 200, 20, 80],
        ],
      },
    })
  })

  test('fires at the event times it registered, in order, each once, but not at those it deleted', () => {
    const seen: number[] = []
    const timed: Trigger<Numbered> = {
      onRecord({ n }, _timestampMs, ctx) {
        if (n === 1) for (const timeMs of [60, 30, 30, 40]) ctx.registerEventTimeTimer(timeMs)
        if (n === 2) ctx.deleteEventTimeTimer(40)
        return 'continue'
      },
      onEventTime(timestampMs) {
        seen.push(timestampMs)
        return 'fire'
      },
    }
    return verifyOperator({
      operator: () => {
        seen.length = 0
        return panes(timed)
      },
      keySelectors,
      script: [at(1), at(2), watermark(29), watermark(30), at(33), watermark(59), watermark(60), end],
      observe: () => seen,
      expect: {
        output: [
          watermarkOut(29),
          out('a early: 1 2', 99),
          watermarkOut(30),
          watermarkOut(59),
          out('a early: 1 2 33', 99),
          watermarkOut(60),
          watermarkOut(Infinity),
        ],
        observed: [30, 60],
      },
    })
  })

  test('registers the end of the window itself, as in Flink, and is asked at each late record', () => {
    const flink: Trigger<Numbered> = {
      onRecord(_record, _timestampMs, ctx) {
        if (ctx.window.end - 1 <= ctx.currentWatermark()) return 'fire'
        ctx.registerEventTimeTimer(ctx.window.end - 1)
        return 'continue'
      },
      onEventTime: (timestampMs, ctx) => (timestampMs === ctx.window.end - 1 ? 'fire' : 'continue'),
    }
    return verifyOperator({
      operator: panes(flink, { allowedLatenessMs: 50 }),
      keySelectors,
      script: [at(1), at(2, 'b'), watermark(98), watermark(99), at(3), end],
      expect: {
        output: [
          watermarkOut(98),
          out('a on-time: 1', 99),
          out('b on-time: 2', 99),
          watermarkOut(99),
          out('a late: 1 3', 99),
          watermarkOut(Infinity),
        ],
      },
    })
  })

  test('may register a time again when one has come', () => {
    const repeating: Trigger<Numbered> = {
      onRecord({ n }, _timestampMs, ctx) {
        if (n === 1) ctx.registerEventTimeTimer(20)
        return 'continue'
      },
      onEventTime(timestampMs, ctx) {
        if (timestampMs < 80) ctx.registerEventTimeTimer(timestampMs + 20)
        return timestampMs % 40 === 0 ? 'fire' : 'continue'
      },
    }
    return verifyOperator({
      operator: panes(repeating),
      keySelectors,
      script: [at(1), watermark(20), watermark(40), at(50), watermark(60), watermark(80), end],
      expect: {
        output: [
          watermarkOut(20),
          out('a early: 1', 99),
          watermarkOut(40),
          watermarkOut(60),
          out('a early: 1 50', 99),
          watermarkOut(80),
          watermarkOut(Infinity),
        ],
      },
    })
  })

  test('fires at the processing times it registered, but not at those it deleted', () => {
    const timed: Trigger<Numbered> = {
      onRecord({ n }, _timestampMs, ctx) {
        if (n === 2) ctx.deleteProcessingTimeTimer(10)
        else ctx.registerProcessingTimeTimer(ctx.currentProcessingTime() + 10)
        return 'continue'
      },
      onProcessingTime: timestampMs => (timestampMs > 10 ? 'fire-and-purge' : 'continue'),
    }
    return verifyOperator({
      operator: panes(timed),
      keySelectors,
      script: [
        at(1),
        at(2),
        processingTime(10),
        at(3),
        processingTime(19),
        processingTime(20),
        processingTime(99),
        end,
      ],
      expect: { output: [out('a early: 1 2 3', 99), watermarkOut(Infinity)] },
    })
  })

  test('joins its states and timers where windows merge', () => {
    const seen: string[] = []
    const counting: Trigger<Numbered, number> = {
      create: () => 0,
      onRecord(_record, timestampMs, ctx) {
        ctx.setState(ctx.state + 1)
        ctx.registerEventTimeTimer(timestampMs + 5)
        return ctx.state === 4 ? 'fire' : 'continue'
      },
      onEventTime(timestampMs, ctx) {
        seen.push(`${timestampMs} in [${ctx.window.start}, ${ctx.window.end}) with ${ctx.state}`)
        return 'continue'
      },
      merge: (a, b) => a + b,
    }
    return verifyOperator({
      operator: () => {
        seen.length = 0
        return panes(counting, { assigner: session })
      },
      keySelectors,
      script: [at(1), at(2), at(15), at(8), watermark(13), end],
      observe: () => seen,
      expect: {
        output: [out('a early: 1 2 15 8', 24), watermarkOut(13), watermarkOut(Infinity)],
        observed: ['6 in [1, 25) with 4', '7 in [1, 25) with 4', '13 in [1, 25) with 4', '20 in [1, 25) with 4'],
      },
    })
  })

  test('is refused when it answers with what is no answer, with the step', () =>
    verifyOperator({
      operator: panes({ onRecord: () => undefined as never }),
      keySelectors,
      script: [at(1), end],
      expect: {
        failure: {
          code: 'USER_FUNCTION_RESULT',
          message: /step.*the trigger returned undefined; return 'continue', 'fire', 'purge' or 'fire-and-purge'/s,
        },
      },
    }))

  test('loses neither its failure nor the place of it', () =>
    verifyOperator({
      operator: panes({
        onRecord(_record, _timestampMs, ctx) {
          ctx.registerEventTimeTimer(5)
          return 'continue'
        },
        onEventTime: () => {
          throw new Error('out of ink')
        },
      }),
      keySelectors,
      script: [at(1), watermark(5), end],
      expect: { failure: { code: 'USER_FUNCTION_FAILED', message: /step "step".*key "?a"? in window.*out of ink/s } },
    }))

  test('may be part of another trigger', () =>
    verifyOperator({
      operator: panes(
        {
          onRecord: () => 'continue',
        },
        {
          trigger: {
            kind: 'or-finally',
            trigger: { kind: 'repeatedly', trigger: { kind: 'after-count', count: 2 } },
            until: {
              kind: 'custom',
              trigger: { onRecord: ({ n }: Numbered) => (n === 50 ? 'fire' : 'continue') } as never,
            },
          },
        },
      ),
      keySelectors,
      script: [at(1), at(2), at(3), at(50), at(4), at(5), end],
      expect: {
        output: [out('a early: 1 2', 99), out('a early: 1 2 3 50', 99), watermarkOut(Infinity)],
      },
    }))
})
