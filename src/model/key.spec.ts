import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KeySelector } from './key.ts'
import { fieldSelector, functionSelector, keySelectorText, tupleSelector } from './key.ts'
import { partitioningText } from './partitioning.ts'

const select = (selector: KeySelector, record: unknown): unknown => selector.select(record as never)

describe('key selectors', () => {
  it('take the value of one field', () => {
    assert.equal(select(fieldSelector('word'), { word: 'storm', count: 1 }), 'storm')
    assert.equal(select(fieldSelector('missing'), { word: 'storm' }), undefined)
  })

  it('take a tuple of fields in the order given, also of one', () => {
    assert.deepEqual(select(tupleSelector(['b', 'a']), { a: 1, b: 2, c: 3 }), [2, 1])
    assert.deepEqual(select(tupleSelector(['a']), { a: 1 }), [1])
  })

  it('do not follow a later change of the list of fields', () => {
    const fields = ['a']
    const selector = tupleSelector(fields)
    fields.push('b')
    assert.deepEqual(select(selector, { a: 1, b: 2 }), [1])
    assert.equal(keySelectorText(selector), '[a]')
  })

  it('take what a function returns', () => {
    assert.equal(
      select(
        functionSelector((record: { a: number }) => record.a * 2),
        { a: 4 },
      ),
      8,
    )
  })

  it('say in words what they take', () => {
    assert.equal(keySelectorText(fieldSelector('word')), 'word')
    assert.equal(keySelectorText(tupleSelector(['city', 'day'])), '[city, day]')
    assert.equal(keySelectorText(functionSelector(() => 1)), 'function')
  })
})

describe('partitioningText', () => {
  it('names the kind, and the key where there is one', () => {
    const key = fieldSelector('word')
    assert.equal(partitioningText({ kind: 'rebalance' }), 'rebalance')
    assert.equal(partitioningText({ kind: 'hash', key }), 'hash(word)')
    assert.equal(partitioningText({ kind: 'partial-key', key }), 'partial-key(word)')
    assert.equal(partitioningText({ kind: 'custom', key, partition: () => 0 }), 'custom(word)')
    assert.equal(partitioningText({ kind: 'direct', target: () => 0 }), 'direct')
  })
})
