import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { consoleLogger } from './console-logger.ts'

const clock = { now: () => 0, monotonicMs: () => 0 }

describe('consoleLogger', () => {
  it('writes one line per entry with its time', () => {
    const lines: string[] = []
    consoleLogger({ clock, write: line => lines.push(line) }).log('warn', 'careful', { bytes: 3 })
    assert.deepEqual(lines, ['1970-01-01T00:00:00.000Z WARN  careful bytes=3\n'])
  })

  it('drops entries below its level, which is info unless said otherwise', () => {
    for (const [level, expected] of [
      [undefined, 3],
      ['error', 1],
      ['debug', 4],
    ] as const) {
      const lines: string[] = []
      const logger = consoleLogger({ level, clock, write: line => lines.push(line) })
      for (const each of ['debug', 'info', 'warn', 'error'] as const) logger.log(each, 'entry')
      assert.equal(lines.length, expected)
    }
  })

  it('does not throw when writing does', () => {
    const write = (): never => {
      throw new Error('stderr is gone')
    }
    consoleLogger({ clock, write }).log('error', 'entry')
  })
})
