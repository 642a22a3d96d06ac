// A pattern of files that is followed: files that appear while the job runs are read too, each line once, through a stop and at another
// parallelism afterwards.
import assert from 'node:assert/strict'
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { environment, type JobHandle } from '../../../src/entry/index.ts'

const folder = await mkdtemp(join(tmpdir(), 'millrace-discovery-'))
after(() => rm(folder, { recursive: true }))

/** Lines that came out, and a way to wait until there are so many. */
class Arrivals {
  readonly lines: string[] = []
  private waiting: { readonly count: number; readonly resolve: () => void } | undefined

  add(line: string): void {
    this.lines.push(line)
    if (this.waiting !== undefined && this.lines.length >= this.waiting.count) this.waiting.resolve()
  }

  until(count: number): Promise<void> {
    if (this.lines.length >= count) return Promise.resolve()
    return new Promise(resolve => {
      this.waiting = { count, resolve }
    })
  }
}

function start(arrivals: Arrivals, parallelism: number): JobHandle {
  const env = environment()
  env.setParallelism(parallelism)
  env.enableCheckpointing(60_000)
  env
    .readTextFile(join(folder, 'in', '*.log'), { follow: { everyMs: 5 } })
    .uid('files')
    .addSink(line => arrivals.add(line))
  return env.execute('discovery', { directory: join(folder, 'state') })
}

function file(name: string): string {
  return join(folder, 'in', `${name}.log`)
}

function lines(name: string, count: number, first = 0): string {
  return Array.from({ length: count }, (_, n) => `${name} ${first + n}\n`).join('')
}

describe('a pattern of files that is followed', () => {
  test('takes in files that appear later, while it runs and while it does not', async () => {
    await mkdir(join(folder, 'in'))
    await writeFile(file('a'), lines('a', 20))
    const arrivals = new Arrivals()
    const first = start(arrivals, 2)
    await arrivals.until(20)
    await writeFile(file('b'), lines('b', 30))
    await writeFile(file('c'), lines('c', 10))
    await arrivals.until(60)
    await appendFile(file('b'), lines('b', 5, 30))
    await arrivals.until(65)
    await first.stop()
    assert.equal((await first.done).status, 'stopped')
    await writeFile(file('d'), lines('d', 4))
    await appendFile(file('c'), lines('c', 5, 10))
    const second = start(arrivals, 3)
    await arrivals.until(74)
    for (const name of ['e', 'f', 'g']) await writeFile(file(name), lines(name, 7))
    await appendFile(file('a'), lines('a', 1, 20))
    await arrivals.until(96)
    await second.stop()
    const expected = [
      ...[lines('a', 21), lines('b', 35), lines('c', 15), lines('d', 4)],
      ...['e', 'f', 'g'].map(name => lines(name, 7)),
    ]
    assert.deepEqual(arrivals.lines.toSorted(), expected.join('').trim().split('\n').toSorted())
  })
})
