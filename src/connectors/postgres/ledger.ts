// Commits without prepared transactions: rows are stored in a table beside their own until the checkpoint is complete, and are then moved in one
// transaction that also says so in a ledger; so a second commit finds it said, and does nothing.
import { createHash, randomUUID } from 'node:crypto'
import { StreamError } from '../../base/errors.ts'
import type { CommitProtocol, StagedTransaction } from './commit-protocol.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import type { PostgresSettings } from './postgres-settings.ts'
import { quotedName, quotedNames, quotedTable } from './sql-text.ts'
import type { WriterIdentity } from './transaction-names.ts'

/** The ledger: one row for each transaction that is staged, and for the newest that each writer committed. */
const LEDGER = 'millrace_commits'
/** Two writers that create tables at the same time get in each other's way. Any number that nobody else uses will do. */
const SET_UP_LOCK = 7_236_419_250_311
/** Tells the column default of a staging table which transaction is open. */
const TRANSACTION_SETTING = 'millrace.transaction'

/** The staged transactions of one writer. */
export class Ledger implements CommitProtocol {
  readonly target: string
  private readonly settings: PostgresSettings
  private readonly writing: PostgresConnection
  private readonly control: PostgresConnection
  private readonly identity: WriterIdentity
  private readonly staging: string
  private readonly writer: string
  private transactionId = ''

  constructor(init: {
    readonly settings: PostgresSettings
    readonly writing: PostgresConnection
    readonly control: PostgresConnection
    readonly identity: WriterIdentity
  }) {
    this.settings = init.settings
    this.writing = init.writing
    this.control = init.control
    this.identity = init.identity
    this.staging = stagingName(init.settings)
    this.target = quotedTable(init.settings.schema, this.staging)
    this.writer = randomUUID()
  }

  /** Creates the ledger and the staging table, whose columns have the types of those that they are for. */
  async setUp(): Promise<void> {
    const { control, target, settings } = this
    const ledger = quotedTable(settings.schema, LEDGER)
    await control.inTransaction(async () => {
      await control.query('SELECT pg_advisory_xact_lock($1)', [SET_UP_LOCK])
      await control.query(
        `CREATE TABLE IF NOT EXISTS ${ledger} (transaction text PRIMARY KEY, sink text NOT NULL, subtask integer NOT NULL,
           attempt bigint NOT NULL, snapshot double precision NOT NULL, writer text NOT NULL, staging text NOT NULL,
           is_committed boolean NOT NULL DEFAULT false, staged_at timestamptz NOT NULL DEFAULT now())`,
      )
      if (await exists(control, target)) return
      const columns = quotedNames(settings.columns)
      await control.query(`CREATE TABLE ${target} AS SELECT ${columns} FROM ${settings.target} WITH NO DATA`)
      await control.query(
        `ALTER TABLE ${target}
           ADD COLUMN millrace_transaction text NOT NULL,
           ADD COLUMN millrace_ordinal bigint GENERATED ALWAYS AS IDENTITY`,
      )
      // Apart from ADD COLUMN, which would ask for the value at once.
      await control.query(
        `ALTER TABLE ${target} ALTER COLUMN millrace_transaction SET DEFAULT current_setting('${TRANSACTION_SETTING}')`,
      )
      await control.query(`CREATE INDEX ON ${target} (millrace_transaction)`)
    })
  }

  async begun(): Promise<void> {
    this.transactionId = randomUUID()
    await this.writing.query('SELECT set_config($1, $2, true)', [TRANSACTION_SETTING, this.transactionId])
  }

