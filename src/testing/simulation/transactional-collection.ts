// A sink that keeps what is committed to it in memory, beyond the life of any simulated process: an outside system with transactions, for
// tests. What was never committed is never seen.
import { assert } from '../../base/assert.ts'
import type { PreparedTransaction, Sink, TransactionalWriter, WriterContext } from '../../model/connector.ts'

interface Transaction<T> {
  readonly id: string
  readonly attempt: number
  readonly snapshotId: number
  readonly records: readonly T[]
}

/** A sink for simulate(), and what it shows. */
export interface TransactionalCollection<T> {
  readonly sink: Sink<T>
  /** The committed records, in the order in which they were committed. */
  readonly records: readonly T[]
  /** The records of each committed transaction, in the order in which they were written. After a rescale transactions are committed in no order. */
  readonly transactions: readonly (readonly T[])[]
  /** How many transactions were prepared and neither committed nor aborted. */
  readonly pendingCount: number
  /** Forgets everything. */
  clear(): void
}

/**
 * A transactional sink whose committed records are at hand. Declare it so: `addSink(collection.sink, { delivery: 'transactional' })`.
 * @example
 * ```ts
 * import { simulate, transactionalCollection } from 'millrace/testing'
 * const sums = transactionalCollection<number>()
 * const result = await simulate(
 *   env => {
 *     env
 *       .generate(n => ({ key: n % 3, n }), { count: 50 })
 *       .keyBy('key')
 *       .sum('n')
 *       .map(({ n }) => n)
 *       .addSink(sums.sink, { delivery: 'transactional' })
 *   },
 *   { seed: 1, collection: sums, parallelisms: [1] },
 * )
 * console.log(result.isCorrect, result.processes > 0)
 * ```
 */
export function transactionalCollection<T>(): TransactionalCollection<T> {
  return new Collection<T>()
}

class Collection<T> implements TransactionalCollection<T> {
  readonly sink: Sink<T>
  readonly prepared = new Map<string, Transaction<T>>()
  readonly committed = new Set<string>()
  readonly records: T[] = []
  readonly transactions: (readonly T[])[] = []

  constructor() {
    this.sink = { open: context => new CollectionWriter(this, context) }
  }

  get pendingCount(): number {
    return this.prepared.size
  }

  clear(): void {
    this.prepared.clear()
    this.committed.clear()
    this.records.length = 0
    this.transactions.length = 0
  }
}

class CollectionWriter<T> implements TransactionalWriter<T, string> {
  private readonly collection: Collection<T>
  private readonly context: WriterContext
  private open: T[] = []
  private begun = 0

  constructor(collection: Collection<T>, context: WriterContext) {
    this.collection = collection
    this.context = context
  }

  async recover(prepared: readonly PreparedTransaction<string>[], startedFromId: number | undefined): Promise<void> {
    for (const transaction of prepared) await this.commit(transaction)
    for (const { id, attempt, snapshotId } of [...this.collection.prepared.values()]) {
      const isLeft = attempt < this.context.attempt && (startedFromId === undefined || snapshotId > startedFromId)
      if (isLeft) this.collection.prepared.delete(id)
    }
  }

  begin(): void {
    this.open = []
    this.begun++
  }

  write(record: T): void {
    this.open.push(record)
  }

  async prepare(snapshotId: number): Promise<string | undefined> {
    if (this.open.length === 0) return undefined
    const { attempt, subtaskIndex, uid } = this.context
    const id = `${uid}/${attempt}/${subtaskIndex}/${this.begun}`
    this.collection.prepared.set(id, { id, attempt, snapshotId, records: this.open })
    return id
  }

  async commit({ transaction: id }: PreparedTransaction<string>): Promise<void> {
    const { collection } = this
    if (collection.committed.has(id)) return
    const transaction = collection.prepared.get(id)
    assert(transaction !== undefined, `transaction ${id} is committed, but it was aborted or never prepared`)
    collection.prepared.delete(id)
    collection.committed.add(id)
    collection.records.push(...transaction.records)
    collection.transactions.push(transaction.records)
  }

  close(): void {}
}
