// State with a time-to-live: what has expired is not there any more, for handles, for snapshots, and before long for the memory.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { AggregateFunction } from '../model/aggregate-function.ts'
import {
  aggregating,
  list,
  map,
  orderedList,
  reducing,
  type StateDescriptors,
  type StateHandles,
  value,
} from '../model/state.ts'
import type { TtlOptions } from '../model/state-options.ts'
import { restoreParts, snapshotParts } from '../testing/snapshot-operator.ts'
import { KeyedState } from './keyed-state.ts'

const count: AggregateFunction<unknown, number, number> = {
  create: () => 0,
  add: n => n + 1,
  merge: (a, b) => a + b,
  result: n => n,
}

function declared<S extends StateDescriptors>(descriptors: S) {
  const clock = { ms: 0 }
  const state = new KeyedState(descriptors, 16, { isTracked: true, nowMs: () => clock.ms })
  const at = <R>(timeMs: number, action: (handles: StateHandles<S>) => R, key: unknown = 'k'): R => {
    clock.ms = timeMs
    state.select(key)
    const result = action(state.handles as StateHandles<S>)
    state.release()
    return result
  }
  return { state, at, clock }
}

function ttl(updateOn?: TtlOptions['updateOn']): { ttl: TtlOptions } {
  return { ttl: updateOn === undefined ? { durationMs: 10 } : { durationMs: 10, updateOn } }
}

describe('a value with a time-to-live', () => {
  test('is gone from the millisecond at which it expires', () => {
    const { at, state } = declared({ n: value(-1, ttl()) })
    at(0, ({ n }) => n.set(5))
    assert.equal(
      at(9, ({ n }) => n.get()),
      5,
    )
    assert.equal(
      at(10, ({ n }) => n.get()),
      -1,
    )
    assert.equal(state.table.size, 0)
  })

  test('lives on by what updateOn says', () => {
    const lives = (updateOn?: TtlOptions['updateOn']): boolean[] => {
      const { at } = declared({ n: value(0, ttl(updateOn)), m: value(0, ttl(updateOn)) })
      at(0, ({ n, m }) => {
        n.set(1)
        m.set(1)
      })
      at(6, ({ n, m }) => {
        n.set(2)
        m.get()
      })
      return at(12, ({ n, m }) => [n.get() !== 0, m.get() !== 0])
    }
    assert.deepEqual(lives('create'), [false, false])
    assert.deepEqual(lives(), [true, false])
    assert.deepEqual(lives('write'), [true, false])
    assert.deepEqual(lives('read'), [true, true])
  })

  test('that a read renewed is in the next snapshot, of a number as well', () => {
    const descriptors = { n: value(0, ttl('read')) }
    const { state, at } = declared(descriptors)
    for (const key of ['a', 'b', 'c']) at(0, ({ n }) => n.set(1), key)
    const base = snapshotParts([state.part], 1)
    at(8, ({ n }) => n.get(), 'a')
    const delta = snapshotParts([state.part], 2)
    assert.equal(delta.parts[0]?.isFull, false)
    const after = declared(descriptors)
    after.clock.ms = 9
    restoreParts([after.state.part], [base, delta])
    assert.deepEqual(
      ['a', 'b'].map(key => after.at(17, ({ n }) => n.get(), key)),
      [1, 0],
    )
  })

  test('is created anew after it expired, also where its creation counts', () => {
    const { at } = declared({ n: value(0, ttl('create')) })
    at(0, ({ n }) => n.set(1))
    at(15, ({ n }) => n.set(2))
    assert.equal(
      at(24, ({ n }) => n.get()),
      2,
    )
  })
})

