// The built command line on jobs that keep state: killed, stopped, saved, changed, looked into. Every job is a real process.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const MAIN = join(ROOT, 'dist/cli/main.js')

/** A command that has not ended by then hangs; it is killed, so that its exit code is none. */
const HANG_MS = 60_000

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

let folder = ''

before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'millrace-cli-')))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
})
after(() => rm(folder, { recursive: true }))

class Command {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  private readonly waiting: (() => void)[] = []

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [MAIN, ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: HANG_MS,
      killSignal: 'SIGKILL',
    })
    const tell = (): void => {
      for (const go of this.waiting.splice(0)) go()
    }
    this.child.stdout?.on('data', piece => {
      this.stdout += String(piece)
      tell()
    })
    this.child.stderr?.on('data', piece => {
      this.stderr += String(piece)
      tell()
    })
    this.ended = new Promise(resolve => {
      this.child.on('close', code => {
        resolve({ code, stdout: this.stdout, stderr: this.stderr })
        tell()
      })
    })
  }

  /** Resolves once the job has printed a line that matches. */
  async printed(line: RegExp): Promise<void> {
    while (!line.test(this.stdout)) {
      assert.equal(this.child.exitCode, null, `it ended without printing ${line}:\n${this.stdout}${this.stderr}`)
      await new Promise<void>(go => this.waiting.push(go))
    }
  }
}

function millrace(...args: string[]): Promise<Ended> {
  return new Command(args).ended
}

async function succeeds(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await millrace(...args)
  assert.equal(code, 0, stderr)
  return stdout
}

/** Counts for ever: the n-th record of each parity has the count n. The step is named by the first argument. */
const COUNTS = `
export function job(env, [uid = 'counts', recordsPerSecond = '2000']) {
  env
    .generate(n => ({ parity: n % 2, count: 1 }), { recordsPerSecond: Number(recordsPerSecond) })
    .uid('numbers')
    .keyBy('parity')
    .sum('count')
    .uid(uid)
    .addSink(({ parity, count }) => { console.log(parity + ':' + count) })
    .uid('out')
}
`

async function counting(): Promise<string> {
  const path = join(folder, 'counts.ts')
  if (!existsSync(path)) await writeFile(path, COUNTS)
  return path
}

/** Runs the job in a directory; checkpoints come often. */
async function run(directory: string, ...more: string[]): Promise<Command> {
  const fixed = ['run', await counting(), '--no-progress', '--dir', directory, '--checkpoint-interval', '50']
  return new Command([...fixed, ...more])
}

/** The counts that were printed for one parity, in order. */
function countsOf(stdout: string, parity: number): number[] {
  return [...stdout.matchAll(new RegExp(`^${parity}:(\\d+)$`, 'gm'))].map(match => Number(match[1]))
}

/** No count is left out from the first to the last, and none comes twice. */
function assertSequence(counts: readonly number[], first: number): void {
  assert.ok(counts.length > 0)
  const expected = Array.from({ length: counts.length }, (_, index) => first + index)
  assert.deepEqual(counts, expected)
}

/** Resolves when the directory holds a checkpoint. */
async function hasCheckpoint(directory: string, job: Command): Promise<void> {
  const manifests = join(folder, directory, 'checkpoints')
  for (
    let line = 200;
    !existsSync(manifests) || !readdirSync(manifests).some(name => name.endsWith('.manifest'));
    line += 200
  )
    await job.printed(new RegExp(`^0:${line}$`, 'm'))
}

