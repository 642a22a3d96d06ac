import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { keyGroupOf } from '../model/key-groups.ts'
import { encodeKeyText, hashKey } from '../serde/key-encoding.ts'
import { KeyEntry, KeyedTable } from './keyed-table.ts'

class CountEntry extends KeyEntry {
  count = 0

  isEmpty(): boolean {
    return this.count === 0
  }
}

function countTable(mapEntriesMax?: number): KeyedTable<CountEntry> {
  return new KeyedTable(128, (key, keyGroup) => new CountEntry(key, keyGroup), mapEntriesMax)
}

const keys = (table: KeyedTable<CountEntry>): unknown[] => [...table.entries()].map(entry => entry.key)

describe('KeyedTable', () => {
  it('makes an entry once per key and finds it again', () => {
    const table = countTable()

    const entry = table.ensure('storm')

    assert.ok(entry instanceof CountEntry)
    assert.equal(table.ensure('storm'), entry)
    assert.equal(table.find('storm'), entry)
    assert.equal(table.size, 1)
  })

  it('finds nothing, and makes nothing, for a key that did not come', () => {
    const table = countTable()
    assert.equal(table.find('storm'), undefined)
    assert.equal(table.find(['storm']), undefined)
    assert.equal(table.size, 0)
  })

  it('gives an entry its key and the key group of the key', () => {
    const made: unknown[] = []
    const table = new KeyedTable(77, (key, keyGroup) => {
      made.push([key, keyGroup])
      return new CountEntry(key, keyGroup)
    })
    for (const key of ['dublin', 42, null, ['a', 1]]) table.ensure(key)
    assert.deepEqual(
      made,
      ['dublin', 42, null, ['a', 1]].map(key => [key, keyGroupOf(hashKey(key), 77)]),
    )
  })

  for (const [label, first, second] of [
    ['tuples', ['a', 1], ['a', 1]],
    ['objects with another field order', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['byte sequences', new Uint8Array([1, 2]), new Uint8Array([1, 2])],
    ['-0 and 0', -0, 0],
    ['NaN and NaN', NaN, NaN],
    ['bigints', 10n ** 30n, 10n ** 30n],
  ] as const) {
    it(`takes equal ${label} for one key`, () => {
      const table = countTable()
      assert.equal(table.ensure(first), table.ensure(second))
      assert.equal(table.find(second)?.key, first)
      assert.equal(table.size, 1)
    })
  }

  it('keeps keys of different types apart', () => {
    const table = countTable()
    const different = [
      1,
      1n,
      '1',
      true,
      null,
      'null',
      [1],
      ['1'],
      { 0: 1 },
      new Uint8Array([1]),
      '\u0004',
      encodeKeyText([1]),
    ]
    for (const key of different) table.ensure(key)
    assert.equal(table.size, different.length)
    for (const key of different) assert.equal(table.find(key)?.key, key)
  })

  for (const [label, key] of [
    ['undefined', undefined],
    ['a date', new Date(0)],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
  ] as const) {
    it(`refuses ${label} as a key`, () => {
      const table = countTable()
      assert.throws(() => table.ensure(key), { code: 'KEY_INVALID' })
      assert.throws(() => table.find(key), { code: 'KEY_INVALID' })
      assert.equal(table.size, 0)
    })
  }

  it('releases an entry only when nothing is left in it', () => {
    const table = countTable()
    for (const key of ['kept', ['kept', 2]]) table.ensure(key).count = 1
    for (const key of ['empty', ['empty', 2]]) table.ensure(key)

    for (const entry of [...table.entries()]) table.releaseIfEmpty(entry)

    assert.deepEqual(keys(table), ['kept', ['kept', 2]])
    assert.equal(table.find('empty'), undefined)
    assert.equal(table.find(['empty', 2]), undefined)
  })

  it('makes a fresh entry for a key that was released', () => {
    const table = countTable()
    const first = table.ensure('a')
    table.releaseIfEmpty(first)
    assert.notEqual(table.ensure('a'), first)
  })

  it('gives the entries in the order their keys first came, composite keys last', () => {
    const table = countTable()
    for (const key of ['b', ['t'], 'a', 'b', null, ['s']]) table.ensure(key)
    assert.deepEqual(keys(table), ['b', 'a', null, ['t'], ['s']])
  })

  it('goes on in further maps when one is full, and finds, counts, lists and releases in all of them', () => {
    const table = countTable(3)
    const all = Array.from({ length: 10 }, (_, index) => index)
    const entries = all.map(key => table.ensure(key))

    assert.equal(table.size, 10)
    assert.deepEqual(keys(table), all)
    assert.deepEqual(
      all.map(key => table.find(key)),
      entries,
    )
    assert.deepEqual(
      all.map(key => table.ensure(key)),
      entries,
    )

    table.releaseIfEmpty(entries[0] as CountEntry)
    table.releaseIfEmpty(entries[4] as CountEntry)
    table.releaseIfEmpty(entries[9] as CountEntry)
    assert.deepEqual(keys(table), [1, 2, 3, 5, 6, 7, 8])
    assert.equal(table.size, 7)
  })

  it('behaves as a map by the value of its keys, whatever comes and goes', () => {
    const key = fc.oneof(
      fc.integer({ min: 0, max: 6 }),
      fc.constantFrom<unknown>('a', 'b', null, true, NaN, 3n),
      fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 0, max: 1 })),
    )
    const action = fc.record({ kind: fc.constantFrom('add', 'remove', 'find'), key })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (actions, mapEntriesMax) => {
        const table = countTable(mapEntriesMax)
        const model = new Map<string, number>()
        for (const { kind, key } of actions) {
          const identity = encodeKeyText(key)
          if (kind === 'add') {
            table.ensure(key).count++
            model.set(identity, (model.get(identity) ?? 0) + 1)
          } else if (kind === 'remove') {
            const entry = table.find(key)
            if (entry !== undefined) {
              entry.count = 0
              table.releaseIfEmpty(entry)
            }
            model.delete(identity)
          }
          assert.equal(table.find(key)?.count, model.get(identity))
          assert.equal(table.size, model.size)
        }
        const held = [...table.entries()].map(entry => [encodeKeyText(entry.key), entry.count] as const)
        assert.deepEqual(new Map(held), model)
      }),
      { numRuns: 500 },
    )
  })
})
