// The SQL that the sink sends. Names are quoted, values are always parameters; the few literals are names of transactions made here.

/** PostgreSQL takes no more parameters in one statement. */
export const PARAMETERS_MAX = 65_535
/** PostgreSQL cuts longer names short (in bytes of UTF-8), in silence. */
export const NAME_BYTES_MAX = 63

/** A name as PostgreSQL takes it literally, whatever is in it but a zero character. */
export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A table's name, within its schema where there is one; else the search path of the connection finds it. */
export function quotedTable(schema: string | undefined, table: string): string {
  return schema === undefined ? quotedName(table) : `${quotedName(schema)}.${quotedName(table)}`
}

/** A text as a literal, for the statements that take no parameters. */
export function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** Names, quoted and with commas. */
export function quotedNames(names: readonly string[]): string {
  return names.map(quotedName).join(', ')
}

/** An INSERT of so many rows, their values as parameters in order; `table` is quoted already. */
export function insertText(table: string, columns: readonly string[], rows: number): string {
  let parameter = 0
  const row = (): string => `(${columns.map(() => `$${++parameter}`).join(', ')})`
  const values = Array.from({ length: rows }, row)
  return `INSERT INTO ${table} (${quotedNames(columns)}) VALUES ${values.join(', ')}`
}

/** What makes an INSERT replace the rows that have the same key. */
export function replacingText(columns: readonly string[], keyColumns: readonly string[]): string {
  const others = columns.filter(column => !keyColumns.includes(column)).map(quotedName)
  const action =
    others.length === 0 ? 'NOTHING' : `UPDATE SET ${others.map(name => `${name} = EXCLUDED.${name}`).join(', ')}`
  return ` ON CONFLICT (${quotedNames(keyColumns)}) DO ${action}`
}
