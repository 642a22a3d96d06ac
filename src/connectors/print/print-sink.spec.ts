import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deferred } from '../../../test/integration/connectors/support/deferred.ts'
import { RecordingText, sinkSpec, writerContext } from '../../../test/integration/connectors/support/reader-driver.ts'
import type { TextOutput } from '../../base/text-output.ts'
import type { SinkWriter } from '../../model/connector.ts'
import { printSink } from './print-sink.ts'

async function open(
  text: TextOutput,
  options: { prefix?: string; subtaskIndex?: number; parallelism?: number } = {},
): Promise<SinkWriter<unknown>> {
  const { prefix, ...place } = options
  return printSink(sinkSpec('print', { prefix }), text).open(writerContext(place))
}

describe('the sink print', () => {
  it('prints strings as they are and other values as JSON, a line each', async () => {
    const text = new RecordingText()
    const writer = await open(text)
    for (const record of ['storm 1', { word: 'storm', frequency: 2 }, 3, null]) await writer.write(record, undefined)
    await writer.close()
    assert.equal(text.text, 'storm 1\n{"word":"storm","frequency":2}\n3\nnull\n')
  })

  it('marks the lines of parallel subtasks and of named streams as Flink does', async () => {
    const text = new RecordingText()
    for (const options of [
      { subtaskIndex: 1, parallelism: 2 },
      { prefix: 'out' },
      { prefix: 'out', subtaskIndex: 1, parallelism: 2 },
    ]) {
      const writer = await open(text, options)
      await writer.write('x', undefined)
      await writer.close()
    }
    assert.equal(text.text, '2> x\nout> x\nout:2> x\n')
  })

  it('gathers the lines of a turn into one piece', async () => {
    const text = new RecordingText()
    const writer = await open(text)
    for (let n = 0; n < 3; n++) assert.equal(writer.write(n, undefined), undefined)
    assert.deepEqual(text.pieces, [])
    await writer.flush?.()
    assert.deepEqual(text.pieces, ['0\n1\n2\n'])
  })

  it('does not hold more than some 16 KiB', async () => {
    const text = new RecordingText()
    const writer = await open(text)
    const line = 'x'.repeat(99)
    for (let n = 0; n < 1000; n++) writer.write(line, undefined)
    assert.ok(text.pieces.length >= 5)
    assert.ok(text.pieces.every(piece => piece.length >= 16_384 && piece.length < 16_384 + 100))
    await writer.close()
    assert.equal(text.text, `${line}\n`.repeat(1000))
  })

  it('holds the stream back while the output is not drained', async () => {
    const drained = deferred()
    const writer = await open({ write: () => drained.promise })
    assert.equal(writer.write('short', undefined), undefined)
    const written = writer.write('x'.repeat(20_000), undefined)
    assert.ok(written instanceof Promise)
    drained.resolve()
    await written
  })
})
