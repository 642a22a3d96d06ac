import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { keyGroupOf } from '../model/key-groups.ts'
import { encodeKeyText, hashKey } from '../serde/key-encoding.ts'
import { KeyEntry, KeyedTable } from './keyed-table.ts'

class Counter extends KeyEntry {
  count = 0

  isEmpty(): boolean {
    return this.count === 0
  }
}

function counters(mapEntriesMax?: number): KeyedTable<Counter> {
  return new KeyedTable(128, (key, keyGroup) => new Counter(key, keyGroup), undefined, mapEntriesMax)
}

function keysOf(table: KeyedTable<Counter>): unknown[] {
  return Array.from(table.entries(), entry => entry.key)
}

describe('KeyedTable', () => {
  it('makes an entry once per key, of the key group that the hash gives', () => {
    const table = counters()
    for (const key of [null, true, 1, 2n, 'a', Uint8Array.of(1), ['a', 1], { city: 'x' }]) {
      assert.equal(table.find(key), undefined)
      const entry = table.ensure(key)
      assert.deepEqual([entry.key, entry.keyGroup], [key, keyGroupOf(hashKey(key), 128)])
      assert.equal(table.ensure(key), entry)
      assert.equal(table.find(key), entry)
    }
    assert.equal(table.size, 8)
  })

  it('compares composite keys by value', () => {
    const table = counters()
    const entry = table.ensure({ city: 'Dublin', day: [1, 2n, Uint8Array.of(3)] })
    assert.equal(table.find({ day: [1, 2n, Uint8Array.of(3)], city: 'Dublin' }), entry)
    assert.equal(table.find({ day: [1, 2, Uint8Array.of(3)], city: 'Dublin' }), undefined)
  })

  it('takes 0 and -0 for one key, and NaN for a key', () => {
    const table = counters()
    assert.equal(table.ensure(-0), table.ensure(0))
    assert.equal(table.ensure(Number.NaN), table.ensure(Number.NaN))
    assert.equal(table.size, 2)
  })

  it('tells keys of different types apart', () => {
    const table = counters()
    const keys = [1, 1n, '1', true, [1], ['1'], Uint8Array.of(1), { 1: 1 }, null, 'null']
    for (const key of keys) table.ensure(key)
    assert.equal(table.size, keys.length)
  })

  it('gives the entries in the order their keys came, composite ones last', () => {
    const table = counters()
    for (const key of [['x'], 'b', 'a', 3, ['w']]) table.ensure(key)
    assert.deepEqual(keysOf(table), ['b', 'a', 3, ['x'], ['w']])
  })

  it('lets go of an entry only when nothing is kept in it', () => {
    const table = counters()
    for (const key of ['a', ['a']]) {
      const entry = table.ensure(key)
      entry.count = 1
      table.releaseIfEmpty(entry)
      assert.equal(table.find(key), entry)
      entry.count = 0
      table.releaseIfEmpty(entry)
      assert.equal(table.find(key), undefined)
    }
    assert.equal(table.size, 0)
  })

  it('goes on in another map when one is full, and still finds, counts and lets go of every key', () => {
    const table = counters(2)
    for (let key = 0; key < 7; key++) table.ensure(key).count = 1
    assert.equal(table.size, 7)
    assert.deepEqual(keysOf(table), [0, 1, 2, 3, 4, 5, 6])
    const first = table.find(0) as Counter
    assert.equal(table.ensure(0), first)
    first.count = 0
    table.releaseIfEmpty(first)
    assert.equal(table.find(0), undefined)
    assert.deepEqual(keysOf(table), [1, 2, 3, 4, 5, 6])
  })

  it('never fills a map beyond its limit, where the engine of JavaScript would refuse', () => {
    const { set } = Map.prototype
    Map.prototype.set = function (key, value) {
      if (this.size === 3 && !this.has(key)) throw new RangeError('Map maximum size exceeded')
      return set.call(this, key, value)
    }
    try {
      const table = counters(3)
      for (let key = 0; key < 10; key++) table.ensure(key)
      assert.equal(table.size, 10)
    } finally {
      Map.prototype.set = set
    }
  })

  it('refuses what cannot be a key, whether it looks or makes', () => {
    const table = counters()
    for (const key of [undefined, Symbol('s'), () => {}, new Date(0), [undefined]]) {
      assert.throws(() => table.find(key), { code: 'KEY_INVALID' })
      assert.throws(() => table.ensure(key), { code: 'KEY_INVALID' })
    }
    assert.equal(table.size, 0)
  })

  it('agrees with a map by encoded keys under any mix of changes', () => {
    const key = fc.oneof(
      fc.constantFrom<unknown>(null, true, 1, 1n, 'a', 'b'),
      fc.array(fc.constantFrom<unknown>(1, 'a'), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom<unknown>(1, 'a'), { maxKeys: 2 }),
      fc.integer({ min: 0, max: 6 }),
    )
    const step = fc.record({ key, change: fc.constantFrom(1, 1, -1) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const table = counters(3)
        const model = new Map<string, number>()
        for (const { key, change } of steps) {
          const entry = table.ensure(key)
          entry.count = Math.max(0, entry.count + change)
          table.releaseIfEmpty(entry)
          const text = encodeKeyText(key)
          const count = Math.max(0, (model.get(text) ?? 0) + change)
          if (count === 0) model.delete(text)
          else model.set(text, count)
          assert.deepEqual([table.size, table.find(key)?.count ?? 0], [model.size, count])
        }
        const held = Array.from(table.entries(), ({ key, count }) => [encodeKeyText(key), count] as const)
        assert.deepEqual(new Map(held), model)
      }),
    )
  })
})
