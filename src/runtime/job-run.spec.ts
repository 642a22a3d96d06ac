// A whole run: how it ends, that the first failure wins, and that all that was opened is closed once.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { Logger } from '../base/logger.ts'
import type { Sink, Source, SplitReader } from '../model/connector.ts'
import { GraphBuilder } from '../model/graph-builder.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { collectingSink, customSink, customSource, valuesSource } from '../testing/collections.ts'
import { type SimulatedJob, type SimulatedRun, type SimulateOptions, simulateRun } from '../testing/simulate.ts'

/** The steps one after the other; each in a task of its own. */
function simulate(steps: readonly OperatorSpec[], options: Partial<SimulateOptions> = {}): Promise<SimulatedRun> {
  const graph = new GraphBuilder()
  for (const [index, operator] of steps.entries()) {
    const vertex = graph.addVertex({ name: `step ${index}`, operator })
    vertex.chaining = 'disabled'
    if (index > 0) graph.addEdge({ from: index - 1, to: index })
  }
  return simulateRun(graph.build('a job', { parallelism: 1 }), { seed: 1, ...options })
}

function source(values: readonly unknown[]): OperatorSpec {
  return { kind: 'source', source: valuesSource(values) }
}

function sink(implementation: Sink<unknown>): OperatorSpec {
  return { kind: 'sink', sink: customSink(implementation) }
}

/** An unbounded source, and a count of what was opened and closed. */
function endless(): {
  readonly operator: OperatorSpec
  readonly counts: { opened: number; closed: number; emitted: number }
} {
  const counts = { opened: 0, closed: 0, emitted: 0 }
  const implementation: Source<unknown> = {
    splits: () => [{ id: 'endless', position: 0 }],
    open: (): SplitReader<unknown> => {
      counts.opened++
      return {
        read: output => {
          while (output.emit(counts.emitted++));
          return 'more'
        },
        position: () => counts.emitted,
        close: () => {
          counts.closed++
        },
      }
    },
  }
  return { operator: { kind: 'source', source: customSource(implementation) }, counts }
}

function failing(message: string): OperatorSpec {
  return {
    kind: 'transform',
    shape: 'map',
    function: () => {
      throw new Error(message)
    },
  }
}

