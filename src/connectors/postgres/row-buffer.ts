// Collects the rows of one INSERT, as the flat list of values that the driver takes.
import { errorText, preview, StreamError } from '../../base/errors.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import { SQL_STATE, sqlStateOf } from './postgres-errors.ts'
import type { PostgresSettings } from './postgres-settings.ts'
import { insertText, replacingText } from './sql-text.ts'

/** Rows that wait for their INSERT into one table. With key columns a later row replaces an earlier one of the same key. */
export class RowBuffer {
  private readonly settings: PostgresSettings
  private readonly table: string
  private readonly suffix: string
  private readonly keyPlaces: readonly number[]
  private readonly fullText: string
  /** The number of each row by the text of its key. */
  private readonly places = new Map<string, number>()
  private values: unknown[] = []
  private recordsTaken = 0

  /** `table`: where the rows go, quoted. */
  constructor(settings: PostgresSettings, table: string) {
    const { columns, keyColumns, batchRows } = settings
    this.settings = settings
    this.table = table
    this.suffix = keyColumns.length === 0 ? '' : replacingText(columns, keyColumns)
    this.keyPlaces = keyColumns.map(column => columns.indexOf(column))
    this.fullText = insertText(table, columns, batchRows) + this.suffix
  }

  get rows(): number {
    return this.values.length / this.settings.columns.length
  }

  get isFull(): boolean {
    return this.rows >= this.settings.batchRows
  }

  /** Adds the row of a record. Throws USER_FUNCTION_FAILED or USER_FUNCTION_RESULT. */
  add(record: unknown): void {
    const row = this.rowOf(record)
    const place = this.keyPlaces.length === 0 ? undefined : this.placeOf(row)
    if (place === undefined) {
      for (let i = 0; i < row.length; i++) this.values.push(row[i])
    } else {
      for (let i = 0; i < row.length; i++) this.values[place * row.length + i] = row[i]
    }
  }

  /** Writes all rows and is empty again. Rejects with what the driver throws. */
  async insert(connection: PostgresConnection): Promise<void> {
    const { values, rows, settings } = this
    if (rows === 0) return
    const text =
      rows === settings.batchRows ? this.fullText : insertText(this.table, settings.columns, rows) + this.suffix
    this.values = []
    this.places.clear()
    try {
      await connection.query(text, values)
    } catch (error) {
      if (sqlStateOf(error) !== SQL_STATE.cardinalityViolation) throw error
      // Keys that differ here and are equal there, such as 'a' and 'A' in a column that ignores case.
      await this.insertOneByOne(connection, values)
    }
  }

  private async insertOneByOne(connection: PostgresConnection, values: readonly unknown[]): Promise<void> {
    const { columns } = this.settings
    const text = insertText(this.table, columns, 1) + this.suffix
    await connection.inTransaction(async () => {
      for (let from = 0; from < values.length; from += columns.length)
        await connection.query(text, values.slice(from, from + columns.length))
    })
  }

  /** The row in this batch that has the same key; undefined, and remembered from now on, when there is none. */
  private placeOf(row: readonly unknown[]): number | undefined {
    const key = JSON.stringify(this.keyPlaces.map(place => this.keyText(row, place)))
    const place = this.places.get(key)
    if (place === undefined) this.places.set(key, this.rows)
    return place
  }

  private keyText(row: readonly unknown[], place: number): string {
    const value = row[place]
    // NULL is equal to no other NULL: such a row would be there once more after each restart.
    if (value === null || value === undefined)
      throw this.wrongRow(`null for the key column ${this.settings.columns[place]}`)
    if (value instanceof Date) return value.toISOString()
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
    return typeof value === 'object' ? JSON.stringify(value) : String(value)
  }

  private rowOf(record: unknown): readonly unknown[] {
    const { toRow, columns, description } = this.settings
    this.recordsTaken++
    let row: unknown
    try {
      row = toRow(record)
    } catch (error) {
      if (error instanceof StreamError) throw error
      const message = `${description}: toRow threw at record ${this.recordsTaken}: ${errorText(error)}; correct the function`
      throw new StreamError('USER_FUNCTION_FAILED', message, { cause: error })
    }
    if (Array.isArray(row) && row.length === columns.length) return row
    throw this.wrongRow(Array.isArray(row) ? `${row.length} values` : preview(row))
  }

  private wrongRow(found: string): StreamError {
    const { columns, description } = this.settings
    return new StreamError(
      'USER_FUNCTION_RESULT',
      `${description}: toRow returned ${found} at record ${this.recordsTaken}; return an array with one value for each of ${columns.join(', ')}`,
    )
  }
}
