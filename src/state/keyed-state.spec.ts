import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { keyGroupOf } from '../model/key-groups.ts'
import { list, map, type StateDescriptors, type StateHandles, value } from '../model/state.ts'
import { hashKey } from '../serde/key-encoding.ts'
import { KeyedState } from './keyed-state.ts'

/** Keyed state with typed handles, and a way to be at a key for a while, as a record is. */
function declared<S extends StateDescriptors>(descriptors: S) {
  const state = new KeyedState(descriptors, 128)
  const handles = state.handles as unknown as StateHandles<S>
  const at = <R>(key: unknown, action: (handles: StateHandles<S>) => R): R => {
    state.select(key)
    const result = action(handles)
    state.release()
    return result
  }
  return { state, handles, at }
}

describe('value state', () => {
  it('is the initial value until it is set, for each key by itself', () => {
    const { at } = declared({ count: value(0) })
    assert.equal(
      at('a', ({ count }) => count.get()),
      0,
    )
    at('a', ({ count }) => count.set(count.get() + 5))
    assert.equal(
      at('a', ({ count }) => count.get()),
      5,
    )
    assert.equal(
      at('b', ({ count }) => count.get()),
      0,
    )
  })

  it('is undefined where no initial value was given', () => {
    const { at } = declared({ last: value<string>() })
    assert.equal(
      at('a', ({ last }) => last.get()),
      undefined,
    )
    at('a', ({ last }) => last.set('x'))
    assert.equal(
      at('a', ({ last }) => last.get()),
      'x',
    )
  })

  it('keeps what is false, 0, empty or null as a value of its own', () => {
    for (const stored of [false, 0, '', null, Number.NaN, 0n]) {
      const { at, state } = declared({ any: value<unknown>('initial') })
      at('a', ({ any }) => any.set(stored))
      assert.equal(
        at('a', ({ any }) => any.get()),
        stored,
      )
      assert.equal(state.table.size, 1)
    }
  })

  it('makes an object per key, keeps it when it is changed in place, and makes it anew after clear', () => {
    const { at } = declared({ seen: value(() => new Set<string>()) })
    at('a', ({ seen }) => seen.get().add('x'))
    at('b', ({ seen }) => seen.get().add('y'))
    assert.deepEqual(
      at('a', ({ seen }) => [...seen.get()]),
      ['x'],
    )
    at('a', ({ seen }) => seen.clear())
    assert.deepEqual(
      at('a', ({ seen }) => [...seen.get()]),
      [],
    )
    assert.deepEqual(
      at('b', ({ seen }) => [...seen.get()]),
      ['y'],
    )
  })

  it('is the initial value again after clear, and after it was set to undefined', () => {
    const { at, state } = declared({ limit: value<number | undefined>(3) })
    for (const forget of ['clear', 'set'] as const) {
      at('a', ({ limit }) => limit.set(9))
      at('a', ({ limit }) => (forget === 'clear' ? limit.clear() : limit.set(undefined)))
      assert.equal(
        at('a', ({ limit }) => limit.get()),
        3,
      )
      assert.equal(state.table.size, 0)
    }
  })
})

describe('list state', () => {
  it('holds what was added, in order, for each key by itself', () => {
    const { at } = declared({ words: list<string>() })
    assert.deepEqual(
      at('a', ({ words }) => words.get()),
      [],
    )
    at('a', ({ words }) => words.add('one'))
    at('a', ({ words }) => words.add('two'))
    assert.deepEqual(
      at('a', ({ words }) => words.get()),
      ['one', 'two'],
    )
    assert.deepEqual(
      at('b', ({ words }) => words.get()),
      [],
    )
  })

  it('is replaced by set, with a copy', () => {
    const { at } = declared({ words: list<string>() })
    const given = ['x', 'y']
    at('a', ({ words }) => words.add('old'))
    at('a', ({ words }) => words.set(given))
    given.push('z')
    at('a', ({ words }) => words.add('w'))
    assert.deepEqual(
      at('a', ({ words }) => words.get()),
      ['x', 'y', 'w'],
    )
    assert.deepEqual(given, ['x', 'y', 'z'])
  })

  it('can be set to a part of itself', () => {
    const { at } = declared({ words: list<string>() })
    at('a', ({ words }) => words.set(['x', 'y', 'z']))
    at('a', ({ words }) => words.set(words.get().slice(1)))
    at('a', ({ words }) => words.set(words.get()))
    assert.deepEqual(
      at('a', ({ words }) => words.get()),
      ['y', 'z'],
    )
  })

  it('holds nothing after clear, and after set to an empty list', () => {
    const { at, state } = declared({ words: list<string>() })
    for (const forget of ['clear', 'set'] as const) {
      at('a', ({ words }) => words.add('x'))
      at('a', ({ words }) => (forget === 'clear' ? words.clear() : words.set([])))
      assert.deepEqual(
        at('a', ({ words }) => words.get()),
        [],
      )
      assert.equal(state.table.size, 0)
    }
  })

  it('hands out an empty list that nobody can fill', () => {
    const { at } = declared({ words: list<string>() })
    assert.throws(() => at('a', ({ words }) => (words.get() as string[]).push('x')), TypeError)
  })
})