/** Collects log lines. */
function memoryLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = []
  return { lines, log: (level, message, fields) => lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`) }
}

describe('at the end of its input a run', () => {
  test('has written everything, counts it, and closes what it opened once', async () => {
    const collected = collectingSink<number>()
    const { result, metrics } = await simulate([source([1, 2, 3]), { kind: 'sink', sink: collected.spec }])
    assert.deepEqual(collected.records, [1, 2, 3])
    assert.deepEqual(result, { name: 'a job', status: 'finished', durationMs: 0, recordsIn: 3, recordsOut: 3 })
    assert.deepEqual(collected.writers, { opened: 1, closed: 1 })
    assert.equal(metrics.watermark, Infinity)
    assert.equal(metrics.edges[0]?.queuedRecords, 0)
  })
})

describe('a failure', () => {
  test('ends the run, names step and record, and everything is closed once', async () => {
    const input = endless()
    const collected = collectingSink()
    await assert.rejects(simulate([input.operator, failing('boom'), { kind: 'sink', sink: collected.spec }]), {
      code: 'USER_FUNCTION_FAILED',
      message: /step "step 1": its function threw on record 0: Error: boom \(record 1 of subtask 0\)/,
    })
    assert.deepEqual([input.counts.opened, input.counts.closed], [1, 1])
    assert.deepEqual(collected.writers, { opened: 1, closed: 1 })
  })

  test('is the first one: failures to close after it are logged', async () => {
    const logger = memoryLogger()
    const closing = sink({
      open: () => ({
        write: () => {},
        close: () => {
          throw new Error('cannot close')
        },
      }),
    })
    await assert.rejects(simulate([source([1]), failing('boom'), closing], { logger }), /boom/)
    assert.equal(logger.lines.length, 1)
    assert.match(logger.lines[0] ?? '', /^warn closing a task failed after the job had failed .*cannot close/)
  })

  test('of a writer to close at the end is the failure of the run', async () => {
    for (const isAsync of [false, true]) {
      const closing = sink({
        open: () => ({
          write: () => {},
          close: () => {
            if (isAsync) return Promise.reject(new Error('disk full'))
            throw new Error('disk full')
          },
        }),
      })
      await assert.rejects(simulate([source([1]), closing]), {
        code: 'SINK_FAILED',
        message: /step "step 1": disk full/,
      })
    }
  })

  test('to open closes what was opened before, and names the step', async () => {
    const collected = collectingSink()
    const unopenable = sink({ open: () => Promise.reject(new Error('no such place')) })
    const graph = new GraphBuilder()
    for (const operator of [source([1]), { kind: 'sink', sink: collected.spec } as const, unopenable]) {
      graph.addVertex({ name: operator.kind === 'sink' ? operator.sink.description : 'source', operator }).chaining =
        'disabled'
    }
    graph.addEdge({ from: 0, to: 1 })
    graph.addEdge({ from: 0, to: 2 })
    await assert.rejects(simulateRun(graph.build('a job', { parallelism: 1 }), { seed: 1 }), {
      code: 'SINK_FAILED',
      message: /step "custom sink": no such place/,
    })
    assert.equal(collected.writers.closed, collected.writers.opened)
  })

  test('of a source to say its splits names the step', async () => {
    const unknown = customSource({
      splits: () => Promise.reject(new Error('no listing')),
      open: () => assert.fail('nothing may be opened'),
    })
    const failed = simulate([
      { kind: 'source', source: unknown },
      { kind: 'sink', sink: collectingSink().spec },
    ])
    await assert.rejects(failed, { code: 'SOURCE_FAILED', message: /step "step 0": no listing/ })
  })
})

describe('a stop', () => {
  test('ends the sources, and what is in flight reaches the sinks', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const input = endless()
      const written: unknown[] = []
      let job: SimulatedJob | undefined
      const stopping = sink({
        open: () => ({
          write: record => {
            if (written.push(record) === 50) job?.stop()
          },
          close: () => {},
        }),
      })
      const onStart = (started: SimulatedJob): void => {
        job = started
      }
      const { result } = await simulate([input.operator, stopping], { seed, onStart, stepsMax: 10_000 })
      assert.equal(result.status, 'stopped')
      assert.equal(written.length, input.counts.emitted)
      assert.deepEqual([result.recordsIn, result.recordsOut], [written.length, written.length])
      assert.equal(input.counts.closed, 1)
    }
  })

  test('before the start ends the job as soon as it has started', async () => {
    const collected = collectingSink()
    const { result } = await simulate([endless().operator, { kind: 'sink', sink: collected.spec }], {
      onStart: job => job.stop(),
      stepsMax: 1000,
    })
    assert.equal(result.status, 'stopped')
    assert.equal(collected.writers.closed, 1)
  })
})

describe('a cancel', () => {
  test('ends at once: nothing more is written, all is closed once', async () => {
    const input = endless()
    let job: SimulatedJob | undefined
    let written = 0
    let closed = 0
    const cancelling = sink({
      open: () => ({
        write: () => {
          if (++written === 50) job?.cancel()
        },
        close: () => {
          closed++
        },
      }),
    })
    const onStart = (started: SimulatedJob): void => {
      job = started
    }
    const { result } = await simulate([input.operator, cancelling], { onStart, recordsPerStepMax: 1 })
    assert.equal(result.status, 'cancelled')
    assert.equal(written, 50)
    assert.deepEqual([closed, input.counts.closed], [1, 1])
  })

  test('overrides a stop, and before the start nothing is opened', async () => {
    const input = endless()
    const { result } = await simulate([input.operator, { kind: 'sink', sink: collectingSink().spec }], {
      onStart: job => {
        job.stop()
        job.cancel()
      },
    })
    assert.equal(result.status, 'cancelled')
    assert.equal(input.counts.opened, 0)
  })
})

describe('metrics', () => {
  test('before the start are empty; after it they count channels and records', async () => {
    let job: SimulatedJob | undefined
    const { metrics } = await simulate([source([1, 2]), { kind: 'sink', sink: collectingSink().spec }], {
      channelCapacityRecords: 7,
      onStart: started => {
        job = started
        assert.deepEqual(started.metrics().vertices, [])
      },
    })
    assert.deepEqual(job?.metrics(), metrics)
    const { from, to, capacityRecords, channels } = metrics.edges[0] ?? assert.fail('one edge')
    assert.deepEqual([from, to, capacityRecords, channels], ['step 0', 'step 1', 7, 1])
    assert.deepEqual(
      metrics.vertices.map(({ name, recordsIn, recordsOut }) => [name, recordsIn, recordsOut]),
      [
        ['step 0', 0, 2],
        ['step 1', 2, 0],
      ],
    )
  })
})
