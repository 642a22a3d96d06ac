// The package as a user gets it: what is in the tarball, and the README's program in a user's folder, from TypeScript
// and from JavaScript, with `node` and with `millrace run`, on every supported line of Node.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { after, before, describe } from 'node:test'
import { type Consumer, makeConsumer, type ProcessResult, packProject, type Tarball } from '../support/consumer.ts'
import { NODE_LINES, nodeOfLine, skipOtherNodes } from '../support/node-versions.ts'
import { ROOT } from '../support/project.ts'
import { readmeProgram, shownProgram } from './readme.ts'

interface Manifest {
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
}

const BYTES_MAX = 7 * 1024 * 1024
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')

const THREADED_JOB = `import type { StreamEnvironment } from 'millrace'
import { isMainThread } from 'node:worker_threads'

export function job(env: StreamEnvironment, args: readonly string[]): void {
  env
    .generate(index => ({ key: index % 3, here: isMainThread, count: 1 }), { count: Number(args[0]) })
    .keyBy('key')
    .sum('count')
    .filter(({ count }) => count === 100)
    .map(({ key, here }) => 'key ' + key + (here ? ' in the main thread' : ' in another thread'))
    .print()
}
`

const cleanups: (() => void)[] = []
const scope = { after: (action: () => void) => cleanups.push(action) }
let tarball: Tarball
let consumer: Consumer

before(async () => {
  tarball = await packProject(scope)
  consumer = await makeConsumer(scope, tarball)
  const { typescript, javascript } = readmeProgram()
  consumer.write('job.ts', typescript)
  consumer.write('plain.js', javascript)
})

after(() => {
  for (const cleanup of cleanups) cleanup()
})

function assertPrints(result: ProcessResult, output: string): void {
  assert.equal(result.code, 0, `ended with ${result.code ?? result.signal}:\n${result.stderr}`)
  assert.equal(result.stdout, output)
}

