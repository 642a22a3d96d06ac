// The built command line on real job files: output, exit codes, signals, and one clear coded error for each kind of bad input.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
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
  await mkdir(join(folder, 'node_modules'))
  await symlink(ROOT, join(folder, 'node_modules/millrace'), 'junction')
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
})
after(() => rm(folder, { recursive: true }))

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  return path
}

function start(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, args, {
    cwd: folder,
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

function millrace(...args: string[]): Promise<Ended> {
  return start([MAIN, ...args]).ended
}

const WORDS = `
import { environment } from 'millrace'
const env = environment()
env.fromElements('to be or', 'not to be').flatMap(line => line.split(' ')).map(word => ({ word, count: 1 }))
  .keyBy('word').sum('count').print()
await env.execute('words')
`
const UPDATES = [
  '{"word":"to","count":1}',
  '{"word":"be","count":1}',
  '{"word":"or","count":1}',
  '{"word":"not","count":1}',
]
const LATER = ['{"word":"to","count":2}', '{"word":"be","count":2}']

describe('millrace run', () => {
  for (const ending of ['ts', 'mts', 'js', 'mjs']) {
    test(`runs a script.${ending} to the end of its input, as node does`, async () => {
      const path = await file(`words.${ending}`, WORDS)
      const byMillrace = await millrace('run', path)
      assert.deepEqual([byMillrace.code, byMillrace.stdout.trim().split('\n')], [0, [...UPDATES, ...LATER]])
      assert.match(byMillrace.stderr, /job "words" finished after \d+ ms: 2 records in, 6 out/)
      const byNode = await start([path]).ended
      assert.deepEqual([byNode.code, byNode.stdout], [0, byMillrace.stdout])
    })
  }

  test('gives an exported job its arguments and its parallelism', async () => {
    const path = await file('job.ts', `export function job(env, args) { env.fromElements(...args).print() }`)
    const ended = await millrace('run', path, '--parallelism', '2', '--', 'to', 'be')
    assert.equal(ended.code, 0, ended.stderr)
    assert.deepEqual(ended.stdout.trim().split('\n').sort(), ['1> to', '2> be'])
  })

  test('stops gracefully at the first Ctrl-C: what was read reaches the sink, exit code 130', async () => {
    const source = `export function job(env) { env.generate(i => i, { recordsPerSecond: 500 }).addSink(n => { console.log(n) }) }`
    const { child, ended } = start([MAIN, 'run', await file('endless.ts', source)])
    child.stdout?.once('data', () => child.kill('SIGINT'))
    const { code, stdout, stderr } = await ended
    assert.equal(code, 130, stderr)
    const [, recordsIn, recordsOut] = /stopped after \d+ ms: (\d+) records in, (\d+) out/.exec(stderr) ?? []
    assert.ok(Number(recordsIn) > 0)
    assert.equal(recordsIn, recordsOut)
    assert.equal(stdout.trim().split('\n').length, Number(recordsOut))
  })

  test('stops gracefully at SIGTERM too, with exit code 143 and the file sink flushed', async () => {
    const out = join(folder, 'flushed.txt')
    const source = `
      export function job(env) {
        const numbers = env.generate(i => i, { recordsPerSecond: 500 })
        numbers.writeToFile(${JSON.stringify(out)})
        numbers.filter(n => n === 100).print()
      }`
    const { child, ended } = start([MAIN, 'run', await file('to-file.ts', source)])
    child.stdout?.once('data', () => child.kill('SIGTERM'))
    const { code, stderr } = await ended
    assert.equal(code, 143, stderr)
    const recordsIn = Number(/stopped after \d+ ms: (\d+) records in/.exec(stderr)?.[1])
    assert.ok(recordsIn > 100, stderr)
    const numbers = Array.from({ length: recordsIn }, (_, n) => `${n}\n`)
    assert.equal(await readFile(out, 'utf8'), numbers.join(''))
  })

  test('ends after Ctrl-C whatever the job left open', async () => {
    const source = `
      setTimeout(() => {}, 3_600_000)
      export function job(env) { env.generate(i => i, { recordsPerSecond: 500 }).print() }`
    const { child, ended } = start([MAIN, 'run', await file('left-open.ts', source)])
    child.stdout?.once('data', () => child.kill('SIGINT'))
    const { code, stderr } = await ended
    assert.equal(code, 130, stderr)
    assert.match(stderr, /"left-open" stopped after/)
  })

  test('cancels at the second Ctrl-C what does not stop by itself', async () => {
    const source = `
      export function job(env) {
        env.fromElements(1).map(n => { console.log('ready'); return n }).addSink(async () => {
          await new Promise(resolve => setTimeout(resolve, 3_600_000))
        })
      }`
    const { child, ended } = start([MAIN, 'run', await file('stuck.ts', source)])
    child.stdout?.once('data', () => child.kill('SIGINT'))
    child.stderr?.once('data', () => child.kill('SIGINT'))
    const { code, stderr } = await ended
    assert.equal(code, 130, stderr)
    assert.match(stderr, /^stopping: .*\njob "stuck" cancelled after \d+ ms/)
  })

  test('stops the jobs that a script starts after Ctrl-C as well', async () => {
    const source = `
      import { environment } from 'millrace'
      for (const name of ['first', 'second']) {
        const env = environment()
        env.generate(i => i, { recordsPerSecond: 500 }).addSink(n => { if (n === 1) console.log(name) })
        const { status } = await env.execute(name)
        console.log(name + ' ' + status)
      }`
    const { child, ended } = start([MAIN, 'run', await file('two-jobs.ts', source)])
    child.stdout?.once('data', () => child.kill('SIGINT'))
    const { code, stdout, stderr } = await ended
    assert.equal(code, 130, stderr)
    assert.match(stdout, /first stopped\n(second\n)?second stopped\n$/)
  })

  test('leaves standard output to the job, and standard error too without progress', async () => {
    const path = await file('quiet.ts', WORDS)
    const ended = await millrace('run', '--no-progress', path)
    assert.deepEqual({ code: ended.code, stderr: ended.stderr }, { code: 0, stderr: '' })
  })

  test('gives a script its arguments as node does', async () => {
    const path = await file('argv.ts', `${WORDS}\nconsole.log(JSON.stringify(process.argv.slice(1)))`)
    const ended = await millrace('run', 'argv.ts', '--', '--depth', '3')
    assert.deepEqual(JSON.parse(ended.stdout.trim().split('\n').at(-1) as string), [path, '--depth', '3'])
  })

  test('runs a job that resolves no millrace, with its own copy', async t => {
    const elsewhere = await realpath(await mkdtemp(join(tmpdir(), 'millrace-none-')))
    t.after(() => rm(elsewhere, { recursive: true }))
    const path = join(elsewhere, 'job.mjs')
    await writeFile(path, `export function job(env) { env.fromElements('alone').print() }`)
    const ended = await millrace('run', path)
    assert.deepEqual([ended.code, ended.stdout], [0, 'alone\n'], ended.stderr)
  })

  test('uses the copy of millrace that the job resolves, also through a link to the job', async t => {
    const elsewhere = await realpath(await mkdtemp(join(tmpdir(), 'millrace-link-')))
    t.after(() => rm(elsewhere, { recursive: true }))
    const copy = 'own/node_modules/millrace'
    await file(`${copy}/package.json`, '{ "type": "module", "exports": "./entry/index.js" }')
    await file(`${copy}/entry/index.js`, `export const run = async () => { throw new Error('the own copy ran') }`)
    const path = await file('own/job.mjs', 'export function job() {}')
    await symlink(path, join(elsewhere, 'link.mjs'))
    const { code, stderr } = await millrace('run', join(elsewhere, 'link.mjs'))
    assert.equal(code, 1)
    assert.match(stderr, /threw Error: the own copy ran/)
  })
})

describe('millrace explain', () => {
  test('prints the plan and runs nothing', async () => {
    const path = await file('explained.ts', WORDS)
    const text = await millrace('explain', path)
    assert.equal(text.code, 0, text.stderr)
    assert.match(text.stdout, /job "words" \(graph [0-9a-f]{8}\): 1 chain, 1 task/)
    assert.doesNotMatch(text.stdout, /"count":1/)
    const json = JSON.parse((await millrace('explain', '--json', path)).stdout) as { vertices: { name: string }[] }
    assert.deepEqual(
      json.vertices.map(vertex => vertex.name),
      ['collection', 'flat-map', 'map', 'sum(count)', 'print'],
    )
  })
})

describe('bad input gives one clear coded error', () => {
  const importing = `import { environment } from 'millrace'\nconst env = environment()\n`
  const cases: readonly (readonly [name: string, path: string, text: string, expected: RegExp])[] = [
    [
      'a script that never executes',
      'forgot.ts',
      `${importing}env.fromElements(1).print()`,
      /^JOB_NOT_EXECUTED: .*forgot\.ts.*execute\(\)/,
    ],
    [
      'a job without sinks',
      'no-sink.ts',
      `${importing}env.fromElements(1)\nawait env.execute()`,
      /^JOB_EMPTY: .*print\(\)/,
    ],
    [
      'a function that throws',
      'throws.ts',
      `${importing}env.fromElements(1, 2).map(n => { if (n === 2) throw new Error('boom'); return n }).print()\nawait env.execute()`,
      /^USER_FUNCTION_FAILED: step "map" \(.*throws\.ts:3\).*boom.*record 2/m,
    ],
    [
      'a missing file',
      'missing.ts',
      `${importing}env.readTextFile('no-such-file').print()\nawait env.execute()`,
      /^FILE_NOT_FOUND: step "file-lines" \(.*missing\.ts:3\).*no-such-file.*correct the path/,
    ],
    [
      'an undefined key',
      'key.ts',
      `${importing}env.fromElements({ a: 1 }, {}).keyBy('a').sum('a').print()\nawait env.execute()`,
      /^KEY_UNDEFINED: step "sum\(a\)".*field a.*filter\(\)/m,
    ],
    [
      'syntax that type stripping refuses',
      'enum.ts',
      `enum Color { Red }\nconsole.log(Color.Red)`,
      /^JOB_MODULE_FAILED: .*enum\.ts:1: .*enum/,
    ],
    [
      'a missing import ending',
      'ending.ts',
      `import { x } from './helper'\nconsole.log(x)`,
      /^JOB_MODULE_FAILED: .*helper.*write the import with its ending: .*helper\.ts/,
    ],
    [
      'a type imported as a value',
      'type-import.ts',
      `import { OnlyType } from './helper.ts'\nexport const x: OnlyType = 1`,
      /^JOB_MODULE_FAILED: .*import type \{ OnlyType \}/,
    ],
    [
      'a TypeScript job under node_modules',
      'node_modules/dep/job.ts',
      `export function job(env) { env.fromElements(1).print() }`,
      /^JOB_MODULE_FAILED: .*node_modules/,
    ],
    ['a CommonJS package', 'commonjs/job.ts', WORDS, /^JOB_MODULE_FAILED: .*npm pkg set type=module/m],
    [
      'a parameter property',
      'property.ts',
      'class Word { constructor(readonly text: string) {} }\nconsole.log(new Word(""))',
      /^JOB_MODULE_FAILED: .*property\.ts:1: .*parameter property.*plain JavaScript/,
    ],
    [
      'an import of a folder',
      'folder.ts',
      `import { x } from './lib'\nconsole.log(x)`,
      /^JOB_MODULE_FAILED: .*folder\.ts: it imports the folder .*lib; .*its ending: .*lib\/index\.ts/,
    ],
    [
      'a TypeScript module under node_modules that a job imports',
      'imports-dep.ts',
      `import { x } from 'typed-dep/x.ts'\nconsole.log(x)`,
      /^JOB_MODULE_FAILED: .*typed-dep\/x\.ts: Node strips no types.*imports-dep\.ts/,
    ],
    [
      'a module that is no job',
      'no-job.ts',
      'export const x = 1',
      /^JOB_EMPTY: .*no-job\.ts builds no job; export a function job/,
    ],
    [
      'a module that throws while it is imported',
      'on-import.ts',
      '\nthrow new TypeError("not today")',
      /^JOB_MODULE_FAILED: .*on-import\.ts threw TypeError: not today \(.*on-import\.ts:2\)/,
    ],
    [
      'a timer of the job that throws',
      'timer.ts',
      `${importing}setTimeout(() => { throw new Error('late') })\nenv.generate(n => n, { recordsPerSecond: 9 }).addSink(() => {})\nawait env.execute()`,
      /^JOB_MODULE_FAILED: .*timer\.ts threw Error: late \(.*timer\.ts:3\)/,
    ],
    [
      'a job that waits for what can no longer happen',
      'never.ts',
      'await new Promise(() => {})',
      /^JOB_MODULE_FAILED: .*never\.ts waits for something that can no longer happen/,
    ],
    [
      'a function in another file that throws',
      'far.ts',
      `${importing}import { far } from './far-away.ts'\nenv.fromElements(1).map(far).print()\nawait env.execute()`,
      /^USER_FUNCTION_FAILED: step "map" \(.*far\.ts:4\).*far off.*\n {2}thrown at .*far-away\.ts:3$/m,
    ],
    [
      'a package that is not there',
      'absent.ts',
      `import x from 'no-such-package-here'\nconsole.log(x)`,
      /^JOB_MODULE_FAILED: .*npm install no-such-package-here/,
    ],
  ]

  before(async () => {
    await file('helper.ts', 'export type OnlyType = number\nexport const x = 1\n')
    await file('lib/index.ts', 'export const x = 1')
    await file('far-away.ts', `export function far(n: number): number {\n\n  throw new Error('far off ' + n)\n}`)
    await file('node_modules/typed-dep/package.json', '{ "type": "module" }')
    await file('node_modules/typed-dep/x.ts', 'export const x: number = 1')
    await file('commonjs/package.json', '{ "type": "commonjs" }')
  })

  for (const [name, path, text, expected] of cases) {
    test(name, async () => {
      const { code, stderr } = await millrace('run', await file(path, text))
      assert.equal(code, 1, stderr)
      assert.match(stderr, expected)
      assert.doesNotMatch(stderr, /^\s+at .*\(?(file|node):/m, 'no bare stack trace')
    })
  }

  test('a job that does not exist', async () => {
    const { code, stderr } = await millrace('run', 'nowhere.ts')
    assert.equal(code, 1)
    assert.match(stderr, /^JOB_MODULE_FAILED: there is no job .*nowhere\.ts; correct the path/)
  })

  test('a parallelism that is not a number', async () => {
    const { code, stderr } = await millrace('run', 'x.ts', '--parallelism', 'many')
    assert.equal(code, 1)
    assert.match(stderr, /^OPTION_INVALID: --parallelism is "many"; give a whole number from 1 to \d+\n$/)
  })

  test('a folder, and a file name without its ending', async () => {
    const path = await file('ended.ts', WORDS)
    assert.match((await millrace('run', '.')).stderr, /^JOB_MODULE_FAILED: the job .* is a folder; name the job's file/)
    const { code, stderr } = await millrace('explain', 'ended')
    assert.equal(code, 1)
    assert.equal(stderr, `JOB_MODULE_FAILED: there is no job ${join(folder, 'ended')}; did you mean ${path}?\n`)
  })

  test('a failure under plain node, in one paragraph as well', async () => {
    const text = `${importing}env.readTextFile('no-such-file').print()\nawait env.execute()`
    const { code, stderr } = await start([await file('by-node.ts', text)]).ended
    assert.equal(code, 1)
    assert.match(stderr, /^FILE_NOT_FOUND: step "file-lines" \(.*by-node\.ts:3\)[^\n]*correct the path[^\n]*\n$/)
  })

  test('errors of a script that are not of millrace are left to node', async () => {
    const { code, stderr } = await start([
      await file('not-ours.ts', `${importing}env.fromElements(1)\nthrow new RangeError('mine')`),
    ]).ended
    assert.equal(code, 1)
    assert.match(stderr, /RangeError: mine\n {4}at .*not-ours\.ts:4/)
  })

  test('a script that never executes, run by plain node', async () => {
    const { code, stderr } = await start([await file('forgot-too.ts', `${importing}env.fromElements(1).print()`)]).ended
    assert.equal(code, 1)
    assert.match(stderr, /^JOB_NOT_EXECUTED: /)
  })
})

describe('millrace', () => {
  test('shows its help and its version', async () => {
    const help = await millrace('--help')
    assert.equal(help.code, 0)
    assert.match(help.stdout, /run \[options\] <job> \[args\.\.\.\][\s\S]*explain[\s\S]*Exit codes: 0 /)
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    const shown = await millrace('--version')
    assert.deepEqual([shown.code, shown.stdout], [0, `${version}\n`])
  })

  test('refuses what it does not know, without a stack trace', async () => {
    for (const args of [['walk'], ['run'], ['run', 'x.ts', '--fast']]) {
      const { code, stderr } = await millrace(...args)
      assert.equal(code, 1)
      assert.match(stderr, /^error: .*\n\(millrace --help shows the commands\)\n$/)
    }
  })
})
