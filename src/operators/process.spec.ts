// Functions without key over one and two inputs: collectors, contexts, side outputs, open and close.
import test, { describe } from 'node:test'
import type { CoProcessFunction, ProcessFunction } from '../model/functions.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { outputTag } from '../model/output-tag.ts'
import { verifyOperator } from '../testing/operator-harness.ts'
import {
  end,
  idle,
  out,
  processingTime,
  record,
  statusOut,
  watermark,
  watermarkOut,
} from '../testing/operator-script.ts'

const ODD = outputTag<number>('odd')

function process(user: ProcessFunction<number, unknown>): OperatorSpec {
  return { kind: 'process', function: user }
}

function coProcess(user: CoProcessFunction<number, string, unknown>): OperatorSpec {
  return { kind: 'co-process', function: user }
}

describe('process', () => {
  test('emits any number of records, and others to side outputs, with the timestamp of the record', () =>
    verifyOperator({
      operator: process({
        onRecord(n, ctx, collector) {
          if (n % 2 === 1) ctx.output(ODD, n)
          for (let i = 0; i < n; i++) collector.collect(`${n}.${i}`)
        },
      }),
      script: [record(2, { timestamp: 20 }), record(1, { timestamp: 10 }), record(0), record(3), end],
      expect: {
        output: [
          out('2.0', 20),
          out('2.1', 20),
          out('1.0', 10),
          out('3.0'),
          out('3.1'),
          out('3.2'),
          watermarkOut(Infinity),
        ],
        sideOutputs: { odd: [out(1, 10), out(3)] },
      },
    }))

  test('may emit to a side output that nobody reads', () =>
    verifyOperator({
      operator: process({ onRecord: (n, ctx) => ctx.output(ODD, n) }),
      script: [record(1), end],
      expect: { output: [watermarkOut(Infinity)] },
    }))

  test('sees timestamp, watermark and processing time', () =>
    verifyOperator({
      operator: process({
        onRecord: (n, ctx, collector) =>
          collector.collect([
            n,
            ctx.timestamp,
            ctx.currentWatermark(),
            ctx.currentProcessingTime(),
            ctx.subtaskIndex,
            ctx.parallelism,
          ]),
      }),
      startMs: 100,
      script: [record(1), watermark(5), record(2, { timestamp: 6 }), processingTime(200), record(3), end],
      expect: {
        output: [
          out([1, undefined, -Infinity, 100, 0, 1]),
          watermarkOut(5),
          out([2, 6, 5, 100, 0, 1], 6),
          out([3, undefined, 5, 200, 0, 1]),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('is opened before the first record and closed once after the last', () => {
    let calls: string[] = []
    return verifyOperator({
      // A restored function is opened, and closed, once more.
      snapshots: 'off',
      operator: () => {
        calls = []
        return process({
          open: ({ subtaskIndex, parallelism }) => calls.push(`open ${subtaskIndex} of ${parallelism}`),
          onRecord: n => calls.push(`record ${n}`),
          close: () => calls.push('close'),
        })
      },
      script: [record(1), record(2), end],
      observe: () => calls,
      expect: { output: [watermarkOut(Infinity)], observed: ['open 0 of 1', 'record 1', 'record 2', 'close'] },
    })
  })

  test('is closed once after a failure too', () => {
    let closed = 0
    return verifyOperator({
      operator: () => {
        closed = 0
        return process({
          onRecord: () => {
            throw new Error('boom')
          },
          close: () => {
            closed++
          },
        })
      },
      script: [record(1), end],
      observe: () => closed,
      expect: { failure: { code: 'USER_FUNCTION_FAILED', message: /on record 1: Error: boom/ }, observed: 1 },
    })
  })

  for (const when of ['open', 'close'] as const) {
    test(`a failure in ${when} says so`, () =>
      verifyOperator({
        operator: process({
          onRecord: () => {},
          [when]: () => {
            throw new Error('boom')
          },
        }),
        script: [end],
        expect: {
          failure: {
            code: 'USER_FUNCTION_FAILED',
            message: new RegExp(`step "step": .* in ${when}\\(\\): Error: boom`),
          },
        },
      }))
  }
})

describe('co-process', () => {
  const tagged = coProcess({
    onFirst: (n, ctx, collector) => collector.collect(['first', n, ctx.timestamp]),
    onSecond: (text, ctx, collector) => collector.collect(['second', text, ctx.currentWatermark()]),
  })

  // At the end the first input is over before the second: its watermark no longer counts.
  test('gives each input to its function; the watermark is the smaller of both', () =>
    verifyOperator({
      // Which input is over first at the end goes by which of them was looked at last.
      snapshots: 'off',
      operator: tagged,
      script: [
        watermark(10, { input: 0 }),
        watermark(4, { input: 1 }),
        record('b', { input: 1, timestamp: 5 }),
        watermark(20, { input: 1 }),
        processingTime(1),
        end,
      ],
      expect: {
        output: [
          watermarkOut(4),
          out(['second', 'b', 4], 5),
          watermarkOut(10),
          watermarkOut(20),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('leaves an idle input out, and is idle when both are', () =>
    verifyOperator({
      operator: tagged,
      script: [watermark(10, { input: 0 }), idle(1), idle(0), end],
      expect: { output: [watermarkOut(10), statusOut(true), watermarkOut(Infinity), statusOut(false)] },
    }))

  test('ends with the last of its inputs, each of which gives all its records', () =>
    verifyOperator({
      operator: coProcess({
        onFirst: () => {},
        onSecond: (text, _ctx, collector) => collector.collect(text),
      }),
      script: [record(1), record('a', { input: 1 }), record('b', { input: 1 }), record(2), end],
      expect: { output: [out('a'), out('b'), watermarkOut(Infinity)] },
    }))
})

test('a process function that returns a promise is refused', () =>
  verifyOperator({
    operator: { kind: 'process', function: { onRecord: () => Promise.resolve() as unknown as undefined } },
    script: [record(1), end],
    expect: { failure: { code: 'USER_FUNCTION_ASYNC', message: /returned a promise.*on record 1/ } },
  }))
