import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BrowserEventLoop } from '../browser/browser-event-loop.ts'
import { nodeEventLoop } from './node-event-loop.ts'

// Node has the globals that the browser's implementation uses, so both are held to the same contract here.
for (const [name, eventLoop] of [
  ['nodeEventLoop', nodeEventLoop],
  ['BrowserEventLoop', new BrowserEventLoop()],
] as const) {
  describe(name, () => {
    it('runs deferred tasks later, in order, also those that tasks defer', async () => {
      const order: string[] = []
      await new Promise<void>(resolve => {
        eventLoop.defer(() => {
          order.push('first')
          eventLoop.defer(() => {
            order.push('nested')
            resolve()
          })
        })
        eventLoop.defer(() => order.push('second'))
        order.push('now')
      })
      assert.deepEqual(order, ['now', 'first', 'second', 'nested'])
    })

    it('works again after it was idle', async () => {
      await new Promise<void>(resolve => eventLoop.defer(resolve))
      await new Promise<void>(resolve => eventLoop.defer(resolve))
    })

    it('lets timers and I/O have their turn between deferred tasks', async () => {
      let hasTimerFired = false
      eventLoop.at(0, () => {
        hasTimerFired = true
      })
      await new Promise<void>(resolve => {
        const again = (): void => (hasTimerFired ? resolve() : eventLoop.defer(again))
        again()
      })
      assert.ok(hasTimerFired)
    })

    it('runs a timer once, and not at all when it was cancelled', async () => {
      const fired: string[] = []
      const cancel = eventLoop.at(0, () => fired.push('cancelled'))
      cancel()
      cancel()
      await new Promise<void>(resolve => {
        eventLoop.at(1, () => {
          fired.push('kept')
          resolve()
        })
      })
      assert.deepEqual(fired, ['kept'])
    })
  })
}
