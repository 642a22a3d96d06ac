// A socket read through a write-ahead log by a process that is killed again and again: what the job has seen is in its output, once.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'

const JOB = join(import.meta.dirname, 'support/write-ahead-log-job.ts')
const LINES = 12_000
/** When a process is killed: after so many lines that it has seen. Without a checkpoint at first, and then with some. */
const KILLS = [
  { seen: 700, intervalMs: 600_000 },
  { seen: 3000, intervalMs: 20 },
  { seen: 1700, intervalMs: 20 },
] as const
/** How many lines are under way to the job at most. */
const AHEAD = 300
/** A process that has not ended by then hangs. */
const HANG_MS = 120_000

const folder = await mkdtemp(join(tmpdir(), 'millrace-write-ahead-log-'))
after(() => rm(folder, { recursive: true }))

/** Gives numbered lines, each to whoever is connected, once, and then ends the stream; it is never far ahead of what the job has seen. */
class NumberServer {
  private next = 0
  private allowed = 0
  private socket: Socket | undefined
  private readonly server = createServer(socket => {
    socket.on('error', () => {})
    this.socket = socket
    // What went to the process before may have died with it.
    this.allow(this.next)
  })

  async listen(): Promise<number> {
    await new Promise<void>(resolve => this.server.listen(0, '127.0.0.1', resolve))
    return (this.server.address() as AddressInfo).port
  }

  allow(seen: number): void {
    this.allowed = Math.min(LINES, Math.max(this.allowed, seen + AHEAD))
    while (this.next < this.allowed) this.socket?.write(`${this.next++}\n`)
    if (this.next === LINES) this.socket?.end()
  }

  close(): void {
    this.server.close()
  }
}

interface Ended {
  readonly code: number | null
  readonly seen: readonly number[]
  readonly stderr: string
}

/** Runs the job, and kills it when it has seen so many lines. */
function runJob(
  port: number,
  {
    intervalMs,
    killAfter = Infinity,
    onSeen,
  }: { intervalMs: number; killAfter?: number; onSeen: (seen: number) => void },
): Promise<Ended> {
  const child = spawn(process.execPath, [JOB, String(port), folder, String(intervalMs)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: HANG_MS,
    killSignal: 'SIGKILL',
  })
  let text = ''
  let lines = 0
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
    lines += piece.split('\n').length - 1
    if (lines >= killAfter) child.kill('SIGKILL')
    else onSeen(Number(text.split('\n').at(-2) ?? 0))
  })
  child.stderr.on('data', piece => (stderr += String(piece)))
  return new Promise(resolve =>
    child.once('close', code => resolve({ code, seen: text.split('\n').slice(0, -1).map(Number), stderr })),
  )
}

async function output(): Promise<number[]> {
  const directory = join(folder, 'out')
  const names = (await readdir(directory)).filter(name => !name.startsWith('.'))
  const texts = await Promise.all(names.map(name => readFile(join(directory, name), 'utf8')))
  return texts
    .flatMap(text => text.split('\n').slice(0, -1))
    .map(Number)
    .sort((a, b) => a - b)
}

describe('a socket with a write-ahead log', () => {
  test('has everything that the job saw in the output once, though the process is killed', async () => {
    const server = new NumberServer()
    const port = await server.listen()
    after(() => server.close())
    const onSeen = (seen: number): void => server.allow(seen)
    const everSeen = new Set<number>()
    for (const { seen, intervalMs } of KILLS) {
      const run = await runJob(port, { intervalMs, killAfter: seen, onSeen })
      assert.equal(run.code, null, run.stderr)
      for (const number of run.seen) everSeen.add(number)
    }
    const last = await runJob(port, { intervalMs: 20, onSeen })
    assert.equal(last.code, 0, last.stderr)
    for (const number of last.seen) everSeen.add(number)

    const written = await output()
    const once = new Set(written)
    assert.equal(once.size, written.length, 'a line is in the output twice')
    assert.deepEqual(
      [...everSeen].filter(number => !once.has(number)),
      [],
      'lines that the job saw are not in the output',
    )
    // What the socket gave and was not in the log yet is one run of lines for each kill.
    const gaps = written.filter((number, at) => number !== (at === 0 ? 0 : (written[at - 1] as number) + 1))
    assert.ok(gaps.length <= KILLS.length, `gaps before ${gaps}`)
    assert.ok(written.length > KILLS.reduce((sum, { seen }) => sum + seen, 0), `${written.length} lines`)
  })
})
