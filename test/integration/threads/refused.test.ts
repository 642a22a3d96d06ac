// What cannot run in several threads is refused, or fails, with a code and a mend.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { run } from '../../../src/entry/index.ts'
import { jobFolder } from './support/run-troubled.ts'

const JOBS_URL = new URL('./support/small-jobs.ts', import.meta.url)

function failureOf(name: string, options: object = {}): Promise<string> {
  return run(JOBS_URL, { args: [name], threads: 2, parallelism: 2, ...options }).then(
    () => 'no failure',
    (error: Error) => error.message,
  )
}

describe('a job that asks for several threads', () => {
  test('is refused with both graphs when a thread builds another one', async () => {
    assert.match(
      await failureOf('another graph in each thread'),
      /^GRAPH_MISMATCH: thread [12] built another graph: the main thread has ".*in the main thread.*", it has ".*elsewhere.*"; let job\(\) build the same graph each time/,
    )
  })

  test('fails with what its module throws in a thread, and leaves no thread behind', async () => {
    assert.match(await failureOf('a module that fails elsewhere'), /^JOB_MODULE_FAILED: .*only the main thread has it/)
  })

  test('is refused as a plain script, with the way out', async t => {
    const folder = await jobFolder(t)
    const script = join(folder, 'plain.ts')
    const entry = new URL('../../../src/entry/index.ts', import.meta.url)
    const text = `import { environment } from '${entry}'\nconst env = environment()\nenv.fromElements(1).print()\nawait env.execute()\n`
    await writeFile(script, text)
    await assert.rejects(run(pathToFileURL(script), { threads: 2 }), {
      code: 'SCRIPT_NOT_THREADABLE',
      message: /a plain script cannot run in 2 threads.*export function job\(env, args\).*or run it with one thread/,
    })
  })

  test('fails at a record that is no plain data, with the edge, the place and the class', async () => {
    const message = await failureOf('instances of a class')
    assert.match(message, /^RECORD_NOT_SERIALIZABLE: /)
    for (const part of ['measured', 'degrees', 'Celsius', 'at.measured']) assert.ok(message.includes(part), message)
  })

  test('fails when a split is no plain data', async () => {
    const message = await failureOf('splits with functions')
    assert.match(message, /^SOURCE_FAILED: .*a split cannot be sent to thread \d: .*let splits\(\) return plain data/)
  })

  test('is refused for a number of threads that is none', async () => {
    assert.match(await failureOf('endless', { threads: 0 }), /^OPTION_INVALID: run\(\).*threads/)
    assert.match(await failureOf('endless', { threads: 1.5 }), /^OPTION_INVALID: run\(\).*threads/)
  })
})
