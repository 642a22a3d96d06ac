import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, it } from 'node:test'
import { StreamError } from '../../base/errors.ts'
import { StreamTextOutput } from './stream-text-output.ts'

/** A stream that keeps each write until the test lets it go. */
class HeldStream extends Writable {
  readonly texts: string[] = []
  private pending: ((error?: Error) => void) | undefined

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.texts.push(chunk.toString('utf8'))
    this.pending = done
  }

  letGo(error?: Error): void {
    this.pending?.(error)
  }
}

describe('StreamTextOutput', () => {
  it('resolves when the stream has handed the text on', async () => {
    const stream = new HeldStream()
    const output = new StreamTextOutput({ name: 'the stream', stream: () => stream })
    let isDone = false
    const written = output.write('ä 1\n').then(() => {
      isDone = true
    })
    await Promise.resolve()
    assert.equal(isDone, false)
    assert.deepEqual(stream.texts, ['ä 1\n'])
    stream.letGo()
    await written
    assert.equal(isDone, true)
  })

  it('says that the reader is gone, at the write that met it and at each one after', async () => {
    const stream = new HeldStream()
    const output = new StreamTextOutput({ name: 'standard output', stream: () => stream })
    const written = output.write('a\n')
    stream.letGo(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    const isGone = (error: unknown): boolean =>
      error instanceof StreamError && error.message === 'SINK_FAILED: the reader of standard output is gone'
    await assert.rejects(written, isGone)
    await assert.rejects(output.write('b\n'), isGone)
  })

  it('passes on other errors with their text', async () => {
    const stream = new HeldStream()
    const output = new StreamTextOutput({ name: 'the stream', stream: () => stream })
    const written = output.write('a\n')
    stream.letGo(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }))
    await assert.rejects(written, {
      message: 'SINK_FAILED: cannot write to the stream: ENOSPC: no space left on device, write',
    })
  })

  it('opens its stream at the first write only', async () => {
    let opened = 0
    const stream = new Writable({ write: (_chunk, _encoding, done) => done() })
    const open = (): Writable => {
      opened++
      return stream
    }
    const output = new StreamTextOutput({ name: 'the stream', stream: open })
    assert.equal(opened, 0)
    await output.write('a')
    await output.write('b')
    assert.equal(opened, 1)
  })
})
