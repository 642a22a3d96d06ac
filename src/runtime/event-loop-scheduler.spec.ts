// The scheduler of production on an event loop that the test turns by hand: slices, sleep, wake-ups, and no spinning.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { EventLoop } from '../base/event-loop.ts'
import { silentLogger } from '../base/logger.ts'
import { GraphBuilder } from '../model/graph-builder.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { planGraph } from '../plan/plan.ts'
import {
  type CollectingSink,
  collectingSink,
  customConnectors,
  customSink,
  customSource,
  valuesSource,
} from '../testing/collections.ts'
import { EventLoopScheduler } from './event-loop-scheduler.ts'
import { JobRun } from './job-run.ts'
import { VirtualClock } from './simulated-scheduler.ts'

/** Nothing runs until the test turns the loop. */
class HandDrivenLoop implements EventLoop {
  readonly deferred: (() => void)[] = []
  readonly timers: { delayMs: number; task: () => void; isCancelled: boolean }[] = []

  defer(task: () => void): void {
    this.deferred.push(task)
  }

  at(delayMs: number, task: () => void): () => void {
    const timer = { delayMs, task, isCancelled: false }
    this.timers.push(timer)
    return () => {
      timer.isCancelled = true
    }
  }

  /** The timers that would still fire. */
  get pending(): readonly { delayMs: number; task: () => void }[] {
    return this.timers.filter(timer => !timer.isCancelled)
  }

  /** Runs what was put off, and lets promises settle; returns how many tasks ran. */
  async turn(): Promise<number> {
    const tasks = this.deferred.splice(0)
    for (const task of tasks) task()
    for (let i = 0; i < 100; i++) await Promise.resolve()
    return tasks.length
  }

  /** Turns until nothing is put off any more, or fails after that many turns. */
  async turnUntilAsleep(turnsMax = 100): Promise<number> {
    let turns = 0
    for (let i = 0; i < 100; i++) await Promise.resolve()
    while (this.deferred.length > 0) {
      assert.ok(turns++ < turnsMax, `the scheduler is still running after ${turnsMax} turns`)
      await this.turn()
    }
    return turns
  }

  /** Moves the clock on by the one pending timer, and fires it. */
  fire(clock: VirtualClock): void {
    const [timer] = this.pending
    assert.ok(timer !== undefined && this.pending.length === 1, 'one timer is pending')
    this.timers.length = 0
    clock.advanceTo(clock.now() + timer.delayMs)
    timer.task()
  }
}

interface Started {
  readonly loop: HandDrivenLoop
  readonly clock: VirtualClock
  readonly run: JobRun
  readonly done: Promise<unknown>
  isDone(): boolean
}

function start(steps: readonly OperatorSpec[], clock = new VirtualClock(1000)): Started {
  const graph = new GraphBuilder()
  for (const [index, operator] of steps.entries()) {
    graph.addVertex({ name: `step ${index}`, operator }).chaining = 'disabled'
    if (index > 0) graph.addEdge({ from: index - 1, to: index })
  }
  const loop = new HandDrivenLoop()
  const run = new JobRun({
    plan: planGraph(graph.build('a job', { parallelism: 1 })),
    connectors: customConnectors,
    clock,
    logger: silentLogger,
    scheduler: new EventLoopScheduler(loop, clock),
    seed: 1,
    channelCapacityRecords: 4,
  })
  let isDone = false
  const done = run.run()
  const settle = (): void => {
    isDone = true
  }
  done.then(settle, settle)
  return { loop, clock, run, done, isDone: () => isDone }
}

/** Emits a number at each of the given times. */
function timetable(timesMs: readonly number[]): OperatorSpec {
  const source = customSource({
    splits: () => [{ id: 'timetable', position: 0 }],
    open: (_split, { clock }) => {
      let next = 0
      return {
        read(output) {
          while (next < timesMs.length && (timesMs[next] as number) <= clock.now()) output.emit(next++)
          return next === timesMs.length ? 'end' : 'waiting'
        },
        get wakeAtMs() {
          return timesMs[next]
        },
        position: () => next,
        close: () => {},
      }
    },
  })
  return { kind: 'source', source }
}

function into(collected: CollectingSink<unknown>): OperatorSpec {
  return { kind: 'sink', sink: collected.spec }
}

