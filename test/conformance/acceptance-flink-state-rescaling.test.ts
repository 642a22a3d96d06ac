// Flink's RescalingITCase: 42 keys in 13 key groups, 1000 elements of each and 500 more after a savepoint, from parallelism 2 to 4 and back.
// State is on the subtask of its key group; lists are dealt out again, union and broadcast state goes to all; what cannot move refuses.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { DataStream } from '../../src/api/datastream/streams.ts'
import { globalWindows } from '../../src/api/datastream/window-assigners.ts'
import { afterCount } from '../../src/api/datastream/window-triggers.ts'
import type { CheckpointOptions } from '../../src/model/checkpoint-options.ts'
import type { KeyedProcessFunction, ProcessFunction } from '../../src/model/functions.ts'
import type { Graph } from '../../src/model/graph.ts'
import { keyGroupOf, subtaskOfKeyGroup } from '../../src/model/key-groups.ts'
import { type OperatorListDescriptor, operatorList, operatorUnion } from '../../src/model/operator-state.ts'
import { map, value } from '../../src/model/state.ts'
import { SAVEPOINT_MANIFEST } from '../../src/recovery/snapshot/checkpoint-names.ts'
import { fileStorage } from '../../src/recovery/snapshot/file-storage.ts'
import type { Manifest } from '../../src/recovery/snapshot/manifest.ts'
import { decodeManifest, encodeManifest } from '../../src/recovery/snapshot/manifest-text.ts'
import { hashKey } from '../../src/serde/key-encoding.ts'
import { transactionalCollection } from '../../src/testing/simulation/transactional-collection.ts'
import { graphOf } from '../simulation/support/simulated-job.ts'
import { growingSource } from './support/growing-source.ts'
import { Machine, RecoverableJob } from './support/recoverable-job.ts'

const KEYS = 42
const ELEMENTS = 1000
const ELEMENTS_MORE = 500
const ELEMENTS_ALL = ELEMENTS + ELEMENTS_MORE
const MAX_PARALLELISM = 13
/** Sums of a key are told more often where transactions are to be under way all the time. */
const TOLD_EVERY = 25
const SPLITS = 6
const KEYS_PER_SPLIT = KEYS / SPLITS

/** How far the input of a run goes, and at which parallelism it runs. */
interface Run {
  readonly parallelism: number
  /** Elements of each key, over all runs. */
  readonly elements: number
  readonly maxParallelism?: number
}

/** What a key came to, and where. */
interface Total {
  readonly key: number
  readonly subtask: number
  readonly sum: number
}

const FIRST = { elements: ELEMENTS }
const SECOND = { elements: ELEMENTS_ALL }
const TOLD_ALL = (KEYS * ELEMENTS_ALL) / TOLD_EVERY
const SCALES = [
  { from: 2, to: 4 },
  { from: 4, to: 2 },
] as const

/** Each key so many times, in turn; the input of the last run ends. */
function keys(elements: number) {
  return growingSource({
    splits: SPLITS,
    count: elements * KEYS_PER_SPLIT,
    hasEnd: elements === ELEMENTS_ALL,
    record: (split, index) => split + SPLITS * (index % KEYS_PER_SPLIT),
  })
}

function groupOf(key: number): number {
  return keyGroupOf(hashKey(key), MAX_PARALLELISM)
}

/** What all keys come to after so many elements each, on the subtasks that own their key groups. */
function totals(elements: number, parallelism: number): readonly Total[] {
  return Array.from({ length: KEYS }, (_, key) => ({
    key,
    subtask: subtaskOfKeyGroup(groupOf(key), parallelism, MAX_PARALLELISM),
    sum: key * elements,
  }))
}

function byKey(found: readonly Total[]): readonly Total[] {
  return found.toSorted((a, b) => a.key - b.key)
}

const state = { counter: value(0), sum: value(0) }

/** Counts and sums, and tells the sum when it has seen certain numbers of elements of a key. */
function summing(isTold: (elements: number) => boolean): KeyedProcessFunction<number, number, Total, typeof state> {
  return {
    state,
    onRecord(key, ctx, out) {
      const { counter, sum } = ctx.state
      counter.set(counter.get() + 1)
      sum.set(sum.get() + key)
      if (isTold(counter.get())) out.collect({ key: ctx.key, subtask: ctx.subtaskIndex, sum: sum.get() })
    },
  }
}

/** A job of the first or the second run. */
type Build = (env: StreamEnvironment, run: Run) => void

