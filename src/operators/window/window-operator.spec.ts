// Windows in both kinds of time: assignment, firing, lateness, the end of input. Count windows are in count-windows.spec.ts.
import test, { describe } from 'node:test'
import { fieldSelector } from '../../model/key.ts'
import type { OperatorSpec } from '../../model/operator-spec.ts'
import {
  type AssignerSpec,
  WINDOW_DEFAULTS,
  type WindowFunctionSpec,
  type WindowSpec,
} from '../../model/window-spec.ts'
import { verifyOperator } from '../../testing/operator-harness.ts'
import {
  end,
  out,
  processingTime,
  record,
  type ScriptStep,
  stop,
  watermark,
  watermarkOut,
} from '../../testing/operator-script.ts'

const keySelectors = [fieldSelector('k')]

/** Says key and window with the numbers it holds: `a [0, 10): 1 2`. */
const apply: WindowFunctionSpec = {
  kind: 'process',
  function: {
    onWindow: (elements, { key, window }, collector) => {
      const numbers = (elements as readonly { n: number }[]).map(({ n }) => n)
      collector.collect(`${String(key)} [${window.start}, ${window.end}): ${numbers.join(' ')}`)
    },
  },
}

const sum: WindowFunctionSpec = {
  kind: 'aggregate',
  aggregate: {
    create: () => 0,
    add: (total: never, record: never) => (total as number) + (record as { n: number }).n,
    merge: (a: never) => a,
    result: (total: never) => total,
  } as never,
}

function windows(assigner: AssignerSpec, rest: Partial<WindowSpec> = {}): OperatorSpec {
  const window: WindowSpec = {
    ...WINDOW_DEFAULTS,
    timeDomain: 'event-time',
    assigner,
    function: apply,
    ...rest,
  }
  return { kind: 'window', window }
}

function tumbling(sizeMs: number, offsetMs = 0): AssignerSpec {
  return { kind: 'tumbling', sizeMs, offsetMs }
}

function sliding(sizeMs: number, slideMs: number, offsetMs = 0): AssignerSpec {
  return { kind: 'sliding', sizeMs, slideMs, offsetMs }
}

/** A record of key a whose number is its timestamp. */
function at(timestamp: number, k = 'a'): ScriptStep {
  return record({ k, n: timestamp }, { timestamp })
}

