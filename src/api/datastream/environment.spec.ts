import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { SourceSpec } from '../../model/connector.ts'
import type { Graph } from '../../model/graph.ts'
import type { JobHandle, LaunchOptions } from '../../model/job.ts'
import { forMonotonousTimestamps } from '../../time/watermark-strategies.ts'
import { type EnvironmentOptions, StreamEnvironment } from './environment.ts'

const HANDLE = Object.freeze({}) as JobHandle

/** An environment that keeps the graphs it was asked to run or to explain. */
function recording(options?: EnvironmentOptions) {
  const launched: { readonly graph: Graph; readonly options: LaunchOptions | undefined }[] = []
  const explained: Graph[] = []
  const env = new StreamEnvironment(
    {
      defaultParallelism: 3,
      launch(graph, launchOptions) {
        launched.push({ graph, options: launchOptions })
        return HANDLE
      },
      explain(graph) {
        explained.push(graph)
        return { text: 'plan', json: {} }
      },
    },
    options,
  )
  return { env, launched, explained }
}

/** The specs of the sources that `build` adds. */
function sourcesOf(build: (env: StreamEnvironment) => void): SourceSpec[] {
  const { env, explained } = recording()
  build(env)
  env.explain()
  return (explained[0] as Graph).vertices.flatMap(({ operator }) =>
    operator.kind === 'source' ? [operator.source] : [],
  )
}

describe('a watermark strategy of a source', () => {
  test('goes with the step, and not to the connector', () => {
    const watermarks = forMonotonousTimestamps<unknown>({ timestamp: () => 0 })
    const { env, explained } = recording()
    env.socketTextStream('localhost', 9999, { delimiter: ';', watermarks })
    env.readTextFile('a.txt', { watermarks })
    env.readStdin({ watermarks })
    env.from([1], { watermarks })
    env.generate(index => index, { count: 1, watermarks })
    env.addSource({ splits: () => [], open: () => assert.fail() }, { isBounded: true, watermarks })
    env.fromElements(1)
    env.explain()
    const operators = (explained[0] as Graph).vertices.map(({ operator }) => operator)
    const strategies = operators.map(operator => operator.kind === 'source' && operator.strategy === watermarks)
    assert.deepEqual(strategies, [true, true, true, true, true, true, false])
    for (const operator of operators) {
      assert.ok(operator.kind === 'source' && !('watermarks' in operator.source.options))
    }
    assert.deepEqual(operators[0]?.kind === 'source' && operators[0].source.options, {
      host: 'localhost',
      port: 9999,
      delimiter: ';',
    })
  })
})

describe('execute', () => {
  test('hands the graph and the options to the launcher and returns its handle', () => {
    const { env, launched } = recording()
    env.fromElements(1).print()
    const options = { channelCapacityRecords: 8 }
    assert.equal(env.execute('ones', options), HANDLE)
    assert.equal(launched[0]?.graph.name, 'ones')
    assert.equal(launched[0]?.graph.vertices.length, 2)
    assert.deepEqual(launched[0]?.options, options)
  })

  test('without a sink is JOB_EMPTY, and counts as an attempt', () => {
    const { env } = recording()
    env.fromElements(1).map(String)
    assert.equal(env.hasSinks, false)
    assert.throws(() => env.execute(), /JOB_EMPTY: the job "job" has no sink/)
    assert.equal(env.isExecuted, true)
  })

  test('with mistakes lists them all, each with its place', () => {
    const { env } = recording()
    env.fromElements(1).forward().map(String).uid('a').print().uid('a')
    assert.throws(
      () => env.execute('wrong'),
      /GRAPH_INVALID: the job "wrong" has 2 mistakes:\n {2}1\. step "map" \(\S+environment\.spec\.ts:\d+\).*\n {2}2\. .*same uid "a"/,
    )
  })

  test('says where in the job each step was written', () => {
    const { env, launched } = recording()
    env
      .fromElements(1)
      .keyBy(Number)
      .countWindow(2)
      .reduce(earlier => earlier)
      .print()
    env.execute()
    const locations = launched[0]?.graph.vertices.map(({ location }) => location)
    assert.ok(locations?.every(location => location?.file.endsWith('environment.spec.ts')))
    const [source, window, sink] = locations?.map(location => location?.line ?? 0) ?? []
    assert.deepEqual([window, sink], [(source ?? 0) + 3, (source ?? 0) + 4])
  })
})

