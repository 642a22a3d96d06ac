// Sources: several splits in turn, waiting for a wake-up or a time, stop, failures, and readers that are closed whatever happens.
import test, { describe } from 'node:test'
import { StreamError } from '../base/errors.ts'
import type { ReaderContext, ReadStatus, SourceOutput, SplitReader } from '../model/connector.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { customSource } from '../testing/collections.ts'
import { verifyOperator } from '../testing/operator-harness.ts'
import { end, out, processingTime, stop, watermarkOut } from '../testing/operator-script.ts'

type Reader = Partial<SplitReader<unknown>> & Pick<SplitReader<unknown>, 'read'>

/** A source of one split for each reader, made anew for each run. */
function sourceOf(...readers: readonly ((context: ReaderContext, closed: string[]) => Reader)[]): {
  readonly operator: () => OperatorSpec
  readonly observe: () => unknown
  readonly snapshots: 'off'
} {
  let closed: string[] = []
  return {
    operator: () => {
      closed = []
      const own = closed
      const source = customSource(
        {
          splits: () => readers.map((_, index) => ({ id: `split ${index}`, position: 0 })),
          open: (split, context) => {
            const reader = (readers[Number(split.id.slice(6))] as (typeof readers)[number])(context, own)
            return {
              position: () => 0,
              close: () => void own.push(split.id),
              ...reader,
              get wakeAtMs() {
                return reader.wakeAtMs
              },
            } as SplitReader<unknown>
          },
        },
        { hasTimestamps: true },
      )
      return { kind: 'source', source }
    },
    observe: () => closed,
    // The readers of these tests begin anew, and each is closed.
    snapshots: 'off',
  }
}

/** Emits the values, one call of read each. */
function oneByOne(...values: readonly unknown[]): () => Reader {
  return () => {
    let next = 0
    return {
      read(output: SourceOutput<unknown>): ReadStatus {
        if (next < values.length) output.emit(values[next++])
        return next < values.length ? 'more' : 'end'
      },
    }
  }
}

/** Emits numbers without end. */
function endless(): Reader {
  let next = 0
  return {
    read(output) {
      while (output.emit(next++));
      return 'more'
    },
  }
}

describe('a source', () => {
  test('reads its splits in turn to their ends, and closes each reader once', () =>
    verifyOperator({
      ...sourceOf(oneByOne('a1', 'a2', 'a3'), oneByOne('b1'), oneByOne('c1', 'c2')),
      script: [end],
      expect: {
        output: [out('a1'), out('b1'), out('c1'), out('a2'), out('c2'), out('a3'), watermarkOut(Infinity)],
        observed: ['split 0', 'split 1', 'split 2'],
      },
    }))

  test('without splits ends at once', () =>
    verifyOperator({ ...sourceOf(), script: [end], expect: { output: [watermarkOut(Infinity)], observed: [] } }))

  test('gives timestamps where it knows them', () =>
    verifyOperator({
      ...sourceOf(() => ({
        read(output) {
          output.emit('timed', 7)
          output.emit('untimed')
          return 'end'
        },
      })),
      script: [end],
      expect: { output: [out('timed', 7), out('untimed'), watermarkOut(Infinity)], observed: ['split 0'] },
    }))

  test('tells its reader to return when there is no more room or time', () => {
    let emitted = 0
    return verifyOperator({
      ...sourceOf(() => {
        emitted = 0
        return {
          read(output) {
            while (emitted < 20) if (!output.emit(emitted++)) return 'more'
            return 'end'
          },
        }
      }),
      script: [end],
      expect: {
        output: [...Array.from({ length: 20 }, (_, i) => out(i)), watermarkOut(Infinity)],
        observed: ['split 0'],
      },
    })
  })
})