function graph({ parallelism, elements, maxParallelism = MAX_PARALLELISM }: Run, build: Build): Graph {
  return graphOf('rescaling', parallelism, env => {
    env.setMaxParallelism(maxParallelism)
    build(env, { parallelism, elements })
  })
}

function into<T>(found: T[]): (record: T) => void {
  return record => {
    found.push(record)
  }
}

function sums(found: Total[]): Build {
  return (env, { elements }) => {
    env
      .addSource(keys(elements), { isBounded: true, hasTimestamps: false })
      .uid('keys')
      .keyBy((key: number) => key)
      .process(summing(count => count === elements))
      .uid('sums')
      .addSink(into(found))
      .uid('sink')
  }
}

const BARRIERS: Readonly<Record<string, Omit<CheckpointOptions, 'intervalMs'>>> = {
  aligned: {},
  unaligned: { isUnaligned: true },
}

for (const { from, to } of SCALES) {
  describe(`RescalingITCase, keyed state from parallelism ${from} to ${to}`, () => {
    test('after a savepoint the state of each key is key x 1500, on the subtask of its key group', async () => {
      const machine = new Machine()
      const found: Total[] = []
      const build = sums(found)
      const first = { ...FIRST, parallelism: from }
      const before = await RecoverableJob.start({ machine, graph: graph(first, build), seed: 1 })
      await before.until(() => found.length === KEYS)
      await before.takeSavepoint('savepoint')
      await before.cancel()
      assert.deepEqual(byKey(found), totals(ELEMENTS, from))

      const rows = await machine.rows('savepoint', { operator: 'sums', state: 'counter' })
      const places = rows.map(({ identity: [key], keyGroup, subtask }) => ({ key: Number(key), keyGroup, subtask }))
      const expected = totals(ELEMENTS, from).map(({ key, subtask }) => ({ key, keyGroup: groupOf(key), subtask }))
      assert.deepEqual(
        places.toSorted((a, b) => a.key - b.key),
        expected,
      )
      for (const { values } of rows) assert.deepEqual(values, { counter: ELEMENTS })

      found.length = 0
      const second = { ...SECOND, parallelism: to }
      const init = { machine, graph: graph(second, build), seed: 2, from: 'savepoint', directory: 'other' }
      const { status } = await (await RecoverableJob.start(init)).done
      assert.equal(status, 'finished')
      assert.deepEqual(byKey(found), totals(ELEMENTS_ALL, to))
    })

    for (const [name, options] of Object.entries(BARRIERS)) {
      test(`from a checkpoint in the middle, barriers ${name}, the sums are the same`, async () => {
        const machine = new Machine()
        const collected = transactionalCollection<Total>()
        const build: Build = (env, { elements }) => {
          env
            .addSource(keys(elements), { isBounded: true, hasTimestamps: false })
            .uid('keys')
            .rebalance()
            .mapAsync(async key => {
              await machine.clock.sleep(1)
              return key
            })
            .uid('calls')
            .keyBy((key: number) => key)
            .process(summing(count => count % TOLD_EVERY === 0))
            .uid('sums')
            .addSink(collected.sink, { delivery: 'transactional' })
            .uid('sink')
        }
        const init = { machine, seed: 3, checkpoints: { intervalMs: 5, ...options }, channelCapacityRecords: 16 }
        // What is under way at a checkpoint, in channels and in calls, moves as well.
        const before = await RecoverableJob.start({ ...init, graph: graph({ ...FIRST, parallelism: from }, build) })
        await before.until(() => before.snapshots.length === 3)
        await before.cancel()
        const rows = await before.rows({ state: 'in-flight' }).catch(() => [])
        assert.equal(rows.length > 0, name === 'unaligned', `${rows.length} records in flight`)
        const committed = collected.records.length
        assert.ok(committed > 0 && committed < TOLD_ALL / 2, `${committed} sums were committed before`)

        const after = await RecoverableJob.start({ ...init, graph: graph({ ...SECOND, parallelism: to }, build) })
        await after.done
        const found = collected.records.map(({ key, sum }) => ({ key, sum }))
        const times = range(ELEMENTS_ALL / TOLD_EVERY).map(n => (n + 1) * TOLD_EVERY)
        const expected = times.flatMap(elements => range(KEYS).map(key => ({ key, sum: key * elements })))
        assert.deepEqual(inOrder(found), inOrder(expected))
        assert.equal(collected.pendingCount, 0)
      })
    }

    test('a step that is not parallel keeps its state beside keyed steps that are rescaled', async () => {
      const machine = new Machine()
      const found: Total[] = []
      const everything: number[] = []
      const build: Build = (env, run) => {
        const stream = env.addSource(keys(run.elements), { isBounded: true, hasTimestamps: false }).uid('keys')
        stream
          .keyBy((key: number) => key)
          .process(summing(count => count === run.elements))
          .uid('sums')
          .addSink(into(found))
        stream
          .windowAll(globalWindows(), { trigger: afterCount(KEYS * ELEMENTS_ALL) })
          .reduce((a, b) => a + b)
          .uid('everything')
          .addSink(into(everything))
      }
      const before = await RecoverableJob.start({
        machine,
        graph: graph({ ...FIRST, parallelism: from }, build),
        seed: 4,
      })
      await before.until(() => found.length === KEYS)
      await before.stopWithSavepoint('savepoint')
      found.length = 0
      const start = { machine, graph: graph({ ...SECOND, parallelism: to }, build), seed: 5, from: 'savepoint' }
      await (await RecoverableJob.start(start)).done
      assert.deepEqual(byKey(found), totals(ELEMENTS_ALL, to))
      assert.deepEqual(everything, [((KEYS * (KEYS - 1)) / 2) * ELEMENTS_ALL])
    })
  })

  describe(`RescalingITCase, state without key from parallelism ${from} to ${to}`, () => {
    /** What the subtasks had of the state when their first record came. */
    async function redistributed(kind: 'list' | 'union' | 'broadcast') {
      const machine = new Machine()
      const probe = new Probe()
      const before = await RecoverableJob.start({
        machine,
        graph: graph({ ...FIRST, parallelism: from }, probe.build(kind)),
        seed: 6,
      })
      await before.until(() => probe.seen === KEYS * ELEMENTS)
      await before.takeSavepoint('savepoint')
      await before.cancel()
      const written = await machine.rows('savepoint', { operator: 'probe', state: 'elements' })
      const second = { machine, graph: graph({ ...SECOND, parallelism: to }, probe.build(kind)), seed: 7 }
      probe.found.clear()
      await (await RecoverableJob.start({ ...second, from: 'savepoint' })).done
      return { written, found: probe.found, seen: probe.seen }
    }

    test('a list is dealt out again: nothing is lost, nothing is doubled, nobody has it all', async () => {
      const { written, found, seen } = await redistributed('list')
      assert.deepEqual([...new Set(written.map(({ subtask }) => subtask))].sort(), range(from))
      assert.deepEqual(sorted([...found.values()].flat()), range(from * ELEMENTS_PER_SUBTASK))
      assert.equal(found.size, to)
      const share = (from * ELEMENTS_PER_SUBTASK) / to
      for (const elements of found.values()) assert.ok(Math.abs(elements.length - share) < 1, `${elements.length}`)
      assert.equal(seen, KEYS * ELEMENTS_ALL)
    })

    test('of a union every subtask gets everything', async () => {
      const { found } = await redistributed('union')
      assert.deepEqual([...found.keys()].sort(), range(to))
      for (const elements of found.values()) assert.deepEqual(sorted(elements), range(from * ELEMENTS_PER_SUBTASK))
    })

    test('of broadcast state every subtask has all, once', async () => {
      const { found } = await redistributed('broadcast')
      assert.deepEqual([...found.keys()].sort(), range(to))
      for (const elements of found.values()) assert.deepEqual(sorted(elements), range(RULES))
    })
  })
}

