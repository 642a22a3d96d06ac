// The end of a job and its writers: nobody is told that the job has ended while a writer is still closing, and none is closed twice.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { Graph } from '../../src/model/graph.ts'
import { GraphBuilder } from '../../src/model/graph-builder.ts'
import { customSink, valuesSource } from '../../src/testing/collections.ts'
import { type SimulatedJob, simulateRun } from '../../src/testing/simulate.ts'

/** Turns of pending promises after which a job that could end has ended. */
const TURNS = 100

/** A writer whose close ends when the test says so. */
class SlowWriter {
  closes = 0
  isClosed = false
  private settle: ((failure?: Error) => void) | undefined

  write(): void {}

  close(): Promise<void> {
    this.closes++
    return new Promise((resolve, reject) => {
      this.settle = failure => {
        this.isClosed = true
        if (failure === undefined) resolve()
        else reject(failure)
      }
    })
  }

  finishClosing(failure?: Error): void {
    this.settle?.(failure)
  }
}

function writingTo(writer: SlowWriter): Graph {
  const builder = new GraphBuilder()
  const source = builder.addVertex({ name: 'source', operator: { kind: 'source', source: valuesSource([1, 2]) } })
  const sink = builder.addVertex({ name: 'slow', operator: { kind: 'sink', sink: customSink({ open: () => writer }) } })
  builder.addEdge({ from: source.id, to: sink.id })
  return builder.build('slow close', { parallelism: 1 })
}

async function turnsUntil(isReached: () => boolean): Promise<void> {
  for (let turn = 0; turn < TURNS && !isReached(); turn++) await Promise.resolve()
}

/** Starts the job and lets it come to where its writer closes. */
async function closingJob(writer: SlowWriter) {
  let job: SimulatedJob | undefined
  const onStart = (started: SimulatedJob): void => {
    job = started
  }
  const outcome: { ended: 'no' | 'resolved' | 'rejected'; error?: unknown } = { ended: 'no' }
  const done = simulateRun(writingTo(writer), { seed: 1, onStart }).then(
    () => {
      outcome.ended = 'resolved'
    },
    (error: unknown) => {
      outcome.ended = 'rejected'
      outcome.error = error
    },
  )
  await turnsUntil(() => writer.closes > 0)
  return { job: job as SimulatedJob, outcome, done }
}

describe('a cancel while a writer closes', () => {
  test('is told when the writer is closed, not before', async () => {
    const writer = new SlowWriter()
    const { job, outcome, done } = await closingJob(writer)
    job.cancel()
    await turnsUntil(() => outcome.ended !== 'no')
    assert.equal(outcome.ended, 'no')
    writer.finishClosing()
    await done
    assert.equal(outcome.ended, 'resolved')
    assert.equal(writer.closes, 1)
  })

  test('is told of a close that fails, with the step', async () => {
    const writer = new SlowWriter()
    const { job, outcome, done } = await closingJob(writer)
    job.cancel()
    writer.finishClosing(new Error('disk full'))
    await done
    assert.match(String(outcome.error), /SINK_FAILED: step "slow": disk full .*it happened after 2 records/)
    assert.equal(writer.closes, 1)
  })
})

test('a close that fails at the end of the input is the failure of the job, and the writer is not closed again', async () => {
  const writer = new SlowWriter()
  const { outcome, done } = await closingJob(writer)
  writer.finishClosing(new Error('disk full'))
  await done
  assert.match(String(outcome.error), /SINK_FAILED: step "slow": disk full/)
  assert.equal(writer.closes, 1)
})
