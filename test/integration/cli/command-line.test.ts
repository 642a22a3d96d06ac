// The built command line on real job files: output, exit codes, signals, and one clear coded error for each kind of bad input.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const MAIN = join(ROOT, 'dist/cli/main.js')

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

let folder = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-cli-'))
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
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
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
      'a package that is not there',
      'absent.ts',
      `import x from 'no-such-package-here'\nconsole.log(x)`,
      /^JOB_MODULE_FAILED: .*npm install no-such-package-here/,
    ],
  ]

  before(async () => {
    await file('helper.ts', 'export type OnlyType = number\nexport const x = 1\n')
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
    assert.match(stderr, /many is not a whole number from 1/)
  })

  test('a script that never executes, run by plain node', async () => {
    const { code, stderr } = await start([await file('forgot-too.ts', `${importing}env.fromElements(1).print()`)]).ended
    assert.equal(code, 1)
    assert.match(stderr, /^JOB_NOT_EXECUTED: /)
  })
})
