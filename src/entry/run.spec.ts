// Jobs in modules of their own, written to a folder of the test and run for real in this process.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { after, before, describe } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { ErrorCode } from '../base/error-codes.ts'
import { StreamError } from '../base/errors.ts'
import type { JobHandle } from '../model/job.ts'
import { explain, run } from './run.ts'

const MILLRACE = new URL('./index.ts', import.meta.url).href

let folder: string

before(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-')))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
})

after(() => rmSync(folder, { recursive: true, force: true }))

/** Writes a file into the folder; `millrace` in it is this package. */
function write(name: string, text: string): URL {
  const file = join(folder, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text.replaceAll(`'millrace'`, `'${MILLRACE}'`))
  return pathToFileURL(file)
}

/** The lines of a file that a job wrote. */
function linesOf(name: string): string[] {
  return readFileSync(join(folder, name), 'utf8').trimEnd().split('\n')
}

/** The code and message with which the promise rejects. */
async function rejection(promise: Promise<unknown>, code: ErrorCode): Promise<string> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof StreamError, String(error))
    assert.equal(error.code, code, error.message)
    return error.message
  }
  return assert.fail('it did not reject')
}

describe('run', () => {
  test('calls an exported job with an environment and the arguments, and executes it', async () => {
    const url = write(
      'words.ts',
      `import type { StreamEnvironment } from 'millrace'
      export function job(env: StreamEnvironment, args: readonly string[]): void {
        env.fromElements(...args).map(word => word.toUpperCase()).writeToFile(${JSON.stringify(join(folder, 'words.txt'))})
      }`,
    )
    const result = await run(url, { args: ['to', 'be'] })
    assert.deepEqual([result.name, result.status, result.recordsIn, result.recordsOut], ['words', 'finished', 2, 2])
    assert.deepEqual(linesOf('words.txt'), ['TO', 'BE'])
    await run(url, { args: ['or'] })
    assert.deepEqual(linesOf('words.txt'), ['OR'])
  })

  test('leaves it to the job to execute itself, with its own name', async () => {
    const url = write(
      'own.js',
      `export async function job(env) {
        env.fromElements(1, 2, 3).addSink(() => {})
        await env.execute('mine')
      }`,
    )
    const started: JobHandle[] = []
    const result = await run(url, { onStart: handle => started.push(handle) })
    assert.equal(result.name, 'mine')
    assert.deepEqual(
      started.map(handle => handle.name),
      ['mine'],
    )
  })

  test('runs a plain script each time it is asked to, with the parallelism of the launch', async () => {
    const path = JSON.stringify(join(folder, 'script.txt'))
    const url = write(
      'script.ts',
      `import { appendFileSync } from 'node:fs'
      import { environment } from 'millrace'
      const env = environment()
      env.generate(index => index, { count: 4 }).process({
        onRecord(record, ctx) { appendFileSync(${path}, ctx.parallelism + '\\n') },
      }).print()
      await env.execute()`,
    )
    await run(url, { parallelism: 2 })
    await run(url)
    assert.deepEqual(linesOf('script.txt'), ['2', '2', '2', '2', '1', '1', '1', '1'])
  })

  test('waits for jobs that a script starts and does not await', async () => {
    const url = write(
      'background.ts',
      `import { environment } from 'millrace'
      for (const name of ['first', 'second']) {
        const env = environment()
        env.fromElements(name).addSink(async () => { await new Promise(setImmediate) })
        env.execute(name)
      }`,
    )
    assert.equal((await run(url)).name, 'second')
  })

  test('rejects with the failure of a job that nobody awaits', async () => {
    const url = write(
      'failing.ts',
      `import { environment } from 'millrace'
      const env = environment()
      env.fromElements(1).map(() => { throw new Error('no more ink') }).print()
      env.execute()`,
    )
    assert.match(await rejection(run(url), 'USER_FUNCTION_FAILED'), /failing\.ts:3.*no more ink/)
  })

  test('cancels its jobs when its signal is aborted', async () => {
    const url = write('endless.js', 'export function job(env) { env.generate(index => index).addSink(() => {}) }')
    const controller = new AbortController()
    const result = run(url, { signal: controller.signal, onStart: () => controller.abort() })
    assert.equal((await result).status, 'cancelled')
  })

  test('keeps jobs that are started at the same time apart', async () => {
    const script = (name: string) =>
      `import { environment } from 'millrace'
      await new Promise(setImmediate)
      const env = environment()
      env.fromElements(1).addSink(() => {})
      await env.execute('${name}')`
    const [one, two] = [write('one.ts', script('one')), write('two.ts', script('two'))]
    const started: string[] = []
    const [first, second, third] = await Promise.all([
      run(one, { onStart: handle => started.push(`one ${handle.name}`) }),
      run(two, { onStart: handle => started.push(`two ${handle.name}`) }),
      explain(one),
    ])
    assert.deepEqual([first.name, second.name], ['one', 'two'])
    assert.deepEqual(started.sort(), ['one one', 'two two'])
    assert.match(third.text, /^job "one"/)
  })

  test('refuses a script that builds sinks and never executes', async () => {
    const url = write(
      'forgotten.ts',
      `import { environment } from 'millrace'
      environment().fromElements(1).print()`,
    )
    assert.match(await rejection(run(url), 'JOB_NOT_EXECUTED'), /forgotten\.ts.*await env\.execute\(\)/)
  })

  test('refuses modules and jobs that do nothing', async () => {
    const nothing = write('nothing.ts', 'export const x = 1')
    const idle = write('idle.ts', `import { environment } from 'millrace'\nenvironment().fromElements(1).map(String)`)
    const empty = write('empty.ts', 'export function job() {}')
    assert.match(await rejection(run(nothing), 'JOB_EMPTY'), /nothing\.ts builds no job; export a function job/)
    assert.match(await rejection(run(idle), 'JOB_EMPTY'), /idle\.ts builds a job without a sink/)
    assert.match(await rejection(run(empty), 'JOB_EMPTY'), /the job "empty" has no sink/)
  })

  test('wraps what a job throws with its place', async () => {
    const inJob = write('in-job.ts', 'export function job() {\n  throw new TypeError("no args")\n}')
    const atTop = write('at-top.ts', '\n\nthrow new RangeError("too far")')
    assert.match(
      await rejection(run(inJob), 'JOB_MODULE_FAILED'),
      /job\(\) of .*in-job\.ts threw TypeError: no args \(.*in-job\.ts:2\)/,
    )
    assert.match(
      await rejection(run(atTop), 'JOB_MODULE_FAILED'),
      /at-top\.ts threw RangeError: too far \(.*at-top\.ts:3\)/,
    )
  })

  test('checks the parallelism', async () => {
    const url = write('unused.ts', 'export function job() {}')
    await rejection(run(url, { parallelism: 0 }), 'OPTION_INVALID')
  })
})

