// A server that speaks S3 on the loopback (the package s3rver), in a process of its own: it asks for a cipher that Node has only with
// --openssl-legacy-provider, and a test can end it.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** What the server takes for credentials. */
export const S3_CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }

/** A running server. */
export interface S3Server {
  readonly endpoint: string
  stop(): Promise<void>
}

/** Starts a server that has the buckets. */
export async function startS3(buckets: readonly string[]): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-s3-'))
  const entry = createRequire(import.meta.url).resolve('s3rver')
  const command = join(dirname(entry), '..', 'bin', 's3rver.js')
  const args = [
    '--openssl-legacy-provider',
    '--disable-warning=DEP0060',
    command,
    '-d',
    folder,
    '-a',
    '127.0.0.1',
    '-p',
    '0',
  ]
  const child = spawn(process.execPath, [...args, ...buckets.flatMap(name => ['--configure-bucket', name])], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise(resolve => child.once('exit', resolve))
  return {
    endpoint: await endpointOf(child),
    async stop() {
      child.kill('SIGKILL')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function endpointOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    const read = (chunk: Buffer): void => {
      output += chunk
      const port = /listening on \S*?:(\d+)/.exec(output)?.[1]
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', () => reject(new Error(`the server ended:\n${output}`)))
  })
}