  async prepare(snapshotId: number, rows: number): Promise<StagedTransaction> {
    const { settings, identity, staging, writer, transactionId: id } = this
    const { schema = null, table, columns } = settings
    await this.writing.query(
      `INSERT INTO ${quotedTable(settings.schema, LEDGER)} (transaction, sink, subtask, attempt, snapshot, writer, staging)
         VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [id, identity.scope, identity.subtask, identity.attempt, snapshotId, writer, staging],
    )
    await this.writing.query('COMMIT')
    return { kind: 'staged', id, writer, rows, schema, table, columns, staging }
  }

  /** Moves the rows; does nothing for a transaction that is committed. Rejects with TRANSACTION_FAILED when rows are not there any more. */
  async commit(staged: StagedTransaction, snapshotId: number): Promise<void> {
    const { control } = this
    const ledger = quotedTable(staged.schema ?? undefined, LEDGER)
    await control.inTransaction(async () => {
      const { rowCount } = await control.query(
        `UPDATE ${ledger} SET is_committed = true WHERE transaction = $1 AND NOT is_committed`,
        [staged.id],
      )
      if (rowCount === 0) return this.requireCommitted(ledger, staged, snapshotId)
      await this.move(staged)
      // A writer's own transactions are committed in order, so its newest stands for all before it.
      await control.query(`DELETE FROM ${ledger} WHERE writer = $1 AND is_committed AND snapshot < $2`, [
        staged.writer,
        snapshotId,
      ])
    })
  }

  async abortLeftovers(startedFromId: number | undefined): Promise<void> {
    const { control, identity, settings } = this
    const ledger = quotedTable(settings.schema, LEDGER)
    if (!(await exists(control, ledger))) return
    await control.inTransaction(async () => {
      // The same as isLeftover() says; what another subtask is about to abort is left to it.
      const { rows } = await control.query(
        `SELECT transaction, staging FROM ${ledger}
           WHERE sink = $1 AND NOT is_committed AND (attempt < $2 OR (attempt = $2 AND subtask = $3))
             AND ($4::double precision IS NULL OR snapshot > $4) FOR UPDATE SKIP LOCKED`,
        [identity.scope, identity.attempt, identity.subtask, startedFromId ?? null],
      )
      for (const { transaction, staging } of rows) {
        const table = quotedTable(settings.schema, String(staging))
        if (await exists(control, table))
          await control.query(`DELETE FROM ${table} WHERE millrace_transaction = $1`, [transaction])
        await control.query(`DELETE FROM ${ledger} WHERE transaction = $1`, [transaction])
      }
    })
  }

  private async move({ id, rows, schema, table, columns, staging }: StagedTransaction): Promise<void> {
    const { control } = this
    const names = quotedNames(columns)
    const from = quotedTable(schema ?? undefined, staging)
    const { rowCount } = await control.query(
      `INSERT INTO ${quotedTable(schema ?? undefined, table)} (${names})
         SELECT ${names} FROM ${from} WHERE millrace_transaction = $1 ORDER BY millrace_ordinal`,
      [id],
    )
    if (rowCount !== rows)
      throw this.gone(`${rowCount} of the ${rows} rows of transaction ${id} are left in ${quotedName(staging)}`)
    await control.query(`DELETE FROM ${from} WHERE millrace_transaction = $1`, [id])
  }

  private async requireCommitted(ledger: string, staged: StagedTransaction, snapshotId: number): Promise<void> {
    const { rows } = await this.control.query(
      `SELECT 1 FROM ${ledger} WHERE writer = $1 AND is_committed AND snapshot >= $2 LIMIT 1`,
      [staged.writer, snapshotId],
    )
    if (rows.length === 0) throw this.gone(`transaction ${staged.id} of snapshot ${snapshotId} is not in ${ledger}`)
  }

  private gone(what: string): StreamError {
    return new StreamError(
      'TRANSACTION_FAILED',
      `${this.settings.description}: ${what}; its records are lost to the table: start from an earlier snapshot, and let nobody else write to the tables millrace_*`,
    )
  }
}

async function exists(connection: PostgresConnection, quoted: string): Promise<boolean> {
  const { rows } = await connection.query('SELECT to_regclass($1) IS NOT NULL AS "exists"', [quoted])
  return rows[0]?.['exists'] === true
}

/** One for each table and choice of columns. */
function stagingName({ table, columns }: PostgresSettings): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([table, columns]))
    .digest('hex')
  return `millrace_staged_${hash.slice(0, 16)}`
}
