// Checkpoints in the mode at-most-once (Apex's AT_MOST_ONCE): after a failure state goes back to the newest checkpoint and sources go on where they
// had got to. Poison pills and what was in flight are missing; nothing is read, called for or written twice.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { CheckpointOptions } from '../../src/model/checkpoint-options.ts'
import type { Sink, Source, Split } from '../../src/model/connector.ts'
import { transactionalCollection } from '../../src/testing/simulation/transactional-collection.ts'
import { graphOf } from '../simulation/support/simulated-job.ts'
import { Machine, RecoverableJob } from './support/recoverable-job.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

const RECORDS = 600
const KEYS = 7
const INTERVAL_MS = 20
const PILLS: ReadonlySet<number> = new Set([3, 4, 150, 151, 333, 599])
const CHANNEL_CAPACITY_RECORDS = 8
const CHECKPOINTS = { intervalMs: INTERVAL_MS, mode: 'at-most-once' } as const
const ALL = Array.from({ length: RECORDS }, (_, id) => id)

/** A map that fails on each pill, whenever it gets it. */
function swallow(id: number): number {
  if (PILLS.has(id)) throw new Error(`the pill ${id}`)
  return id
}

function ascending(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => a - b)
}

function missing(seen: readonly number[], of: readonly number[] = ALL): number[] {
  const found = new Set(seen)
  return of.filter(id => !found.has(id))
}

function assertOnce(ids: readonly number[], what = 'written'): void {
  assert.equal(new Set(ids).size, ids.length, `nothing is ${what} twice`)
}

/** Each record of a key comes behind those before it. */
function assertOrdered(ids: readonly number[]): void {
  const last = new Map<number, number>()
  for (const id of ids) {
    assert.ok((last.get(id % KEYS) ?? -1) < id, `${id} comes behind ${last.get(id % KEYS)}`)
    last.set(id % KEYS, id)
  }
}

interface Launch {
  readonly machine?: Machine
  readonly seed?: number
  readonly parallelism?: number
  readonly checkpoints?: CheckpointOptions
}

function start(build: (env: StreamEnvironment) => void, launch: Launch = {}): Promise<RecoverableJob> {
  const { machine = new Machine(), seed = 1, parallelism = 1, checkpoints = CHECKPOINTS } = launch
  const graph = graphOf('pills', parallelism, build)
  return RecoverableJob.start({ machine, graph, seed, checkpoints, channelCapacityRecords: CHANNEL_CAPACITY_RECORDS })
}

/** Numbers at one a millisecond, and which were read, in order. */
function numbers(env: StreamEnvironment, read: number[]) {
  return env
    .generate(
      id => {
        read.push(id)
        return id
      },
      { count: RECORDS, recordsPerSecond: 1000 },
    )
    .uid('numbers')
}

describe('a map that fails on poison pills, in one chain with its source', () => {
  for (const seed of [1, 2, 3]) {
    test(`the pills are missing and nothing else, seed ${seed}`, async () => {
      const read: number[] = []
      const written: number[] = []
      const job = await start(
        env =>
          numbers(env, read)
            .map(swallow)
            .addSink(id => void written.push(id)),
        { seed },
      )
      const { status } = await job.done
      assert.equal(status, 'finished')
      assert.equal(job.failures.length, PILLS.size)
      assert.ok(job.snapshots.length > 10, `${job.snapshots.length} checkpoints`)
      assert.deepEqual(read, ALL)
      assert.deepEqual(missing(written), [...PILLS])
      assertOnce(written)
    })
  }

  test('also before the first checkpoint', async () => {
    const read: number[] = []
    const written: number[] = []
    const checkpoints = { intervalMs: Infinity, mode: 'at-most-once' } as const
    const job = await start(
      env =>
        numbers(env, read)
          .map(swallow)
          .addSink(id => void written.push(id)),
      { checkpoints },
    )
    await job.done
    assert.deepEqual(read, ALL)
    assert.deepEqual(missing(written), [...PILLS])
    assertOnce(written)
    assert.equal(job.snapshots.length, 1, 'only the last')
  })

  test('also where a reader counts a record after it has emitted it, and its splits would be others the next time', async () => {
    const written: number[] = []
    const source = new CountingAfterwards()
    const job = await start(env =>
      env
        .addSource(source, { isBounded: true, hasTimestamps: false })
        .map(swallow)
        .addSink(id => void written.push(id)),
    )
    await job.done
    assert.equal(job.failures.length, PILLS.size)
    assert.equal(source.asked, 1, 'splits are asked for once')
    assert.deepEqual(missing(written), [...PILLS])
    assertOnce(written)
  })

  test('with at-least-once the same job never gets over the first pill', async () => {
    const job = await start(
      env =>
        void numbers(env, [])
          .map(swallow)
          .addSink(() => {}),
      {
        checkpoints: { intervalMs: INTERVAL_MS, mode: 'at-least-once' },
      },
    )
    await assert.rejects(job.done, /the pill 3/)
  })
})

