import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ListState, MapState, StateDescriptors, StateHandles, ValueState } from '../model/state.ts'
import { list, map, value } from '../model/state.ts'
import { KeyedState } from './keyed-state.ts'

interface Opened<S extends StateDescriptors> {
  readonly state: KeyedState
  readonly handles: StateHandles<S>
}

function open<S extends StateDescriptors>(descriptors: S): Opened<S> {
  const state = new KeyedState(descriptors, 128)
  return { state, handles: state.handles as StateHandles<S> }
}

/** Runs one turn of a key, as an operator does for a record. */
function turn(state: KeyedState, key: unknown, act: () => void): void {
  state.select(key)
  act()
  state.release()
}

describe('KeyedState', () => {
  it('has a handle per declared name, frozen', () => {
    const { handles } = open({ count: value(0), words: list<string>(), seen: map<string, number>() })
    assert.deepEqual(Object.keys(handles), ['count', 'words', 'seen'])
    assert.ok(Object.isFrozen(handles))
  })

  it('keeps the values of keys apart', () => {
    const { state, handles } = open({ count: value(0) })
    for (const key of ['a', 'b', 'a', 'a']) turn(state, key, () => handles.count.set(handles.count.get() + 1))

    turn(state, 'a', () => assert.equal(handles.count.get(), 3))
    turn(state, 'b', () => assert.equal(handles.count.get(), 1))
    turn(state, 'c', () => assert.equal(handles.count.get(), 0))
  })

  it('keeps the declared states of a key apart', () => {
    const { state, handles } = open({ first: value(1), second: value(2) })
    turn(state, 'a', () => {
      handles.first.set(10)
      assert.equal(handles.second.get(), 2)
      handles.second.set(20)
      assert.equal(handles.first.get(), 10)
      handles.first.clear()
      assert.equal(handles.second.get(), 20)
    })
  })

  it('takes composite keys by value', () => {
    const { state, handles } = open({ count: value(0) })
    turn(state, { city: 'dublin', day: 1 }, () => handles.count.set(7))
    turn(state, { day: 1, city: 'dublin' }, () => assert.equal(handles.count.get(), 7))
    turn(state, ['dublin', 1], () => assert.equal(handles.count.get(), 0))
    assert.equal(state.table.size, 1)
  })

  it('says which key is current', () => {
    const { state, handles } = open({ count: value(0) })
    turn(state, 'a', () => {
      assert.equal(state.currentKey, 'a')
      handles.count.set(1)
    })
    const [entry] = [...state.table.entries()]
    state.select('b')
    assert.equal(state.currentKey, 'b')
    assert.ok(entry !== undefined)
    state.selectEntry(entry)
    assert.equal(state.currentKey, 'a')
    assert.equal(handles.count.get(), 1)
  })

  it('makes no entry for a key that is only read', () => {
    const { state, handles } = open({ count: value(0), words: list<string>(), seen: map<string, number>() })
    turn(state, 'a', () => {
      handles.count.get()
      handles.words.get()
      handles.seen.get('x')
      handles.seen.has('x')
      handles.seen.delete('x')
      handles.count.clear()
      handles.words.clear()
      handles.seen.clear()
    })
    assert.equal(state.table.size, 0)
  })

  for (const [label, fill, empty] of [
    ['a value', (h: Handles) => h.count.set(1), (h: Handles) => h.count.clear()],
    ['a list', (h: Handles) => h.words.add('x'), (h: Handles) => h.words.clear()],
    ['a list, by an empty one', (h: Handles) => h.words.add('x'), (h: Handles) => h.words.set([])],
    ['a map', (h: Handles) => h.seen.set('x', 1), (h: Handles) => h.seen.clear()],
    ['a map, by its last key', (h: Handles) => h.seen.set('x', 1), (h: Handles) => h.seen.delete('x')],
  ] as const) {
    it(`lets go of the entry of a key when ${label} is cleared`, () => {
      const { state, handles } = open({ count: value(0), words: list<string>(), seen: map<string, number>() })
      turn(state, 'a', () => fill(handles))
      assert.equal(state.table.size, 1)
      turn(state, 'a', () => empty(handles))
      assert.equal(state.table.size, 0)
    })
  }

  it('keeps the entry of a key while another state, or a timer, holds it', () => {
    const { state, handles } = open({ count: value(0), words: list<string>() })
    turn(state, 'a', () => {
      handles.count.set(1)
      handles.words.add('x')
      handles.count.clear()
    })
    assert.equal(state.table.size, 1)

    turn(state, 'b', () => {
      state.currentEntry().timers = 1
    })
    assert.equal(state.table.size, 2)
    turn(state, 'b', () => {
      state.currentEntry().timers = 0
    })
    assert.equal(state.table.size, 1)
  })

  it('is an error outside the turn of a key, for every use of every handle', () => {
    const { state, handles } = open({ count: value(0), words: list<string>(), seen: map<string, number>() })
    const outside = {
      code: 'STATE_UNDECLARED',
      message:
        'STATE_UNDECLARED: keyed state was used outside onRecord and onTimer, where there is no current key; use it inside them',
    }
    const uses: readonly (() => unknown)[] = [
      () => handles.count.get(),
      () => handles.count.set(1),
      () => handles.count.clear(),
      () => handles.words.get(),
      () => handles.words.add('x'),
      () => handles.words.set(['x']),
      () => handles.words.set([]),
      () => handles.words.clear(),
      () => handles.seen.get('x'),
      () => handles.seen.set('x', 1),
      () => handles.seen.has('x'),
      () => handles.seen.delete('x'),
      () => handles.seen.keys(),
      () => handles.seen.entries(),
      () => handles.seen.size,
      () => handles.seen.clear(),
      () => state.currentEntry(),
    ]
    for (const use of uses) assert.throws(use, outside)
    turn(state, 'a', () => handles.count.set(1))
    for (const use of uses) assert.throws(use, outside)
    assert.equal(state.table.size, 1)
  })

  it('refuses what cannot be a key', () => {
    const { state } = open({ count: value(0) })
    assert.throws(() => state.select(undefined), { code: 'KEY_INVALID' })
  })
})

