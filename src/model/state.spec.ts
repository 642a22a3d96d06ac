import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { outputTag } from './output-tag.ts'
import { list, map, value } from './state.ts'

describe('value', () => {
  it('gives its initial value, or makes it anew for each key', () => {
    assert.deepEqual([value(0).initial(), value('').initial(), value(null).initial()], [0, '', null])
    assert.equal(value().initial(), undefined)
    const made = value(() => ({ seen: 0 }))
    assert.deepEqual(made.initial(), { seen: 0 })
    assert.notEqual(made.initial(), made.initial())
  })

  it('refuses an object that all keys would share, and takes a frozen one', () => {
    const message =
      'OPTION_INVALID: value() was given an object, which all keys would share; give a function that makes it: value(() => ({ ... }))'
    for (const shared of [{}, [1], new Map()]) {
      assert.throws(() => value<object>(shared), { code: 'OPTION_INVALID', message })
    }
    const frozen = Object.freeze({ limit: 3 })
    assert.equal(value(frozen).initial(), frozen)
  })
})

describe('descriptors', () => {
  it('are frozen data that say their kind', () => {
    const descriptors = [value(0), list<number>(), map<string, number>()]
    assert.deepEqual(
      descriptors.map(({ kind }) => kind),
      ['value', 'list', 'map'],
    )
    for (const descriptor of descriptors) assert.ok(Object.isFrozen(descriptor))
  })
})

describe('outputTag', () => {
  it('is its id', () => {
    const tag = outputTag<string>('late')
    assert.deepEqual(tag, { id: 'late' })
    assert.ok(Object.isFrozen(tag))
  })
})