describe('a job on the event loop', () => {
  test('runs in slices that the loop gives, to its end', async () => {
    const collected = collectingSink()
    const { loop, done } = start([
      { kind: 'source', source: valuesSource([1, 2, 3, 4, 5, 6, 7, 8, 9]) },
      into(collected),
    ])
    await loop.turnUntilAsleep()
    await done
    assert.deepEqual(collected.records, [1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert.equal(loop.pending.length, 0)
  })

  test('gives the loop its turn when the slice is over', async () => {
    // Each reading of the clock takes a millisecond, so that time passes while tasks work.
    class TickingClock extends VirtualClock {
      override monotonicMs(): number {
        this.advanceTo(this.now() + 1)
        return super.monotonicMs()
      }
    }
    const collected = collectingSink()
    const values = Array.from({ length: 2000 }, (_, i) => i)
    const { loop, done } = start(
      [{ kind: 'source', source: valuesSource(values) }, into(collected)],
      new TickingClock(0),
    )
    const turns = await loop.turnUntilAsleep(10_000)
    await done
    assert.equal(collected.records.length, 2000)
    assert.ok(turns > 10, `${turns} turns`)
  })

  test('sleeps until the next time it has work, with one timer, and does nothing before', async () => {
    const collected = collectingSink()
    const { loop, clock, done, isDone } = start([timetable([1500, 4000]), into(collected)])
    await loop.turnUntilAsleep()
    assert.deepEqual(
      loop.pending.map(({ delayMs }) => delayMs),
      [500],
    )
    assert.equal(await loop.turn(), 0, 'asleep')
    loop.fire(clock)
    await loop.turnUntilAsleep()
    assert.deepEqual(collected.records, [0])
    assert.deepEqual(
      loop.pending.map(({ delayMs }) => delayMs),
      [2500],
    )
    assert.equal(isDone(), false)
    loop.fire(clock)
    await loop.turnUntilAsleep()
    await done
    assert.deepEqual(collected.records, [0, 1])
  })

  test('sleeps a minute at most', async () => {
    const { loop, run, done } = start([timetable([10_000_000]), into(collectingSink())])
    await loop.turnUntilAsleep()
    assert.deepEqual(
      loop.pending.map(({ delayMs }) => delayMs),
      [60_000],
    )
    run.cancel()
    await done
    assert.equal(loop.pending.length, 0, 'the timer of a cancelled job does not keep the process')
  })

  test('is woken by a reader, once for many calls', async () => {
    let wake = (): void => {}
    const values = [1, 2, 3]
    const source = customSource({
      splits: () => [{ id: 'pushed', position: 0 }],
      open: (_split, context) => {
        wake = () => context.wake()
        let isAwake = false
        return {
          read(output) {
            if (!isAwake) {
              isAwake = true
              return 'waiting'
            }
            for (const value of values) output.emit(value)
            return 'end'
          },
          position: () => 0,
          close: () => {},
        }
      },
    })
    const collected = collectingSink()
    const { loop, done } = start([{ kind: 'source', source }, into(collected)])
    await loop.turnUntilAsleep()
    assert.equal(loop.pending.length, 0, 'there is nothing to wait for but the reader')
    for (let i = 0; i < 5; i++) wake()
    assert.equal(loop.deferred.length, 1)
    await loop.turnUntilAsleep()
    await done
    assert.deepEqual(collected.records, values)
  })

  test('does not spin while a slow writer holds everything up, even with a timer long due', async () => {
    const writes: (() => void)[] = []
    const slow = customSink({
      open: () => ({ write: () => new Promise<void>(resolve => writes.push(resolve)), close: () => {} }),
    })
    const idling: OperatorSpec = {
      kind: 'timestamps',
      strategy: {
        description: 'record number',
        timestamp: (record: number) => record,
        generator: () => ({ onRecord: () => {}, current: () => -Infinity }),
        idleTimeoutMs: 10,
      },
    }
    const values = Array.from({ length: 20 }, (_, i) => i)
    const { loop, clock, done, isDone } = start([
      { kind: 'source', source: valuesSource(values) },
      idling,
      { kind: 'sink', sink: slow },
    ])
    let written = 0
    while (!isDone()) {
      const turns = await loop.turnUntilAsleep(20)
      assert.ok(turns <= 20)
      assert.deepEqual(loop.pending, [], 'no timer: only the writer can end the wait')
      clock.advanceTo(clock.now() + 1000)
      const resolve = writes.shift()
      if (resolve === undefined) break
      written++
      resolve()
      for (let i = 0; i < 20; i++) await Promise.resolve()
      assert.ok(loop.deferred.length <= 1, 'woken once')
    }
    await done
    assert.equal(written, 20)
  })
})

describe('an end', () => {
  test('by failure: no task is stepped any more', async () => {
    let calls = 0
    const failing: OperatorSpec = {
      kind: 'transform',
      shape: 'map',
      function: () => {
        calls++
        throw new Error('boom')
      },
    }
    const { loop, done } = start([{ kind: 'source', source: valuesSource([1, 2, 3]) }, failing, into(collectingSink())])
    const failed = assert.rejects(done, /boom/)
    await loop.turnUntilAsleep()
    await failed
    assert.equal(calls, 1)
    assert.deepEqual([loop.deferred.length, loop.pending.length], [0, 0])
  })

  test('by cancel while asleep: at once', async () => {
    const { loop, run, done } = start([timetable([5000]), into(collectingSink())])
    await loop.turnUntilAsleep()
    run.cancel()
    await done
    assert.equal(await loop.turn(), 0)
  })

  test('by stop while asleep: the job is woken to end', async () => {
    const collected = collectingSink()
    const { loop, run, done } = start([timetable([5000]), into(collected)])
    await loop.turnUntilAsleep()
    run.stop()
    await loop.turnUntilAsleep()
    assert.equal(((await done) as { status: string }).status, 'stopped')
    assert.equal(collected.writers.closed, 1)
  })
})
