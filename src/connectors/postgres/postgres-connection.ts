// One connection to PostgreSQL, over the optional package `pg`. Losing it is remembered and told at the next call; it is never made again,
// because what became of a statement under way is known only after a restart.
import { StreamError } from '../../base/errors.ts'
import { loadOptionalPackage } from '../../base/optional-package.ts'
import { postgresError } from './postgres-errors.ts'

/** Enough for a server that is there; a job may try again. */
const CONNECT_TIMEOUT_MS = 15_000
/** Two transactions of the same subtask could wait for each other for ever: see the docstring of `open`. */
const LOCK_TIMEOUT_MS = 30_000

/** Where to connect: a URL, or what the driver's Client takes. */
export type PostgresAddress = string | Readonly<Record<string, unknown>>

/** What the server answered. */
export interface PostgresResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  /** Of an INSERT, UPDATE or DELETE: how many rows it was about. */
  readonly rowCount: number
}

/** The part of the driver's Client that is used here, so that our types need none of the driver's. */
interface DriverClient {
  connect(): Promise<unknown>
  query(text: string, values?: unknown[]): Promise<{ readonly rows: unknown[]; readonly rowCount: number | null }>
  end(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** An open connection. */
export class PostgresConnection {
  private readonly client: DriverClient
  private readonly description: string
  private lost: Error | undefined
  private isClosed = false

  private constructor(client: DriverClient, description: string) {
    this.client = client
    this.description = description
    // An error without a listener would end the process.
    client.on('error', error => {
      this.lost ??= error
    })
  }

  /**
   * Connects under an application name by which others can tell it. A wait for a lock ends after half a minute: a prepared transaction keeps
   * its locks until its commit, which cannot come while its own subtask waits for them. Rejects with DEPENDENCY_MISSING or SINK_FAILED.
   */
  static async open(address: PostgresAddress, name: string, description: string): Promise<PostgresConnection> {
    const driver = await loadOptionalPackage('pg', description, () => import('pg'))
    const config = typeof address === 'string' ? { connectionString: address } : address
    const client = new driver.default.Client({
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      ...config,
    })
    const connection = new PostgresConnection(client, description)
    try {
      await client.connect()
      await connection.configure(name)
      return connection
    } catch (error) {
      await connection.close()
      throw postgresError(description, 'cannot connect', 'SINK_FAILED', error)
    }
  }

  /** Runs one statement. Rejects with what the driver throws, or SINK_FAILED when the connection was lost before. */
  async query(text: string, values?: unknown[]): Promise<PostgresResult> {
    if (this.lost !== undefined)
      throw postgresError(this.description, 'the connection is gone', 'SINK_FAILED', this.lost)
    if (this.isClosed)
      throw new StreamError('SINK_FAILED', `${this.description}: it was closed while it wrote; run the job again`)
    const { rows, rowCount } = await this.client.query(text, values)
    return { rows: rows as PostgresResult['rows'], rowCount: rowCount ?? 0 }
  }

  /** Runs statements in a transaction: all of them happen or none. */
  async inTransaction<R>(action: () => Promise<R>): Promise<R> {
    await this.query('BEGIN ISOLATION LEVEL READ COMMITTED')
    try {
      const result = await action()
      await this.query('COMMIT')
      return result
    } catch (error) {
      // The first error counts; where the connection is gone, so is the transaction.
      await this.query('ROLLBACK').catch(() => {})
      throw error
    }
  }

  /** Ends the connection, and with it an open transaction. Never rejects: what is lost is closed. */
  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    await this.client.end().catch(() => {})
  }

  private async configure(name: string): Promise<void> {
    // A transaction is open, and may be idle, from one checkpoint to the next.
    const settings = [
      ['application_name', name],
      ['idle_in_transaction_session_timeout', '0'],
      ['lock_timeout', String(LOCK_TIMEOUT_MS)],
      ['client_min_messages', 'warning'],
    ]
    for (const setting of settings) await this.query('SELECT set_config($1, $2, false)', setting)
  }
}
