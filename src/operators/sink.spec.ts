// Sinks: every record is written in order, a slow writer is waited for, what is buffered is flushed, the writer is closed once.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamError } from '../base/errors.ts'
import type { SinkWriter } from '../model/connector.ts'
import { GraphBuilder } from '../model/graph-builder.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { customSink, timedSource } from '../testing/collections.ts'
import { type Expectation, verifyOperator } from '../testing/operator-harness.ts'
import { end, record, type ScriptStep, stop, watermark } from '../testing/operator-script.ts'
import { simulateRun } from '../testing/simulate.ts'

/** A sink, made anew for each run, and the calls that its writer got. */
function observed(make: (calls: unknown[]) => Partial<SinkWriter<unknown>>): {
  readonly operator: () => OperatorSpec
  readonly observe: () => unknown
  readonly snapshots: 'off'
} {
  let calls: unknown[] = []
  return {
    operator: () => {
      calls = []
      const own = calls
      const writer: SinkWriter<unknown> = {
        write: (record, timestampMs) => void own.push([record, timestampMs]),
        close: () => void own.push('close'),
        ...make(own),
      }
      return { kind: 'sink', sink: customSink({ open: () => writer }) }
    },
    observe: () => calls,
    // Each writer is closed, so a restored one shows.
    snapshots: 'off',
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

const SCRIPT: readonly ScriptStep[] = [
  record('a', { timestamp: 5 }),
  watermark(5),
  record('b'),
  record('c', { timestamp: 1 }),
]
const WRITTEN = [
  ['a', 5],
  ['b', undefined],
  ['c', 1],
]

describe('a writer', () => {
  test('gets every record with its timestamp, in order, and is closed at the end', () =>
    verifyOperator({ ...observed(() => ({})), script: [...SCRIPT, end], expect: { observed: [...WRITTEN, 'close'] } }))

  test('is closed at a stop as well', () =>
    verifyOperator({ ...observed(() => ({})), script: [...SCRIPT, stop], expect: { observed: [...WRITTEN, 'close'] } }))

  test('gets the next record only when its promise for the last is kept', () => {
    let pending = 0
    return verifyOperator({
      ...observed(calls => ({
        write: async (record, timestampMs) => {
          assert.equal(pending++, 0, 'one write at a time')
          await turns(3)
          pending--
          calls.push([record, timestampMs])
        },
        close: async () => {
          assert.equal(pending, 0)
          await turns(3)
          calls.push('close')
        },
      })),
      script: [...SCRIPT, end],
      expect: { observed: [...WRITTEN, 'close'] },
    })
  })

  for (const isAsync of [false, true]) {
    test(`${isAsync ? 'with promises' : 'without promises'} is flushed before it is closed, and after the records`, () => {
      const buffer: unknown[] = []
      return verifyOperator({
        ...observed(calls => {
          buffer.length = 0
          return {
            write: record => void buffer.push(record),
            flush: () => {
              const records = buffer.splice(0)
              const hand = (): void => void calls.push(...records)
              return isAsync ? turns(2).then(hand) : hand()
            },
            close: () => void calls.push(`close with ${buffer.length} left`),
          }
        }),
        script: [...SCRIPT, end],
        expect: { observed: ['a', 'b', 'c', 'close with 0 left'] },
      })
    })
  }

  test('is not flushed where there is nothing to flush', () =>
    verifyOperator({
      ...observed(calls => ({ flush: () => void calls.push('flush') })),
      script: [watermark(1), end],
      expect: { observed: ['close'] },
    }))
})

describe('a writer in one chain with what emits several records for one', () => {
  test('gets them one at a time, in order: they wait in the sink', async () => {
    let pending = 0
    const written: unknown[] = []
    const sink = customSink({
      open: () => ({
        write: async (record, timestampMs) => {
          assert.equal(pending++, 0, 'one write at a time')
          await turns(2)
          written.push([record, timestampMs])
          pending--
        },
        close: () => assert.equal(pending, 0),
      }),
    })
    const graph = new GraphBuilder()
    graph.addVertex({
      name: 'source',
      operator: { kind: 'source', source: timedSource([1, 2].map(n => ({ value: n, timestamp: n }))) },
    })
    const copies: OperatorSpec = { kind: 'transform', shape: 'flat-map', function: (n: number) => [n, n + 10, n + 20] }
    graph.addVertex({ name: 'copies', operator: copies })
    graph.addVertex({ name: 'sink', operator: { kind: 'sink', sink } })
    graph.addEdge({ from: 0, to: 1 })
    graph.addEdge({ from: 1, to: 2 })
    await simulateRun(graph.build('a chain', { parallelism: 1 }), { seed: 1 })
    assert.deepEqual(written, [
      [1, 1],
      [11, 1],
      [21, 1],
      [2, 2],
      [12, 2],
      [22, 2],
    ])
  })
})

describe('a failure', () => {
  const boom = (): never => {
    throw new Error('disk full')
  }
  const rejected = async (): Promise<void> => {
    await turns(2)
    boom()
  }

  for (const [how, fail] of [
    ['thrown', boom],
    ['a rejection', rejected],
  ] as const) {
    for (const what of ['write', 'flush', 'close'] as const) {
      test(`to ${what}, ${how}, is SINK_FAILED at the step`, () =>
        verifyOperator({
          ...observed(() => ({ [what]: fail })),
          script: [record('a'), end],
          expect: {
            failure: {
              code: 'SINK_FAILED',
              message: /^SINK_FAILED: step "step": disk full.*; it happened after 1 records$/,
            },
            observed:
              what === 'write' ? ['close'] : what === 'flush' ? [['a', undefined], 'close'] : [['a', undefined]],
          },
        }))
    }
  }

  test('that is coded keeps its code', () =>
    verifyOperator({
      ...observed(() => ({
        write: () => {
          throw new StreamError('SOCKET_LOST', 'the other side went away')
        },
      })),
      script: [record('a'), end],
      expect: {
        failure: { code: 'SOCKET_LOST', message: /^SOCKET_LOST: step "step": the other side went away/ },
        observed: ['close'],
      },
    }))

  test('to open is SINK_FAILED at the step', () => {
    const failure: Expectation['failure'] = {
      code: 'SINK_FAILED',
      message: /step "step": no such place; the job did not start/,
    }
    const open = (): Promise<never> => Promise.reject(new Error('no such place'))
    return verifyOperator({
      operator: { kind: 'sink', sink: customSink({ open }) },
      script: [end],
      expect: { failure },
    })
  })

  test('to close in the midst of the work, after another failure, does not hide it', () =>
    verifyOperator({
      ...observed(() => ({
        write: () => {
          throw new Error('first')
        },
        close: () => {
          throw new Error('second')
        },
      })),
      script: [record('a'), end],
      expect: { failure: { code: 'SINK_FAILED', message: /first/ }, observed: [] },
    }))
})
