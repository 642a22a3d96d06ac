// How the records of one subtask are spread over channels, for every kind of partitioning.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { Prng } from '../base/prng.ts'
import type { Vertex } from '../model/graph.ts'
import { fieldSelector, functionSelector, tupleSelector } from '../model/key.ts'
import { keyGroupOf, keyGroupRange } from '../model/key-groups.ts'
import type { Partitioning } from '../model/partitioning.ts'
import { StepFailure } from '../operators/user-failure.ts'
import { hashKey } from '../serde/key-encoding.ts'
import type { Batch } from './batch.ts'
import { Channel, overshootLimit } from './channel.ts'
import { partitioner } from './partitioner.ts'

const MAX_PARALLELISM = 128

function target(parallelism: number): Vertex {
  return {
    id: 1,
    uid: 'target',
    isUidDerived: false,
    name: 'target',
    operator: { kind: 'transform', shape: 'map', function: (record: unknown) => record },
    parallelism,
    maxParallelism: MAX_PARALLELISM,
    placement: 'any',
    chaining: 'allowed',
    keySelectors: [],
    location: { file: 'file:///jobs/job.ts', line: 12, column: 3 },
  }
}

interface Spread {
  send(value: unknown, timestamp?: number): void
  /** The values that each channel got. */
  values(): unknown[][]
  batch(channel: number): Batch
}

function spread(partitioning: Partitioning, count: number, subtaskIndex = 0, seed = 1): Spread {
  const channels = Array.from(
    { length: count },
    (_, index) =>
      new Channel({
        name: String(index),
        capacityRecords: 100_000,
        hasTimestamps: true,
        hasKeys: partitioning.kind === 'hash',
        hasRetractions: false,
        senderCapacity: undefined,
        ...overshootLimit('', 100_000),
      }),
  )
  const record = { timestamp: -Infinity, key: undefined, isRetraction: false }
  const edge = { from: 0, to: 1, input: 0, partitioning, outputTag: undefined, isFeedback: false }
  const emit = partitioner({ edge, target: target(count), channels, subtaskIndex, record, prng: new Prng(seed) })
  return {
    send(value, timestamp = -Infinity) {
      record.timestamp = timestamp
      emit(value)
    },
    values: () =>
      channels.map(channel => {
        const values: unknown[] = []
        for (let next = channel.poll(); next !== undefined; next = channel.poll())
          values.push(...(next as Batch).values)
        return values
      }),
    batch: index => (channels[index] as Channel).poll() as Batch,
  }
}

function sent(partitioning: Partitioning, count: number, values: readonly unknown[], subtaskIndex = 0): unknown[][] {
  const to = spread(partitioning, count, subtaskIndex)
  for (const value of values) to.send(value)
  return to.values()
}

const NUMBERS = Array.from({ length: 1000 }, (_, i) => i)

describe('partitionings without key', () => {
  test('forward and global send all to the one channel', () => {
    assert.deepEqual(sent({ kind: 'forward' }, 1, [1, 2, 3]), [[1, 2, 3]])
    assert.deepEqual(sent({ kind: 'global' }, 1, [1, 2, 3]), [[1, 2, 3]])
  })

  for (const kind of ['rebalance', 'rescale'] as const) {
    test(`${kind} sends in turn, each subtask beginning elsewhere`, () => {
      assert.deepEqual(sent({ kind }, 3, [1, 2, 3, 4]), [[1, 4], [2], [3]])
      assert.deepEqual(sent({ kind }, 3, [1, 2, 3, 4], 4), [[3], [1, 4], [2]])
    })
  }

  test('broadcast sends every record to all', () => {
    assert.deepEqual(sent({ kind: 'broadcast' }, 2, ['a', 'b']), [
      ['a', 'b'],
      ['a', 'b'],
    ])
  })

  test('shuffle spreads at random: evenly, and the same for the same seed', () => {
    const counts = sent({ kind: 'shuffle' }, 4, NUMBERS).map(values => values.length)
    assert.equal(
      counts.reduce((a, b) => a + b),
      1000,
    )
    for (const count of counts) assert.ok(count > 200 && count < 300, `${counts}`)
    assert.deepEqual(sent({ kind: 'shuffle' }, 4, NUMBERS), sent({ kind: 'shuffle' }, 4, NUMBERS))
  })

  test('local-or-shuffle sends to its own subtask where there is one, else at random', () => {
    assert.deepEqual(sent({ kind: 'local-or-shuffle' }, 1, [1, 2]), [[1, 2]])
    const counts = sent({ kind: 'local-or-shuffle' }, 2, NUMBERS).map(values => values.length)
    assert.ok(counts.every(count => count > 400))
  })

  test('records keep their timestamps', () => {
    for (const kind of ['forward', 'rebalance', 'shuffle', 'broadcast'] as const) {
      const to = spread({ kind }, 1)
      to.send('x', 42)
      assert.deepEqual(to.batch(0).timestamps, [42], kind)
    }
  })
})

