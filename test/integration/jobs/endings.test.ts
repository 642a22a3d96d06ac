// What a job that has ended does when it is started again in its directory, and what it says of sources that cannot be read again.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { environment, fixedDelay, type IterableInput } from '../../../src/entry/index.ts'

const folder = await mkdtemp(join(tmpdir(), 'millrace-endings-'))
after(() => rm(folder, { recursive: true }))

async function numbersOnce(directory: string, from?: string): Promise<{ status: string; seen: number[] }> {
  const seen: number[] = []
  const env = environment()
  env.enableCheckpointing(60_000)
  env
    .fromElements(1, 2, 3)
    .uid('numbers')
    .addSink(n => {
      seen.push(n)
    })
  const options = from === undefined ? {} : { from }
  const { status } = await env.execute('numbers', { directory: join(folder, directory), ...options })
  return { status, seen }
}

describe('a job that has finished', () => {
  test('begins anew when it is started again', async () => {
    assert.deepEqual(await numbersOnce('anew'), { status: 'finished', seen: [1, 2, 3] })
    assert.deepEqual(await numbersOnce('anew'), { status: 'finished', seen: [1, 2, 3] })
  })

  test('does nothing twice when it is started from the last checkpoint, as often as one likes', async () => {
    assert.deepEqual(await numbersOnce('last', 'last'), { status: 'finished', seen: [1, 2, 3] })
    assert.deepEqual(await numbersOnce('last', 'last'), { status: 'finished', seen: [] })
    assert.deepEqual(await numbersOnce('last', 'last'), { status: 'finished', seen: [] })
    assert.deepEqual(await numbersOnce('last'), { status: 'finished', seen: [1, 2, 3] })
  })
})

function failingOnce(name: string, input: IterableInput<number>): Promise<number[]> {
  const seen: number[] = []
  let hasFailed = false
  const env = environment()
  env.enableCheckpointing(60_000)
  env.setRestartStrategy(fixedDelay({ attempts: 2, delayMs: 1 }))
  env
    .from(input)
    .map(n => {
      if (n === 5 && !hasFailed) {
        hasFailed = true
        throw new Error('a failure that passes')
      }
      return n
    })
    .addSink(n => {
      seen.push(n)
    })
  return env.execute(name, { directory: join(folder, name) }).done.then(() => seen)
}

describe('an iterable that can be read once', () => {
  test('fails at a restart, saying that it cannot be replayed and what to do', async () => {
    await assert.rejects(failingOnce('once', Array.from({ length: 9 }, (_, n) => n).values()), {
      code: 'SOURCE_FAILED',
      message: /can be read once, so its records cannot be replayed; pass a function, from\(\(\) => iterable\)/,
    })
  })

  test('is replayed when a function makes it', async () => {
    const seen = await failingOnce('made', () => Array.from({ length: 9 }, (_, n) => n).values())
    assert.deepEqual(seen.slice(-9), [0, 1, 2, 3, 4, 5, 6, 7, 8])
  })
})
