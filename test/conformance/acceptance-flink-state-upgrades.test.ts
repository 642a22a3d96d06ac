// Flink's RestoreUpgradedJobITCase, and what SavepointITCase says of changed jobs: steps added, moved, unchained, renamed and left out, at
// another parallelism. State follows the uid; what has no step any more fails the start unless that is allowed.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { DataStream } from '../../src/api/datastream/streams.ts'
import type { ProcessFunction } from '../../src/model/functions.ts'
import type { Graph } from '../../src/model/graph.ts'
import { operatorList } from '../../src/model/operator-state.ts'
import { value } from '../../src/model/state.ts'
import type { SnapshotRow } from '../../src/recovery/start/inspect.ts'
import { graphOf } from '../simulation/support/simulated-job.ts'
import { growingSource } from './support/growing-source.ts'
import { Machine, RecoverableJob } from './support/recoverable-job.ts'

/** Records of the first job, and of the upgraded one. */
const TOTAL_RECORDS = 100
const PARALLELISM = 4
const SPLITS = 4
const KEYS = 10

type Numbers = DataStream<number>

/** The records of the job in its first life, or of both. */
function numbers(env: StreamEnvironment, lives: 1 | 2): Numbers {
  const source = growingSource({
    splits: SPLITS,
    count: (lives * TOTAL_RECORDS) / SPLITS,
    hasEnd: lives === 2,
    record: (split, index) => split + SPLITS * index,
  })
  return env.addSource(source, { isBounded: true, hasTimestamps: false }).uid('numbers')
}

const operatorState = { seen: operatorList<number>() }

/** Passes records on, and keeps how many there were as state without key. */
function counted(): ProcessFunction<number, number, typeof operatorState> {
  return {
    operatorState,
    onRecord(record, ctx, out) {
      const { seen } = ctx.operatorState
      seen.set([seen.get().reduce((sum, part) => sum + part, 1)])
      out.collect(record)
    },
  }
}

/** Keeps how many records of a key there were. */
const perKey = {
  state: { count: value(0) },
  onRecord(record: number, { state: { count } }: PerKeyContext, out: { collect(record: number): void }): void {
    count.set(count.get() + 1)
    out.collect(record)
  },
}

interface PerKeyContext {
  readonly state: { readonly count: { get(): number; set(count: number): void } }
}

function keyOf(record: number): number {
  return record % KEYS
}

/** A job, and how many records it has worked off. */
class Life {
  readonly graph: Graph
  seen = 0

  constructor(parallelism: number, build: (env: StreamEnvironment) => Numbers) {
    const note = (): void => {
      this.seen++
    }
    this.graph = graphOf('upgraded', parallelism, env => {
      build(env).addSink(note).uid('sink')
    })
  }
}

/** Runs the first job, and leaves a savepoint when it has worked off all there is. */
async function savepointOf(machine: Machine, build: (env: StreamEnvironment) => Numbers): Promise<RecoverableJob> {
  const life = new Life(PARALLELISM, build)
  const job = await RecoverableJob.start({ machine, graph: life.graph, seed: 1 })
  await job.until(() => life.seen === TOTAL_RECORDS)
  await job.stopWithSavepoint('savepoint')
  return job
}

function sum(rows: readonly SnapshotRow[]): number {
  return rows.reduce((total, { values }) => total + Number(Object.values(values)[0]), 0)
}

const upgrade = { seed: 2, from: 'savepoint', directory: 'upgraded' }

describe('RestoreUpgradedJobITCase', () => {
  function original(env: StreamEnvironment): Numbers {
    return numbers(env, 1)
      .process(counted())
      .uid('first')
      .process(counted())
      .uid('second')
      .keyBy(keyOf)
      .process(perKey)
      .uid('third')
  }

  /** The steps in another order and unchained, with one more that keeps state and some that keep none. */
  function upgraded(env: StreamEnvironment): Numbers {
    return numbers(env, 2)
      .map(record => record + 1)
      .map(record => record - 1)
      .disableChaining()
      .keyBy(keyOf)
      .process(perKey)
      .uid('third')
      .process(counted())
      .uid('second')
      .disableChaining()
      .filter(() => true)
      .process(counted())
      .uid('fourth')
      .disableChaining()
      .process(counted())
      .uid('first')
  }

  for (const parallelism of [PARALLELISM, 3]) {
    test(`each step finds the state of its uid in the changed job, at parallelism ${parallelism}`, async () => {
      const machine = new Machine()
      await savepointOf(machine, original)
      for (const operator of ['first', 'second', 'third'])
        assert.equal(sum(await machine.rows('savepoint', { operator, state: stateOf(operator) })), TOTAL_RECORDS)

      const life = new Life(parallelism, upgraded)
      const job = await RecoverableJob.start({ ...upgrade, machine, graph: life.graph })
      assert.equal((await job.done).status, 'finished')
      assert.equal(life.seen, TOTAL_RECORDS)
      const totals: Record<string, number> = {}
      for (const operator of ['first', 'second', 'third', 'fourth'])
        totals[operator] = sum(await job.rows({ operator, state: stateOf(operator) }))
      const both = 2 * TOTAL_RECORDS
      assert.deepEqual(totals, { first: both, second: both, third: both, fourth: TOTAL_RECORDS })
      const perKeyRows = await job.rows({ operator: 'third', state: 'count' })
      assert.deepEqual(
        perKeyRows.map(({ values }) => values['count']),
        Array.from({ length: KEYS }, () => both / KEYS),
      )
    })
  }

  function stateOf(operator: string): string {
    return operator === 'third' ? 'count' : 'seen'
  }
})

