import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { ByteReader } from '../base/byte-reader.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import type { Logger } from '../base/logger.ts'
import { checkpointSettings } from '../model/checkpoint-options.ts'
import { GraphBuilder } from '../model/graph-builder.ts'
import { functionSelector } from '../model/key.ts'
import { planGraph } from '../plan/plan.ts'
import { CheckpointStore } from '../recovery/snapshot/checkpoint-store.ts'
import type { Manifest } from '../recovery/snapshot/manifest.ts'
import { memoryStorage } from '../recovery/snapshot/memory-storage.ts'
import { writeValue } from '../serde/value-codec.ts'
import { customConnectors, customSink, valuesSource } from '../testing/collections.ts'
import { JobRun } from './job-run.ts'
import { RestoredKeys } from './restored-keys.ts'
import { SimulatedScheduler, VirtualClock } from './simulated-scheduler.ts'

class Warnings implements Logger {
  readonly texts: string[] = []

  log(level: string, message: string): void {
    if (level === 'warn') this.texts.push(message)
  }
}

/** What is said of a step whose state was restored under some keys when records with others come. */
function warningsOf(restored: readonly unknown[], first: readonly unknown[]): readonly string[] {
  const logger = new Warnings()
  const keys = new RestoredKeys({ id: 1, name: 'count', location: undefined } as never, logger)
  for (const key of restored) {
    const out = new ByteWriter()
    writeValue(out, key)
    const identity = new ByteReader(out.copy())
    keys.noteRow(identity)
    assert.equal(identity.position, 0)
  }
  const keyOf = keys.watch((record: never) => record)
  for (const key of first) assert.equal(keyOf(key as never), key)
  return logger.texts
}

describe('restored keys', () => {
  test('of another type than that of the first record are said, with both', () => {
    const types: readonly [unknown, string, unknown, string][] = [
      [1, 'number', 'a', 'string'],
      ['a', 'string', 1, 'number'],
      [['a', 1], '[string, number]', 'a', 'string'],
      [['a', 1], '[string, number]', [1, 'a'], '[number, string]'],
      [null, 'null', {}, 'object'],
    ]
    for (const [was, before, is, now] of types) {
      const [text = '', ...others] = warningsOf([was, was], [is, is])
      assert.deepEqual(others, [])
      assert.ok(text.includes('count'), text)
      assert.ok(text.includes(`restored under keys of type ${before}, such as`), text)
      assert.ok(text.includes(`the first record has a key of type ${now},`), text)
    }
  })

  test('of the same type, of several types, or none, are nothing to speak of', () => {
    assert.deepEqual(warningsOf([1, 2], [3]), [])
    assert.deepEqual(warningsOf([1, 'a'], [true]), [])
    assert.deepEqual(warningsOf([], ['a']), [])
    // The first record alone is looked at.
    assert.deepEqual(warningsOf([1], [2, 'a']), [])
  })
})

const count = {
  create: () => 0,
  add: (_record: unknown, n: number) => n + 1,
  merge: (a: number, b: number) => a + b,
  result: (n: number) => n,
}

/** Runs a job that counts by a key, from a snapshot of another if one is given; its last snapshot, and what was warned of. */
async function run(
  keyOf: (record: never) => unknown,
  {
    parallelism,
    from,
    store,
    nextId,
  }: { parallelism: number; from?: Manifest; store: CheckpointStore; nextId: number },
): Promise<{ last: Manifest; warnings: readonly string[] }> {
  const key = functionSelector(keyOf)
  const graph = new GraphBuilder()
  // A uid of its own for each run: the numbers are read anew.
  const source = valuesSource(Array.from({ length: 30 }, (_, n) => n))
  const numbers = graph.addVertex({ name: 'numbers', operator: { kind: 'source', source } })
  numbers.uid = from === undefined ? 'first' : 'second'
  const operator = { kind: 'rolling', aggregate: count as never } as const
  graph.addVertex({ name: 'count', operator, keySelectors: [key] }).uid = 'count'
  const sink = customSink({ open: () => ({ write: () => {}, close: () => {} }) })
  graph.addVertex({ name: 'sink', operator: { kind: 'sink', sink } })
  graph.addEdge({ from: 0, to: 1, partitioning: { kind: 'hash', key } })
  graph.addEdge({ from: 1, to: 2 })
  const clock = new VirtualClock(0)
  const logger = new Warnings()
  const manifests: Manifest[] = []
  const job = new JobRun({
    plan: planGraph(graph.build('keys', { parallelism })),
    connectors: customConnectors,
    clock,
    logger,
    scheduler: new SimulatedScheduler({ seed: 1, clock }),
    seed: 1,
    channelCapacityRecords: 8,
    recovery: {
      settings: checkpointSettings({ intervalMs: 1000 }),
      store,
      restart: { kind: 'none' },
      from: from === undefined ? undefined : { ...from, operators: from.operators.map(withoutEnds) },
      nextId,
      latest: async () => undefined,
      noteEnding: async () => {},
      claimAttempt: async () => nextId,
      onCheckpoint: manifest => void manifests.push(manifest),
    },
  })
  await job.run()
  return { last: manifests.at(-1) as Manifest, warnings: logger.texts }
}

// As if the first job had more to read.
function withoutEnds(operator: Manifest['operators'][number]): Manifest['operators'][number] {
  const isTimed = (name: string): boolean => name === 'watermark'
  return { ...operator, finishedSubtasks: [], parts: operator.parts.filter(({ name }) => !isTimed(name)) }
}

describe('a job that starts from a snapshot', () => {
  for (const parallelism of [1, 2]) {
    const subtasks = `in ${parallelism} subtask${parallelism === 1 ? '' : 's'}`
    test(`warns when a function takes keys of another type than before, ${subtasks}`, async () => {
      const store = new CheckpointStore({ storage: memoryStorage(), job: 'keys', logger: new Warnings() })
      const first = await run(n => n, { parallelism, store, nextId: 1 })
      assert.deepEqual(first.warnings, [])
      const same = await run(n => (n as number) + 7, { parallelism, from: first.last, store, nextId: 100 })
      assert.deepEqual(same.warnings, [])
      const other = await run(n => String(n), { parallelism, from: first.last, store, nextId: 200 })
      assert.equal(other.warnings.length, parallelism, other.warnings.join('\n'))
      assert.match(other.warnings[0] ?? '', /under keys of type number, such as \d+, .* key of type string, "\d+"/)
    })
  }
})
