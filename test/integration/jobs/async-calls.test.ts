// Asynchronous calls by the clock and the timers of the host: the engine wakes up for results, time-outs and further attempts by itself.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { environment, StreamError } from 'millrace'

describe('asynchronous calls in real time', () => {
  test('answer while nothing else happens, and many are under way at once', async () => {
    const env = environment()
    let underWay = 0
    let peak = 0
    const squares = env.fromElements(3, 2, 1, 0).mapAsync(async n => {
      peak = Math.max(peak, ++underWay)
      await after(n)
      underWay--
      return n * n
    })
    assert.deepEqual(await squares.executeAndCollect(), [9, 4, 1, 0])
    assert.equal(peak, 4)
  })

  test('that never answer fail with ASYNC_TIMEOUT, and their signal can abort what they wait for', async () => {
    const env = environment()
    let isAborted = false
    const answers = env.fromElements('who?').mapAsync(
      async (_question, { signal }) => {
        const controller = new AbortController()
        signal.addEventListener('abort', () => controller.abort())
        await after(60_000, undefined, { signal: controller.signal }).catch(() => {
          isAborted = true
        })
        return 'nobody'
      },
      { timeoutMs: 5 },
    )
    const failure = await answers.executeAndCollect().then(
      () => assert.fail('it did not fail'),
      (error: unknown) => error,
    )
    assert.ok(failure instanceof StreamError)
    assert.equal(failure.code, 'ASYNC_TIMEOUT')
    assert.match(failure.message, /step "map-async" \(.*async-calls\.test\.ts:\d+\): .*"who\?" took longer than 5 ms/)
    assert.equal(isAborted, true)
  })

  test('are made again after a wait', async () => {
    const env = environment()
    const attempts = env.fromElements('a', 'b').mapAsync(
      async (name, { attempt }) => {
        if (name === 'b' && attempt < 3) throw new Error('down')
        return `${name} ${attempt}`
      },
      { retry: { attempts: 3, delayMs: 2 } },
    )
    assert.deepEqual(await attempts.executeAndCollect(), ['a 1', 'b 3'])
  })
})
