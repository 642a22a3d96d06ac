// The options of the sink `postgres`, checked. It connects to nothing.
import { preview, StreamError } from '../../base/errors.ts'
import type { SinkSpec } from '../../model/connector.ts'
import { ConnectorOptions } from '../options.ts'
import type { PostgresAddress } from './postgres-connection.ts'
import { NAME_BYTES_MAX, PARAMETERS_MAX, quotedTable } from './sql-text.ts'

/** How records are kept from being seen twice. */
export type PostgresMode = 'two-phase' | 'ledger' | 'idempotent'

/** What a writer needs to know. */
export interface PostgresSettings {
  readonly description: string
  readonly address: PostgresAddress
  readonly schema: string | undefined
  readonly table: string
  /** The table's name as statements take it. */
  readonly target: string
  readonly columns: readonly string[]
  /** For `idempotent`: the columns that say which row a record replaces. */
  readonly keyColumns: readonly string[]
  readonly toRow: (record: unknown) => unknown
  /** Undefined: what the server can do decides between two-phase and ledger. */
  readonly mode: PostgresMode | undefined
  /** The most rows of one INSERT. */
  readonly batchRows: number
}

const OPTION_NAMES = ['connection', 'table', 'columns', 'toRow', 'mode', 'keyColumns', 'batchRows', 'schema'] as const
const MODES: readonly PostgresMode[] = ['two-phase', 'ledger', 'idempotent']
const BATCH_ROWS_DEFAULT = 500
const BATCH_ROWS_MAX = 10_000
/** PostgreSQL's limit for a table. */
const COLUMNS_MAX = 1600

/** Reads the options of a spec; throws OPTION_INVALID. */
export function postgresSettings(spec: SinkSpec): PostgresSettings {
  const options = new ConnectorOptions(spec, OPTION_NAMES)
  const columns = nameList(options, 'columns')
  const mode = options.raw('mode') === undefined ? undefined : options.oneOf('mode', MODES, 'two-phase')
  const schema = options.raw('schema') === undefined ? undefined : nameOf(options, 'schema', options.raw('schema'))
  const table = nameOf(options, 'table', options.raw('table'))
  const range = { min: 1, max: BATCH_ROWS_MAX, default: BATCH_ROWS_DEFAULT }
  return {
    description: spec.description,
    address: addressOf(options),
    schema,
    table,
    target: quotedTable(schema, table),
    columns,
    keyColumns: keyColumnsOf(options, columns, mode),
    toRow: options.callable('toRow'),
    mode,
    batchRows: Math.min(options.wholeNumber('batchRows', range), Math.floor(PARAMETERS_MAX / columns.length)),
  }
}

function addressOf(options: ConnectorOptions): PostgresAddress {
  const value = options.raw('connection')
  if (typeof value === 'string' && value !== '') return value
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as PostgresAddress
  // The value may hold a password, so it is not shown.
  throw new StreamError(
    'OPTION_INVALID',
    `${options.description}: option connection is ${Array.isArray(value) ? 'an array' : typeof value}; expected a URL (postgres://user@host/database) or an object of host, port, user, password and database`,
  )
}

function nameOf(options: ConnectorOptions, option: string, value: unknown): string {
  const isName = typeof value === 'string' && value !== '' && !value.includes('\0')
  if (isName && Buffer.byteLength(value) <= NAME_BYTES_MAX) return value
  throw options.invalid(option, `a name of 1 to ${NAME_BYTES_MAX} bytes (found ${preview(value)})`)
}

function nameList(options: ConnectorOptions, option: string): readonly string[] {
  const value = options.raw(option)
  const isList = Array.isArray(value) && value.length >= 1 && value.length <= COLUMNS_MAX
  if (!isList) throw options.invalid(option, 'the names of one or more columns')
  const names = value.map(name => nameOf(options, option, name))
  if (new Set(names).size < names.length) throw options.invalid(option, 'each column once')
  return names
}

function keyColumnsOf(
  options: ConnectorOptions,
  columns: readonly string[],
  mode: PostgresMode | undefined,
): readonly string[] {
  if (mode !== 'idempotent') {
    if (options.raw('keyColumns') === undefined) return []
    throw options.invalid('keyColumns', "nothing: only mode 'idempotent' replaces rows by key")
  }
  const keyColumns = nameList(options, 'keyColumns')
  if (keyColumns.every(column => columns.includes(column))) return keyColumns
  throw options.invalid('keyColumns', `some of the columns ${columns.join(', ')}`)
}