describe('map state', () => {
  it('is empty at first', () => {
    const { at } = declared({ prices: map<string, number>() })
    assert.deepEqual(
      at('a', ({ prices }) => [
        prices.size,
        prices.get('x'),
        prices.has('x'),
        prices.delete('x'),
        [...prices.keys()],
        [...prices.entries()],
      ]),
      [0, undefined, false, false, [], []],
    )
  })

  it('goes on as a Map of its key, in the order of insertion', () => {
    const { at } = declared({ prices: map<string, number>() })
    at('a', ({ prices }) => prices.set('y', 1))
    at('a', ({ prices }) => prices.set('x', 2))
    at('a', ({ prices }) => prices.set('y', 3))
    at('b', ({ prices }) => prices.set('z', 4))
    assert.deepEqual(
      at('a', ({ prices }) => [
        prices.size,
        prices.get('y'),
        prices.has('x'),
        prices.has('z'),
        [...prices.keys()],
        [...prices.entries()],
      ]),
      [
        2,
        3,
        true,
        false,
        ['y', 'x'],
        [
          ['y', 3],
          ['x', 2],
        ],
      ],
    )
  })

  it('deletes single entries and says whether there was one', () => {
    const { at } = declared({ prices: map<number, string>() })
    at('a', ({ prices }) => prices.set(1, 'one'))
    at('a', ({ prices }) => prices.set(2, 'two'))
    assert.deepEqual(
      at('a', ({ prices }) => [prices.delete(1), prices.delete(1), prices.size]),
      [true, false, 1],
    )
  })

  it('lets go of its key with the last entry, and with clear', () => {
    const { at, state } = declared({ prices: map<number, string>() })
    for (const forget of ['clear', 'delete'] as const) {
      at('a', ({ prices }) => prices.set(1, 'one'))
      assert.equal(state.table.size, 1)
      at('a', ({ prices }) => (forget === 'clear' ? prices.clear() : prices.delete(1)))
      assert.equal(state.table.size, 0)
    }
  })
})

