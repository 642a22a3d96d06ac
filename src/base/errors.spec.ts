import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { assert as assertEngine, unreachable } from './assert.ts'
import { errorText, preview, StreamError } from './errors.ts'

describe('StreamError', () => {
  it('carries its code, opens its message with it, and keeps the cause', () => {
    const cause = new RangeError('first')
    const error = new StreamError('KEY_INVALID', 'a symbol cannot be a key', { cause })
    assert.ok(error instanceof Error)
    assert.deepEqual(
      [error.name, error.code, error.message, error.cause],
      ['StreamError', 'KEY_INVALID', 'KEY_INVALID: a symbol cannot be a key', cause],
    )
  })
})

describe('assert', () => {
  it('lets a true condition pass and reports a false one as a bug of the engine', () => {
    assertEngine(true, 'one is one')
    assert.throws(() => assertEngine(false, 'a batch is never empty'), {
      code: 'INTERNAL_ERROR',
      message:
        "INTERNAL_ERROR: a batch is never empty; this is a bug in Millrace, please report it with the job's graph",
    })
  })

  it('names the value of a branch that cannot be', () => {
    assert.throws(() => unreachable('sideways' as never, 'partitioner'), {
      code: 'INTERNAL_ERROR',
      message: 'INTERNAL_ERROR: partitioner: unexpected value sideways; this is a bug in Millrace',
    })
  })
})

describe('errorText', () => {
  it('is the first line of an error message', () => {
    assert.equal(errorText(new Error('no such host\n  at line 2')), 'no such host')
    assert.equal(errorText(new Error('\n\nExpected 1\nto be 2')), 'Expected 1')
  })

  it('is the name of an error without a message', () => {
    assert.equal(errorText(new TypeError()), 'TypeError')
  })

  it('shows whatever else was thrown', () => {
    assert.equal(errorText('boom'), '"boom"')
    assert.equal(errorText(undefined), 'undefined')
    assert.equal(errorText({ status: 404 }), '{"status":404}')
  })
})

describe('preview', () => {
  it('shows plain values as JSON', () => {
    assert.equal(preview({ word: 'storm', counts: [1, 2], none: null }), '{"word":"storm","counts":[1,2],"none":null}')
    assert.equal(preview('line\nbreak'), '"line\\nbreak"')
  })

  it('shows what JSON does not know', () => {
    assert.equal(preview(undefined), 'undefined')
    assert.equal(preview(Number.NaN), 'NaN')
    assert.equal(preview(-Infinity), '-Infinity')
    assert.equal(preview(Symbol('tag')), 'Symbol(tag)')
    assert.equal(
      preview(function select() {}),
      'function select',
    )
    assert.equal(
      preview(() => 1),
      'function (anonymous)',
    )
  })

  it('shows bigints at any depth', () => {
    assert.equal(preview(12n), '12n')
    assert.equal(preview({ id: 12n, more: [3n] }), '{"id":"12n","more":["3n"]}')
  })

  it('shows errors, collections and bytes by what is in them', () => {
    assert.equal(preview({ failure: new RangeError('too far') }), '{"failure":"RangeError: too far"}')
    assert.equal(preview(new Map([['a', new Set([1])]])), '[["a",[1]]]')
    assert.equal(preview(Uint8Array.of(1, 255)), '[1,255]')
  })

  it('gives the kind of a value that contains itself, or throws when it is looked at', () => {
    const ring: { next?: unknown } = {}
    ring.next = ring
    assert.equal(preview(ring), '[object Object]')
    const list: unknown[] = []
    list.push(list)
    assert.equal(preview(list), '[object Array]')
    const thrower = {
      get field(): never {
        throw new Error('do not look')
      },
    }
    assert.equal(preview(thrower), '[object Object]')
    assert.equal(preview(Object.assign(Object.create(null), { toJSON: () => undefined })), '[object Object]')
  })

  it('cuts a long text and says how long it was', () => {
    assert.equal(preview('x'.repeat(200)), `"${'x'.repeat(119)}... (202 characters)`)
    assert.equal(preview('x'.repeat(118)), `"${'x'.repeat(118)}"`)
    assert.equal(preview([1, 2, 3, 4], 5), '[1,2,... (9 characters)')
  })

  it('cuts between characters, not inside one', () => {
    assert.equal(preview('😀😀', 2), '"... (6 characters)')
    assert.equal(preview('😀😀', 3), '"😀... (6 characters)')
  })

  it('is never longer than the limit and its note, whatever the value', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), fc.integer({ min: 1 }), (value, max) => {
        const text = preview(value, max)
        const note = /\.\.\. \(\d+ characters\)$/
        assert.ok(text.length <= max || (note.test(text) && text.replace(note, '').length <= max), text)
      }),
    )
  })
})