describe('tumbling windows of event time', () => {
  test('fire when the watermark reaches their last millisecond, key by key, with that as timestamp', () =>
    verifyOperator({
      operator: windows(tumbling(10)),
      keySelectors,
      script: [at(0), at(9), at(3, 'b'), at(10), watermark(8), watermark(9), at(15), watermark(30), end],
      expect: {
        output: [
          watermarkOut(8),
          out('a [0, 10): 0 9', 9),
          out('b [0, 10): 3', 9),
          watermarkOut(9),
          out('a [10, 20): 10 15', 19),
          watermarkOut(30),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('fire in the order of their ends, however records came', () =>
    verifyOperator({
      operator: windows(tumbling(10)),
      keySelectors,
      script: [at(25), at(5), at(15), watermark(100), end],
      expect: {
        output: [
          out('a [0, 10): 5', 9),
          out('a [10, 20): 15', 19),
          out('a [20, 30): 25', 29),
          watermarkOut(100),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('hold an accumulator instead of their records where the function is an aggregation', () =>
    verifyOperator({
      operator: windows(tumbling(10), { function: sum }),
      keySelectors,
      script: [at(1), at(2), at(3, 'b'), at(12), watermark(9), end],
      expect: { output: [out(3, 9), out(3, 9), watermarkOut(9), out(12, 19), watermarkOut(Infinity)] },
    }))

  test('may be offset, and reach before the epoch', () =>
    verifyOperator({
      operator: windows(tumbling(10, 3)),
      keySelectors,
      script: [at(-8), at(-7), at(2), at(3), end],
      expect: {
        output: [
          out('a [-17, -7): -8', -8),
          out('a [-7, 3): -7 2', 2),
          out('a [3, 13): 3', 12),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('fire at the end of input, at a stop they do not', async () => {
    const script = [at(1), watermark(4)]
    const operator = windows(tumbling(10))
    const fired = [watermarkOut(4), out('a [0, 10): 1', 9), watermarkOut(Infinity)]
    await verifyOperator({ operator, keySelectors, script: [...script, end], expect: { output: fired } })
    await verifyOperator({ operator, keySelectors, script: [...script, stop], expect: { output: [watermarkOut(4)] } })
  })

  test('that have many keys fire over many steps, and the watermark follows the last', () => {
    const keys = Array.from({ length: 2500 }, (_, i) => `k${i}`)
    return verifyOperator({
      operator: windows(tumbling(10), { function: sum }),
      keySelectors,
      script: [...keys.map(k => at(1, k)), watermark(9), end],
      expect: { output: [...keys.map(() => out(1, 9)), watermarkOut(9), watermarkOut(Infinity)] },
    })
  })

  test('need timestamps: a record without is TIMESTAMP_MISSING', () =>
    verifyOperator({
      operator: windows(tumbling(10)),
      keySelectors,
      script: [record({ k: 'a', n: 1 }), end],
      expect: {
        failure: {
          code: 'TIMESTAMP_MISSING',
          message: /record {"k":"a","n":1} has no timestamp.*assignTimestampsAndWatermarks/,
        },
      },
    }))
})

describe('sliding windows of event time', () => {
  test('hold each record once for every slide within the size', () =>
    verifyOperator({
      operator: windows(sliding(10, 5)),
      keySelectors,
      script: [at(2), at(7), watermark(9), at(11), watermark(20), end],
      expect: {
        output: [
          out('a [-5, 5): 2', 4),
          out('a [0, 10): 2 7', 9),
          watermarkOut(9),
          out('a [5, 15): 7 11', 14),
          out('a [10, 20): 11', 19),
          watermarkOut(20),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('may be offset, and the slide need not divide the size', () =>
    verifyOperator({
      operator: windows(sliding(10, 4, 1)),
      keySelectors,
      script: [at(6), end],
      expect: {
        output: [out('a [-3, 7): 6', 6), out('a [1, 11): 6', 10), out('a [5, 15): 6', 14), watermarkOut(Infinity)],
      },
    }))

  test('take a record into those windows that are still open, and it is late only when none is', () =>
    verifyOperator({
      operator: windows(sliding(10, 5)),
      keySelectors,
      script: [watermark(11), at(7), at(2), end],
      expect: { output: [watermarkOut(11), out('a [5, 15): 7', 14), watermarkOut(Infinity)], lateRecordsDropped: 1 },
    }))
})

describe('late records', () => {
  test('are counted and dropped', () =>
    verifyOperator({
      operator: windows(tumbling(10)),
      keySelectors,
      script: [at(1), watermark(9), at(2), at(3, 'b'), at(12), end],
      expect: {
        output: [out('a [0, 10): 1', 9), watermarkOut(9), out('a [10, 20): 12', 19), watermarkOut(Infinity)],
        lateRecordsDropped: 2,
      },
    }))

  test('go to the side output that asks for them, with their timestamps, and are not counted', () =>
    verifyOperator({
      operator: windows(tumbling(10), { lateOutputTag: 'late' }),
      keySelectors,
      script: [watermark(9), at(2), at(3), end],
      expect: {
        output: [watermarkOut(9), watermarkOut(Infinity)],
        sideOutputs: { late: [out({ k: 'a', n: 2 }, 2), out({ k: 'a', n: 3 }, 3)] },
      },
    }))

  test('fire their window again while the lateness allows, each alone, with all that came before', () =>
    verifyOperator({
      operator: windows(tumbling(10), { allowedLatenessMs: 5, lateOutputTag: 'late' }),
      keySelectors,
      script: [at(1), watermark(9), at(2), at(3), at(4, 'b'), watermark(13), at(5), watermark(14), at(6), end],
      expect: {
        output: [
          out('a [0, 10): 1', 9),
          watermarkOut(9),
          out('a [0, 10): 1 2', 9),
          out('a [0, 10): 1 2 3', 9),
          out('b [0, 10): 4', 9),
          watermarkOut(13),
          out('a [0, 10): 1 2 3 5', 9),
          watermarkOut(14),
          watermarkOut(Infinity),
        ],
        sideOutputs: { late: [out({ k: 'a', n: 6 }, 6)] },
      },
    }))

  test('open a window of their own within the lateness if none came in time', () =>
    verifyOperator({
      operator: windows(tumbling(10), { allowedLatenessMs: 5, function: sum }),
      keySelectors,
      script: [watermark(12), at(4), at(5), watermark(14), at(6), end],
      expect: {
        output: [watermarkOut(12), out(4, 9), out(9, 9), watermarkOut(14), watermarkOut(Infinity)],
        lateRecordsDropped: 1,
      },
    }))
})

describe('windows of processing time', () => {
  const operator = windows(tumbling(10), { timeDomain: 'processing-time' })

  test('fire when their time is over, and hold what came in their last millisecond', () =>
    verifyOperator({
      operator,
      keySelectors,
      script: [
        record({ k: 'a', n: 1 }),
        processingTime(9),
        record({ k: 'a', n: 2 }),
        processingTime(10),
        record({ k: 'a', n: 3 }),
        processingTime(25),
        end,
      ],
      expect: { output: [out('a [0, 10): 1 2', 9), out('a [10, 20): 3', 19), watermarkOut(Infinity)] },
    }))

  test('that are sliding fire one by one', () =>
    verifyOperator({
      operator: windows(sliding(10, 5), { timeDomain: 'processing-time' }),
      keySelectors,
      startMs: 2,
      script: [
        record({ k: 'a', n: 1 }),
        processingTime(5),
        processingTime(7),
        record({ k: 'a', n: 2 }),
        processingTime(30),
        end,
      ],
      expect: {
        output: [out('a [-5, 5): 1', 4), out('a [0, 10): 1 2', 9), out('a [5, 15): 2', 14), watermarkOut(Infinity)],
      },
    }))

  test('go by the clock, not by timestamps or watermarks, and no record is late', () =>
    verifyOperator({
      operator,
      keySelectors,
      startMs: 100,
      script: [at(1), watermark(1000), at(2), processingTime(110), end],
      expect: { output: [watermarkOut(1000), out('a [100, 110): 1 2', 109), watermarkOut(Infinity)] },
    }))

  test('fire at the end of input, at a stop they do not', async () => {
    const script = [record({ k: 'a', n: 1 }), record({ k: 'b', n: 2 })]
    const fired = [out('a [0, 10): 1', 9), out('b [0, 10): 2', 9), watermarkOut(Infinity)]
    await verifyOperator({ operator, keySelectors, script: [...script, end], expect: { output: fired } })
    await verifyOperator({ operator, keySelectors, script: [...script, stop], expect: { output: [] } })
  })
})

describe('a mistake in the function of a window', () => {
  const failing = (definition: WindowFunctionSpec) => windows(tumbling(10), { function: definition })

  test('that is applied names key and window', () =>
    verifyOperator({
      operator: failing({
        kind: 'process',
        function: {
          onWindow: () => {
            throw new Error('boom')
          },
        },
      }),
      keySelectors,
      script: [at(1), watermark(20), end],
      expect: {
        failure: {
          code: 'USER_FUNCTION_FAILED',
          message: /step "step": .*for key "a" in window \[0, 10\): Error: boom/,
        },
      },
    }))

  test('that aggregates names the record, or the window', async () => {
    const aggregate = { create: () => 0, add: () => 1, merge: () => 0, result: () => 0 }
    const boom = (): never => {
      throw new Error('boom')
    }
    await verifyOperator({
      operator: failing({ kind: 'aggregate', aggregate: { ...aggregate, add: boom } }),
      keySelectors,
      script: [at(1), end],
      expect: { failure: { code: 'USER_FUNCTION_FAILED', message: /on record {"k":"a","n":1}: Error: boom/ } },
    })
    await verifyOperator({
      operator: failing({ kind: 'aggregate', aggregate: { ...aggregate, result: boom } }),
      keySelectors,
      script: [at(1), end],
      expect: { failure: { code: 'USER_FUNCTION_FAILED', message: /for key "a" in window \[0, 10\): Error: boom/ } },
    })
  })

  test('that forgets to return the accumulator is USER_FUNCTION_RESULT, with its first record', () =>
    verifyOperator({
      operator: failing({
        kind: 'aggregate',
        aggregate: { create: () => 0, add: () => undefined, merge: () => 0, result: () => 'lost' },
      }),
      keySelectors,
      script: [at(1), end],
      expect: {
        failure: { code: 'USER_FUNCTION_RESULT', message: /add\(\) of the aggregate returned undefined.*record 1 of/ },
      },
    }))
})