interface Handles {
  readonly count: ValueState<number>
  readonly words: ListState<string>
  readonly seen: MapState<string, number>
}

describe('value state', () => {
  it('gives the initial value while nothing was set, and again after clear', () => {
    const { state, handles } = open({ count: value(5) })
    turn(state, 'a', () => {
      assert.equal(handles.count.get(), 5)
      handles.count.set(6)
      assert.equal(handles.count.get(), 6)
      handles.count.clear()
      assert.equal(handles.count.get(), 5)
    })
  })

  it('is undefined at first without an initial value', () => {
    const { state, handles } = open({ last: value<string>() })
    turn(state, 'a', () => assert.equal(handles.last.get(), undefined))
  })

  it('keeps null, false, 0 and the empty text, which are values', () => {
    const { state, handles } = open({ any: value<unknown>(() => 'initial') })
    for (const stored of [null, false, 0, '', NaN]) {
      turn(state, 'a', () => handles.any.set(stored))
      turn(state, 'a', () => assert.equal(handles.any.get(), stored))
    }
  })

  it('keeps changes made in place to what the factory made, per key', () => {
    const { state, handles } = open({ seen: value(() => new Set<string>()) })
    turn(state, 'a', () => handles.seen.get().add('x'))
    turn(state, 'b', () => handles.seen.get().add('y'))
    turn(state, 'a', () => assert.deepEqual([...handles.seen.get()], ['x']))
    turn(state, 'b', () => assert.deepEqual([...handles.seen.get()], ['y']))
  })

  it('stores nothing for a read of a frozen initial object, which nobody can change', () => {
    const initial = Object.freeze({ total: 0 })
    const { state, handles } = open({ sum: value(initial) })
    turn(state, 'a', () => assert.equal(handles.sum.get(), initial))
    assert.equal(state.table.size, 0)
  })
})

describe('list state', () => {
  it('gives the elements in the order added', () => {
    const { state, handles } = open({ words: list<string>() })
    turn(state, 'a', () => handles.words.add('x'))
    turn(state, 'a', () => handles.words.add('y'))
    turn(state, 'a', () => assert.deepEqual(handles.words.get(), ['x', 'y']))
    turn(state, 'b', () => assert.deepEqual(handles.words.get(), []))
  })

  it('replaces all elements by a copy of those given', () => {
    const { state, handles } = open({ words: list<string>() })
    const given = ['p', 'q']
    turn(state, 'a', () => {
      handles.words.add('x')
      handles.words.set(given)
    })
    given.push('later')
    turn(state, 'a', () => {
      handles.words.add('r')
      assert.deepEqual(handles.words.get(), ['p', 'q', 'r'])
    })
    assert.deepEqual(given, ['p', 'q', 'later'])
  })

  it('can be set to a part of itself', () => {
    const { state, handles } = open({ words: list<string>() })
    turn(state, 'a', () => {
      handles.words.set(['a', 'b', 'c'])
      handles.words.set(handles.words.get().filter(word => word !== 'b'))
      assert.deepEqual(handles.words.get(), ['a', 'c'])
      handles.words.set(handles.words.get())
      assert.deepEqual(handles.words.get(), ['a', 'c'])
    })
  })

  it('hands out an empty list that cannot be changed', () => {
    const { state, handles } = open({ words: list<string>() })
    turn(state, 'a', () => assert.throws(() => (handles.words.get() as string[]).push('x'), TypeError))
    turn(state, 'b', () => assert.deepEqual(handles.words.get(), []))
  })
})

describe('map state', () => {
  it('behaves as a Map of its key, which is gone when it is empty', () => {
    const entry = fc.constantFrom<string | number>('x', 'y', 1, '1')
    const action = fc.record({
      kind: fc.constantFrom('set', 'delete', 'clear'),
      key: fc.constantFrom('a', 'b'),
      entry,
      stored: fc.integer(),
    })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), actions => {
        const { state, handles } = open({ seen: map<string | number, number>() })
        const model: Record<string, Map<string | number, number>> = { a: new Map(), b: new Map() }
        for (const { kind, key, entry, stored } of actions) {
          const expected = model[key] as Map<string | number, number>
          turn(state, key, () => {
            if (kind === 'set') {
              handles.seen.set(entry, stored)
              expected.set(entry, stored)
            } else if (kind === 'delete') assert.equal(handles.seen.delete(entry), expected.delete(entry))
            else {
              handles.seen.clear()
              expected.clear()
            }
            assert.equal(handles.seen.size, expected.size)
            assert.equal(handles.seen.has(entry), expected.has(entry))
            assert.equal(handles.seen.get(entry), expected.get(entry))
            assert.deepEqual([...handles.seen.keys()], [...expected.keys()])
            assert.deepEqual([...handles.seen.entries()], [...expected.entries()])
          })
        }
        assert.equal(state.table.size, Object.values(model).filter(entries => entries.size > 0).length)
      }),
      { numRuns: 300 },
    )
  })
})
