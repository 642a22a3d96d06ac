import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deferred } from '../../test/integration/connectors/support/deferred.ts'
import { LineBuffer } from './line-buffer.ts'

describe('LineBuffer', () => {
  it('hands on whole lines in pieces, and the rest at flush', () => {
    const pieces: string[] = []
    const lines = new LineBuffer({ description: 'out', write: text => void pieces.push(text), pieceLength: 8 })
    for (const line of ['abc', 'def', 'a line longer than a piece', 'end']) lines.add(line)
    assert.deepEqual(pieces, ['abc\ndef\n', 'a line longer than a piece\n'])
    lines.flush()
    lines.flush()
    assert.deepEqual(pieces.slice(2), ['end\n'])
  })

  it('hands on what is left at close', () => {
    const pieces: string[] = []
    const lines = new LineBuffer({ description: 'out', write: text => void pieces.push(text) })
    lines.add('left')
    lines.close()
    assert.deepEqual(pieces, ['left\n'])
  })

  it('passes on the promise of the target: it is the back-pressure', async () => {
    const drained = deferred()
    const lines = new LineBuffer({ description: 'out', write: () => drained.promise, pieceLength: 1 })
    const added = lines.add('a')
    assert.ok(added instanceof Promise)
    drained.resolve()
    await added
  })

  it('turns what the target throws or rejects with into SINK_FAILED, and hands on nothing after it', async () => {
    for (const fail of [() => Promise.reject(new Error('disk gone')), () => assert.fail('disk gone')]) {
      let writes = 0
      const write = (): Promise<void> => {
        writes++
        return fail()
      }
      const lines = new LineBuffer({ description: 'out', write })
      lines.add('a')
      await assert.rejects(async () => lines.flush(), { message: 'SINK_FAILED: out: disk gone' })
      lines.add('b')
      await lines.close()
      assert.equal(writes, 1)
    }
  })
})
