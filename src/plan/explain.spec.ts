// Goldens of what explain() shows, one text and one JSON file per job in golden/. After a wanted change: run this file with
// UPDATE_GOLDEN=1, format the JSON files, and read the difference.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { VertexInit } from '../model/graph-builder.ts'
import { GraphBuilder } from '../model/graph-builder.ts'
import type { KeySelector } from '../model/key.ts'
import { fieldSelector, functionSelector, tupleSelector } from '../model/key.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { WINDOW_DEFAULTS, type WindowSpec } from '../model/window-spec.ts'
import { explainGraph } from './explain.ts'

const GOLDEN = new URL('./golden/', import.meta.url)
const OPTIONS = { showLocations: false, channelCapacityRecords: 4096 } as const

const CONNECTOR = { options: {}, isBounded: true, hasTimestamps: false } as const
const SOCKET: OperatorSpec = {
  kind: 'source',
  source: {
    ...CONNECTOR,
    connector: 'socket-text',
    description: 'socket localhost:9999',
    placement: 'any',
    parallelismMax: 1,
  },
}
const PRINT: OperatorSpec = {
  kind: 'sink',
  sink: { connector: 'print', options: {}, description: 'print', placement: 'any' },
}
const COLLECT: OperatorSpec = {
  kind: 'sink',
  sink: { connector: 'collect', options: {}, description: 'collect', placement: 'main-thread', parallelismMax: 1 },
}
const FLAT_MAP: OperatorSpec = { kind: 'transform', shape: 'flat-map', function: () => [] }
const MAP: OperatorSpec = { kind: 'transform', shape: 'map', function: record => record }
const FILTER: OperatorSpec = { kind: 'transform', shape: 'filter', function: () => true }
const PROCESS: OperatorSpec = { kind: 'process', function: { onRecord: () => {} } }
const AGGREGATE = { create: () => 0, add: () => 0, merge: () => 0, result: () => 0 } as const
const SUM: OperatorSpec = { kind: 'rolling', aggregate: AGGREGATE }
const TIMESTAMPS: OperatorSpec = {
  kind: 'timestamps',
  strategy: {
    description: 'bounded out-of-orderness 500 ms',
    generator: () => ({ onRecord: () => {}, current: () => 0 }),
  },
}
const WINDOW: WindowSpec = {
  ...WINDOW_DEFAULTS,
  timeDomain: 'event-time',
  assigner: { kind: 'sliding', sizeMs: 10_000, slideMs: 5000, offsetMs: 0 },
  allowedLatenessMs: 1000,
  lateOutputTag: 'late',
  function: { kind: 'aggregate', aggregate: AGGREGATE },
}

/** Writes a job as a line of steps with branches; each step notes the line it would be on. */
class Script {
  readonly builder = new GraphBuilder()

  step(name: string, operator: OperatorSpec, init: Partial<VertexInit> = {}): number {
    const line = this.builder.vertices.length + 1
    return this.builder.addVertex({
      name,
      operator,
      location: { file: 'file:///jobs/job.ts', line, column: 1 },
      ...init,
    }).id
  }

  after(from: number, name: string, operator: OperatorSpec, outputTag?: string): number {
    const id = this.step(name, operator)
    this.builder.addEdge({ from, to: id, outputTag })
    return id
  }

  keyed(name: string, operator: OperatorSpec, inputs: readonly (readonly [from: number, key: KeySelector])[]): number {
    const id = this.step(name, operator, { keySelectors: inputs.map(([, key]) => key) })
    for (const [input, [from, key]] of inputs.entries())
      this.builder.addEdge({ from, to: id, input, partitioning: { kind: 'hash', key } })
    return id
  }
}

function rollingCount(): Script {
  const script = new Script()
  const words = script.after(script.step('lines', SOCKET), 'split', FLAT_MAP)
  const pairs = script.after(words, 'map', MAP)
  script.after(script.keyed('sum(count)', SUM, [[pairs, fieldSelector('word')]]), 'print', PRINT)
  return script
}

