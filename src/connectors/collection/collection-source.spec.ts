import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ReaderDriver,
  RecordingOutput,
  readAll,
  sourceSpec,
} from '../../../test/integration/connectors/support/reader-driver.ts'
import { collectionSource } from './collection-source.ts'

const source = collectionSource(sourceSpec('collection', { values: ['a', undefined, 'c'] }))

describe('the source collection', () => {
  it('emits its values in order, also when the output is full each time', async () => {
    for (const roomPerRead of [1, 2, 100]) {
      const { records, emittedWhileFull } = await readAll(source, { roomPerRead })
      assert.deepEqual(records, ['a', undefined, 'c'])
      assert.equal(emittedWhileFull, 0)
    }
  })

  it('is one split however many read it', async () => {
    assert.deepEqual(await source.splits(4), [{ id: 'collection', position: 0 }])
  })

  it('resumes at every position', async () => {
    for (let position = 0; position <= 3; position++) {
      const { records } = await readAll(source, { position })
      assert.deepEqual(records, ['a', undefined, 'c'].slice(position))
    }
  })

  it('has the index of the next value as its position', async () => {
    const reader = await source.open({ id: 'collection', position: 1 }, new ReaderDriver())
    const output = new RecordingOutput<unknown>(1)
    assert.equal(reader.position(), 1)
    assert.equal(reader.read(output), 'more')
    assert.equal(reader.position(), 2)
    assert.equal(reader.read(output), 'end')
    assert.equal(reader.position(), 3)
  })

  it('ends at once when it is empty', async () => {
    const { records } = await readAll(collectionSource(sourceSpec('collection', { values: [] })))
    assert.deepEqual(records, [])
  })

  it('refuses values that are not an array', () => {
    assert.throws(
      () => collectionSource(sourceSpec('collection', { values: 'abc' })),
      /OPTION_INVALID: .*expected an array/,
    )
  })
})
