// Ordered lists as declared state: one for each key, gone with the last element.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { type OrderedListState, orderedList } from '../model/state.ts'
import { KeyedState } from './keyed-state.ts'

interface Declared {
  readonly state: KeyedState
  readonly events: OrderedListState<string>
  at<R>(key: unknown, use: () => R): R
}

function declared(): Declared {
  const state = new KeyedState({ events: orderedList<string>() }, 128)
  const at = <R>(key: unknown, use: () => R): R => {
    state.select(key)
    const result = use()
    state.release()
    return result
  }
  return { state, events: state.handles['events'] as OrderedListState<string>, at }
}

describe('an ordered list', () => {
  test('is one for each key, in the order of time', () => {
    const { events, at } = declared()
    at('a', () => events.add(5, 'five'))
    at('b', () => events.add(1, 'one of b'))
    at('a', () => events.add(2, 'two'))
    const seen: [string, number][] = []
    at('a', () => events.forEach((event, timeMs) => seen.push([event, timeMs])))
    assert.deepEqual(seen, [
      ['two', 2],
      ['five', 5],
    ])
    assert.deepEqual(
      at('a', () => [events.size, events.firstTimeMs(), events.floor(4), events.floorTimeMs(4)]),
      [2, 2, 'two', 2],
    )
  })

  test('that is empty reads as such', () => {
    const { events, at } = declared()
    assert.deepEqual(
      at('a', () => [
        events.size,
        events.firstTimeMs(),
        events.shift(),
        events.floor(Infinity),
        events.floorTimeMs(Infinity),
      ]),
      [0, Infinity, undefined, undefined, -Infinity],
    )
    at('a', () => events.forEach(() => assert.fail('nothing to visit')))
  })

  test('lets its key go with the last element, however that leaves', () => {
    const { state, events, at } = declared()
    const leave: Record<string, () => void> = {
      shift: () => events.shift(),
      remove: () => events.remove(1, 1),
      clear: () => events.clear(),
    }
    for (const [name, use] of Object.entries(leave)) {
      at('a', () => events.add(1, 'x'))
      assert.equal(state.table.size, 1, name)
      at('a', use)
      assert.equal(state.table.size, 0, name)
    }
  })

  test('refuses a time that is not a number', () => {
    const { events, at } = declared()
    const message = 'TIMESTAMP_INVALID: an element was added at the time NaN; give a number'
    at('a', () => assert.throws(() => events.add(Number.NaN, 'x'), { code: 'TIMESTAMP_INVALID', message }))
    at('a', () => assert.throws(() => events.add('1' as never, 'x'), { code: 'TIMESTAMP_INVALID' }))
  })

  test('cannot be used without a current key', () => {
    const { events } = declared()
    for (const use of [() => events.size, () => events.add(1, 'x'), () => events.shift(), () => events.clear()]) {
      assert.throws(use, { code: 'STATE_UNDECLARED' })
    }
  })
})
