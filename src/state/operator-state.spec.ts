// State of operators that belongs to no key: elements of subtasks, dealt out again or given to all.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { jsonCodec } from '../model/codec.ts'
import { type OperatorStateDescriptors, operatorList, operatorUnion } from '../model/operator-state.ts'
import { restoreFromSubtasks, restoreParts, snapshotParts } from '../testing/snapshot-operator.ts'
import { OperatorStates } from './operator-state.ts'

function states(descriptors: OperatorStateDescriptors) {
  const made = new OperatorStates(descriptors)
  return { ...made, elements: (name: string) => made.handles[name]?.get() }
}

describe('operator state', () => {
  test('is a list that can be added to, replaced by a copy, and cleared', () => {
    const { handles, elements } = states({ seen: operatorList<number>() })
    assert.deepEqual(elements('seen'), [])
    handles['seen']?.add(1)
    handles['seen']?.add(2)
    assert.deepEqual(elements('seen'), [1, 2])
    const given = [3]
    handles['seen']?.set(given)
    given.push(4)
    assert.deepEqual(elements('seen'), [3])
    handles['seen']?.clear()
    assert.deepEqual(elements('seen'), [])
  })

  test('is in a snapshot as it was at the barrier, an element a row', () => {
    const descriptors = { seen: operatorList<{ n: number }>({ codec: jsonCodec() }), all: operatorUnion<string>() }
    const before = states(descriptors)
    const element = { n: 1 }
    before.handles['seen']?.set([element, { n: 2 }])
    before.handles['all']?.add('x')
    for (const part of before.parts) part.begin(1, false)
    element.n = 99
    before.handles['all']?.add('late')
    const taken = { parts: before.parts.map(part => part.take()) }
    assert.deepEqual(
      taken.parts.map(({ part, kind, isFull, schema, sections }) => [part, kind, isFull, schema, sections[0]?.rows]),
      [
        ['operator-state/seen', 'list', true, schemaOf('seen', 'operator-list', 'json'), 2],
        ['operator-state/all', 'union', true, schemaOf('all', 'operator-union', 'tagged'), 1],
      ],
    )
    const after = states(descriptors)
    restoreParts(after.parts, [taken])
    assert.deepEqual([after.elements('seen'), after.elements('all')], [[{ n: 1 }, { n: 2 }], ['x']])
  })

  test('of kind list is dealt out, of kind union given to all', () => {
    const descriptors = { some: operatorList<number>(), all: operatorUnion<number>() }
    const subtasks = [1, 2].map(n => {
      const { handles, parts } = states(descriptors)
      handles['some']?.add(n)
      handles['all']?.add(n)
      return [snapshotParts(parts, 1)]
    })
    const [first, second] = [states(descriptors), states(descriptors)]
    restoreFromSubtasks(first.parts, subtasks, { first: 0, last: 63 })
    restoreFromSubtasks(second.parts, subtasks, { first: 64, last: 127 })
    assert.deepEqual([first.elements('some'), second.elements('some')], [[1, 2], []])
    assert.deepEqual(
      [first.elements('all'), second.elements('all')],
      [
        [1, 2],
        [1, 2],
      ],
    )
  })

  test('is migrated, and refused where it does not fit', () => {
    const before = states({ seen: operatorList<number>() })
    before.handles['seen']?.set([1, 2])
    const taken = snapshotParts(before.parts, 1)
    const later = states({ seen: operatorList<string>({ version: 1, migrate: (from, old) => `${from}:${old}` }) })
    restoreParts(later.parts, [taken])
    assert.deepEqual(later.elements('seen'), ['0:1', '0:2'])
    const other = states({ seen: operatorList<number>({ version: 1 }) })
    assert.throws(() => restoreParts(other.parts, [taken]), {
      code: 'STATE_INCOMPATIBLE',
      message: /state "seen" has version 0 in the snapshot and is declared version 1; declare migrate/,
    })
  })

  test('names what cannot be written', () => {
    const { handles, parts } = states({ seen: operatorList<unknown>() })
    handles['seen']?.add(Promise.resolve())
    assert.throws(() => snapshotParts(parts, 1), {
      code: 'STATE_NOT_SERIALIZABLE',
      message: /: operator state "seen": the value is a promise; await it first/,
    })
  })
})

function schemaOf(name: string, kind: string, codec: string): object {
  return { layout: 'elements', states: [{ name, kind, codec, version: 0 }] }
}