describe('explain', () => {
  test('never executes, neither a job nor a script that executes, collects and iterates', async () => {
    const path = JSON.stringify(join(folder, 'never.txt'))
    const touch = `import { writeFileSync } from 'node:fs'\nconst touch = () => writeFileSync(${path}, '')\n`
    const job = write('explained.ts', `${touch}export function job(env) { env.fromElements(1).map(touch).print() }`)
    const script = write(
      'explained-script.ts',
      `${touch}import { environment } from 'millrace'
      const env = environment()
      const numbers = env.fromElements(1).map(touch)
      numbers.print()
      const result = await env.execute('whole')
      if (result.recordsOut !== 0) throw new Error('it ran')
      if ((await numbers.executeAndCollect('part')).length !== 0) throw new Error('it ran')
      for await (const number of numbers) throw new Error('it ran ' + number)`,
    )
    const one = await explain(job)
    assert.match(one.text, /^job "explained"[\s\S]*map/)
    assert.equal((one.json as { readonly name: string }).name, 'explained')
    const several = await explain(script)
    assert.deepEqual(several.text.match(/^job "\w+"/gm), ['job "whole"', 'job "part"', 'job "iterate"'])
    assert.equal((several.json as readonly unknown[]).length, 3)
    assert.equal(existsSync(join(folder, 'never.txt')), false)
  })

  test('explains a script that only builds, and takes the parallelism', async () => {
    const url = write('built.ts', `import { environment } from 'millrace'\nenvironment().generate(String).print()`)
    assert.match((await explain(url, { parallelism: 3 })).text, /parallelism 3/)
  })

  test('refuses a module that builds nothing', async () => {
    await rejection(explain(write('void.ts', 'export const x = 1')), 'JOB_EMPTY')
  })
})

