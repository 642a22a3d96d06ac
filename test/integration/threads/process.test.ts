// Processes that run jobs in several threads, from the command line and as programs: output, signals, exit codes, and that they end.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { jobFolder } from './support/run-troubled.ts'

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const SMALL_JOBS = fileURLToPath(new URL('./support/small-jobs.ts', import.meta.url))
const LEFTOVERS = fileURLToPath(new URL('./support/leftovers.ts', import.meta.url))
/** A process that has not ended by then hangs; it is killed, so that its exit code is none. */
const HANG_MS = 60_000
const LINES = 2000

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function start(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: HANG_MS,
    killSignal: 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', piece => (stdout += String(piece)))
  child.stderr?.on('data', piece => (stderr += String(piece)))
  const ended = new Promise<Ended>(resolve => child.on('close', code => resolve({ code, stdout, stderr })))
  return { child, ended }
}

const inThreads = (path: string, ...args: string[]): readonly string[] => [
  MAIN,
  'run',
  '--threads',
  '2',
  '--parallelism',
  '2',
  path,
  ...args,
]

function numbersIn(stdout: string): readonly number[] {
  const lines = stdout.split('\n').slice(0, -1)
  return lines.map(line => Number(/\d+$/.exec(line)?.[0])).sort((a, b) => a - b)
}

const all = Array.from({ length: LINES }, (_, n) => n)

describe('a process with a job in two threads', () => {
  test('prints what its threads print, to the last line, and ends by itself', async () => {
    const { code, stdout, stderr } = await start(inThreads(SMALL_JOBS, 'printing')).ended
    assert.equal(code, 0, stderr)
    assert.match(stderr, /job "small-jobs" finished after \d+ ms: 2000 records in, 2000 out/)
    assert.deepEqual(numbersIn(stdout), all)
  })

  test('writes what functions write to the console, to the last line', async t => {
    const path = join(await jobFolder(t), 'console.ts')
    await writeFile(
      path,
      `export function job(env) { env.generate(i => i, { count: ${LINES} }).map(n => { console.log('from a function ' + n); return n }).addSink(() => {}).setParallelism(1) }\n`,
    )
    const { code, stdout, stderr } = await start(inThreads(path)).ended
    assert.equal(code, 0, stderr)
    assert.deepEqual(numbersIn(stdout), all)
  })

  test('stops gracefully at Ctrl-C: what was read reaches the sink, exit code 130', async t => {
    const path = join(await jobFolder(t), 'endless.ts')
    await writeFile(
      path,
      `export function job(env) { env.generate(i => i, { recordsPerSecond: 500 }).map(n => n + 1).addSink(n => { console.log(n) }).setParallelism(1) }\n`,
    )
    const { child, ended } = start(inThreads(path))
    child.stdout?.once('data', () => child.kill('SIGINT'))
    const { code, stdout, stderr } = await ended
    assert.equal(code, 130, stderr)
    const [, recordsIn, recordsOut] = /stopped after \d+ ms: (\d+) records in, (\d+) out/.exec(stderr) ?? []
    assert.ok(Number(recordsIn) > 0, stderr)
    assert.deepEqual([recordsOut, numbersIn(stdout).length], [recordsIn, Number(recordsIn)])
  })

  test('tells what connectors log in its threads, whatever they log', async () => {
    const { code, stderr } = await start(inThreads(SMALL_JOBS, 'logging a function')).ended
    assert.equal(code, 0, stderr)
    const notes = stderr.split('\n').filter(line => line.includes('a note of a sink'))
    assert.equal(notes.length, 2, stderr)
    for (const note of notes) assert.match(note, /logged="?function logged/)
  })

  test('tells the error of a function and ends with exit code 1', async () => {
    const { code, stderr } = await start(inThreads(SMALL_JOBS, 'a region fails at once')).ended
    assert.equal(code, 1)
    assert.match(stderr, /USER_FUNCTION_FAILED: .*at once/)
  })

  test('has nothing open after its jobs, however they ended', async () => {
    const { code, stdout, stderr } = await start([LEFTOVERS]).ended
    assert.equal(code, 0, stderr)
    assert.deepEqual(JSON.parse(stdout.split('\n').at(-2) ?? ''), {
      endings: ['finished', 'USER_FUNCTION_FAILED', 'GRAPH_MISMATCH', 'JOB_MODULE_FAILED', 'cancelled', 'finished'],
      open: [],
    })
  })
})
