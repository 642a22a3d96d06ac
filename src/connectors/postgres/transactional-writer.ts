// The writer of both transactional modes: which of them ends a transaction is the protocol's matter. Transactions of either are finished,
// since the mode may have changed since the snapshot.
import { setTimeout as pause } from 'node:timers/promises'
import type { ErrorCode } from '../../base/error-codes.ts'
import { StreamError } from '../../base/errors.ts'
import type { PreparedTransaction, TransactionalWriter, WriterContext } from '../../model/connector.ts'
import type { CommitProtocol, PostgresTransaction } from './commit-protocol.ts'
import { Ledger } from './ledger.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import { postgresError } from './postgres-errors.ts'
import type { PostgresSettings } from './postgres-settings.ts'
import { RowBuffer } from './row-buffer.ts'
import type { WriterIdentity } from './transaction-names.ts'
import { TwoPhase } from './two-phase.ts'

/** How long to wait for the server to end connections of dead writers, and how often to look. */
const FENCE_TIMEOUT_MS = 10_000
const FENCE_POLL_MS = 20

/** What a transactional writer is made of. */
export interface WriterInit {
  readonly settings: PostgresSettings
  readonly mode: 'two-phase' | 'ledger'
  readonly context: WriterContext
  readonly identity: WriterIdentity
  /** For the open transaction, and for what must be done beside it: commits come while the next transaction is open. */
  readonly writing: PostgresConnection
  readonly control: PostgresConnection
}

/** Writes the rows of one subtask in transactions. A transaction begins with its first batch, so an idle sink holds none open. */
export class PostgresTransactionalWriter implements TransactionalWriter<unknown, PostgresTransaction> {
  private readonly init: WriterInit
  private readonly twoPhase: TwoPhase
  private readonly ledger: Ledger
  private readonly protocol: CommitProtocol
  private readonly buffer: RowBuffer
  /** `none`: no row of the transaction is at the server yet. */
  private state: 'none' | 'open' = 'none'
  private rows = 0

  constructor(init: WriterInit) {
    const { settings, context, identity, writing, control } = init
    const { description, target } = settings
    this.init = init
    this.twoPhase = new TwoPhase({ target, writing, control, identity, description, logger: context.logger })
    this.ledger = new Ledger({ settings, writing, control, identity })
    this.protocol = init.mode === 'two-phase' ? this.twoPhase : this.ledger
    this.buffer = new RowBuffer(settings, this.protocol.target)
  }

  /** Makes ready what the mode needs in the database. */
  setUp(): Promise<void> {
    return this.attempt('cannot create the tables of mode ledger', 'SINK_FAILED', () => this.protocol.setUp())
  }

  async recover(
    prepared: readonly PreparedTransaction<PostgresTransaction>[],
    startedFromId: number | undefined,
  ): Promise<void> {
    await this.attempt('cannot end the connections of earlier attempts', 'TRANSACTION_FAILED', () => this.fence())
    for (const transaction of prepared) await this.commit(transaction)
    await this.attempt('cannot abort what earlier attempts left', 'TRANSACTION_FAILED', async () => {
      await this.twoPhase.abortLeftovers(startedFromId)
      await this.ledger.abortLeftovers(startedFromId)
    })
  }

  begin(): void {
    this.state = 'none'
    this.rows = 0
  }

  write(record: unknown): void | Promise<void> {
    this.buffer.add(record)
    if (this.buffer.isFull) return this.insert()
  }

  async prepare(snapshotId: number): Promise<PostgresTransaction | undefined> {
    await this.insert()
    if (this.state === 'none') return undefined
    const what = `cannot prepare the transaction of snapshot ${snapshotId}`
    const transaction = await this.attempt(what, 'TRANSACTION_FAILED', () =>
      this.protocol.prepare(snapshotId, this.rows),
    )
    this.state = 'none'
    return transaction
  }

  commit({ transaction, snapshotId }: PreparedTransaction<PostgresTransaction>): Promise<void> {
    const what = `cannot commit the transaction of snapshot ${snapshotId}`
    return this.attempt(what, 'TRANSACTION_FAILED', () => {
      switch (transaction.kind) {
        case 'prepared':
          return this.twoPhase.commit(transaction)
        case 'staged':
          return this.ledger.commit(transaction, snapshotId)
      }
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.init.writing.close(), this.init.control.close()])
  }

  private async insert(): Promise<void> {
    const { rows } = this.buffer
    if (rows === 0) return
    await this.attempt(`cannot write ${rows} rows`, 'SINK_FAILED', async () => {
      if (this.state === 'none') await this.beginAtServer()
      await this.buffer.insert(this.init.writing)
    })
    this.rows += rows
  }

  private async beginAtServer(): Promise<void> {
    await this.init.writing.query('BEGIN ISOLATION LEVEL READ COMMITTED')
    this.state = 'open'
    await this.protocol.begun()
  }

  /**
   * Ends the connections of earlier attempts. Their process is gone, but the server may still be at the last statement that it sent: a
   * PREPARE TRANSACTION that ends after we looked for leftovers would stay, with its locks, for ever.
   */
  private async fence(): Promise<void> {
    const { control, identity, context, settings } = this.init
    const deadlineMs = context.clock.monotonicMs() + FENCE_TIMEOUT_MS
    for (;;) {
      const { rows } = await control.query(
        `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
             AND substring(application_name FROM '^' || $1 || '_([0-9]+)_[0-9]+$')::bigint < $2`,
        [identity.scope, identity.attempt],
      )
      if (rows.length === 0) return
      if (context.clock.monotonicMs() > deadlineMs) {
        const pids = rows.map(({ pid }) => pid).join(', ')
        throw new StreamError(
          'TRANSACTION_FAILED',
          `${settings.description}: connections of an earlier attempt do not end (server processes ${pids}); end them with pg_terminate_backend, and run the job again`,
        )
      }
      await pause(FENCE_POLL_MS)
    }
  }

  private async attempt<R>(what: string, code: ErrorCode, action: () => Promise<R>): Promise<R> {
    try {
      return await action()
    } catch (error) {
      throw postgresError(this.init.settings.description, what, code, error)
    }
  }
}