function eventTimeWindow(): Script {
  const script = new Script()
  const timed = script.after(script.step('lines', SOCKET), 'timestamps', TIMESTAMPS)
  const window = script.keyed('by city and day', { kind: 'window', window: WINDOW }, [
    [script.after(timed, 'parse', MAP), tupleSelector(['city', 'day'])],
  ])
  const draft = script.builder.vertices[window]
  assert.ok(draft !== undefined)
  draft.uid = 'windowed'
  script.after(window, 'print', PRINT)
  return script
}

function keyedConnect(): Script {
  const script = new Script()
  const rules = script.step('rules', SOCKET)
  const payments = script.step('payments', SOCKET)
  const join: OperatorSpec = {
    kind: 'keyed-co-process',
    function: { onFirst: () => {}, onSecond: () => {}, onTimer: () => {} },
  }
  const joined = script.keyed('check', join, [
    [rules, fieldSelector('account')],
    [payments, functionSelector(() => 'account')],
  ])
  script.after(joined, 'collect', COLLECT)
  return script
}

function bootstrapJoin(): Script {
  const script = new Script()
  const [orders, rates] = ['orders', 'rates'].map(name => script.step(name, { ...SOCKET })) as [number, number]
  const join = script.step(
    'temporal-join',
    {
      kind: 'keyed-co-process',
      function: { onFirst: () => {}, onSecond: () => {}, onTimer: () => {} },
      description: 'temporal left join of event time',
    },
    {
      keySelectors: [fieldSelector('currency'), fieldSelector('currency')],
      bootstrap: { input: 1, untilMs: Infinity },
    },
  )
  for (const [input, from] of [orders, rates].entries())
    script.builder.addEdge({ from, to: join, input, partitioning: { kind: 'hash', key: fieldSelector('currency') } })
  script.after(join, 'print', PRINT)
  return script
}

function iteration(): Script {
  const script = new Script()
  const head = script.after(script.step('numbers', SOCKET), 'iterate', { kind: 'feedback', queuedRecordsMax: 100 })
  const halve = script.after(head, 'halve', MAP)
  script.builder.addEdge({ from: script.after(halve, 'again', FILTER), to: head, isFeedback: true })
  script.after(script.after(halve, 'done', FILTER), 'print', PRINT)
  return script
}

function sideOutput(): Script {
  const script = new Script()
  const parse = script.after(script.step('lines', SOCKET), 'parse', PROCESS)
  script.after(parse, 'print', PRINT)
  script.after(parse, 'print rejected', PRINT, 'rejected')
  return script
}

function writeAheadLog(): Script {
  const script = new Script()
  const { source } = SOCKET as Extract<OperatorSpec, { kind: 'source' }>
  const logged = script.step('logged', {
    kind: 'source',
    source: { ...source, isBounded: false, isReplayable: false, isLogged: true },
  })
  const bare = script.step('bare', {
    kind: 'source',
    source: {
      ...source,
      description: 'standard input',
      connector: 'stdin-lines',
      isBounded: false,
      isReplayable: false,
    },
  })
  const files: OperatorSpec = {
    kind: 'sink',
    sink: {
      connector: 'file-directory',
      options: {},
      description: 'files in out',
      placement: 'any',
      delivery: 'transactional',
    },
  }
  script.after(logged, 'files', files)
  script.after(logged, 'print', PRINT)
  const both = script.after(logged, 'union', MAP)
  script.builder.addEdge({ from: bare, to: both })
  script.after(both, 'files of both', files)
  return script
}

const JOBS: readonly (readonly [name: string, make: () => Script, parallelism: number])[] = [
  ['rolling-count-1', rollingCount, 1],
  ['rolling-count-4', rollingCount, 4],
  ['event-time-window', eventTimeWindow, 2],
  ['keyed-connect', keyedConnect, 2],
  ['bootstrap-join', bootstrapJoin, 2],
  ['iteration', iteration, 2],
  ['side-output', sideOutput, 2],
  ['write-ahead-log', writeAheadLog, 1],
]

