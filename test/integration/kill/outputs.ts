// Where jobs that are killed write to: what the killer must know of a directory of files and of a table of PostgreSQL.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type PostgresServer, startPostgres } from '../../support/postgres.ts'
import { type Tally, tallyFiles, tallyTable } from './tally.ts'

/** The outputs of all runs of a sink. */
export interface Outputs {
  readonly sink: 'files' | 'postgres'
  readonly url: string
  /** Makes the output of a job ready; gives what the job is told of it. */
  create(name: string): Promise<string>
  read(output: string, records: number): Promise<Tally>
  /** What a job left that is neither shown nor removed: hidden files, prepared transactions. */
  leftovers(output: string): Promise<readonly string[]>
  close(): Promise<void>
}

/** Directories below a folder. */
export function fileOutputs(folder: string): Outputs {
  return {
    sink: 'files',
    url: '',
    create: async name => join(folder, name),
    read: tallyFiles,
    leftovers: async output => (existsSync(output) ? readdirSync(output).filter(name => name.startsWith('.')) : []),
    close: async () => {},
  }
}

/** Tables of a server of its own. */
export async function postgresOutputs(): Promise<Outputs> {
  const server = await startPostgres({ max_prepared_transactions: '20' })
  return {
    sink: 'postgres',
    url: server.url(),
    create: async name => {
      await server.query(`CREATE TABLE ${name} (key int NOT NULL, count int NOT NULL)`)
      return name
    },
    read: (table, records) => tallyTable(server.url(), table, records),
    leftovers: () => preparedTransactions(server),
    close: () => server.stop(),
  }
}

async function preparedTransactions(server: PostgresServer): Promise<readonly string[]> {
  const rows = await server.query('SELECT gid FROM pg_prepared_xacts')
  return rows.map(({ gid }) => String(gid))
}
