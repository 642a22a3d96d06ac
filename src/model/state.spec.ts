import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { list, map, value } from './state.ts'

describe('value', () => {
  it('makes the initial value it was given', () => {
    assert.equal(value(5).initial(), 5)
    assert.equal(value('').initial(), '')
    assert.equal(value(null).initial(), null)
    assert.equal(value().initial(), undefined)
    assert.equal(value().kind, 'value')
  })

  it('makes a new value per call of a factory', () => {
    const descriptor = value(() => new Set<string>())
    assert.deepEqual(descriptor.initial(), new Set())
    assert.notEqual(descriptor.initial(), descriptor.initial())
  })

  for (const [label, shared] of [
    ['an object', { count: 0 }],
    ['a list', []],
    ['a map', new Map()],
    ['a date', new Date(0)],
  ] as const) {
    it(`refuses ${label}, which all keys would share`, () => {
      assert.throws(() => value(shared), {
        code: 'OPTION_INVALID',
        message:
          'OPTION_INVALID: value() was given an object, which all keys would share; give a function that makes it: value(() => ({ ... }))',
      })
    })
  }

  it('takes a frozen object, which keys may share', () => {
    const initial = Object.freeze({ count: 0 })
    assert.equal(value(initial).initial(), initial)
  })
})

describe('descriptors', () => {
  it('are frozen and say their kind', () => {
    const descriptors = [value(0), list<string>(), map<string, number>()]
    assert.deepEqual(
      descriptors.map(descriptor => descriptor.kind),
      ['value', 'list', 'map'],
    )
    for (const descriptor of descriptors) assert.ok(Object.isFrozen(descriptor))
  })
})
