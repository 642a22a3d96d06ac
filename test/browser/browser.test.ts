// `millrace/browser` as a page gets it: bundled into one script that has nothing of Node, and counting words in a context
// that has a page's globals only.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { after, before, describe } from 'node:test'
import { createContext, runInContext } from 'node:vm'
import { rolldown } from 'rolldown'
import { impureMistakes, parse } from '../architecture/tidy-rules.ts'
import { ROOT, temporaryFolder } from '../support/project.ts'

const ENTRY = join(ROOT, 'src', 'entry', 'browser.ts')
const NODE_GLOBALS = ['process', 'Buffer', 'setImmediate', 'require']
const LINES = [
  'storm dublin flink',
  'apache storm spark',
  'streaming samza storm',
  'flink apache flink',
  'bigdata storm',
  'flink streaming',
]
const TOTALS = { storm: 4, dublin: 1, flink: 4, apache: 2, spark: 1, streaming: 2, samza: 1, bigdata: 1 }

interface Bundle {
  readonly code: string
  readonly modules: readonly string[]
  /** What the script would still have to load. */
  readonly imports: readonly string[]
}

/** Bundles an entry as one script that gives its exports to the global `millrace`. */
async function bundleOf(entry: string): Promise<Bundle> {
  const build = await rolldown({ input: entry, platform: 'browser', logLevel: 'silent' })
  const { output } = await build.generate({ format: 'iife', name: 'millrace' })
  await build.close()
  const [chunk] = output
  return { code: chunk.code, modules: chunk.moduleIds, imports: [...chunk.imports, ...chunk.dynamicImports] }
}

/** Why a page could not run the bundle. */
function foreignParts({ code, imports }: Bundle): readonly string[] {
  const globals = impureMistakes(parse('bundle.js', code)).map(({ message }) => message.split(' ')[0] as string)
  const used = NODE_GLOBALS.filter(name => globals.includes(name))
  const named = code.match(/['"]node:[a-z/_]+['"]/g) ?? []
  return [...imports, ...named, ...used]
}

/** A context with the globals of the language, and of the web only those that are listed. */
function webContext(printed: string[]): ReturnType<typeof createContext> {
  const console = Object.fromEntries(
    ['log', 'debug', 'info', 'warn', 'error'].map(level => [level, (text: string) => printed.push(text)]),
  )
  return createContext({ setTimeout, clearTimeout, MessageChannel, performance, console })
}

describe('millrace/browser', () => {
  let bundle: Bundle

  before(async () => {
    bundle = await bundleOf(ENTRY)
  })

  function run<R>(program: string, printed: string[] = []): Promise<R> {
    return runInContext(`${bundle.code}\n;(async () => { ${program} })()`, webContext(printed)) as Promise<R>
  }

  test('bundles into a script that has nothing of Node', () => {
    assert.ok(bundle.modules.length >= 50, `${bundle.modules.length} modules`)
    assert.ok(bundle.modules.includes(join(ROOT, 'src', 'runtime', 'task.ts')))
    assert.deepEqual(foreignParts(bundle), [])
  })

  test('counts words with the globals of a page only', async () => {
    const totals = await run<string>(`
      const env = millrace.environment()
      const updates = await env
        .fromElements(...${JSON.stringify(LINES)})
        .flatMap(line => line.split(' '))
        .map(word => ({ word, frequency: 1 }))
        .keyBy('word')
        .sum('frequency')
        .executeAndCollect()
      return JSON.stringify({
        updates: updates.length,
        totals: Object.fromEntries(updates.map(({ word, frequency }) => [word, frequency])),
      })`)
    assert.deepEqual(JSON.parse(totals), { updates: 16, totals: TOTALS })
  })

  test('counts words in windows of event time with several subtasks, and prints to the console', async () => {
    const printed: string[] = []
    const status = await run<string>(
      `
      const { environment, forMonotonousTimestamps, seconds } = millrace
      const env = environment({ parallelism: 3 })
      env
        .from(${JSON.stringify(LINES)}.map((line, index) => ({ line, at: index * 100 })))
        .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: record => record.at }))
        .flatMap(({ line }) => line.split(' '))
        .map(word => ({ word, frequency: 1 }))
        .keyBy('word')
        .timeWindow(seconds(5))
        .sum('frequency')
        .setParallelism(2)
        .print()
        .setParallelism(1)
      return (await env.execute('windows')).status`,
      printed,
    )
    assert.equal(status, 'finished')
    const counts = printed.flatMap(piece => piece.split('\n')).map(line => JSON.parse(line))
    assert.equal(counts.length, Object.keys(TOTALS).length)
    assert.deepEqual(Object.fromEntries(counts.map(({ word, frequency }) => [word, frequency])), TOTALS)
  })

  test('says which connectors a page does not have', async () => {
    const code = await run<string>(`
      const env = millrace.environment()
      env.readTextFile('words.txt').print()
      try {
        await env.execute()
      } catch (error) {
        return error.code
      }`)
    assert.equal(code, 'CONNECTOR_UNKNOWN')
  })

  test('finds itself in a context without the globals of Node', () => {
    const found = runInContext(`${JSON.stringify(NODE_GLOBALS)}.filter(name => name in globalThis)`, webContext([]))
    assert.equal(found.length, 0)
  })
})

test('the names that pages get are those of Node, but for what makes environments and runs files', () => {
  const names = (entry: string): string[] => {
    const text = readFileSync(join(ROOT, 'src', 'entry', entry), 'utf8')
    const lists = [...text.matchAll(/export (?:type )?\{([^}]*)\} from '\.\.\//g)].map(([, list]) => list as string)
    return lists.flatMap(list => list.split(',').map(name => name.replace('type ', '').trim())).filter(Boolean)
  }
  const own = ['EnvironmentOptions', 'StreamEnvironment']
  assert.deepEqual([...names('browser.ts'), ...own].sort(), names('index.ts').sort())
})

test('a planted bundle with something of Node is caught', async t => {
  const entry = join(temporaryFolder(t), 'entry.ts')
  const lines = [
    `import { readFileSync } from 'node:fs'`,
    'export const text = () => readFileSync(process.argv[1])',
    `export const bytes = () => Buffer.from('a')`,
  ]
  writeFileSync(entry, lines.join('\n'))
  const bundle = await bundleOf(entry)
  assert.deepEqual(foreignParts(bundle), ['node:fs', 'process', 'Buffer'])
})

after(() => {
  // Ports that were left open would hold this process up; the browser's event loop listens only while something is under way.
  assert.equal(process.getActiveResourcesInfo().filter(name => name === 'MessagePort').length, 0)
})