describe('a reader that waits', () => {
  test('for its time is read again when it has come, and not before', () =>
    verifyOperator({
      ...sourceOf(({ clock }) => {
        let reads = 0
        let wakeAtMs = 0
        return {
          read(output) {
            output.emit([reads++, clock.now()])
            wakeAtMs = clock.now() + 100
            return clock.now() >= 200 ? 'end' : 'waiting'
          },
          get wakeAtMs() {
            return wakeAtMs
          },
        }
      }),
      script: [processingTime(50), processingTime(100), processingTime(150), processingTime(250), end],
      expect: { output: [out([0, 0]), out([1, 100]), out([2, 250]), watermarkOut(Infinity)], observed: ['split 0'] },
    }))

  test('for a wake-up is read again after it, while others go on', () =>
    verifyOperator({
      ...sourceOf(
        context => {
          let isAwake = false
          return {
            read(output) {
              if (isAwake) {
                output.emit('woken')
                return 'end'
              }
              isAwake = true
              Promise.resolve().then(() => context.wake())
              return 'waiting'
            },
          }
        },
        oneByOne('b1', 'b2'),
      ),
      script: [end],
      expect: {
        output: [out('b1'), out('b2'), out('woken'), watermarkOut(Infinity)],
        observed: ['split 0', 'split 1'],
      },
    }))

  test('and calls wake before it says so is not forgotten', () =>
    verifyOperator({
      ...sourceOf(context => {
        let reads = 0
        return {
          read(output) {
            output.emit(reads)
            context.wake()
            return reads++ === 3 ? 'end' : 'waiting'
          },
        }
      }),
      script: [end],
      expect: { output: [out(0), out(1), out(2), out(3), watermarkOut(Infinity)], observed: ['split 0'] },
    }))
})

describe('a stop', () => {
  test('ends a source that waits, without the final watermark, and closes its readers', () =>
    verifyOperator({
      ...sourceOf(() => ({
        read(output) {
          output.emit('once')
          return 'waiting'
        },
      })),
      script: [processingTime(1), stop],
      expect: { output: [out('once')], observed: ['split 0'] },
    }))

  test('before the first read ends an endless source with nothing', () =>
    verifyOperator({ ...sourceOf(endless), script: [stop], expect: { output: [], observed: ['split 0'] } }))
})

describe('a failure', () => {
  const boom = (): never => {
    throw new Error('connection reset')
  }

  test('to read is SOURCE_FAILED with step, split and records so far, and all readers are closed', () =>
    verifyOperator({
      ...sourceOf(oneByOne('a', 'b', 'c'), () => ({ read: boom })),
      script: [end],
      expect: {
        output: [out('a')],
        failure: {
          code: 'SOURCE_FAILED',
          message: /^SOURCE_FAILED: step "step": connection reset.*; it happened reading split 1 after 1 records$/,
        },
        observed: ['split 0', 'split 1'],
      },
    }))

  test('that is coded keeps its code', () =>
    verifyOperator({
      ...sourceOf(() => ({
        read: () => {
          throw new StreamError('LINE_TOO_LONG', 'line 3 is too long')
        },
      })),
      script: [end],
      expect: {
        failure: { code: 'LINE_TOO_LONG', message: /^LINE_TOO_LONG: step "step": line 3 is too long/ },
        observed: ['split 0'],
      },
    }))

  test('to open one reader closes those that are open', () =>
    verifyOperator({
      ...sourceOf(oneByOne('a'), boom),
      script: [end],
      expect: {
        failure: { code: 'SOURCE_FAILED', message: /step "step": connection reset; the job did not start/ },
        observed: ['split 0'],
      },
    }))

  test('to close one reader closes the others too, and names the split', () =>
    verifyOperator({
      ...sourceOf(
        (_context, closed) => ({
          read: () => 'end',
          close: () => {
            closed.push('failing')
            boom()
          },
        }),
        oneByOne('b'),
      ),
      script: [end],
      expect: {
        failure: { code: 'SOURCE_FAILED', message: /step "step": connection reset.*; it happened closing split 0/ },
        observed: ['failing', 'split 1'],
      },
    }))
})