describe('a module that cannot be loaded', () => {
  const cases: readonly { name: string; text?: string; also?: Readonly<Record<string, string>>; message: RegExp }[] = [
    { name: 'absent.ts', message: /there is no job \S+absent\.ts; correct the path/ },
    {
      name: 'common/job.ts',
      text: `import { join } from 'node:path'\nexport const x = join`,
      also: { 'common/package.json': '{ "type": "commonjs" }' },
      message: /common\/job\.ts:1: the file is read as CommonJS.*npm pkg set type=module.*\.mts/,
    },
    {
      name: 'enum.ts',
      text: 'const x = 1\nenum A { B }',
      message: /enum\.ts:2: TypeScript enum is not supported.*erasableSyntaxOnly/,
    },
    { name: 'syntax.ts', text: 'const x = \nconst y = 1', message: /syntax\.ts:2: syntax error: / },
    {
      name: 'syntax.js',
      text: 'const x = \nconst y = 1',
      message: /syntax\.js or a module that it imports: syntax error: /,
    },
    {
      name: 'no-ending.ts',
      text: `import { x } from './dependency'`,
      also: { 'dependency.ts': 'export const x = 1' },
      message:
        /no-ending\.ts: it imports \S+dependency, which does not exist; write the import with its ending: \S+dependency\.ts/,
    },
    {
      name: 'js-ending.ts',
      text: `import { x } from './dependency.js'`,
      message: /with its ending: \S+dependency\.ts/,
    },
    {
      name: 'no-file.ts',
      text: `import { x } from './nowhere.ts'`,
      message: /imports \S+nowhere\.ts, which does not exist; correct the path/,
    },
    {
      name: 'no-package.ts',
      text: `import 'no-such-package'`,
      message: /no-package\.ts: there is no package "no-such-package" here; install it/,
    },
    {
      name: 'type-import.ts',
      text: `import { Word } from './types.ts'\nconst w: Word = 1`,
      also: { 'types.ts': 'export type Word = number' },
      message:
        /type-import\.ts:1: '\.\/types\.ts' exports no value Word; if Word is a type, write `import type \{ Word \}`/,
    },
    {
      name: 'node_modules/package/job.ts',
      text: 'export const x = 1',
      also: { 'node_modules/package/package.json': '{ "type": "module" }' },
      message: /node_modules\/package\/job\.ts: Node strips no types from files under node_modules/,
    },
    { name: 'job.txt', text: 'hello', message: /job\.txt: .*a job is a \.ts, \.mts, \.js or \.mjs file/ },
  ]
  for (const { name, text, also = {}, message } of cases) {
    test(`is JOB_MODULE_FAILED with what to do: ${name}`, async () => {
      const url = text === undefined ? pathToFileURL(join(folder, name)) : write(name, text)
      for (const [file, content] of Object.entries(also)) write(file, content)
      assert.match(await rejection(run(url), 'JOB_MODULE_FAILED'), message)
    })
  }
})
