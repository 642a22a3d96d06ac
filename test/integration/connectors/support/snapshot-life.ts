// A job of one transactional sink, reduced to what its contract is about: records with positions, snapshots that hold position and prepared
// transactions, attempts that die at a chosen moment, and restarts from the newest complete snapshot at any parallelism.
import type { PreparedTransaction, Sink, TransactionalWriter, WriterContext } from '../../../../src/model/connector.ts'
import { RecordingLogger, realClock } from './reader-driver.ts'

/** Where in the life of a checkpoint an attempt dies. */
export type DeathPoint =
  | 'records-written'
  | 'one-prepared'
  | 'all-prepared'
  | 'snapshot-complete'
  | 'one-committed'
  | 'all-committed'

export const DEATH_POINTS: readonly DeathPoint[] = [
  'records-written',
  'one-prepared',
  'all-prepared',
  'snapshot-complete',
  'one-committed',
  'all-committed',
]

interface Snapshot {
  readonly id: number
  readonly position: number
  readonly prepared: readonly PreparedTransaction[]
}

type Writer = TransactionalWriter<unknown>

/** What an attempt is to do. */
export interface AttemptPlan {
  readonly parallelism: number
  /** Checkpoints to take in full before the one in which it dies, or before it ends well. */
  readonly checkpoints: number
  readonly diesAt?: DeathPoint
}

/** How many records lie between two checkpoints. */
export const RECORDS_PER_CHECKPOINT = 7

/** Runs attempts one after the other. Records are the numbers from 0. */
export class SnapshotLife {
  readonly logger = new RecordingLogger()
  /** The first number that was not in a complete snapshot when the last attempt ended: those below must be in the table, once. */
  durablePosition = 0
  private readonly sink: Sink<unknown>
  private readonly names: { readonly jobName: string; readonly uid: string }
  private snapshot: Snapshot | undefined
  private attempts = 0
  private snapshots = 0

  constructor(sink: Sink<unknown>, names = { jobName: 'life', uid: 'sink' }) {
    this.sink = sink
    this.names = names
  }

  /** Opens the writers of a new attempt, and lets them recover with their share of the prepared transactions. */
  async open(parallelism: number): Promise<Writer[]> {
    this.attempts++
    const writers: Writer[] = []
    for (let subtaskIndex = 0; subtaskIndex < parallelism; subtaskIndex++)
      writers.push((await this.sink.open(this.context(subtaskIndex, parallelism))) as Writer)
    const prepared = this.snapshot?.prepared ?? []
    // In the opposite order: one with an empty list comes before the owners.
    for (let i = writers.length - 1; i >= 0; i--) {
      const share = prepared.filter((_, place) => place % parallelism === i)
      await (writers[i] as Writer).recover(share, this.snapshot?.id)
      await (writers[i] as Writer).begin()
    }
    return writers
  }

  /** Lives one attempt: at its end, wanted or not, its writers are closed and nothing else. */
  async attempt({ parallelism, checkpoints, diesAt }: AttemptPlan): Promise<void> {
    const writers = await this.open(parallelism)
    let position = this.snapshot?.position ?? 0
    let pending: PreparedTransaction[][] = writers.map(() => [])
    try {
      for (let taken = 0; taken < checkpoints + (diesAt === undefined ? 0 : 1); taken++) {
        const death = taken === checkpoints ? diesAt : undefined
        position = await this.write(writers, position)
        if (death === 'records-written') return
        const id = ++this.snapshots
        if (await this.prepareAll(writers, id, pending, death)) return
        this.snapshot = { id, position, prepared: pending.flat() }
        this.durablePosition = position
        if (death === 'snapshot-complete') return
        if (await commitAll(writers, pending, death)) return
        pending = writers.map(() => [])
        if (death === 'all-committed') return
      }
    } finally {
      for (const writer of writers) await writer.close()
    }
  }

  private async write(writers: readonly Writer[], from: number): Promise<number> {
    for (let record = from; record < from + RECORDS_PER_CHECKPOINT; record++)
      await (writers[record % writers.length] as Writer).write(record, undefined)
    return from + RECORDS_PER_CHECKPOINT
  }

  private async prepareAll(
    writers: readonly Writer[],
    snapshotId: number,
    pending: PreparedTransaction[][],
    death: DeathPoint | undefined,
  ): Promise<boolean> {
    for (const [i, writer] of writers.entries()) {
      const transaction = await writer.prepare(snapshotId)
      if (transaction !== undefined) (pending[i] as PreparedTransaction[]).push({ snapshotId, transaction })
      await writer.begin()
      // As a snapshot would write and read it.
      pending[i] = JSON.parse(JSON.stringify(pending[i]))
      if (death === 'one-prepared') return true
    }
    return death === 'all-prepared'
  }

  private context(subtaskIndex: number, parallelism: number): WriterContext {
    const { attempts: attempt, logger } = this
    return { ...this.names, subtaskIndex, parallelism, attempt, logger, clock: realClock }
  }
}

async function commitAll(
  writers: readonly Writer[],
  pending: readonly (readonly PreparedTransaction[])[],
  death: DeathPoint | undefined,
): Promise<boolean> {
  for (const [i, writer] of writers.entries()) {
    for (const transaction of pending[i] ?? []) await writer.commit(transaction)
    if (death === 'one-committed') return true
  }
  return false
}
