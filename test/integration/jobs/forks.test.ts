// Two jobs of one name that were started from one savepoint and write into one directory: neither takes the files of the other for its own.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { environment, type JobHandle } from '../../../src/entry/index.ts'
import { deferred } from '../connectors/support/deferred.ts'

const folder = await mkdtemp(join(tmpdir(), 'millrace-forks-'))
after(() => rm(folder, { recursive: true }))
const output = join(folder, 'output')

/** Numbers up to 20 that stop before the 10th and before the 15th until they are let through. */
class Gated {
  readonly at10 = deferred()
  readonly at15 = deferred()
  /** Resolves when the job has taken the last before the stop. */
  readonly reached10 = deferred()
  readonly reached15 = deferred()

  async *numbers(): AsyncGenerator<number> {
    for (let n = 0; n < 20; n++) {
      if (n === 10) await this.at10.promise
      if (n === 15) await this.at15.promise
      yield n
    }
  }

  see(n: number): void {
    if (n === 9) this.reached10.resolve()
    if (n === 14) this.reached15.resolve()
  }
}

function start(name: string, gated: Gated, from?: string): JobHandle {
  const env = environment()
  env.enableCheckpointing(60_000)
  env
    .from(() => gated.numbers())
    .uid('numbers')
    .map(n => {
      gated.see(n)
      return `${name} ${n}`
    })
    .writeToFiles(output, { rollBytes: 1 })
    .uid('output')
  const options = from === undefined ? {} : { from: join(folder, from) }
  return env.execute('forked', { directory: join(folder, name), ...options })
}

async function written(): Promise<{ readonly records: readonly string[]; readonly hidden: readonly string[] }> {
  const names = await readdir(output)
  const visible = names.filter(name => !name.startsWith('.'))
  const texts = await Promise.all(visible.map(name => readFile(join(output, name), 'utf8')))
  const records = texts.flatMap(text => text.split('\n').slice(0, -1)).toSorted()
  return { records, hidden: names.filter(name => name.startsWith('.')) }
}

const records = (name: string, from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, n) => `${name} ${from + n}`)

describe('forks of a job that write into its directory', () => {
  test('leave each other’s files alone, and each record is there once', async () => {
    const original = new Gated()
    const first = start('original', original)
    await original.reached10.promise
    await first.savepoint(join(folder, 'savepoint'))
    original.at10.resolve()
    await original.reached15.promise
    // The original has files in progress now, of the first attempt as those of the forks are.
    const forks = ['one', 'two'].map(name => {
      const gated = new Gated()
      gated.at10.resolve()
      return { gated, handle: start(name, gated, 'savepoint') }
    })
    for (const { gated } of forks) await gated.reached15.promise
    for (const { gated, handle } of forks) {
      await handle.checkpoint()
      gated.at15.resolve()
      assert.equal((await handle).status, 'finished')
    }
    original.at15.resolve()
    assert.equal((await first).status, 'finished')
    const { records: found, hidden } = await written()
    const expected = [...records('original', 0, 20), ...records('one', 10, 20), ...records('two', 10, 20)]
    assert.deepEqual(found, expected.toSorted())
    assert.deepEqual(hidden, [])
  })
})
