// Flink's SavepointITCase and TimersSavepointITCase: a job stopped with a savepoint goes on as if nothing had happened, a drained one emits
// all that pends, a savepoint starts any number of jobs, and timers of both kinds survive.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import { tumblingWindows } from '../../src/api/datastream/window-assigners.ts'
import type { TimeDomain } from '../../src/model/functions.ts'
import type { Graph } from '../../src/model/graph.ts'
import { value } from '../../src/model/state.ts'
import { transactionalCollection } from '../../src/testing/simulation/transactional-collection.ts'
import { forMonotonousTimestamps } from '../../src/time/watermark-strategies.ts'
import { type Event, eventsOf, readEvents, readInOrder } from '../simulation/support/events.ts'
import { graphOf, TRANSACTIONAL } from '../simulation/support/simulated-job.ts'
import { growingSource } from './support/growing-source.ts'
import { Machine, RecoverableJob } from './support/recoverable-job.ts'

const PARALLELISM = 4
const WINDOW_MS = 100
const EVENTS = { splits: 1, count: 150 }

type Results = ReturnType<typeof transactionalCollection<string>>

/** The n-th event of each key, as text. */
function counting(parallelism: number, results: Results, sinkUid = 'sink'): Graph {
  return graphOf('counts', parallelism, env => {
    readEvents(env)
      .uid('events')
      .keyBy('key')
      .process({
        state: { count: value(0) },
        onRecord(_event, ctx, out: { collect(text: string): void }) {
          ctx.state.count.set(ctx.state.count.get() + 1)
          out.collect(`${ctx.key} ${ctx.state.count.get()}`)
        },
      })
      .uid('counts')
      .addSink(results.sink, TRANSACTIONAL)
      .uid(sinkUid)
  })
}

function countsOf(events: readonly Event[]): readonly string[] {
  const counts = new Map<string, number>()
  return events.map(({ key }) => {
    counts.set(key, (counts.get(key) ?? 0) + 1)
    return `${key} ${counts.get(key)}`
  })
}

const ALL_COUNTS = countsOf(
  eventsOf()
    .flat()
    .map(event => event.value),
)

/** The events of each key and window, as text. */
function windows(results: Results): Graph {
  return graphOf('windows', 2, env => {
    readInOrder(env)
      .uid('time')
      .keyBy('key')
      .window(tumblingWindows(WINDOW_MS))
      .aggregate(
        { create: () => 0, add: (count: number) => count + 1, merge: (a, b) => a + b, result: count => count },
        (count, { key, window }) => `${key} ${window.start} ${count}`,
      )
      .uid('windows')
      .addSink(results.sink, TRANSACTIONAL)
      .uid('sink')
  })
}

/** What the windows that end up to a time come to. */
function windowsOf(events: readonly Event[], untilMs: number): readonly string[] {
  const counts = new Map<string, number>()
  for (const { key, at } of events) {
    const start = at - (at % WINDOW_MS)
    if (start + WINDOW_MS <= untilMs) counts.set(`${key} ${start}`, (counts.get(`${key} ${start}`) ?? 0) + 1)
  }
  return [...counts].map(([text, count]) => `${text} ${count}`)
}

function assertSame(found: readonly string[], expected: readonly string[]): void {
  assert.deepEqual(found.toSorted(), expected.toSorted())
}

/** The events that were read before a savepoint of the windows. */
async function readBefore(machine: Machine, savepoint: string): Promise<readonly Event[]> {
  const rows = await machine.rows(savepoint, { state: 'splits' })
  const [row] = rows
  assert.ok(row !== undefined)
  const { position } = row.values['split'] as { readonly position: number }
  const events = eventsOf(EVENTS)[0]?.map(event => event.value) ?? []
  assert.ok(position > 0 && position < events.length, `the savepoint is at record ${position}`)
  return events.slice(0, position)
}

