import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { EventLoop } from '../../../base/event-loop.ts'
import type { JobMetrics } from '../../../model/job.ts'
import type { Command, DeployCommand, Readings, Report } from './thread-messages.ts'
import type { ThreadEvents } from './thread-port.ts'
import { ThreadSlot } from './thread-slot.ts'

const GRAPH = 'the graph'
const SILENCE_MS = 4000

/** Time that passes when the test says so. */
class VirtualLoop implements EventLoop {
  private nowMs = 0
  private timers: { readonly atMs: number; readonly task: () => void }[] = []

  defer(task: () => void): void {
    this.at(0, task)
  }

  at(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, task }
    this.timers.push(timer)
    return () => {
      this.timers = this.timers.filter(other => other !== timer)
    }
  }

  get pending(): number {
    return this.timers.length
  }

  pass(durationMs: number): void {
    const untilMs = this.nowMs + durationMs
    for (;;) {
      const due = this.timers.filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)
      const [next] = due
      if (next === undefined) break
      this.timers = this.timers.filter(timer => timer !== next)
      this.nowMs = next.atMs
      next.task()
    }
    this.nowMs = untilMs
  }
}

/** A thread that does nothing but note what it is told. */
interface FakeThread {
  readonly commands: Command[]
  readonly events: ThreadEvents
  readonly heartbeat: Int32Array
  terminations: number
}

function setUp() {
  const loop = new VirtualLoop()
  const threads: FakeThread[] = []
  const lost: string[] = []
  const reports: Report[] = []
  let failure: Error | undefined
  const slot = new ThreadSlot({
    thread: 2,
    graph: GRAPH,
    eventLoop: loop,
    silenceMsMax: SILENCE_MS,
    start: (heartbeat, events) => {
      const thread: FakeThread = { commands: [], events, heartbeat: new Int32Array(heartbeat), terminations: 0 }
      threads.push(thread)
      return {
        send: command => {
          if (failure !== undefined) throw failure
          thread.commands.push(command)
        },
        terminate: async () => {
          thread.terminations++
          events.onExit('it was ended')
        },
      }
    },
    onReport: report => void reports.push(report),
    onLost: error => void lost.push(error.message),
  })
  const failSending = (error: Error): void => {
    failure = error
  }
  return { loop, threads, lost, reports, slot, failSending }
}

