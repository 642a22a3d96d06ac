// What `writeToPostgres()` is told, and the spec of the sink that follows from it. The connector checks the values once more in detail.
import type { SinkSpec } from '../../model/connector.ts'
import { optionInvalid, requireCallback, requireText } from './arguments.ts'

/**
 * A table of PostgreSQL as a sink. `T` is the type of the records.
 * Each record is seen once whatever fails, given checkpoints and sources that can be replayed; how, `mode` says.
 */
export interface PostgresSinkOptions<T> {
  /** A URL (`postgres://user:password@host:5432/database`), or what the package `pg` takes for a Client. Never shown in plans or errors. */
  readonly connection: string | Readonly<Record<string, unknown>>
  readonly table: string
  /** The schema of the table; the search path of the connection unless given. */
  readonly schema?: string
  /** The columns that are written; others get their defaults. */
  readonly columns: readonly string[]
  /** The values of a record's row, in the order of `columns`; sent as parameters, as the package `pg` converts them. */
  readonly toRow: (record: T) => readonly unknown[]
  /**
   * - `two-phase`: a transaction for each checkpoint, prepared at the barrier (PREPARE TRANSACTION); needs `max_prepared_transactions` of at least
   *   twice the parallelism. The default where the server has any.
   * - `ledger`: rows wait in a table `millrace_staged_...` and are moved when the checkpoint is complete, together with a row in
   *   `millrace_commits`; both are created beside the table. What the constraints of the table refuse is found only then. The default where
   *   the server has no prepared transactions.
   * - `idempotent`: a row replaces the one with the same `keyColumns`; it is seen before its checkpoint, and after a restart older values come
   *   back until the replay is done. Key the stream by the same columns, or subtasks wait for each other's rows.
   */
  readonly mode?: 'two-phase' | 'ledger' | 'idempotent'
  /** For `idempotent`: columns with a unique index on exactly them. Null is not allowed in them. */
  readonly keyColumns?: readonly string[]
  /** The most rows of one INSERT; 500 unless given. */
  readonly batchRows?: number
}

const CALL = 'writeToPostgres()'

/** The spec of the sink `postgres`. Throws OPTION_INVALID for options that can be seen to be wrong without the connector. */
export function postgresSinkSpec<T>(options: PostgresSinkOptions<T>): SinkSpec {
  if (typeof options !== 'object' || options === null) throw optionInvalid(CALL, 'expected an object of options')
  const { table, schema, mode } = options
  requireText(CALL, 'the table', table)
  if (schema !== undefined) requireText(CALL, 'the schema', schema)
  if (!Array.isArray(options.columns) || options.columns.length === 0) {
    throw optionInvalid(CALL, 'columns must be an array of one or more names')
  }
  requireCallback(`${CALL}: toRow`, options.toRow)
  if (mode === 'idempotent' && options.keyColumns === undefined) {
    throw optionInvalid(CALL, "mode 'idempotent' needs keyColumns: the columns that say which row a record replaces")
  }
  return {
    connector: 'postgres',
    options: { ...options },
    description: `postgres table ${schema === undefined ? '' : `${schema}.`}${table}`,
    placement: 'any',
    delivery: mode === 'idempotent' ? 'idempotent' : 'transactional',
  }
}