describe('SavepointITCase', () => {
  test('a job that is stopped with a savepoint, again and again, gives what it gives without', async () => {
    const machine = new Machine()
    const results = transactionalCollection<string>()
    let from: string | undefined
    for (const [index, parallelism] of [PARALLELISM, 2, PARALLELISM].entries()) {
      const start = from === undefined ? {} : { from }
      const job = await RecoverableJob.start({ machine, graph: counting(parallelism, results), seed: index, ...start })
      await machine.clock.sleep(8)
      from = `savepoint ${index}`
      assert.equal((await job.stopWithSavepoint(from)).status, 'stopped')
      const { length } = results.records
      assert.ok(length > 0 && length < ALL_COUNTS.length, `${length} results`)
    }
    const init = { machine, graph: counting(PARALLELISM, results), seed: 9, from: from as string }
    assert.equal((await (await RecoverableJob.start(init)).done).status, 'finished')
    assertSame(results.records, ALL_COUNTS)
  })

  test('a savepoint of a job that goes on starts others, which give the same, and stays as it is', async () => {
    const machine = new Machine()
    const results = transactionalCollection<string>()
    const checkpoints = { intervalMs: 5 }
    const job = await RecoverableJob.start({ machine, graph: counting(PARALLELISM, results), seed: 1, checkpoints })
    await machine.clock.sleep(12)
    await job.takeSavepoint('savepoint')
    assert.equal((await job.done).status, 'finished')
    assertSame(results.records, ALL_COUNTS)
    const before = filesIn(machine, 'savepoint')

    const rows = await machine.rows('savepoint', { operator: 'counts', state: 'count' })
    const counted = new Map(rows.map(({ identity: [key], values }) => [key, Number(values['count'])]))
    const rest = ALL_COUNTS.filter(text => {
      const [key, count] = text.split(' ')
      return Number(count) > (counted.get(key) ?? 0)
    })
    assert.ok(rest.length > 0 && rest.length < ALL_COUNTS.length, `${rest.length} are left`)

    for (const directory of ['fork', 'other fork']) {
      const forked = transactionalCollection<string>()
      // What the savepoint holds of the sink is committed by the job that took it: a fork has a sink of its own.
      const graph = counting(PARALLELISM, forked, 'other sink')
      const init = { machine, graph, seed: 2, checkpoints, from: 'savepoint', directory, allowUnmapped: true }
      await (await RecoverableJob.start(init)).done
      assertSame(forked.records, rest)
    }
    assert.deepEqual(filesIn(machine, 'savepoint'), before)
  })

  test('stopped, a job fires no pending window, and later fires each once with all that belongs to it', async () => {
    const machine = new Machine()
    const results = transactionalCollection<string>()
    const job = await RecoverableJob.start({ machine, graph: windows(results), seed: 3 })
    await machine.clock.sleep(30)
    await job.stopWithSavepoint('savepoint')
    const before = await readBefore(machine, 'savepoint')
    assertSame(results.records, windowsOf(before, before.at(-1)?.at ?? 0))

    await (await RecoverableJob.start({ machine, graph: windows(results), seed: 4, from: 'savepoint' })).done
    assertSame(results.records, windowsOf(eventsOf(EVENTS)[0]?.map(event => event.value) ?? [], Infinity))
  })

  test('drained, it fires all pending windows and has come to its end', async () => {
    const machine = new Machine()
    const results = transactionalCollection<string>()
    const job = await RecoverableJob.start({ machine, graph: windows(results), seed: 3 })
    await machine.clock.sleep(30)
    assert.equal((await job.stopWithSavepoint('savepoint', 'drain')).status, 'finished')
    assertSame(results.records, windowsOf(await readBefore(machine, 'savepoint'), Infinity))
    assert.equal(results.pendingCount, 0)
  })

  test('a savepoint of a job with an iteration holds what is in its loop', async () => {
    const machine = new Machine()
    const results = transactionalCollection<string>()
    const graph = graphOf('iteration', 2, env => {
      readEvents(env)
        .uid('events')
        .map(({ n }) => ({ n, left: n % 6 }))
        .iterate(loop => {
          const next = loop
            .mapAsync(async item => {
              await machine.clock.sleep(2)
              return { ...item, left: item.left - 1 }
            })
            .uid('rounds')
          return { feedback: next.filter(item => item.left > 0), output: next.filter(item => item.left <= 0) }
        })
        .map(({ n }) => `${n}`)
        .addSink(results.sink, TRANSACTIONAL)
        .uid('sink')
    })
    const job = await RecoverableJob.start({ machine, graph, seed: 5 })
    await machine.clock.sleep(10)
    await job.takeSavepoint('savepoint')
    await job.cancel()
    const held = await machine.rows('savepoint', { operator: 'rounds', state: 'calls' })
    assert.ok(held.length > 0)
    const numbers = eventsOf()
      .flat()
      .map(event => `${event.value.n}`)
    assert.ok(results.records.length < numbers.length)
    await (await RecoverableJob.start({ machine, graph, seed: 6, from: 'savepoint' })).done
    assertSame(results.records, numbers)
  })

  test('a savepoint that is not there, and a place that holds one already, are refused', async () => {
    const machine = new Machine()
    const results = transactionalCollection<string>()
    const init = { machine, graph: counting(1, results), seed: 7 }
    await assert.rejects(RecoverableJob.start({ ...init, from: 'nowhere' }), { code: 'SNAPSHOT_NOT_FOUND' })
    const job = await RecoverableJob.start(init)
    await machine.clock.sleep(3)
    await job.takeSavepoint('savepoint')
    await assert.rejects(job.takeSavepoint('savepoint'), { code: 'STORAGE_FAILED' })
    assert.equal((await job.done).status, 'finished')
    assertSame(results.records, ALL_COUNTS)
  })
})

