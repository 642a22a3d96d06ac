import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deferred } from '../../../test/integration/connectors/support/deferred.ts'
import { sinkSpec, writerContext } from '../../../test/integration/connectors/support/reader-driver.ts'
import type { SinkWriter } from '../../model/connector.ts'
import { callbackSink } from './callback-sink.ts'

async function open(write: unknown): Promise<SinkWriter<unknown>> {
  return callbackSink(sinkSpec('callback', { write })).open(writerContext())
}

describe('the sink callback', () => {
  it('hands on records with their timestamps, without waiting where there is nothing to wait for', async () => {
    const calls: unknown[] = []
    const writer = await open((record: unknown, timestampMs: unknown) => calls.push([record, timestampMs]))
    assert.equal(writer.write('a', 5), undefined)
    assert.equal(writer.write('b', undefined), undefined)
    await writer.close()
    assert.deepEqual(calls, [
      ['a', 5],
      ['b', undefined],
    ])
  })

  it('waits for a promise that the function returns', async () => {
    const stored = deferred()
    let isDone = false
    const writer = await open(async () => {
      await stored.promise
      isDone = true
    })
    const written = writer.write('a', undefined)
    stored.resolve()
    await written
    assert.equal(isDone, true)
  })

  it('names the record at which the function threw or rejected, and keeps its error', async () => {
    const boom = new Error('boom')
    const throwing = (record: unknown): void => {
      if (record === 'bad') throw boom
    }
    for (const write of [throwing, async (record: unknown) => throwing(record)]) {
      const writer = await open(write)
      await writer.write('good', undefined)
      await assert.rejects(async () => writer.write('bad', undefined), {
        message: 'USER_FUNCTION_FAILED: the callback: the function threw at record 2: boom',
        cause: boom,
      })
    }
  })

  it('refuses what is not a function', async () => {
    await assert.rejects(open(undefined), /OPTION_INVALID: .*expected a function/)
  })
})
