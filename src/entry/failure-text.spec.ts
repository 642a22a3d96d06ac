import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { ErrorCode } from '../base/error-codes.ts'
import { StreamError } from '../base/errors.ts'
import { failureText } from './failure-text.ts'

const ROOT = 'file:///app/node_modules/millrace/dist/'

function failure(code: ErrorCode, message: string, ...stack: readonly string[]): StreamError {
  const cause = new Error('no more ink')
  cause.stack = ['Error: no more ink', ...stack.map(place => `    at ${place}`)].join('\n')
  return new StreamError(code, message, { cause })
}

describe('failureText', () => {
  test('adds the line of the user code that threw, where the message does not name it', () => {
    const frames = ['inner (file:///app/helper.ts:7:3)', 'outer (file:///app/job.ts:4:9)', `run (${ROOT}task.js:1:1)`]
    assert.equal(
      failureText(failure('USER_FUNCTION_FAILED', 'step "map" (/app/job.ts:4)', ...frames), 'job', ROOT),
      'USER_FUNCTION_FAILED: step "map" (/app/job.ts:4)\n  thrown at /app/helper.ts:7',
    )
    assert.equal(
      failureText(failure('USER_FUNCTION_FAILED', 'step "map" (/app/job.ts:4)', ...frames.slice(1)), 'job', ROOT),
      'USER_FUNCTION_FAILED: step "map" (/app/job.ts:4)',
    )
  })

  test('looks through frames of Node and of other packages', () => {
    const frames = ['parse (node:url:1:1)', 'fn (/app/node_modules/other/index.js:2:2)', 'file:///app/job.ts:9:1']
    assert.match(
      failureText(failure('SINK_FAILED', 'step', ...frames), 'job', ROOT),
      /\n {2}thrown at \/app\/job\.ts:9$/,
    )
  })

  test('adds no line for what the library threw by itself', () => {
    const frames = ['async open (node:fs:1:1)', `read (${ROOT}file.js:1:1)`, 'async file:///app/job.ts:9:1']
    assert.equal(failureText(failure('SOURCE_FAILED', 'step', ...frames), 'job', ROOT), 'SOURCE_FAILED: step')
    const own = ['async file:///app/job.ts:9:1']
    assert.equal(failureText(failure('FILE_NOT_FOUND', 'step', ...own), 'job', ROOT), 'FILE_NOT_FOUND: step')
  })

  test('knows a StreamError of another copy of millrace', () => {
    class OtherStreamError extends Error {
      override readonly name = 'StreamError'
      readonly code = 'SOCKET_LOST'
    }
    assert.equal(failureText(new OtherStreamError('SOCKET_LOST: gone'), 'job', ROOT), 'SOCKET_LOST: gone')
  })

  test('gives anything else a code, and its place', () => {
    const error = new TypeError('late')
    error.stack = 'TypeError: late\n    at Timeout.fn (file:///app/job.ts:2:1)'
    assert.equal(
      failureText(error, '/app/job.ts'),
      'JOB_MODULE_FAILED: /app/job.ts threw TypeError: late (/app/job.ts:2)',
    )
    assert.equal(failureText(undefined, '/app/job.ts'), 'JOB_MODULE_FAILED: /app/job.ts threw undefined')
  })

  test('tells all of a mistake of the engine', () => {
    assert.match(
      failureText(failure('INTERNAL_ERROR', 'bug', `run (${ROOT}task.js:1:1)`), 'job', ROOT),
      /^INTERNAL_ERROR: bug\nError: no more ink\n {4}at run/,
    )
  })
})