describe('hash', () => {
  const keys: readonly unknown[] = [
    'storm',
    'flink',
    '',
    'é',
    0,
    -1,
    1.5,
    true,
    null,
    10n,
    ['a', 1],
    { b: 2, a: 1 },
    new Uint8Array([1]),
  ]

  test('sends every key to the subtask that owns its key group, with the key', () => {
    for (let parallelism = 1; parallelism <= 5; parallelism++) {
      for (const key of keys) {
        const to = spread({ kind: 'hash', key: functionSelector((record: unknown) => record) }, parallelism)
        to.send(key, 9)
        const group = keyGroupOf(hashKey(key), MAX_PARALLELISM)
        const owner = NUMBERS.slice(0, parallelism).find(index => {
          const range = keyGroupRange(index, parallelism, MAX_PARALLELISM)
          return group >= range.from && group < range.to
        }) as number
        assert.deepEqual(to.batch(owner), {
          kind: 'batch',
          values: [key],
          timestamps: [9],
          keys: [key],
          retractions: undefined,
        })
      }
    }
  })

  test('equal keys of different identity go to the same subtask', () => {
    const to = spread({ kind: 'hash', key: tupleSelector(['city', 'day']) }, 4)
    for (let i = 0; i < 10; i++) to.send({ city: 'Cork', day: 1, i })
    assert.deepEqual(
      to
        .values()
        .map(values => values.length)
        .toSorted((a, b) => a - b),
      [0, 0, 0, 10],
    )
  })

  function failureOf(partitioning: Partitioning, value: unknown): StepFailure {
    try {
      spread(partitioning, 2).send(value)
    } catch (error) {
      assert.ok(error instanceof StepFailure)
      return error
    }
    return assert.fail('it did not fail')
  }

  test('an undefined key is KEY_UNDEFINED, naming step, place, field and record', () => {
    const failure = failureOf({ kind: 'hash', key: fieldSelector('word') }, { wrod: 'a' })
    assert.equal(failure.code, 'KEY_UNDEFINED')
    assert.match(
      failure.message,
      /step "target" \(\/jobs\/job.ts:12\): key field word gives undefined on record {"wrod":"a"}; return a value/,
    )
    assert.match(
      failureOf({ kind: 'hash', key: functionSelector(() => undefined) }, 1).message,
      /the key selector gives undefined on record 1/,
    )
  })

  test('a selector that throws is USER_FUNCTION_FAILED, a value that cannot be a key KEY_INVALID', () => {
    const throwing = functionSelector(() => {
      throw new TypeError('no such field')
    })
    assert.match(
      failureOf({ kind: 'hash', key: throwing }, 1).message,
      /USER_FUNCTION_FAILED.*TypeError: no such field/,
    )
    assert.equal(failureOf({ kind: 'hash', key: functionSelector(() => new Date(0)) }, 1).code, 'KEY_INVALID')
  })
})

describe('partial-key', () => {
  test('sends a key to two subtasks at most, and halves the load of a key that is most of the stream', () => {
    const key = functionSelector((record: { word: string }) => record.word)
    const perWord = sent(
      { kind: 'partial-key', key },
      8,
      NUMBERS.map(i => ({ word: i % 10 === 0 ? `rare${i}` : 'often', i })),
    ).map(values => (values as { word: string }[]).filter(({ word }) => word === 'often').length)
    const used = perWord.filter(count => count > 0)
    assert.equal(used.length, 2)
    for (const count of used) assert.ok(count > 300, `${used}`)
  })
})

describe('direct and custom', () => {
  const direct: Partitioning = { kind: 'direct', target: (record: { to: unknown }) => record.to as number }
  const custom: Partitioning = {
    kind: 'custom',
    key: fieldSelector('id'),
    partition: (id: number, subtaskCount) => id % subtaskCount,
  }

  test('direct sends where the record says, custom where the function of key and subtask count says', () => {
    assert.deepEqual(sent(direct, 3, [{ to: 2 }, { to: 0 }]), [[{ to: 0 }], [], [{ to: 2 }]])
    assert.deepEqual(sent(custom, 3, [{ id: 4 }, { id: 5 }]), [[], [{ id: 4 }], [{ id: 5 }]])
  })

  for (const index of [-1, 3, 0.5, Number.NaN, undefined]) {
    test(`the index ${index} is PARTITION_INVALID`, () => {
      assert.throws(
        () => sent(direct, 3, [{ to: index }]),
        (error: unknown) =>
          error instanceof StepFailure &&
          error.code === 'PARTITION_INVALID' &&
          /expected a whole number from 0 to 2/.test(error.message),
      )
    })
  }

  test('a partitioner that throws is USER_FUNCTION_FAILED at the step behind it', () => {
    const throwing: Partitioning = {
      kind: 'custom',
      key: fieldSelector('id'),
      partition: () => {
        throw new Error('boom')
      },
    }
    assert.throws(() => sent(throwing, 2, [{ id: 1 }]), /USER_FUNCTION_FAILED: step "target".*boom/)
  })

  test('the key of a custom partitioner is checked', () => {
    assert.throws(() => sent(custom, 2, [{}]), /KEY_UNDEFINED/)
  })
})
