// The writer of mode `idempotent`: a row replaces the one with the same key, so what is written again after a restart changes nothing.
import type { SinkWriter } from '../../model/connector.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import { postgresError } from './postgres-errors.ts'
import type { PostgresSettings } from './postgres-settings.ts'
import { RowBuffer } from './row-buffer.ts'

/** Writes the rows of one subtask batch by batch, each batch at once or not at all. */
export class UpsertWriter implements SinkWriter<unknown> {
  private readonly settings: PostgresSettings
  private readonly connection: PostgresConnection
  private readonly buffer: RowBuffer

  constructor(settings: PostgresSettings, connection: PostgresConnection) {
    this.settings = settings
    this.connection = connection
    this.buffer = new RowBuffer(settings, settings.target)
  }

  write(record: unknown): void | Promise<void> {
    this.buffer.add(record)
    if (this.buffer.isFull) return this.flush()
  }

  async flush(): Promise<void> {
    const { rows } = this.buffer
    try {
      await this.buffer.insert(this.connection)
    } catch (error) {
      throw postgresError(this.settings.description, `cannot write ${rows} rows`, 'SINK_FAILED', error)
    }
  }

  close(): Promise<void> {
    return this.connection.close()
  }
}