describe('a map that fails on poison pills behind a shuffle', () => {
  for (const [seed, parallelism] of [
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 3],
  ] as const) {
    test(`what was in flight is missing too, and records of a key keep their order; seed ${seed}, parallelism ${parallelism}`, async () => {
      const read: number[] = []
      const written: number[] = []
      const job = await start(
        env =>
          numbers(env, read)
            .keyBy(id => id % KEYS)
            .map(swallow)
            .addSink(id => void written.push(id)),
        { seed, parallelism },
      )
      await job.done
      assert.equal(read.length, RECORDS)
      assertOnce(read, 'read')
      assertOnce(written)
      if (parallelism === 1) assertOrdered(written)
      const lost = missing(written)
      // Records are as old as the channels are long, and a failure loses no more than these hold.
      const inFlightMax = parallelism * parallelism * (CHANNEL_CAPACITY_RECORDS + 1)
      assert.ok(job.failures.length > 0 && job.failures.length <= PILLS.size, `${job.failures.length} failures`)
      assert.ok(lost.length <= PILLS.size + job.failures.length * inFlightMax, `${lost.length} lost`)
      assert.ok([...PILLS].every(id => lost.includes(id)))
    })
  }

  test('state goes back to the checkpoint: what was counted since is lost, and no more', async () => {
    const counts: number[] = []
    const failsAt = 405
    let hasFailed = false
    const job = await start(env =>
      env
        .generate(() => ({ key: 'all', count: 1 }), { count: RECORDS, recordsPerSecond: 1000 })
        .keyBy('key')
        .sum('count')
        .uid('counts')
        .map(({ count }) => {
          if (count !== failsAt || hasFailed) return count
          hasFailed = true
          throw new Error('the counter is broken')
        })
        .addSink(count => void counts.push(count)),
    )
    await job.done
    const before = counts.slice(0, failsAt - 1)
    const after = counts.slice(failsAt - 1)
    const [first = 0] = after
    assert.deepEqual(before, ALL.slice(1, failsAt))
    assert.deepEqual(
      after,
      after.map((_, index) => first + index),
    )
    assert.ok(first < failsAt && first >= failsAt - 2 * INTERVAL_MS, `goes on with ${first}`)
    assert.ok(counts.length < RECORDS && counts.length >= RECORDS - CHANNEL_CAPACITY_RECORDS - 2)
  })

  test('a transactional sink loses no more than what came since the checkpoint', async () => {
    const read: number[] = []
    const sums = transactionalCollection<number>()
    const job = await start(env =>
      numbers(env, read)
        .keyBy(id => id % KEYS)
        .map(swallow)
        .addSink(sums.sink, { delivery: 'transactional' })
        .uid('sink'),
    )
    await job.done
    const lost = missing(sums.records)
    assertOnce(read, 'read')
    assertOnce(sums.records)
    assertOrdered(sums.records)
    assert.equal(sums.pendingCount, 0)
    assert.ok(lost.length > PILLS.size, `${lost.length} lost`)
    assert.ok(lost.length <= PILLS.size * 2 * INTERVAL_MS, `${lost.length} lost`)
    assert.deepEqual(missing(sums.records, ascending([...PILLS])), ascending([...PILLS]))
  })
})