describe('parallelism', () => {
  test('is that of the launcher, unless the environment or the step says otherwise', () => {
    const { env, launched } = recording()
    env.generate(String).print().setParallelism(5)
    env.execute()
    env.setParallelism(2).setMaxParallelism(16)
    env.execute()
    const [first, second] = launched.map(({ graph }) =>
      graph.vertices.map(each => [each.parallelism, each.maxParallelism]),
    )
    assert.deepEqual(first, [
      [3, 128],
      [5, 128],
    ])
    assert.deepEqual(second, [
      [2, 16],
      [5, 16],
    ])
  })

  test('may be given to the constructor, and is checked there', () => {
    const { env, explained } = recording({ parallelism: 7, maxParallelism: 7 })
    env.generate(String)
    env.explain('seven')
    assert.deepEqual(
      explained.map(graph => [graph.name, graph.vertices[0]?.parallelism]),
      [['seven', 7]],
    )
    assert.throws(() => recording({ parallelism: 0 }), /OPTION_INVALID/)
  })
})

describe('sources', () => {
  test('of text are lines of one subtask with the options as given', () => {
    const [socket, file, stdin] = sourcesOf(env => {
      env.socketTextStream('localhost', 9999, { retries: 2, retryDelayMs: 10 })
      env.readTextFile('words.txt', { encodingErrors: 'fail' })
      env.readStdin({ lineBytesMax: 80 })
    })
    const common = { parallelismMax: 1, hasTimestamps: false, placement: 'any' }
    assert.deepEqual(socket, {
      ...common,
      connector: 'socket-text',
      options: { host: 'localhost', port: 9999, retries: 2, retryDelayMs: 10 },
      description: 'socket localhost:9999',
      isBounded: false,
      isReplayable: false,
    })
    assert.deepEqual(file, {
      ...common,
      connector: 'file-lines',
      options: { path: 'words.txt', encodingErrors: 'fail' },
      description: 'file words.txt',
      isBounded: true,
    })
    assert.deepEqual(stdin, {
      ...common,
      connector: 'stdin-lines',
      options: { lineBytesMax: 80 },
      description: 'standard input',
      isBounded: false,
      isReplayable: false,
      placement: 'main-thread',
    })
  })

  test('of text that cannot go back may have a write-ahead log, and the plan says so', () => {
    const log = { directory: 'log', segmentBytes: 4096, bytesMax: 8192 }
    const specs = sourcesOf(env => {
      env.socketTextStream('localhost', 9999, { writeAheadLog: true })
      env.readStdin({ writeAheadLog: log })
      env.readStdin({ writeAheadLog: false })
    })
    assert.deepEqual(
      specs.map(({ isLogged, isReplayable, options }) => ({ isLogged, isReplayable, log: options['writeAheadLog'] })),
      [
        { isLogged: true, isReplayable: false, log: true },
        { isLogged: true, isReplayable: false, log },
        { isLogged: undefined, isReplayable: false, log: false },
      ],
    )
    const { env } = recording()
    const refused = (writeAheadLog: unknown, message: RegExp): void =>
      assert.throws(() => env.readStdin({ writeAheadLog } as never), message)
    refused('yes', /OPTION_INVALID: readStdin\(\) .*writeAheadLog is "yes"; give true, or \{ directory \}/)
    refused({ directory: '' }, /OPTION_INVALID: .*writeAheadLog\.directory is ""/)
    refused({ segmentBytes: 10 }, /OPTION_INVALID: .*writeAheadLog\.segmentBytes is 10; give a whole number from 4096/)
    refused({ bytesMax: -1 }, /OPTION_INVALID: .*writeAheadLog\.bytesMax is -1/)
  })

  test('of iterables are bound to this thread, unless a function makes them', () => {
    const values = new Set([1])
    const factory = () => values
    const sources = sourcesOf(env => {
      env.from(values)
      env.from(factory)
      env.from((async function* () {})())
    })
    const [bare, made, asynchronous] = sources.map(({ placement, isBounded, options }) => ({
      placement,
      isBounded,
      options,
    }))
    assert.deepEqual(bare, { placement: 'main-thread', isBounded: true, options: { iterable: values } })
    assert.deepEqual(made, { placement: 'any', isBounded: false, options: { factory } })
    assert.equal(asynchronous?.placement, 'main-thread')
  })

  test('that generate have any parallelism, an end if counted, and timestamps if they make them', () => {
    const [endless, timed] = sourcesOf(env => {
      env.generate(String)
      env.generate(String, { count: 5, recordsPerSecond: 2, timestamp: (_, index) => index })
    })
    assert.deepEqual([endless?.isBounded, endless?.hasTimestamps, endless?.parallelismMax], [false, false, undefined])
    assert.deepEqual([timed?.isBounded, timed?.hasTimestamps, timed?.description], [true, true, 'generator of 5'])
    assert.equal(timed?.options['recordsPerSecond'], 2)
  })

  test('of your own carry their implementation', () => {
    const implementation = { splits: () => [], open: () => assert.fail('nothing is opened') }
    const [custom] = sourcesOf(env =>
      env.addSource(implementation, { isBounded: true, hasTimestamps: true, parallelismMax: 2 }),
    )
    assert.deepEqual(custom, {
      connector: 'custom',
      options: {},
      implementation,
      description: 'custom source',
      parallelismMax: 2,
      placement: 'any',
      isBounded: true,
      hasTimestamps: true,
    })
  })

  test('that grow by splits say how often they are looked for: of a pattern, as often as its files are', () => {
    const growing = { splits: () => [], newSplits: () => [], open: () => assert.fail('nothing is opened') }
    const specs = sourcesOf(env => {
      env.readTextFile('*.log', { follow: true })
      env.readTextFile('*.log', { follow: { everyMs: 50 } })
      env.readTextFile('*.log')
      env.readTextFile('one.log', { follow: true })
      env.addSource(growing, { isBounded: false, discoverEveryMs: 20 })
    })
    assert.deepEqual(
      specs.map(spec => spec.discoverEveryMs),
      [500, 50, undefined, undefined, 20],
    )
  })

  test('that are looked for new splits must have some way to find them, and no end', () => {
    const source = { splits: () => [], open: () => assert.fail('nothing is opened') }
    const growing = { ...source, newSplits: () => [] }
    const { env } = recording()
    assert.throws(() => env.addSource(source, { isBounded: false, discoverEveryMs: 20 }), /OPTION_INVALID: .*newSplits/)
    assert.throws(
      () => env.addSource(growing, { isBounded: true, discoverEveryMs: 20 }),
      /OPTION_INVALID: .*discoverEveryMs does not go with isBounded: true/,
    )
    assert.throws(
      () => env.addSource(growing, { isBounded: false, discoverEveryMs: 0 }),
      /OPTION_INVALID: .*discoverEveryMs/,
    )
  })
})

test('a function given as a sink gets the record alone', () => {
  const { env, launched } = recording()
  const seen: unknown[][] = []
  env.fromElements(1).addSink((...args: unknown[]) => {
    seen.push(args)
  })
  env.execute()
  const operator = launched[0]?.graph.vertices[1]?.operator
  const write = operator?.kind === 'sink' ? operator.sink.options['write'] : undefined
  ;(write as (record: unknown, timestampMs: number) => void)(1, 1000)
  assert.deepEqual(seen, [[1]])
})
