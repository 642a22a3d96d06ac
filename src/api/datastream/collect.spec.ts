// Collecting a stream over a job that the test plays by hand: it opens the sink that the API made, writes to it, and ends or fails.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { Clock } from '../../base/clock.ts'
import { silentLogger } from '../../base/logger.ts'
import type { SinkSpec, SinkWriter } from '../../model/connector.ts'
import { describeGraph } from '../../model/describe.ts'
import type { Graph } from '../../model/graph.ts'
import type { JobHandle, JobResult, JobStatus } from '../../model/job.ts'
import { COLLECTED_RECORDS_MAX } from './collect-buffer.ts'
import { StreamEnvironment } from './environment.ts'

const NO_CLOCK: Clock = { now: () => 0, monotonicMs: () => 0 }

/** A job that does what the test says, once it was launched. */
class PlayedJob {
  readonly graph: Graph
  readonly handle: JobHandle
  cancels = 0
  private resolve: (result: JobResult) => void = () => {}
  private reject: (error: Error) => void = () => {}

  constructor(graph: Graph) {
    this.graph = graph
    const done = new Promise<JobResult>((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    const cancel = async (): Promise<void> => {
      this.cancels++
      this.end('cancelled')
    }
    this.handle = {
      name: graph.name,
      done,
      // biome-ignore lint/suspicious/noThenProperty: a handle can be awaited for the end of its job, as documented in model/job.ts.
      then: (onDone, onFailed) => done.then(onDone, onFailed),
      cancel,
      stop: cancel,
      drain: cancel,
      checkpoint: () => assert.fail('nobody asked for a checkpoint'),
      savepoint: () => assert.fail('nobody asked for a savepoint'),
      metrics: () => assert.fail('nobody asked for metrics'),
      explainNoOutput: () => assert.fail('nobody asked why'),
      [Symbol.asyncDispose]: cancel,
    }
  }

  async writer(): Promise<SinkWriter<unknown>> {
    const operator = this.graph.vertices.at(-1)?.operator
    const sink = operator?.kind === 'sink' ? (operator.sink as SinkSpec) : assert.fail('the last step is no sink')
    const job = { jobName: 'job', uid: 'sink', attempt: 1 }
    const context = { subtaskIndex: 0, parallelism: 1, clock: NO_CLOCK, logger: silentLogger, ...job }
    return await (sink.implementation?.open(context) ?? assert.fail('the sink has no implementation'))
  }

  end(status: JobStatus = 'finished'): void {
    this.resolve({ name: this.graph.name, status, durationMs: 0, recordsIn: 0, recordsOut: 0 })
  }

  fail(error: Error): void {
    this.reject(error)
  }
}

/** An environment whose jobs are played by `play`. */
function played(play: (job: PlayedJob) => Promise<void>) {
  const jobs: PlayedJob[] = []
  const env = new StreamEnvironment({
    defaultParallelism: 2,
    launch(graph) {
      const job = new PlayedJob(graph)
      jobs.push(job)
      void play(job)
      return job.handle
    },
    explain: graph => ({ text: describeGraph(graph), json: undefined }),
  })
  return { env, jobs }
}

/** Writes the numbers from 0, each when the sink is ready for it, then ends. Counts what was handed over. */
async function writeNumbers(job: PlayedJob, count: number, handed: { count: number } = { count: 0 }): Promise<void> {
  const writer = await job.writer()
  for (let i = 0; i < count; i++) {
    const isReady = writer.write(i, undefined)
    handed.count++
    if (isReady !== undefined) await isReady
  }
  job.end()
}

describe('executeAndCollect', () => {
  test('runs only what is upstream, and leaves the job of the environment as it was', async () => {
    const { env, jobs } = played(job => writeNumbers(job, 3))
    const numbers = env.fromElements(1, 2, 3)
    const doubled = numbers.map(number => number * 2)
    numbers.map(String).print()
    const before = env.explain().text
    assert.deepEqual(await doubled.executeAndCollect('doubles'), [0, 1, 2])
    assert.equal(env.explain().text, before)
    assert.equal(jobs[0]?.graph.name, 'doubles')
    assert.deepEqual(
      describeGraph(jobs[0]?.graph as Graph)
        .split('\n')
        .map(line => line.replace(/^(\d+) [^"]+"/, '$1 "')),
      [
        '0 "collection" source 3 elements parallelism=1/128',
        '1 "map" map parallelism=2/128',
        '2 "collect" sink collect parallelism=1/128 placement=main-thread',
        '0 -> 1:0 rebalance',
        '1 -> 2:0 rebalance',
      ],
    )
  })

  test('reads all streams of a union, and side outputs', async () => {
    const { env, jobs } = played(job => writeNumbers(job, 0))
    const first = env.fromElements('a')
    const split = first.process({ onRecord() {} })
    await first.union(split.sideOutput<string>({ id: 'rest' })).executeAndCollect()
    const edges = describeGraph(jobs[0]?.graph as Graph)
      .split('\n')
      .slice(-3)
    assert.deepEqual(edges, ['0 -> 1:0 rebalance', '0 -> 2:0 forward', '1 -> 2:0 rebalance tag=rest'])
  })

  test('stops at its limit and cancels the job', async () => {
    const { env, jobs } = played(job => writeNumbers(job, 100))
    assert.deepEqual(await env.fromElements(0).executeAndCollect('some', 2), [0, 1])
    assert.equal(jobs[0]?.cancels, 1)
  })

  test('rejects a limit that is no count', async () => {
    const { env } = played(() => assert.fail('nothing may run'))
    await assert.rejects(env.fromElements(0).executeAndCollect('none', 0), /OPTION_INVALID: executeAndCollect\(\)/)
  })

  test('rejects with the failure of the job', async () => {
    const failure = new Error('the disk is full')
    const { env } = played(async job => job.fail(failure))
    await assert.rejects(env.fromElements(0).executeAndCollect(), failure)
  })

  test('rejects when somebody else cancels the job, since records are missing', async () => {
    const { env } = played(async job => job.end('cancelled'))
    await assert.rejects(env.fromElements(0).executeAndCollect('half'), /JOB_CANCELLED: the job "half"/)
  })

  test('returns what there was when the job is stopped', async () => {
    const { env } = played(async job => {
      const writer = await job.writer()
      void writer.write(7, undefined)
      job.end('stopped')
    })
    assert.deepEqual(await env.fromElements(0).executeAndCollect(), [7])
  })

  test('counts as executing the environment', async () => {
    const { env } = played(job => writeNumbers(job, 0))
    const stream = env.fromElements(0)
    assert.equal(env.isExecuted, false)
    await stream.executeAndCollect()
    assert.equal(env.isExecuted, true)
  })
})

describe('a loop over a stream', () => {
  test('starts the job at its first step, gets every record in order, and ends with the job', async () => {
    const { env, jobs } = played(job => writeNumbers(job, 3 * COLLECTED_RECORDS_MAX))
    const iterator = env.fromElements(0)[Symbol.asyncIterator]()
    assert.equal(jobs.length, 0)
    const seen: number[] = []
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) seen.push(next.value)
    assert.deepEqual(
      seen,
      Array.from({ length: 3 * COLLECTED_RECORDS_MAX }, (_, index) => index),
    )
  })

  test('holds the job back while it is busy with a record', async () => {
    const handed = { count: 0 }
    const { env } = played(job => writeNumbers(job, 10 * COLLECTED_RECORDS_MAX, handed))
    let seen = 0
    for await (const number of env.fromElements(0)) {
      assert.equal(number, seen++)
      assert.ok(handed.count - seen <= COLLECTED_RECORDS_MAX)
    }
    assert.equal(seen, 10 * COLLECTED_RECORDS_MAX)
  })

  test('cancels the job when it is left, and lets a writer that waits go on', async () => {
    const handed = { count: 0 }
    let written: Promise<void> | undefined
    const { env, jobs } = played(job => {
      written = writeNumbers(job, 5 * COLLECTED_RECORDS_MAX, handed)
      return written
    })
    for await (const number of env.fromElements(0)) if (number === 2) break
    assert.equal(jobs[0]?.cancels, 1)
    await written
    assert.equal(handed.count, 5 * COLLECTED_RECORDS_MAX)
  })

  test('gets the records before a failure, then the failure, and closes the job', async () => {
    const failure = new Error('the disk is full')
    const { env, jobs } = played(async job => {
      const writer = await job.writer()
      void writer.write(1, undefined)
      void writer.write(2, undefined)
      job.fail(failure)
    })
    const seen: number[] = []
    const read = async (): Promise<void> => {
      for await (const number of env.fromElements(0)) seen.push(number)
    }
    await assert.rejects(read(), failure)
    assert.deepEqual(seen, [1, 2])
    assert.equal(jobs[0]?.cancels, 1)
  })
})
