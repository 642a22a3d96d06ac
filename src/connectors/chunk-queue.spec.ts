import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ChunkQueue, QUEUED_BYTES_MAX } from './chunk-queue.ts'

describe('ChunkQueue', () => {
  it('gives chunks in order', () => {
    const queue = new ChunkQueue({ pause: () => {}, resume: () => {} })
    queue.push(Uint8Array.of(1))
    queue.push(Uint8Array.of(2, 3))
    assert.equal(queue.queuedBytes, 3)
    assert.deepEqual([queue.take(), queue.take(), queue.take()], [Uint8Array.of(1), Uint8Array.of(2, 3), undefined])
    assert.equal(queue.queuedBytes, 0)
  })

  it('pauses the stream once it holds enough and lets it go on at half of that', () => {
    const calls: string[] = []
    const queue = new ChunkQueue({ pause: () => calls.push('pause'), resume: () => calls.push('resume') })
    const chunk = new Uint8Array(QUEUED_BYTES_MAX / 4)
    for (let pushed = 0; pushed < 3; pushed++) queue.push(chunk)
    assert.deepEqual(calls, [])
    queue.push(chunk)
    queue.push(chunk)
    assert.deepEqual(calls, ['pause'])
    queue.take()
    queue.take()
    assert.deepEqual(calls, ['pause'])
    queue.take()
    queue.take()
    assert.deepEqual(calls, ['pause', 'resume'])
  })
})
