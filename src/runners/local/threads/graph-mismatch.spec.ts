import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { graphMismatch } from './graph-mismatch.ts'

describe('the graphs of two threads', () => {
  test('are the same when their texts are', () => {
    assert.equal(graphMismatch('a\nb', 'a\nb', 1), undefined)
  })

  for (const [what, found, ours, theirs] of [
    ['in the middle', 'a\nx\nc', '"b"', '"x"'],
    ['in the last line', 'a\nb\nx', '"c"', '"x"'],
    ['by lines that are missing', 'a', '"b"', 'nothing'],
    ['by lines that are too many', 'a\nb\nc\nd', 'nothing', '"d"'],
  ] as const) {
    test(`differ ${what}: the error shows the first line that differs`, () => {
      const error = graphMismatch('a\nb\nc', found, 3)
      assert.equal(error?.code, 'GRAPH_MISMATCH')
      assert.ok(
        error?.message.includes(`thread 3 built another graph: the main thread has ${ours}, it has ${theirs};`),
        error?.message,
      )
    })
  }
})
