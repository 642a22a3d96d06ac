// How a source is asked for new splits while its job runs: when, what fails, and what becomes of event time. That each split is read once, whatever
// fails, is shown in runtime/split-discovery.spec.ts.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { Source, Split, SplitReader } from '../model/connector.ts'
import { GraphBuilder } from '../model/graph-builder.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import type { WatermarkStrategy } from '../model/watermark-strategy.ts'
import { customSink, customSource } from '../testing/collections.ts'
import { type SimulatedJob, simulateRun } from '../testing/simulate.ts'
import { forMonotonousTimestamps } from '../time/watermark-strategies.ts'

type Questioned = Pick<Source<unknown>, 'open'> & Partial<Pick<Source<unknown>, 'newSplits'>>

interface Asking {
  /** The job is stopped once it has been asked so often. */
  readonly times: number
  readonly strategy?: WatermarkStrategy<unknown>
}

/** Runs a source that has no split at first and is asked for new ones each 10 ms. */
async function ask({ open, newSplits = () => [] }: Questioned, { times, strategy }: Asking) {
  let job: SimulatedJob | undefined
  const watermarks: number[] = []
  const source: Source<unknown> = {
    splits: () => [],
    newSplits: known => {
      watermarks.push(job?.metrics().watermark ?? NaN)
      if (watermarks.length === times) job?.stop()
      return newSplits(known)
    },
    open,
  }
  const spec = { ...customSource(source, { hasTimestamps: true }), isBounded: false, discoverEveryMs: 10 }
  const graph = new GraphBuilder()
  const operator: OperatorSpec = { kind: 'source', source: spec }
  graph.addVertex({ name: 'read', operator: strategy === undefined ? operator : { ...operator, strategy } })
  graph.addVertex({ name: 'sink', operator: { kind: 'sink', sink: customSink({ open: () => discarding }) } })
  graph.addEdge({ from: 0, to: 1 })
  const { result } = await simulateRun(graph.build('asking', { parallelism: 1 }), {
    seed: 1,
    stepsMax: 100_000,
    onStart: started => {
      job = started
    },
  })
  return { result, watermarks }
}

const discarding = { write: () => {}, close: () => {} }

describe('a source that is asked for new splits', () => {
  test('goes on without any, and ends when it is stopped', async () => {
    const { result, watermarks } = await ask({ open: () => assert.fail('there is nothing to open') }, { times: 3 })
    assert.equal(result.status, 'stopped')
    assert.equal(result.durationMs, 30)
    assert.equal(watermarks.length, 3)
  })

  test('fails with what the question fails with, naming the step', async () => {
    const newSplits = (): never => {
      throw new Error('no listing')
    }
    await assert.rejects(ask({ newSplits, open: () => assert.fail() }, { times: 3 }), {
      code: 'SOURCE_FAILED',
      message: /step "read": no listing; it happened looking for new splits/,
    })
  })

  test('fails with what opening a new split fails with, naming the split', async () => {
    const source = {
      newSplits: () => [{ id: 'gone', position: 0 }],
      open: () => Promise.reject(new Error('it is not there')),
    }
    await assert.rejects(ask(source, { times: 3 }), {
      code: 'SOURCE_FAILED',
      message: /step "read": it is not there; it happened opening gone/,
    })
  })

  test('does not end the time when all its splits have ended, and a new one moves it on', async () => {
    const open = ({ id }: Split): SplitReader<unknown> => {
      let isRead = false
      return {
        read: output => {
          if (isRead) return 'end'
          isRead = true
          output.emit(id, Number(id))
          return 'more'
        },
        position: () => 0,
        close: () => {},
      }
    }
    let found = 0
    const newSplits = () => [{ id: String(++found * 100), position: 0 }]
    const { watermarks } = await ask({ open, newSplits }, { times: 4, strategy: forMonotonousTimestamps() })
    assert.deepEqual(watermarks, [-Infinity, 99, 199, 299])
  })
})
