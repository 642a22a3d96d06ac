// The transactions of one writer (two-phase commit): one for each checkpoint, prepared at its barrier, committed when it is complete. What is
// prepared and not known to be committed is in every snapshot, so that a later attempt of the job can finish it.
import { assert } from '../base/assert.ts'
import type { PreparedTransaction, TransactionalWriter } from '../model/connector.ts'
import { ListPart } from '../state/list-part.ts'
import type { StatePart } from '../state/state-part.ts'

/** Drives a writer through its transactions, one call at a time. */
export class SinkTransactions {
  readonly part: StatePart
  private writer: TransactionalWriter<unknown> | undefined
  /** `open`: records go into a transaction; `ended`: the last one is prepared. */
  private state: 'new' | 'open' | 'ended' = 'new'
  private prepared: PreparedTransaction[] = []
  private preparedId: number | undefined
  private completedId = 0

  constructor() {
    this.part = new ListPart(
      'transactions',
      'list',
      'transactions',
      () => this.prepared,
      restored => {
        this.prepared = restored as PreparedTransaction[]
      },
    )
  }

  get hasEnded(): boolean {
    return this.state === 'ended'
  }

  /** True when a prepared transaction may be committed. */
  get hasCommits(): boolean {
    return this.prepared.some(({ snapshotId }) => snapshotId <= this.completedId)
  }

  /** Finishes what earlier attempts left, and begins the first transaction. */
  async open(writer: TransactionalWriter<unknown>, startedFromId: number | undefined): Promise<void> {
    this.writer = writer
    await writer.recover(this.prepared, startedFromId)
    this.prepared = []
    this.preparedId = startedFromId
    await writer.begin()
    this.state = 'open'
  }

  /** At the barrier: prepares the open transaction, and begins the next. */
  async end(snapshotId: number, beginsNext: boolean): Promise<void> {
    const { writer } = this
    this.preparedId = snapshotId
    assert(writer !== undefined && this.state === 'open', 'a transaction is prepared that is not open')
    const transaction = await writer.prepare(snapshotId)
    if (transaction !== undefined) this.prepared.push({ snapshotId, transaction })
    if (beginsNext) await writer.begin()
    else this.state = 'ended'
  }

  /** At the end of the input. Without checkpoints nothing else tells when to commit, so it is done at once. */
  async endLast(isCheckpointed: boolean): Promise<void> {
    // It is in no snapshot that began so far, and in all that are to come.
    await this.end((this.preparedId ?? 0) + 0.5, false)
    if (isCheckpointed) return
    this.completedId = Infinity
    await this.commit()
  }

  /** A snapshot, and those before it, are complete. */
  complete(snapshotId: number): void {
    if (snapshotId > this.completedId) this.completedId = snapshotId
  }

  /** Commits what may be committed, in order. */
  async commit(): Promise<void> {
    for (
      let next = this.prepared[0];
      next !== undefined && next.snapshotId <= this.completedId;
      next = this.prepared[0]
    ) {
      await this.writer?.commit(next)
      this.prepared.shift()
    }
  }
}