describe('KeyedState', () => {
  const all = { count: value(0), words: list<string>(), prices: map<string, number>(), seen: value(() => [1]) }

  it('keeps the states of one key apart', () => {
    const { at } = declared({ first: value(0), second: value(0) })
    at('a', ({ first }) => first.set(1))
    assert.equal(
      at('a', ({ second }) => second.get()),
      0,
    )
    at('a', ({ second }) => second.set(2))
    at('a', ({ first }) => first.clear())
    assert.deepEqual(
      at('a', ({ first, second }) => [first.get(), second.get()]),
      [0, 2],
    )
  })

  it('makes no entry for reading, but for an object that the reader may change', () => {
    const frozen = Object.freeze({ limit: 3 })
    const { at, state } = declared({ ...all, options: value(frozen) })
    at('a', ({ count, words, prices, options }) => [
      count.get(),
      words.get(),
      prices.size,
      prices.has('x'),
      options.get(),
      words.clear(),
    ])
    assert.equal(state.table.size, 0)
    at('a', ({ seen }) => seen.get())
    assert.equal(state.table.size, 1)
  })

  it('lets go of a key when the last of its states is cleared', () => {
    const { at, state } = declared(all)
    at('a', ({ count, words, prices }) => {
      count.set(1)
      words.add('x')
      prices.set('x', 1)
    })
    at('a', ({ count }) => count.clear())
    at('a', ({ words }) => words.clear())
    assert.equal(state.table.size, 1)
    at('a', ({ prices }) => prices.clear())
    assert.equal(state.table.size, 0)
  })

  it('keeps an entry while timers refer to it', () => {
    const { state } = declared(all)
    state.select('a')
    const entry = state.currentEntry()
    entry.timers = 1
    state.release()
    assert.equal(state.table.find('a'), entry)
    state.select('b')
    state.release()
    state.selectEntry(entry)
    assert.equal(state.currentKey, 'a')
    entry.timers = 0
    state.release()
    assert.equal(state.table.size, 0)
  })

  it('finds composite keys by value, and gives entries with their keys and key groups', () => {
    const { at, state } = declared(all)
    at(['Dublin', 1], ({ count }) => count.set(7))
    at({ b: 1, a: 2 }, ({ count }) => count.set(8))
    assert.equal(
      at(['Dublin', 1], ({ count }) => count.get()),
      7,
    )
    assert.equal(
      at({ a: 2, b: 1 }, ({ count }) => count.get()),
      8,
    )
    assert.deepEqual(
      Array.from(state.table.entries(), ({ key, keyGroup }) => [key, keyGroup]),
      [['Dublin', 1], { b: 1, a: 2 }].map(key => [key, keyGroupOf(hashKey(key), 128)]),
    )
  })

  it('works on the entry of a timer as on that of a record', () => {
    const { at, state, handles } = declared(all)
    at('a', ({ count }) => count.set(4))
    const [entry] = [...state.table.entries()]
    assert.ok(entry !== undefined)
    state.selectEntry(entry)
    assert.equal(handles.count.get(), 4)
    handles.count.set(5)
    state.release()
    assert.equal(
      at('a', ({ count }) => count.get()),
      5,
    )
  })

  it('refuses to be used outside of a record or timer, before the first and between two', () => {
    const { at, handles } = declared(all)
    const uses: Readonly<Record<string, () => unknown>> = {
      'value get': () => handles.count.get(),
      'value set': () => handles.count.set(1),
      'value clear': () => handles.count.clear(),
      'list get': () => handles.words.get(),
      'list add': () => handles.words.add('x'),
      'list set': () => handles.words.set(['x']),
      'list clear': () => handles.words.clear(),
      'map get': () => handles.prices.get('x'),
      'map set': () => handles.prices.set('x', 1),
      'map has': () => handles.prices.has('x'),
      'map delete': () => handles.prices.delete('x'),
      'map keys': () => handles.prices.keys(),
      'map entries': () => handles.prices.entries(),
      'map size': () => handles.prices.size,
      'map clear': () => handles.prices.clear(),
    }
    for (const moment of ['before', 'after']) {
      for (const [name, use] of Object.entries(uses)) {
        assert.throws(
          use,
          {
            code: 'STATE_UNDECLARED',
            message:
              'STATE_UNDECLARED: keyed state was used outside onRecord and onTimer, where there is no current key; use it inside them',
          },
          `${name} ${moment}`,
        )
      }
      at('a', ({ count }) => count.set(1))
    }
  })

  it('refuses what cannot be a key as soon as it is selected', () => {
    const { state } = declared(all)
    for (const key of [undefined, new Date(0), Symbol('s')]) {
      assert.throws(() => state.select(key), { code: 'KEY_INVALID' })
    }
  })

  it('hands out handles that cannot be replaced', () => {
    const { state } = declared(all)
    assert.ok(Object.isFrozen(state.handles))
    assert.deepEqual(Object.keys(state.handles), ['count', 'words', 'prices', 'seen'])
  })

  it('agrees with a plain map of values under any mix of changes', () => {
    const step = fc.record({
      key: fc.constantFrom<unknown>('a', 'b', ['a'], ['a', 1]),
      change: fc.constantFrom('add', 'append', 'put', 'clear-value', 'clear-list', 'clear-map'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const { at, state } = declared({ count: value(0), words: list<number>(), prices: map<number, number>() })
        const model = new Map<string, { count: number; words: number[]; prices: [number, number][] }>()
        for (const [i, { key, change }] of steps.entries()) {
          const text = JSON.stringify(key)
          const expected = model.get(text) ?? { count: 0, words: [], prices: [] }
          model.set(text, expected)
          if (change === 'add') expected.count++
          else if (change === 'append') expected.words.push(i)
          else if (change === 'put') expected.prices.push([i, i])
          else if (change === 'clear-value') expected.count = 0
          else if (change === 'clear-list') expected.words = []
          else expected.prices = []
          at(key, ({ count, words, prices }) => {
            if (change === 'add') count.set(count.get() + 1)
            else if (change === 'append') words.add(i)
            else if (change === 'put') prices.set(i, i)
            else if (change === 'clear-value') count.clear()
            else if (change === 'clear-list') words.clear()
            else prices.clear()
          })
          assert.deepEqual(
            at(key, ({ count, words, prices }) => ({
              count: count.get(),
              words: [...words.get()],
              prices: [...prices.entries()],
            })),
            expected,
          )
        }
        const kept = [...model.values()].filter(
          ({ count, words, prices }) => count > 0 || words.length > 0 || prices.length > 0,
        )
        assert.equal(state.table.size, kept.length)
      }),
    )
  })
})