function filesIn(machine: Machine, directory: string): readonly (readonly [string, string])[] {
  return [...machine.files.snapshot()]
    .filter(([path]) => path.startsWith(`${directory}/`))
    .map(([path, bytes]): [string, string] => [path, Buffer.from(bytes).toString('hex')])
    .sort()
}

interface Ping {
  readonly key: number
  readonly at: number
}

interface Fired {
  readonly key: number
  readonly domain: TimeDomain
  readonly timeMs: number
  readonly nowMs: number
}

describe('TimersSavepointITCase', () => {
  const KEYS = 40
  const EVENT_DELAY_MS = 1000
  const PROCESSING_DELAY_MS = 50

  /** Each key registers one timer of each kind with its first record. */
  function timers(env: StreamEnvironment, count: number, fired: (timer: Fired) => void): void {
    const record = (_split: number, index: number): Ping => ({ key: index % KEYS, at: index })
    env
      .addSource(growingSource({ splits: 1, record, count, hasEnd: false }), { isBounded: false, hasTimestamps: false })
      .setParallelism(1)
      .uid('pings')
      .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: ping => ping.at, emit: 'per-record' }))
      .setParallelism(1)
      .uid('time')
      .keyBy('key')
      .process<Fired, { hasTimers: ReturnType<typeof value<boolean>> }>({
        state: { hasTimers: value(false as boolean) },
        onRecord({ at }, { state, timers: service }) {
          if (state.hasTimers.get()) return
          state.hasTimers.set(true)
          service.registerEventTimeTimer(at + EVENT_DELAY_MS)
          service.registerProcessingTimeTimer(service.currentProcessingTime() + PROCESSING_DELAY_MS + at)
        },
        onTimer(timeMs, { key, timeDomain: domain, timers: service }, out) {
          out.collect({ key, domain, timeMs, nowMs: service.currentProcessingTime() })
        },
      })
      .uid('timers')
      .addSink(fired)
  }

  function graph(parallelism: number, count: number, fired: (timer: Fired) => void): Graph {
    return graphOf('timers', parallelism, env => timers(env, count, fired))
  }

  for (const { downMs, parallelism } of [
    { downMs: 0, parallelism: PARALLELISM },
    { downMs: 5000, parallelism: 3 },
  ]) {
    test(`timers fire once after ${downMs} ms without the job, at parallelism ${parallelism}`, async () => {
      const machine = new Machine()
      const { clock } = machine
      const fired: Fired[] = []
      const startMs = clock.now()
      const note = (timer: Fired): void => {
        fired.push(timer)
      }
      const job = await RecoverableJob.start({ machine, graph: graph(PARALLELISM, KEYS, note), seed: 1 })
      await clock.sleep(PROCESSING_DELAY_MS / 2)
      await job.stopWithSavepoint('savepoint')
      assert.equal(fired.length, 0)
      const rows = await machine.rows('savepoint', { operator: 'timers', state: 'hasTimers' })
      assert.equal(rows.length, KEYS)

      clock.advanceTo(clock.now() + downMs)
      const restartMs = clock.now()
      const count = EVENT_DELAY_MS + KEYS + 1
      const again = await RecoverableJob.start({
        machine,
        graph: graph(parallelism, count, note),
        seed: 2,
        from: 'savepoint',
      })
      await again.until(() => fired.length >= 2 * KEYS)
      await clock.sleep(1000)
      await again.stopWithSavepoint('end')

      for (const domain of ['event-time', 'processing-time'] as const) {
        const own = fired.filter(timer => timer.domain === domain).toSorted((a, b) => a.key - b.key)
        assert.deepEqual(
          own.map(({ key, timeMs }) => [key, timeMs]),
          Array.from({ length: KEYS }, (_, key) => [
            key,
            key + (domain === 'event-time' ? EVENT_DELAY_MS : startMs + PROCESSING_DELAY_MS),
          ]),
        )
      }
      // In processing time one fires when it is due, or when the job is there again.
      for (const { domain, timeMs, nowMs } of fired)
        if (domain === 'processing-time') assert.equal(nowMs, Math.max(timeMs, restartMs))
    })
  }
})