function deployOf(region: number, attempt = 1): DeployCommand {
  const empty = { chains: [], splits: new Map(), rings: [] } as const
  return { kind: 'deploy', region, attempt, ...empty, from: undefined, snapshots: undefined, owner: undefined }
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

const kinds = (thread: FakeThread | undefined): readonly string[] => thread?.commands.map(({ kind }) => kind) ?? []

const readings = (recordsIn: number): Readings => ({ metrics: { recordsIn } as JobMetrics, noOutput: [] })

/** A slot whose thread has built the job and deployed region 0. */
async function deployed() {
  const all = setUp()
  const done = all.slot.deploy(deployOf(0))
  const thread = all.threads[0] as FakeThread
  thread.events.onReport({ kind: 'ready', graph: GRAPH })
  await settled()
  thread.events.onReport({ kind: 'deployed', region: 0, attempt: 1, tasks: [] })
  await done
  return { ...all, thread }
}

describe('the slot of a thread', () => {
  test('starts it for the first deployment, which waits until it has built the job', async () => {
    const { slot, threads } = setUp()
    assert.equal(threads.length, 0)
    const done = slot.deploy(deployOf(0))
    await settled()
    assert.deepEqual([threads.length, kinds(threads[0])], [1, []])
    threads[0]?.events.onReport({ kind: 'ready', graph: GRAPH })
    await settled()
    assert.deepEqual(kinds(threads[0]), ['deploy'])
    threads[0]?.events.onReport({ kind: 'deployed', region: 0, attempt: 1, tasks: [] })
    await done
  })

  test('deploys nothing that was closed while the thread was starting', async () => {
    const { slot, threads } = setUp()
    const done = slot.deploy(deployOf(0))
    const closed = slot.close(0)
    threads[0]?.events.onReport({ kind: 'ready', graph: GRAPH })
    await assert.rejects(done, { code: 'WORKER_FAILED' })
    assert.deepEqual(kinds(threads[0]), ['close'])
    threads[0]?.events.onReport({ kind: 'closed', region: 0, error: undefined, readings: readings(0) })
    assert.equal(await closed, undefined)
  })

  test('refuses a thread that built another graph', async () => {
    const { slot, threads } = setUp()
    const done = slot.deploy(deployOf(0))
    threads[0]?.events.onReport({ kind: 'ready', graph: 'another' })
    await assert.rejects(done, { code: 'GRAPH_MISMATCH' })
  })

  test('ends a thread that could not build the job, without calling it lost; the next deployment gets a new one', async () => {
    const { slot, threads, lost } = setUp()
    const done = slot.deploy(deployOf(0))
    const error = { code: 'JOB_MODULE_FAILED', name: 'Error', message: 'JOB_MODULE_FAILED: no', stack: undefined }
    threads[0]?.events.onReport({ kind: 'not-ready', error })
    await assert.rejects(done, { code: 'JOB_MODULE_FAILED' })
    assert.deepEqual([threads[0]?.terminations, lost], [1, []])
    void slot.deploy(deployOf(0, 2)).catch(() => {})
    assert.equal(threads.length, 2)
  })

  test('fails what waits for a thread that is lost, tells of it, and starts another one', async () => {
    const { slot, threads, thread, lost } = await deployed()
    const closing = slot.close(0)
    const deploying = slot.deploy(deployOf(1))
    await settled()
    thread.events.onExit('it ran out of memory')
    // What its tasks had to commit was not committed: the region did not close well.
    assert.match(String(await closing), /WORKER_FAILED/)
    await assert.rejects(deploying, /WORKER_FAILED: thread 2 of the job was lost: it ran out of memory;/)
    assert.equal(lost.length, 1)
    assert.equal(await slot.close(1), undefined)
    void slot.deploy(deployOf(0, 2)).catch(() => {})
    assert.equal(threads.length, 2)
  })

  test('fails a deployment when a split cannot be sent', async () => {
    const { slot, failSending } = await deployed()
    failSending(new Error('() => 1 could not be cloned.'))
    await assert.rejects(
      slot.deploy(deployOf(1)),
      /SOURCE_FAILED: a split cannot be sent to thread 2: .* could not be cloned/,
    )
  })

  test('returns the failure to close', async () => {
    const { slot, thread } = await deployed()
    const closed = slot.close(0)
    const error = { code: undefined, name: 'Error', message: 'the disk is full', stack: undefined }
    thread.events.onReport({ kind: 'closed', region: 0, error, readings: readings(3) })
    assert.match(String(await closed), /the disk is full/)
    assert.equal(slot.readings?.metrics.recordsIn, 3)
  })

  test('forgets what a lost thread had counted', async () => {
    const { slot, thread } = await deployed()
    thread.events.onReport({ kind: 'readings', readings: readings(7) })
    assert.equal(slot.readings?.metrics.recordsIn, 7)
    thread.events.onExit('it ended with exit code 1')
    assert.equal(slot.readings, undefined)
  })
})

describe('a thread that gives no sign of life', () => {
  test('is ended after the time that it may be silent, and not before', async () => {
    const { loop, thread, lost } = await deployed()
    thread.heartbeat[0] = 1
    loop.pass(1000)
    loop.pass(SILENCE_MS - 1000)
    assert.equal(thread.terminations, 0)
    loop.pass(1000)
    assert.equal(thread.terminations, 1)
    assert.match(lost[0] ?? '', /thread 2 of the job was lost: it gave no sign of life for 4000 ms/)
  })

  test('is left alone as long as it gives one now and then', async () => {
    const { loop, thread } = await deployed()
    for (let beat = 1; beat < 20; beat++) {
      thread.heartbeat[0] = beat
      loop.pass(SILENCE_MS - 1000)
    }
    assert.equal(thread.terminations, 0)
  })

  test('has a minute to load its code', async () => {
    const { loop, slot, threads } = setUp()
    const done = slot.deploy(deployOf(0))
    done.catch(() => {})
    loop.pass(59_000)
    assert.equal(threads[0]?.terminations, 0)
    loop.pass(3000)
    assert.equal(threads[0]?.terminations, 1)
    await assert.rejects(done, /it gave no sign of life for \d+ ms/)
  })
})

describe('the end of a slot', () => {
  test('waits until the thread has ended by itself, and leaves no timer behind', async () => {
    const { loop, slot, thread, lost } = await deployed()
    const ended = slot.end()
    assert.deepEqual(kinds(thread), ['deploy', 'exit'])
    thread.events.onExit('it ended with exit code 0')
    await ended
    assert.deepEqual([thread.terminations, lost, loop.pending], [0, [], 0])
  })

  test('ends a thread that does not', async () => {
    const { loop, slot, thread, lost } = await deployed()
    const ended = slot.end()
    loop.pass(10_000)
    await ended
    assert.deepEqual([thread.terminations, lost, loop.pending], [1, [], 0])
  })

  test('is at once where nothing was deployed', async () => {
    await setUp().slot.end()
  })
})
