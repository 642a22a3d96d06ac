// Flink's UnalignedCheckpointITCase: increasing numbers of several splits through shuffles that keep their order, under back-pressure, and a
// map that fails five times: in map, in its snapshot, in map again, in restore, in close. Nothing is lost, doubled or out of order.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { CheckpointOptions } from '../../src/model/checkpoint-options.ts'
import { type Codec, jsonCodec } from '../../src/model/codec.ts'
import type { Sink, TransactionalWriter, WriterContext } from '../../src/model/connector.ts'
import type { ProcessFunction } from '../../src/model/functions.ts'
import { type OperatorListDescriptor, operatorList } from '../../src/model/operator-state.ts'
import { value } from '../../src/model/state.ts'
import type { Manifest } from '../../src/recovery/snapshot/manifest.ts'
import type { VirtualClock } from '../../src/runtime/simulated-scheduler.ts'
import { transactionalCollection } from '../../src/testing/simulation/transactional-collection.ts'
import { graphOf } from '../simulation/support/simulated-job.ts'
import { growingSource } from './support/growing-source.ts'
import { Machine, RecoverableJob } from './support/recoverable-job.ts'

const CHECKPOINTS_MIN = 8
const FAILURES = 5
const CHANNEL_CAPACITY_RECORDS = 8

/** A number of a sequence, and what the step that verifies found. */
interface Item {
  readonly split: number
  readonly n: number
}

interface Verified extends Item {
  readonly verdict: Verdict
}

type Verdict = 'ok' | 'lost' | 'duplicate' | 'out of order'

/** What comes after the number before. */
function verdictOn(before: number, n: number): Verdict {
  if (n === before + 1) return 'ok'
  if (n === before) return 'duplicate'
  return n < before ? 'out of order' : 'lost'
}

/** Fails once in each phase, in this order; Flink's fails in the same places. */
type Phase = 'map at 1/4' | 'snapshot at 1/2' | 'map at 3/4' | 'restore' | 'close' | 'none'
const NEXT: Readonly<Record<Phase, Phase>> = {
  'map at 1/4': 'snapshot at 1/2',
  'snapshot at 1/2': 'map at 3/4',
  'map at 3/4': 'restore',
  restore: 'close',
  close: 'none',
  none: 'none',
}

/** The map that fails. It outlives the attempts of the job, as whatever made it fail would. */
class Failing {
  phase: Phase = 'map at 1/4'
  private reached = 0
  /** True once it maps records again after the restore that succeeded: the next close is the one at the end. */
  private isBack = false
  private readonly count: number

  constructor(count: number) {
    this.count = count
  }

  get function(): ProcessFunction<Item, Item, { readonly mapped: OperatorListDescriptor<number> }> {
    return {
      operatorState: { mapped: operatorList<number>({ codec: this.codec() }) },
      onRecord: (item, { operatorState: { mapped } }, out) => {
        this.reached = Math.max(this.reached, item.n)
        this.isBack = this.phase === 'close'
        if (item.n >= this.count / 4) this.failIn('map at 1/4')
        if (item.n >= (this.count * 3) / 4) this.failIn('map at 3/4')
        mapped.set([mapped.get().reduce((sum, part) => sum + part, 1)])
        out.collect(item)
      },
      close: () => {
        if (this.isBack) this.failIn('close')
      },
    }
  }

  private codec(): Codec<number> {
    const json = jsonCodec<number>()
    return {
      name: 'failing',
      encode: mapped => {
        if (this.reached >= this.count / 2) this.failIn('snapshot at 1/2')
        return json.encode(mapped)
      },
      decode: bytes => {
        this.failIn('restore')
        return json.decode(bytes)
      },
    }
  }

  private failIn(phase: Phase): void {
    if (this.phase !== phase) return
    this.phase = NEXT[phase]
    throw new Error(`failed in ${phase}`)
  }
}

/** Compares each number with the one before, which is its state. */
const verifying = {
  state: { last: value(-1) },
  onRecord: (item: Item, ctx: VerifyingContext, out: { collect(record: Verified): void }): void => {
    out.collect({ ...item, verdict: verdictOn(ctx.state.last.get(), item.n) })
    ctx.state.last.set(item.n)
  },
}

interface VerifyingContext {
  readonly state: { readonly last: { get(): number; set(n: number): void } }
}

/** Takes a record each millisecond, so that all before it waits for room. */
function slow<T>(sink: Sink<T>, clock: VirtualClock): Sink<T> {
  return {
    open(context: WriterContext) {
      const writer = sink.open(context) as TransactionalWriter<T>
      return {
        recover: (prepared, id) => writer.recover(prepared, id),
        begin: () => writer.begin(),
        prepare: id => writer.prepare(id),
        commit: prepared => writer.commit(prepared),
        close: () => writer.close(),
        write: async (record, timestampMs) => {
          await clock.sleep(1)
          await writer.write(record, timestampMs)
        },
      } satisfies TransactionalWriter<T>
    },
  }
}

interface Scale {
  readonly parallelism: number
  readonly splits: number
  /** Numbers of each split. */
  readonly count: number
}