function golden(file: string, actual: string): string {
  const url = new URL(file, GOLDEN)
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(GOLDEN, { recursive: true })
    writeFileSync(url, `${actual}\n`)
  }
  return readFileSync(url, 'utf8')
}

describe('explain', () => {
  for (const [name, make, parallelism] of JOBS) {
    const explanation = (): { readonly text: string; readonly json: unknown } =>
      explainGraph(make().builder.build(name, { parallelism }), OPTIONS)

    it(`shows ${name} as text`, () => {
      const { text } = explanation()
      assert.equal(`${text}\n`, golden(`${name}.txt`, text))
    })

    it(`shows ${name} as data that survives JSON`, () => {
      const { json } = explanation()
      const text = JSON.stringify(json, null, 2)
      assert.deepEqual(json, JSON.parse(golden(`${name}.json`, text)))
    })
  }

  it('has no golden without a job', () => {
    const expected = JOBS.flatMap(([name]) => [`${name}.json`, `${name}.txt`]).sort()
    assert.deepEqual(readdirSync(GOLDEN).sort(), expected)
  })
})

describe('a step inside a chain', () => {
  const linesOf = (script: Script): string[] =>
    explainGraph(script.builder.build('job', { parallelism: 1 }), OPTIONS).text.split('\n')

  it('says what it reads when that is a side output of the line above', () => {
    const script = new Script()
    script.after(script.after(script.step('lines', SOCKET), 'parse', PROCESS), 'upper', MAP, 'rejected')
    assert.deepEqual(linesOf(script).slice(-2), [
      '  1 parse: process',
      '  2 upper: map, reads side output "rejected" of 1 parse',
    ])
  })

  it('says what it reads when that is not the line above, and nothing else', () => {
    const script = new Script()
    const source = script.step('lines', SOCKET)
    for (const name of ['one', 'two', 'three']) script.after(source, name, MAP)
    assert.deepEqual(linesOf(script).slice(-3), [
      '  1 one: map',
      '  2 two: map, reads 0 lines',
      '  3 three: map, reads 0 lines',
    ])
  })
})

describe('explain with locations', () => {
  const graph = rollingCount().builder.build('job', { parallelism: 1 })

  it('says on which line of which file each step was written', () => {
    const { text, json } = explainGraph(graph, { ...OPTIONS, showLocations: true })
    assert.deepEqual(
      text.match(/\(\/jobs\/job\.ts:\d\)$/gm),
      [1, 2, 3, 4, 5].map(line => `(/jobs/job.ts:${line})`),
    )
    const { vertices } = json as { readonly vertices: readonly { readonly location: string }[] }
    assert.deepEqual(
      vertices.map(({ location }) => location),
      [1, 2, 3, 4, 5].map(line => `/jobs/job.ts:${line}`),
    )
  })

  it('leaves out an unknown place', () => {
    const script = new Script()
    script.step('lines', SOCKET, { location: undefined })
    const { text, json } = explainGraph(script.builder.build('job', { parallelism: 1 }), {
      ...OPTIONS,
      showLocations: true,
    })
    assert.match(text, /\[uid source-socket-text-0, derived\]$/m)
    assert.equal(JSON.stringify(json).includes('location'), false)
  })
})

describe('the note about derived uids', () => {
  const textOf = (script: Script): string => explainGraph(script.builder.build('job', { parallelism: 1 }), OPTIONS).text

  it('names every step whose state a change of the job could lose', () => {
    const script = rollingCount()
    script.keyed('sum again', SUM, [[2, fieldSelector('word')]])
    assert.match(
      textOf(script),
      /\nnote: the uid of "sum\(count\)", "sum again" is derived from the graph; give it with uid\(\)/,
    )
  })

  it('is not there when all are given, nor for sources and sinks', () => {
    const script = rollingCount()
    Object.assign(script.builder.vertices[3] as object, { uid: 'sum' })
    assert.doesNotMatch(textOf(script), /note:/)
    assert.match(textOf(script), /\[uid sum\]/)
  })
})