describe('several attempts', () => {
  test('that fail before anything is read change nothing', async () => {
    const read: number[] = []
    const written: number[] = []
    let opened = 0
    const sink: Sink<number> = {
      open: () => {
        // The first attempt after each of the first two failures, and the one after that.
        if ([2, 3, 5, 6].includes(++opened)) throw new Error('the sink does not open')
        return { write: id => void written.push(id), close: () => {} }
      },
    }
    const job = await start(env => numbers(env, read).map(swallow).addSink(sink))
    await job.done
    assert.equal(job.failures.filter(text => text.includes('does not open')).length, 4)
    assert.equal(job.failures.length, PILLS.size + 4)
    assert.deepEqual(read, ALL)
    assert.deepEqual(missing(written), [...PILLS])
    assertOnce(written)
  })

  test('of a region leave the other alone', async () => {
    const read: number[] = []
    const written: number[] = []
    const other: number[] = []
    const job = await start(env => {
      numbers(env, read)
        .map(swallow)
        .addSink(id => void written.push(id))
      env.generate(id => id, { count: RECORDS, recordsPerSecond: 1000 }).addSink(id => void other.push(id))
    })
    await job.done
    assert.equal(job.failures.length, PILLS.size)
    assert.deepEqual(read, ALL)
    assert.deepEqual(missing(written), [...PILLS])
    assert.deepEqual(other, ALL)
  })

  test('of two regions that fail, each goes on where its own source was', async () => {
    const seen: Readonly<Record<'left' | 'right', { read: number[]; written: number[] }>> = {
      left: { read: [], written: [] },
      right: { read: [], written: [] },
    }
    const job = await start(env => {
      for (const { read, written } of Object.values(seen))
        numbers(env, read)
          .uid(`numbers ${Object.values(seen).findIndex(side => side.read === read)}`)
          .map(swallow)
          .addSink(id => void written.push(id))
    })
    await job.done
    for (const { read, written } of Object.values(seen)) {
      assert.deepEqual(read, ALL)
      assert.deepEqual(missing(written), [...PILLS])
      assertOnce(written)
    }
  })

  test('ask for no result of an asynchronous call again that may have gone on', async () => {
    const machine = new Machine()
    const called: number[] = []
    const written: number[] = []
    const job = await start(
      env =>
        numbers(env, [])
          .mapAsync(
            async id => {
              called.push(id)
              await machine.clock.sleep(15)
              return id
            },
            { capacity: 40 },
          )
          .uid('calls')
          .map(swallow)
          .addSink(id => void written.push(id)),
      { machine },
    )
    await job.done
    assert.ok(job.failures.length > 1)
    assertOnce(called, 'called for')
    assertOnce(written)
    assert.ok(missing(written).length <= job.failures.length * 41, `${missing(written).length} lost`)
  })
})

describe('a new process', () => {
  test('knows the checkpoint alone: it reads again what came since, and loses nothing', async () => {
    const machine = new Machine()
    const written: number[] = []
    const build = (env: StreamEnvironment): void => {
      env
        .generate(id => id, { count: RECORDS, recordsPerSecond: 1000 })
        .uid('numbers')
        .addSink(id => void written.push(id))
    }
    const first = await start(build, { machine })
    await first.until(() => written.length >= 210)
    await first.cancel()
    const before = written.length
    const second = await start(build, { machine })
    await second.done
    const again = written[before] as number
    assert.ok(again > 0 && again < before && before - again <= 2 * INTERVAL_MS, `goes on at ${again} of ${before}`)
    assert.deepEqual(written.slice(before), ALL.slice(again))
  })
})

describe('explain', () => {
  function textOf(mode: CheckpointOptions['mode'], delivery?: 'transactional' | 'idempotent'): string {
    const env = new StreamEnvironment(new SimulatedLauncher(1, { seed: 1 }))
    env.enableCheckpointing(1000, mode === undefined ? {} : { mode })
    const stream = env.fromElements(1)
    if (delivery === undefined) stream.addSink(() => {})
    else stream.addSink(transactionalCollection<number>().sink, { delivery })
    const lines = env.explain().text.split('\n')
    return lines.filter(line => line.startsWith('with checkpoints')).join('\n')
  }

  test('says of each sink that it is at most once, and what a new process does', () => {
    assert.match(
      textOf('at-most-once'),
      /is at-most-once: sources go on behind what they had read; records that were under way to .* are lost with a failure; a new process reads again from the checkpoint, so what was written since is written again$/,
    )
  })

  test('says so of a transactional sink too, which loses what it has not shown', () => {
    assert.match(
      textOf('at-most-once', 'transactional'),
      /is at-most-once: .* shows records when their checkpoint is complete, and loses those behind it with a failure; a new process reads again from the checkpoint$/,
    )
  })

  test('says of at-least-once that records may count twice', () => {
    assert.match(textOf('at-least-once', 'transactional'), /is at-least-once: in this mode a record may count twice/)
    assert.match(textOf(undefined, 'transactional'), /is exactly-once: /)
  })
})

/** Gives the numbers by one split, whose reader moves on behind each record; asked again it would begin with other splits. */
class CountingAfterwards implements Source<number, number> {
  asked = 0

  splits() {
    return Array.from({ length: ++this.asked }, (_, split) => ({ id: `${this.asked}/${split}`, position: 0 }))
  }

  open({ position }: Split<number>) {
    let next = position
    return {
      read(output: { emit(record: number): boolean }) {
        while (next < RECORDS) {
          const hasRoom = output.emit(next)
          next++
          if (!hasRoom) return 'more' as const
        }
        return 'end' as const
      },
      position: () => next,
      close: () => {},
    }
  }
}
