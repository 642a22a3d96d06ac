// The sink `postgres`: rows of a table, each seen once whatever fails, by two-phase commit, by a ledger, or by replacing rows with the same key.
import { StreamError } from '../../base/errors.ts'
import type { Sink, SinkSpec, SinkWriter, WriterContext } from '../../model/connector.ts'
import { PostgresConnection } from './postgres-connection.ts'
import { postgresError } from './postgres-errors.ts'
import { type PostgresSettings, postgresSettings } from './postgres-settings.ts'
import { quotedNames, replacingText } from './sql-text.ts'
import { connectionName, type WriterIdentity, writerIdentity } from './transaction-names.ts'
import { PostgresTransactionalWriter } from './transactional-writer.ts'
import { UpsertWriter } from './upsert-writer.ts'

/**
 * Makes the sink `postgres`; throws OPTION_INVALID. Each subtask takes one connection (`idempotent`) or two. Opening fails with
 * DEPENDENCY_MISSING without the package `pg`, OPTION_INVALID for mode `two-phase` on a server without prepared transactions, SINK_FAILED for
 * a server that is not reached and a table or column that is not there. Writing fails with SINK_FAILED, USER_FUNCTION_FAILED and
 * USER_FUNCTION_RESULT; preparing, committing and recovering with TRANSACTION_FAILED, or SINK_FAILED when the connection is lost.
 */
export function postgresSink(spec: SinkSpec): Sink<unknown> {
  const settings = postgresSettings(spec)
  return { open: context => openWriter(settings, context) }
}

async function openWriter(settings: PostgresSettings, context: WriterContext): Promise<SinkWriter<unknown>> {
  const identity = writerIdentity(context)
  const connections = [await connect(settings, identity)]
  try {
    const [writing] = connections as [PostgresConnection]
    await requireTable(settings, writing)
    if (settings.mode === 'idempotent') return new UpsertWriter(settings, writing)
    const mode = await transactionalMode(settings, context, writing)
    const control = await connect(settings, identity)
    connections.push(control)
    const writer = new PostgresTransactionalWriter({ settings, mode, context, identity, writing, control })
    await writer.setUp()
    return writer
  } catch (error) {
    await Promise.all(connections.map(connection => connection.close()))
    throw postgresError(settings.description, 'cannot open the table', 'SINK_FAILED', error)
  }
}

function connect({ address, description }: PostgresSettings, identity: WriterIdentity): Promise<PostgresConnection> {
  return PostgresConnection.open(address, connectionName(identity), description)
}

/** Fails now rather than at the first batch where table, columns, rights or the index of the key are not there. */
async function requireTable(
  { target, columns, keyColumns }: PostgresSettings,
  connection: PostgresConnection,
): Promise<void> {
  const nulls = columns.map(() => 'NULL').join(', ')
  const suffix = keyColumns.length === 0 ? '' : replacingText(columns, keyColumns)
  await connection.query(`EXPLAIN INSERT INTO ${target} (${quotedNames(columns)}) VALUES (${nulls})${suffix}`)
}

async function transactionalMode(
  { mode, description }: PostgresSettings,
  { parallelism, logger }: WriterContext,
  connection: PostgresConnection,
): Promise<'two-phase' | 'ledger'> {
  if (mode === 'ledger') return 'ledger'
  const { rows } = await connection.query('SHOW max_prepared_transactions')
  const preparedMax = Number(rows[0]?.['max_prepared_transactions'])
  // Those of the newest checkpoint, and those of the one before while they are committed.
  const needed = 2 * parallelism
  if (preparedMax > 0) {
    const message = `max_prepared_transactions of the server may be too small: raise it to ${needed} and more for each such sink`
    if (preparedMax < needed) logger.log('warn', message, { sink: description, preparedMax })
    return 'two-phase'
  }
  if (mode === undefined) return 'ledger'
  throw new StreamError(
    'OPTION_INVALID',
    `${description}: mode 'two-phase' needs prepared transactions, and max_prepared_transactions of the server is 0; set it to ${needed} or more in postgresql.conf and restart the server, or choose mode 'ledger'`,
  )
}