describe('a job with a directory', () => {
  test('goes on where it was stopped, exactly', async () => {
    const first = await run('stopped')
    await first.printed(/^0:100$/m)
    assert.match(await succeeds('stop', 'stopped'), /^job "counts" stopped: \d+ records in, \d+ out\n$/)
    const ended = await first.ended
    assert.equal(ended.code, 0, ended.stderr)
    const before = countsOf(ended.stdout, 0)
    assertSequence(before, 1)
    const second = await run('stopped')
    await second.printed(/^0:\d+\n0:\d+\n|^0:\d+\n1:\d+\n0:\d+\n/m)
    await succeeds('stop', 'stopped')
    const counts = countsOf((await second.ended).stdout, 0)
    assertSequence(counts, (before.at(-1) as number) + 1)
  })

  test('goes on from its newest checkpoint when it was killed', async () => {
    const first = await run('killed')
    await hasCheckpoint('killed', first)
    first.child.kill('SIGKILL')
    const before = countsOf((await first.ended).stdout, 1)
    const second = await run('killed')
    await second.printed(/^1:\d+$/m)
    await succeeds('stop', 'killed')
    const { stdout, stderr } = await second.ended
    const after = countsOf(stdout, 1)
    assert.match(stderr, /the lock of a process that is gone was taken over/)
    // What was printed since the checkpoint is printed again: this sink is neither transactional nor idempotent.
    assertSequence(after, after[0] as number)
    assert.ok((after[0] as number) > 1, 'it did not start at the beginning')
    assert.ok((after[0] as number) <= (before.at(-1) as number) + 1, 'nothing is left out')
  })

  test('is refused to a second process, which is told the pid of the first', async () => {
    const first = await run('taken')
    await first.printed(/^0:1$/m)
    const { code, stderr } = await (await run('taken')).ended
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`^DIRECTORY_LOCKED: .*taken is in use by process ${first.child.pid};`, 'm'))
    await succeeds('stop', 'taken')
    assert.equal((await first.ended).code, 0)
  })

  test('answers nobody when it does not run', async () => {
    for (const command of [
      ['stop', 'nowhere'],
      ['savepoint', 'nowhere'],
      ['savepoint', 'nowhere', '--stop'],
    ]) {
      const { code, stderr } = await millrace(...command)
      assert.equal(code, 1)
      assert.match(stderr, /^JOB_UNREACHABLE: no job answers in .*nowhere .*millrace run --dir DIR/)
    }
  })
})

