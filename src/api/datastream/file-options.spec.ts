import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileDirectorySpec } from './file-options.ts'

describe('the spec of writeToFiles()', () => {
  test('is a transactional sink that any number of subtasks may write to', () => {
    assert.deepEqual(fileDirectorySpec('out', { rollBytes: 10, rollMs: Infinity, suffix: '' }), {
      connector: 'file-directory',
      options: { rollBytes: 10, rollMs: Infinity, suffix: '', directory: 'out' },
      description: 'files in out',
      placement: 'any',
      delivery: 'transactional',
    })
  })

  test('is refused for options that make no sense, with the place of the call', () => {
    assert.throws(() => fileDirectorySpec(''), /OPTION_INVALID: writeToFiles\(\).*the directory is ""/)
    for (const [options, expected] of [
      [{ prefix: '.a' }, /the prefix is "\.a"; give a part of a file name, without slashes or a dot in front/],
      [{ suffix: '/x' }, /the suffix is "\/x"/],
      [{ rollBytes: 0 }, /rollBytes is 0; give a whole number from 1/],
      [{ rollMs: -1 }, /rollMs is -1/],
      [{ encode: 'xml' as 'json' }, /encode is "xml"; give 'text' or 'json'/],
    ] as const) {
      assert.throws(() => fileDirectorySpec('out', options), expected)
    }
  })
})
