// What keyed functions may do to their output beside emitting: give it another timestamp, hold the watermark back, give records up.
import test, { describe } from 'node:test'
import type { Collector, KeyedProcessFunction } from '../model/functions.ts'
import { fieldSelector } from '../model/key.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { outputTag } from '../model/output-tag.ts'
import { list, type StateDescriptors } from '../model/state.ts'
import { verifyOperator } from '../testing/operator-harness.ts'
import { end, out, record, type ScriptStep, stop, watermark, watermarkOut } from '../testing/operator-script.ts'

interface Event {
  readonly user: string
  readonly n: number
}

const keySelectors = [fieldSelector('user')]
const aside = outputTag<number>('aside')

function keyed<S extends StateDescriptors>(user: KeyedProcessFunction<string, Event, unknown, S>): OperatorSpec {
  return { kind: 'keyed-process', function: user as never }
}

function event(n: number, timestamp?: number): ScriptStep {
  return record({ user: 'ann', n }, timestamp === undefined ? {} : { timestamp })
}

describe('setOutputTimestamp', () => {
  const backdating = keyed({
    onRecord(event, ctx, collector: Collector<unknown>) {
      collector.collect(['before', event.n])
      ctx.setOutputTimestamp(event.n)
      collector.collect(['after', event.n, ctx.timestamp])
      ctx.output(aside, event.n)
    },
  })

  test('holds for what is emitted from there to the end of the call, side outputs too', () =>
    verifyOperator({
      operator: backdating,
      keySelectors,
      script: [event(3, 10), event(4, 20), end],
      expect: {
        output: [
          out(['before', 3], 10),
          out(['after', 3, 3], 3),
          out(['before', 4], 20),
          out(['after', 4, 4], 4),
          watermarkOut(Infinity),
        ],
        sideOutputs: { aside: [out(3, 3), out(4, 4)] },
      },
    }))

  test('holds for timers as well', () =>
    verifyOperator({
      operator: keyed({
        onRecord: (event, ctx) => ctx.timers.registerEventTimeTimer(event.n),
        onTimer(timestampMs, ctx, collector: Collector<unknown>) {
          ctx.setOutputTimestamp(timestampMs - 5)
          collector.collect(timestampMs)
        },
      }),
      keySelectors,
      script: [event(10, 1), event(20, 2), watermark(15), stop],
      expect: { output: [out(10, 5), watermarkOut(15)], keysHeld: 1 },
    }))

  test('fails where the record itself has none, since nothing behind the step would carry it', () =>
    verifyOperator({
      operator: backdating,
      keySelectors,
      script: [event(3), end],
      expect: {
        failure: { code: 'TIMESTAMP_MISSING', message: /setOutputTimestamp\(\) .* has no timestamp; call assign/ },
      },
    }))

  test('fails for what is no time', () =>
    verifyOperator({
      operator: backdating,
      keySelectors,
      script: [event(Number.NaN, 5), end],
      expect: {
        failure: { code: 'TIMESTAMP_INVALID', message: /setOutputTimestamp\(NaN\): expected a finite number/ },
      },
    }))
})

describe('watermarkDelayMs', () => {
  const gathering = keyed({
    state: { waiting: list<number>() },
    watermarkDelayMs: 100,
    onRecord(event, ctx) {
      ctx.state.waiting.add(ctx.timestamp as number)
      ctx.timers.registerEventTimeTimer((ctx.timestamp as number) + 100)
      ctx.timers.registerEventTimeTimer(event.n)
    },
    onTimer(timestampMs, ctx, collector: Collector<unknown>) {
      for (const waitingMs of ctx.state.waiting.get()) {
        ctx.setOutputTimestamp(waitingMs)
        collector.collect([waitingMs, timestampMs])
      }
      ctx.state.waiting.clear()
    },
  })

  test('keeps the watermark behind, so that what is emitted later than its time is not late', () =>
    verifyOperator({
      operator: gathering,
      keySelectors,
      script: [event(110, 10), watermark(60), watermark(110), end],
      expect: {
        output: [watermarkOut(-40), out([10, 110], 10), watermarkOut(10), watermarkOut(Infinity)],
        keysHeld: 0,
      },
    }))
})

describe('drop', () => {
  const dropping = keyed({
    onRecord: (event, ctx) => ctx.drop(event.n % 2 === 0 ? 'late' : 'duplicate', event.n, aside),
  })

  test('counts by reason where nothing reads the tag', () =>
    verifyOperator({
      operator: dropping,
      keySelectors,
      script: [event(1), event(2), event(3), end],
      expect: { output: [watermarkOut(Infinity)], lateRecordsDropped: 1, duplicatesDropped: 2 },
    }))

  test('counts where no tag is given', () =>
    verifyOperator({
      operator: keyed({ onRecord: (event, ctx) => ctx.drop('late', event) }),
      keySelectors,
      script: [event(1), end],
      expect: { output: [watermarkOut(Infinity)], lateRecordsDropped: 1 },
    }))

  test('sends to the side output where it is read, and does not count then', () =>
    verifyOperator({
      operator: dropping,
      keySelectors,
      script: [event(1, 5), event(2, 6), end],
      expect: { output: [watermarkOut(Infinity)], sideOutputs: { aside: [out(1, 5), out(2, 6)] } },
    }))
})
