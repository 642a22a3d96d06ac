import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fieldSelector, functionSelector, type KeySelector, keySelectorText, tupleSelector } from './key.ts'
import { type Partitioning, partitioningText } from './partitioning.ts'

function select(selector: KeySelector, record: unknown): unknown {
  return selector.select(record as never)
}

const RECORD = { city: 'Dublin', day: 3, word: 'storm' }

describe('fieldSelector', () => {
  it('takes the value of the field, undefined where there is none', () => {
    assert.equal(select(fieldSelector('city'), RECORD), 'Dublin')
    assert.equal(select(fieldSelector('missing'), RECORD), undefined)
  })

  it('is called by the name of the field', () => {
    const selector = fieldSelector('city')
    assert.deepEqual([keySelectorText(selector), selector.fields, selector.isTuple], ['city', ['city'], false])
    assert.ok(Object.isFrozen(selector))
  })
})

describe('tupleSelector', () => {
  it('takes the values of the fields in the order given', () => {
    assert.deepEqual(select(tupleSelector(['day', 'city']), RECORD), [3, 'Dublin'])
  })

  it('gives a tuple even of one field', () => {
    const selector = tupleSelector(['city'])
    assert.deepEqual(select(selector, RECORD), ['Dublin'])
    assert.deepEqual([keySelectorText(selector), selector.isTuple], ['[city]', true])
  })

  it('does not follow later changes of the list it was given', () => {
    const fields = ['city', 'day']
    const selector = tupleSelector(fields)
    fields.push('word')
    assert.deepEqual([keySelectorText(selector), select(selector, RECORD)], ['[city, day]', ['Dublin', 3]])
  })
})

describe('functionSelector', () => {
  it('takes what the function returns', () => {
    const selector = functionSelector((record: { word: string }) => record.word.length)
    assert.deepEqual([keySelectorText(selector), select(selector, RECORD)], ['function', 5])
    assert.equal(selector.fields, undefined)
  })
})

describe('partitioningText', () => {
  it('names the kind, and the key where there is one', () => {
    const key = tupleSelector(['city', 'day'])
    const texts: readonly (readonly [Partitioning, string])[] = [
      [{ kind: 'forward' }, 'forward'],
      [{ kind: 'local-or-shuffle' }, 'local-or-shuffle'],
      [{ kind: 'hash', key }, 'hash([city, day])'],
      [{ kind: 'partial-key', key: fieldSelector('word') }, 'partial-key(word)'],
      [{ kind: 'direct', target: () => 0 }, 'direct'],
      [{ kind: 'custom', key: functionSelector(() => 1), partition: () => 0 }, 'custom(function)'],
    ]
    for (const [partitioning, text] of texts) assert.equal(partitioningText(partitioning), text)
  })
})