const SCALES: readonly Scale[] = [
  { parallelism: 1, splits: 4, count: 80 },
  { parallelism: 5, splits: 20, count: 60 },
  { parallelism: 20, splits: 80, count: 80 },
]

function build(env: StreamEnvironment, { splits, count }: Scale, failing: Failing, sink: Sink<Verified>): void {
  const source = growingSource<Item>({ splits, count, hasEnd: true, record: (split, n) => ({ split, n }) })
  env
    .addSource(source, { isBounded: true, hasTimestamps: false })
    .uid('numbers')
    .partitionCustom((split: number, subtasks) => (split * 7 + 1) % subtasks, 'split')
    .process(failing.function)
    .uid('failing')
    .disableChaining()
    .keyBy('split')
    .process<Verified, typeof verifying.state>(verifying)
    .uid('verifying')
    .disableChaining()
    .partitionCustom((split: number, subtasks) => (split * 3 + 2) % subtasks, 'split')
    .addSink(sink, { delivery: 'transactional' })
    .uid('sink')
    .disableChaining()
}

/** What the mode does to barriers, and whether snapshots must hold records then. */
interface Mode {
  readonly name: string
  readonly options: Omit<CheckpointOptions, 'intervalMs'>
  readonly holdsRecords: (parallelism: number) => boolean
}

const MODES: readonly Mode[] = [
  { name: 'aligned', options: {}, holdsRecords: () => false },
  { name: 'unaligned', options: { isUnaligned: true }, holdsRecords: () => true },
  // What waits is a barrier for its fellows, so one channel alone is always aligned.
  { name: 'unaligned after 2 ms', options: { alignmentTimeoutMs: 2 }, holdsRecords: parallelism => parallelism > 1 },
]

/** Records that barriers overtook on their way into steps. */
function inFlight({ operators }: Manifest): number {
  const parts = operators.flatMap(operator => operator.parts.filter(({ name }) => name === 'in-flight'))
  return parts.flatMap(({ segments }) => segments).reduce((sum, { rows }) => sum + rows, 0)
}

/** What is wrong with the committed records, split by split. */
function count(records: readonly Verified[], { splits, count: expected }: Scale): Readonly<Record<Verdict, number>> {
  const found: Record<Verdict, number> = { ok: 0, lost: 0, duplicate: 0, 'out of order': 0 }
  const last = new Map<number, number>()
  for (const { split, n, verdict } of records) {
    const atSink = verdictOn(last.get(split) ?? -1, n)
    found[atSink === 'ok' ? verdict : atSink]++
    last.set(split, n)
  }
  for (let split = 0; split < splits; split++) found.lost += expected - 1 - (last.get(split) ?? -1)
  return found
}

/** What a snapshot shows of a number that the codec of the map wrote. */
function decodedByJson(shown: unknown): number {
  return JSON.parse(Buffer.from((shown as { readonly base64: string }).base64, 'base64').toString())
}

for (const { name, options, holdsRecords } of MODES) {
  describe(`UnalignedCheckpointITCase, barriers ${name}`, () => {
    for (const scale of SCALES) {
      const { parallelism, splits } = scale
      test(`parallelism ${parallelism}: 5 failures, and lost = duplicates = out of order = 0`, async () => {
        const machine = new Machine()
        const sums = transactionalCollection<Verified>()
        const failing = new Failing(scale.count)
        const sink = slow(sums.sink, machine.clock)
        const init = {
          machine,
          graph: graphOf('numbers', parallelism, env => build(env, scale, failing, sink)),
          seed: parallelism,
          checkpoints: { intervalMs: 4, ...options },
          channelCapacityRecords: CHANNEL_CAPACITY_RECORDS,
        }

        const job = await RecoverableJob.start(init)
        // A function that fails to close fails when all is done, so it is the process that has to be started again.
        await assert.rejects(job.done, /failed in close/)
        const again = await RecoverableJob.start(init)
        const { status } = await again.done

        const failures = [...job.failures, ...again.failures]
        const phases: readonly Phase[] = ['map at 1/4', 'snapshot at 1/2', 'map at 3/4', 'restore']
        assert.equal(status, 'finished')
        assert.equal(failures.length + 1, FAILURES, failures.join('\n'))
        for (const [index, phase] of phases.entries())
          assert.match(failures[index] as string, new RegExp(`in ${phase}`))
        assert.ok(job.snapshots.length >= CHECKPOINTS_MIN, `${job.snapshots.length} checkpoints`)
        const held = job.snapshots.reduce((sum, manifest) => sum + inFlight(manifest), 0)
        assert.equal(held > 0, holdsRecords(parallelism), `${held} records in flight in snapshots`)
        const expected = { ok: splits * scale.count, lost: 0, duplicate: 0, 'out of order': 0 }
        assert.deepEqual(count(sums.records, scale), expected)
        assert.equal(sums.pendingCount, 0)
        const mapped = await job.rows({ operator: 'failing', state: 'mapped' })
        const total = mapped.reduce((sum, { values }) => sum + decodedByJson(values['mapped']), 0)
        assert.equal(total, splits * scale.count)
      })
    }
  })
}
