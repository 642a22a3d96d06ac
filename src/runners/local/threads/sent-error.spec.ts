import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { errorText, StreamError } from '../../../base/errors.ts'
import { receiveError, sendError } from './sent-error.ts'

/** The error as it comes out of another thread. */
const sent = (error: unknown): Error => receiveError(structuredClone(sendError(error)))

describe('an error from another thread', () => {
  test('keeps class, code, message and stack of a coded one', () => {
    const error = new StreamError('USER_FUNCTION_FAILED', 'step "a": USER_FUNCTION_FAILED: once more')
    const received = sent(error)
    assert.ok(received instanceof StreamError)
    assert.deepEqual([received.code, received.message, received.stack], [error.code, error.message, error.stack])
  })

  test('keeps message and stack of any other', () => {
    const error = new TypeError('x is not a function')
    const received = sent(error)
    assert.ok(!(received instanceof StreamError))
    assert.deepEqual([received.message, received.stack], [error.message, error.stack])
  })

  test('is an error though something else was thrown', () => {
    assert.equal(sent('a text').message, errorText('a text'))
    assert.equal(sent(undefined).message, 'undefined')
    assert.equal(sent({ a: 1n }).message, '{"a":"1n"}')
  })

  test('keeps its cause and its name', () => {
    const cause = new TypeError('x is not a function')
    const received = receiveError(sendError(new StreamError('USER_FUNCTION_FAILED', 'it threw', { cause })))
    assert.ok(received.cause instanceof Error)
    assert.deepEqual(
      [received.cause.name, received.cause.message, received.cause.stack],
      [cause.name, cause.message, cause.stack],
    )
  })

  test('keeps its message though this version does not know its code', () => {
    const received = receiveError({ code: 'OF_TOMORROW', name: 'Error', message: 'OF_TOMORROW: new', stack: undefined })
    assert.equal(received.message, 'OF_TOMORROW: new')
  })
})
