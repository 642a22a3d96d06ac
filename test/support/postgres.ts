// A PostgreSQL server of its own for a test: from Debian's packages, on a free port of the loopback, in a temporary folder, as the user
// postgres where the test runs as root, since the server refuses to be root.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'

const PACKAGES = '/usr/lib/postgresql'

/** A running server. */
export interface PostgresServer {
  readonly port: number
  /** A URL of it, through another port if one is given. */
  url(port?: number): string
  /** Runs statements on a connection of its own; gives the rows of the last one. */
  query(text: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
  stop(): Promise<void>
}

/** Why no server can be started here; undefined when one can. In CI it is installed first. */
export function postgresMissing(): string | undefined {
  if (binaries() === undefined && process.env['CI'] === 'true') {
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'postgresql'], { stdio: 'ignore' })
  }
  if (binaries() !== undefined) return undefined
  return 'needs a PostgreSQL server: apt-get install postgresql'
}

/** Starts a server with the given settings, without the syncing that a test has no use for. */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-postgres-'))
  const user = serverUser()
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const bin = binaries() as string
  const init = ['-D', folder, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  execFileSync(join(bin, 'initdb'), init, { ...user, cwd: folder, stdio: 'ignore' })
  const port = await freePort()
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    ...settings,
    port: String(port),
  }
  const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(join(bin, 'postgres'), ['-D', folder, ...args], {
    ...user,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await started(child)
  return serverOf(child, port, folder)
}

function serverOf(child: ChildProcess, port: number, folder: string): PostgresServer {
  const url = (through = port): string => `postgres://postgres@127.0.0.1:${through}/postgres`
  return {
    port,
    url,
    async query(text, values) {
      const client = new pg.Client({ connectionString: url() })
      await client.connect()
      try {
        const results = await client.query(text, values as unknown[] | undefined)
        const last = Array.isArray(results) ? results.at(-1) : results
        return last.rows
      } finally {
        await client.end()
      }
    },
    async stop() {
      const exited = new Promise(resolve => child.once('exit', resolve))
      // PostgreSQL's immediate shutdown.
      child.kill('SIGQUIT')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk).slice(-10_000)
      if (log.includes('database system is ready to accept connections')) resolve()
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`the server ended:\n${log}`)))
  })
}

function binaries(): string | undefined {
  if (!existsSync(PACKAGES)) return undefined
  const folders = readdirSync(PACKAGES).map(version => join(PACKAGES, version, 'bin'))
  return folders.find(folder => existsSync(join(folder, 'initdb')))
}

function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const idOf = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}