describe('a savepoint', () => {
  test('lets a job start from it, twice, in other directories and at another parallelism', async () => {
    const first = await run('saved')
    await first.printed(/^0:50$/m)
    assert.match(
      await succeeds('savepoint', 'saved', '--to', 'the-savepoint', '--stop'),
      /^savepoint \d+ in .*the-savepoint; the job has ended\n$/,
    )
    const last = countsOf((await first.ended).stdout, 0).at(-1) as number
    for (const [directory, parallelism] of [
      ['fork-1', '1'],
      ['fork-2', '3'],
    ] as const) {
      const fork = await run(directory, '--from', 'the-savepoint', '--parallelism', parallelism)
      await fork.printed(/^0:\d+\n[\s\S]*^0:\d+$/m)
      await succeeds('stop', directory)
      const { stdout, stderr, code } = await fork.ended
      assert.equal(code, 0, stderr)
      assertSequence(countsOf(stdout, 0), last + 1)
    }
  })

  test('goes into the directory of the job, which goes on', async () => {
    const job = await run('kept')
    await job.printed(/^0:10$/m)
    const text = await succeeds('savepoint', 'kept')
    const [, id, location] = /^savepoint (\d+) in (.*)\n$/.exec(text) ?? []
    assert.equal(location, join(folder, 'kept/savepoints', String(id).padStart(10, '0')))
    assert.ok(existsSync(join(location as string, 'savepoint.manifest')))
    const line = countsOf(job.stdout, 0).length + 100
    await job.printed(new RegExp(`^0:${line}$`, 'm'))
    await succeeds('stop', 'kept', '--drain')
    assert.equal((await job.ended).code, 0)
  })

  test('is compared with a job, and refused where state would be lost', async () => {
    const first = await run('compared')
    await first.printed(/^0:10$/m)
    await succeeds('savepoint', 'compared', '--to', 'compared-savepoint', '--stop')
    await first.ended
    const job = await counting()
    assert.match(await succeeds('diff', 'compared-savepoint', job), /kept .*\(uid counts\)/)
    const lost = await millrace('diff', 'compared-savepoint', job, '--', 'sums')
    assert.equal(lost.code, 1)
    assert.match(lost.stdout, /dropped .*\(uid counts\)[\s\S]*new .*\(uid sums\)[\s\S]*STATE_UNMAPPED/)
    await succeeds('diff', 'compared-savepoint', job, '--rename', 'counts=sums', '--', 'sums')
    const from = ['--from', 'compared-savepoint']
    const refused = await (await run('renamed', ...from, '--', 'sums')).ended
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /^STATE_UNMAPPED: the job cannot start from snapshot \d+ of "counts": .*uid "counts"/m)
    for (const [options, first] of [
      [['--rename', 'counts=sums'], 2],
      [['--allow-unmapped'], 1],
    ] as const) {
      const directory = options[0] as string
      const renamed = await run(directory.slice(2), ...from, ...options, '--', 'sums')
      await renamed.printed(/^0:\d+$/m)
      await succeeds('stop', directory.slice(2))
      const [count] = countsOf((await renamed.ended).stdout, 0)
      assert.ok(first === 1 ? count === 1 : (count as number) > 10, `${options.join(' ')}: ${count}`)
    }
  })

  test('is looked into without its job', async () => {
    const first = await run('inspected')
    await first.printed(/^0:30$/m)
    await succeeds('savepoint', 'inspected', '--to', 'inspected-savepoint', '--stop')
    const last = countsOf((await first.ended).stdout, 1).at(-1)
    const text = await succeeds('inspect', 'inspected-savepoint')
    assert.match(text, /^savepoint \d+ of job "counts", complete /)
    assert.match(
      text,
      /\(uid counts\): rolling, 1 subtask of 128 key groups\n(.*\n)*? {4}accumulators \(keyed\): 2 keys, 2 rows/,
    )
    const row = JSON.parse(await succeeds('inspect', 'inspected-savepoint', '--key', '1')) as {
      values: { count: number }
    }
    assert.equal(row.values.count, last)
    assert.match(
      await succeeds('inspect', 'inspected', '--state', 'accumulators', '--export', 'rows.jsonl'),
      /^2 rows in rows\.jsonl\n$/,
    )
    assert.equal(readFileSync(join(folder, 'rows.jsonl'), 'utf8').trim().split('\n').length, 2)
    const json = JSON.parse(await succeeds('inspect', 'inspected', '--json')) as { job: string }
    assert.equal(json.job, 'counts')
    const { code, stderr } = await millrace('inspect', 'inspected', '--operator', 'x')
    assert.deepEqual([code, /^OPTION_INVALID: .*holds no step x; .*counts/.test(stderr)], [1, true], stderr)
  })
})

describe('bad input', () => {
  test('has one clear error each', async () => {
    const job = await counting()
    const cases: [readonly string[], RegExp][] = [
      [['inspect', 'nothing-there'], /^SNAPSHOT_NOT_FOUND: .*nothing-there is no snapshot/],
      [['diff', 'nothing-there', job], /^SNAPSHOT_NOT_FOUND: /],
      [
        ['run', job, '--checkpoint-interval', '0'],
        /^OPTION_INVALID: --checkpoint-interval is 0; give whole milliseconds/,
      ],
      [['run', job, '--rename', 'a'], /^OPTION_INVALID: --rename is "a"; .*old=new/],
      [['run', job, '--dir', 'fresh', '--from', 'nothing-there'], /^SNAPSHOT_NOT_FOUND: .*nothing-there/m],
      [['savepoint', 'x', '--stop', '--drain'], /cannot be used with option/],
    ]
    for (const [args, expected] of cases) {
      const { code, stderr } = await millrace(...args)
      assert.equal(code, 1, args.join(' '))
      assert.match(stderr, expected)
    }
  })
})