const ELEMENTS_PER_SUBTASK = 10
const RULES = 7

/** A step with state without key, which tells what was there when it began. */
class Probe {
  readonly found = new Map<number, readonly number[]>()
  seen = 0

  build(kind: 'list' | 'union' | 'broadcast'): Build {
    return (env, { elements }) => {
      // Every subtask gets some of them.
      const records = env.addSource(keys(elements), { isBounded: true, hasTimestamps: false }).uid('keys').rebalance()
      const probed =
        kind === 'broadcast' ? this.withRules(env, records) : records.process(this.function(kind)).uid('probe')
      probed.addSink(() => {
        this.seen++
      })
    }
  }

  private function(kind: 'list' | 'union'): ProcessFunction<number, number, Elements> {
    // The handles of both are the same.
    const elements = (kind === 'list' ? operatorList() : operatorUnion()) as OperatorListDescriptor<number>
    return {
      operatorState: { elements },
      onRecord: (key, ctx, out) => {
        const { subtaskIndex } = ctx
        if (!this.found.has(subtaskIndex)) {
          this.found.set(subtaskIndex, [...ctx.operatorState.elements.get()])
          const own = range(ELEMENTS_PER_SUBTASK).map(n => n + subtaskIndex * ELEMENTS_PER_SUBTASK)
          if (ctx.operatorState.elements.get().length === 0) ctx.operatorState.elements.set(own)
        }
        out.collect(key)
      },
    }
  }