describe('State without a step', () => {
  function withUid(uid: string | undefined, lives: 1 | 2 = 2): (env: StreamEnvironment) => Numbers {
    return env => {
      const kept = numbers(env, lives).keyBy(keyOf).process(perKey)
      return uid === undefined ? kept : kept.uid(uid)
    }
  }

  function start(
    machine: Machine,
    build: (env: StreamEnvironment) => Numbers,
    options: { readonly allowUnmapped?: boolean; readonly renames?: Readonly<Record<string, string>> } = {},
  ): Promise<RecoverableJob> {
    const { graph } = new Life(PARALLELISM, build)
    return RecoverableJob.start({ ...upgrade, machine, graph, ...options })
  }

  async function total(job: RecoverableJob, operator: string): Promise<number> {
    await job.done
    return sum(await job.rows({ operator, state: 'count' }))
  }

  test('a step left out fails the start, and names its uid and what to do', async () => {
    const machine = new Machine()
    await savepointOf(machine, withUid('counts', 1))
    await assert.rejects(
      start(machine, env => numbers(env, 2)),
      { code: 'STATE_UNMAPPED', message: /state of step .*uid "counts".*no step with that uid.*--allow-unmapped/ },
    )
    await assert.rejects(start(machine, withUid('other')), { code: 'STATE_UNMAPPED' })
  })

  test('where it is allowed, that state is dropped, and the rest goes on', async () => {
    const machine = new Machine()
    await savepointOf(machine, withUid('counts', 1))
    const job = await start(machine, withUid('other'), { allowUnmapped: true })
    assert.equal(await total(job, 'other'), TOTAL_RECORDS)
    const { operators } = job.snapshots.at(-1) ?? { operators: [] }
    assert.ok(!operators.some(({ uid }) => uid === 'counts'))
  })

  test('a rename gives it to the step of another uid', async () => {
    const machine = new Machine()
    await savepointOf(machine, withUid('counts', 1))
    const job = await start(machine, withUid('other'), { renames: { counts: 'other' } })
    assert.equal(await total(job, 'other'), 2 * TOTAL_RECORDS)
  })

  test('a rename of what the savepoint does not hold is refused', async () => {
    const machine = new Machine()
    await savepointOf(machine, withUid('counts', 1))
    await assert.rejects(start(machine, withUid('other'), { renames: { count: 'other' } }), {
      code: 'OPTION_INVALID',
      message: /no step "count"; it holds .*"counts"/,
    })
  })

  test('a uid given later takes over from a derived one by a rename, of which the start warned', async () => {
    const machine = new Machine()
    await savepointOf(machine, withUid(undefined, 1))
    const same = await start(machine, withUid(undefined))
    assert.equal(await total(same, 'process'), 2 * TOTAL_RECORDS)
    assert.match(same.warnings.join('\n'), /derived from the shape of the job.*uid\(\)/)

    const { operators } = await machine.manifest('savepoint')
    const derived = operators.find(({ isUidDerived, name }) => isUidDerived && name === 'process')?.uid as string
    await assert.rejects(start(machine, withUid('counts')), { code: 'STATE_UNMAPPED' })
    const job = await start(machine, withUid('counts'), { renames: { [derived]: 'counts' } })
    assert.equal(await total(job, 'counts'), 2 * TOTAL_RECORDS)
    assert.equal(job.warnings.length, 0)
  })

  test('a declared state left out fails the start too, and one of another kind always', async () => {
    const machine = new Machine()
    await savepointOf(machine, withUid('counts', 1))
    const without = (env: StreamEnvironment): Numbers =>
      numbers(env, 2)
        .keyBy(keyOf)
        .process<number>({ onRecord: (record, _ctx, out) => out.collect(record) })
        .uid('counts')
    await assert.rejects(start(machine, without), { code: 'STATE_UNMAPPED', message: /state "count"/ })
    await (await start(machine, without, { allowUnmapped: true })).done

    const rolling = (env: StreamEnvironment): Numbers =>
      numbers(env, 2)
        .keyBy(keyOf)
        .reduce((a, b) => a + b)
        .uid('counts')
    for (const allowUnmapped of [false, true])
      await assert.rejects(start(machine, rolling, { allowUnmapped }), { code: 'STATE_INCOMPATIBLE' })
  })
})