describe('lists and maps with a time-to-live', () => {
  test('lose each element by itself', () => {
    const { at, state } = declared({
      words: list<string>(ttl()),
      sizes: map<string, number>(ttl()),
      events: orderedList<string>(ttl()),
    })
    for (const [timeMs, word] of [
      [0, 'a'],
      [4, 'b'],
      [8, 'c'],
    ] as const) {
      at(timeMs, ({ words, sizes, events }) => {
        words.add(word)
        sizes.set(word, timeMs)
        // The oldest has the latest time of its own.
        events.add(-timeMs, word)
      })
    }
    const seen = (timeMs: number): unknown =>
      at(timeMs, ({ words, sizes, events }) => {
        const visited: string[] = []
        events.forEach(event => visited.push(event))
        const has = ['a', 'b', 'c'].filter(word => sizes.has(word))
        assert.deepEqual(
          [sizes.size, [...sizes.keys()], [...sizes.entries()].map(([key]) => key)],
          [has.length, has, has],
        )
        assert.deepEqual([events.size, events.floor(Infinity)], [visited.length, visited.at(-1)])
        return [words.get(), has, visited]
      })
    assert.deepEqual(seen(9), [
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
      ['c', 'b', 'a'],
    ])
    assert.deepEqual(seen(10), [
      ['b', 'c'],
      ['b', 'c'],
      ['c', 'b'],
    ])
    assert.deepEqual(seen(17), [['c'], ['c'], ['c']])
    assert.deepEqual(seen(18), [[], [], []])
    assert.equal(state.table.size, 0)
  })

  test('count an expired entry of a map as absent for get, delete and set', () => {
    const { at } = declared({ sizes: map<string, number>(ttl('create')) })
    at(0, ({ sizes }) => sizes.set('a', 1))
    assert.deepEqual(
      at(10, ({ sizes }) => [sizes.get('a'), sizes.delete('a')]),
      [undefined, false],
    )
    at(10, ({ sizes }) => sizes.set('a', 2))
    at(15, ({ sizes }) => sizes.set('a', 3))
    assert.equal(
      at(19, ({ sizes }) => sizes.get('a')),
      3,
    )
    assert.equal(
      at(20, ({ sizes }) => sizes.get('a')),
      undefined,
    )
  })
})

describe('aggregates with a time-to-live', () => {
  test('begin again', () => {
    const { at } = declared({
      seen: aggregating(count, ttl()),
      longest: reducing<string>((a, b) => (b > a ? b : a), ttl()),
    })
    for (const timeMs of [0, 9, 18]) {
      at(timeMs, ({ seen, longest }) => {
        seen.add(1)
        longest.add(`at ${timeMs}`)
      })
    }
    assert.deepEqual(
      at(27, ({ seen, longest }) => [seen.get(), longest.get()]),
      [3, 'at 9'],
    )
    assert.deepEqual(
      at(28, ({ seen, longest }) => [seen.get(), longest.get()]),
      [undefined, undefined],
    )
  })
})

describe('expired values that nobody meets', () => {
  test('are removed within a bounded number of records', () => {
    const { at, state } = declared({ n: value(0, ttl()), words: list<number>(ttl()) })
    for (let key = 0; key < 100; key++) {
      at(
        0,
        ({ n, words }) => {
          n.set(key)
          words.set([1, 2, 3])
        },
        key,
      )
    }
    assert.equal(state.table.size, 100)
    // Each of them is an entry and four values, of which two are looked at with each record.
    for (let record = 0; record < 1000; record++) at(10, () => undefined, 'other')
    assert.equal(state.table.size, 0)
  })

  test('cost little with each record', () => {
    const { at, state } = declared({ n: value(0, ttl()) })
    for (let key = 0; key < 1000; key++) at(0, ({ n }) => n.set(key), key)
    at(10, () => undefined, 'other')
    assert.ok(state.table.size >= 990, `${1000 - state.table.size} keys were removed at once`)
  })

  test('are in no snapshot, and are not restored', () => {
    const descriptors = { n: value(0, ttl()), words: list<string>(ttl()) }
    const { state, at, clock } = declared(descriptors)
    at(0, ({ n }) => n.set(1), 'a')
    at(
      5,
      ({ n, words }) => {
        n.set(1)
        words.add('early')
      },
      'b',
    )
    at(9, ({ words }) => words.add('late'), 'b')
    clock.ms = 12
    const taken = snapshotParts([state.part], 1, true)
    assert.equal(
      taken.parts[0]?.sections.reduce((rows, section) => rows + section.rows, 0),
      1,
    )
    const after = declared(descriptors)
    after.clock.ms = 15
    restoreParts([after.state.part], [taken])
    assert.deepEqual(
      after.at(15, ({ n, words }) => [n.get(), words.get()], 'b'),
      [0, ['late']],
    )
    assert.deepEqual(
      after.at(19, ({ words }) => words.get(), 'b'),
      [],
    )
  })

  test('are told to be gone by the next snapshot', () => {
    const descriptors = { n: value(0, ttl()) }
    const { state, at } = declared(descriptors)
    at(0, ({ n }) => n.set(1), 'a')
    at(0, ({ n }) => n.set(1), 'b')
    const base = snapshotParts([state.part], 1)
    for (let record = 0; record < 20; record++) at(10, () => undefined, 'other')
    const delta = snapshotParts([state.part], 2)
    const after = declared(descriptors)
    restoreParts([after.state.part], [base, delta])
    assert.equal(after.state.table.size, 0)
  })
})

test('state with a time-to-live needs the time', () => {
  assert.throws(() => new KeyedState({ n: value(0, ttl()) }, 16), {
    code: 'OPTION_INVALID',
    message: /state "n" declares a ttl, which functions over windows do not have/,
  })
})
