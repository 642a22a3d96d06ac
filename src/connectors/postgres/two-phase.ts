// Two-phase commit by the server: PREPARE TRANSACTION at the barrier, COMMIT PREPARED when the checkpoint is complete.
import { StreamError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { CommitProtocol, ServerTransaction } from './commit-protocol.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import { SQL_STATE, sqlStateOf } from './postgres-errors.ts'
import { quotedText } from './sql-text.ts'
import {
  isLeftover,
  parseTransactionName,
  sinkPrefix,
  transactionName,
  type WriterIdentity,
} from './transaction-names.ts'

/** The transactions of one writer. Nothing in the database but the transactions themselves is needed. */
export class TwoPhase implements CommitProtocol {
  readonly target: string
  private readonly writing: PostgresConnection
  private readonly control: PostgresConnection
  private readonly identity: WriterIdentity
  private readonly description: string
  private readonly logger: Logger

  constructor(init: {
    readonly target: string
    readonly writing: PostgresConnection
    readonly control: PostgresConnection
    readonly identity: WriterIdentity
    readonly description: string
    readonly logger: Logger
  }) {
    this.target = init.target
    this.writing = init.writing
    this.control = init.control
    this.identity = init.identity
    this.description = init.description
    this.logger = init.logger
  }

  async setUp(): Promise<void> {}

  async begun(): Promise<void> {}

  async prepare(snapshotId: number): Promise<ServerTransaction> {
    const name = transactionName(this.identity, snapshotId)
    const { rows } = await this.writing.query('SELECT txid_current()::text AS id')
    await this.writing.query(`PREPARE TRANSACTION ${quotedText(name)}`)
    return { kind: 'prepared', name, serverId: String(rows[0]?.['id']) }
  }

  /** Commits; does nothing for one that is committed. Rejects with TRANSACTION_FAILED for one that was rolled back behind our back. */
  async commit({ name, serverId }: ServerTransaction): Promise<void> {
    try {
      await this.control.query(`COMMIT PREPARED ${quotedText(name)}`)
    } catch (error) {
      if (sqlStateOf(error) !== SQL_STATE.undefinedObject) throw error
      await this.requireCommitted(name, serverId)
    }
  }

  async abortLeftovers(startedFromId: number | undefined): Promise<void> {
    const { scope } = this.identity
    const { rows } = await this.control.query(
      'SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND left(gid, length($1)) = $1 ORDER BY prepared',
      [sinkPrefix(this.identity)],
    )
    const foreign: string[] = []
    for (const { gid } of rows) {
      const name = String(gid)
      const found = parseTransactionName(scope, name)
      if (found === undefined) {
        foreign.push(name)
        continue
      }
      if (isLeftover(found, this.identity, startedFromId)) await this.rollback(name)
      else if (found.attempt > this.identity.attempt) this.warnOfLaterAttempt(name, found.attempt)
    }
    if (foreign.length > 0 && this.identity.subtask === 0) this.warnOfForks(foreign)
  }

  private async rollback(name: string): Promise<void> {
    try {
      await this.control.query(`ROLLBACK PREPARED ${quotedText(name)}`)
    } catch (error) {
      // Another subtask, which recovers at the same time, has done it or is about to.
      const state = sqlStateOf(error)
      if (state !== SQL_STATE.undefinedObject && state !== SQL_STATE.notInPrerequisiteState) throw error
    }
  }

  // That the name is gone says only that the transaction has ended. How it ended the server knows by its id, until long after.
  private async requireCommitted(name: string, serverId: string): Promise<void> {
    const { rows } = await this.control.query('SELECT txid_status($1::bigint) AS status', [serverId])
    const status = rows[0]?.['status']
    if (status === 'committed') return
    if (status === null) {
      const message =
        'a transaction of the snapshot is so old that the server does not know any more whether it was committed; taken as committed'
      this.logger.log('warn', message, { sink: this.description, transaction: name })
      return
    }
    throw new StreamError(
      'TRANSACTION_FAILED',
      `${this.description}: the prepared transaction ${name} of the snapshot is gone and was not committed (server says ${status}); its records are lost to the table: start from an earlier snapshot, and let nobody end transactions that begin with ${this.identity.scope}`,
    )
  }

  private warnOfForks(transactions: readonly string[]): void {
    const message =
      'prepared transactions from another directory of the job were found, and left alone: unless a fork of it runs, end them with ROLLBACK PREPARED, since they hold locks'
    this.logger.log('warn', message, { sink: this.description, transactions })
  }

  private warnOfLaterAttempt(name: string, attempt: number): void {
    const message =
      'a prepared transaction of a later attempt was found, and left alone: unless another job of this name runs, its directory was deleted; then end it with ROLLBACK PREPARED, since it holds locks'
    this.logger.log('warn', message, { sink: this.description, transaction: name, attempt })
  }
}