  private withRules(env: StreamEnvironment, records: Records): Records {
    const rules = growingSource({ splits: 1, count: RULES, hasEnd: true, record: (_split, rule) => rule })
    const broadcast = env
      .addSource(rules, { isBounded: true, hasTimestamps: false })
      .setParallelism(1)
      .uid('rules')
      .broadcastState({ elements: map<number, boolean>() })
    return records
      .connect(broadcast)
      .process<number>({
        onBroadcast: (rule, ctx) => ctx.broadcast.elements.set(rule, true),
        onRecord: (key, ctx, out) => {
          if (!this.found.has(ctx.subtaskIndex))
            this.found.set(
              ctx.subtaskIndex,
              [...ctx.broadcast.elements.entries()].map(([rule]) => rule),
            )
          out.collect(key)
        },
      })
      .uid('probe')
  }
}

type Records = DataStream<number>
type Elements = { readonly elements: OperatorListDescriptor<number> }

describe('RescalingITCase, what is refused', () => {
  async function savepoint(): Promise<Machine> {
    const machine = new Machine()
    const found: Total[] = []
    const build = sums(found)
    const init = { machine, graph: graph({ ...FIRST, parallelism: 2 }, build), seed: 8 }
    const job = await RecoverableJob.start(init)
    await job.until(() => found.length === KEYS)
    await job.stopWithSavepoint('savepoint')
    return machine
  }

  function start(machine: Machine, run: Partial<Run>): Promise<RecoverableJob> {
    const changed = graph({ ...SECOND, parallelism: 2, ...run }, sums([]))
    return RecoverableJob.start({ machine, graph: changed, seed: 9, from: 'savepoint' })
  }

  test('another maxParallelism', async () => {
    const machine = await savepoint()
    await assert.rejects(start(machine, { maxParallelism: 14 }), {
      code: 'RESCALE_REFUSED',
      message: /maxParallelism 14.*written with 13.*set maxParallelism to 13/,
    })
    await (await start(machine, {})).done
  })

  test('a parallelism above maxParallelism', async () => {
    const machine = await savepoint()
    await assert.rejects(async () => await start(machine, { parallelism: MAX_PARALLELISM + 1 }), {
      code: 'GRAPH_INVALID',
    })
  })

  test('another parallelism of a step with state that is not partitioned', async () => {
    const machine = await savepoint()
    await rewrite(machine, manifest => ({
      ...manifest,
      operators: manifest.operators.map(operator => ({
        ...operator,
        parts: operator.parts.map(part =>
          operator.uid === 'keys' && part.name === 'splits' ? { ...part, kind: 'fixed' as 'list' } : part,
        ),
      })),
    }))
    await assert.rejects(start(machine, { parallelism: 4 }), {
      code: 'RESCALE_REFUSED',
      message: /parallelism 4.*"splits" is not partitioned.*set its parallelism to 2/,
    })
  })

  // No state that can be declared today is of that kind; a later version may write some.
  async function rewrite(machine: Machine, change: (manifest: Manifest) => Manifest): Promise<void> {
    const storage = fileStorage(machine.files, 'savepoint')
    const bytes = (await storage.get(SAVEPOINT_MANIFEST)) as Uint8Array
    await storage.remove(SAVEPOINT_MANIFEST)
    await storage.put(SAVEPOINT_MANIFEST, encodeManifest(change(decodeManifest(bytes, SAVEPOINT_MANIFEST))))
  }
})

function inOrder(sums: readonly Pick<Total, 'key' | 'sum'>[]): readonly Pick<Total, 'key' | 'sum'>[] {
  return sums.toSorted((a, b) => a.key - b.key || a.sum - b.sum)
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => n)
}

function sorted(numbers: readonly number[]): readonly number[] {
  return numbers.toSorted((a, b) => a - b)
}