describe('the tarball', () => {
  test('holds every file that package.json names', () => {
    const { bin, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest
    const targets = Object.values(exports).flatMap(target =>
      typeof target === 'string' ? target : Object.values(target),
    )
    const named = [...targets, ...Object.values(bin), 'LICENSE', 'README.md', 'CHANGELOG.md']
    const missing = named.map(file => file.replace(/^\.\//, '')).filter(file => !tarball.files.includes(file))
    assert.deepEqual(missing, [])
  })

  test('holds nothing else than the build, its sources and the papers', () => {
    const foreign = tarball.files.filter(file => {
      const isBuild = /^dist\/.*\.(js|js\.map|d\.ts|d\.ts\.map)$/.test(file)
      const isSource = /^src\/.*\.ts$/.test(file)
      return /\.spec\./.test(file) || !(isBuild || isSource || /^(package\.json|LICENSE|[A-Z]+\.md)$/.test(file))
    })
    assert.deepEqual(foreign, [])
    assert.ok(tarball.unpackedBytes < BYTES_MAX, `${tarball.unpackedBytes} bytes`)
  })

  test('holds the source that every source map points to', () => {
    const sources = tarball.files.filter(file => /^src\//.test(file)).map(file => file.replace(/^src\/|\.ts$/g, ''))
    const modules = tarball.files.filter(file => file.endsWith('.js')).map(file => file.replace(/^dist\/|\.js$/g, ''))
    assert.ok(modules.length > 0)
    assert.deepEqual(modules.sort(), sources.sort())
  })
})

describe("the README's program in a user's folder", () => {
  test('runs from TypeScript with node', async () => {
    assertPrints(await consumer.node(['job.ts']), readmeProgram().output)
  })

  test('runs from JavaScript with node', async () => {
    assertPrints(await consumer.node(['plain.js']), readmeProgram().output)
  })

  test('runs from TypeScript with millrace run', async () => {
    assertPrints(await consumer.millrace(['run', 'job.ts']), readmeProgram().output)
  })

  test('runs from JavaScript with millrace run', async () => {
    assertPrints(await consumer.millrace(['run', 'plain.js']), readmeProgram().output)
  })

  test('runs with npx, which finds the command of the package', async () => {
    assertPrints(await consumer.npx(['millrace', 'run', 'job.ts']), readmeProgram().output)
  })

  test('is refused with --threads, being a plain script', async () => {
    const { code, stderr } = await consumer.millrace(['run', '--threads', '2', 'job.ts'])
    assert.equal(code, 1)
    assert.match(stderr, /SCRIPT_NOT_THREADABLE/)
  })

  test('has 20 lines at most, and is the same program as JavaScript', () => {
    const { typescript, javascript } = readmeProgram()
    const lines = typescript.trimEnd().split('\n').length
    assert.ok(lines <= 20, `${lines} lines`)
    assert.equal(javascript.replace(/[;\s]/g, ''), typescript.replace(/\s/g, ''))
  })

  test('runs where optional dependencies were left out', async t => {
    const bare = await makeConsumer(t, tarball, { omitOptional: true })
    bare.write('job.ts', readmeProgram().typescript)
    assertPrints(await bare.node(['job.ts']), readmeProgram().output)
  })

  test('compiles against the shipped declarations, which are checked too', async () => {
    // No @types/node and no skipLibCheck: the declarations stand on the language and the web platform alone.
    const lib = ['es2023', 'esnext.disposable', 'dom']
    const compilerOptions = { strict: true, target: 'es2023', lib, types: [], module: 'nodenext', noEmit: true }
    consumer.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['job.ts'] }))
    const { code, stdout } = await consumer.node([TSC])
    assert.equal(code, 0, stdout)
  })

  test('can be required from CommonJS', async () => {
    consumer.write('old.cjs', `console.log(typeof require('millrace').environment)\n`)
    assertPrints(await consumer.node(['old.cjs']), 'function\n')
  })
})

describe("a job module in a user's folder", () => {
  for (const threads of ['1', '2']) {
    test(`runs with --threads ${threads}`, async () => {
      consumer.write('threaded.ts', THREADED_JOB)
      const args = ['run', '--threads', threads, '--parallelism', '2', 'threaded.ts', '300']
      const { code, stdout, stderr } = await consumer.millrace(args)
      assert.equal(code, 0, stderr)
      const place = threads === '1' ? 'in the main thread' : 'in another thread'
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map(line => line.replace(/^\d> /, ''))
      assert.deepEqual(lines.sort(), [`key 0 ${place}`, `key 1 ${place}`, `key 2 ${place}`])
    })
  }
})

for (const line of NODE_LINES) {
  describe(`the README's program on Node ${line}`, { skip: skipOtherNodes }, () => {
    test('runs from TypeScript and from JavaScript, with node and with millrace run', async () => {
      const node = await nodeOfLine(line)
      assert.match((await consumer.node(['--version'], { node })).stdout, new RegExp(`^v${line}\\.`))
      for (const file of ['job.ts', 'plain.js']) {
        assertPrints(await consumer.node([file], { node }), readmeProgram().output)
        assertPrints(await consumer.millrace(['run', file], { node }), readmeProgram().output)
      }
    })
  })
}

describe('the program of a page', () => {
  test('is the first block that imports the package, with the output that follows it', () => {
    const fence = '```'
    const page = `${fence}sh\nnpm start\n${fence}\n${fence}ts\nimport type { A } from 'millrace'\nlet a: A\n${fence}\n${fence}text\nout\n${fence}\n`
    const { typescript, javascript, output } = shownProgram(page)
    assert.equal(typescript, `import type { A } from 'millrace'\nlet a: A\n`)
    assert.equal(javascript, 'let a;\nexport {};\n')
    assert.equal(output, 'out\n')
  })

  test('is asked for when the page shows none, or no output', () => {
    assert.throws(() => shownProgram('# Nothing'), /needs a ts block/)
    assert.throws(() => shownProgram("```ts\nimport 'x' // from 'millrace'\n```\n"), /needs a ts block/)
  })
})
