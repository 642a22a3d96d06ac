import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isLogged, logLine } from './log-line.ts'

describe('logLine', () => {
  it('writes level, message and fields on one line', () => {
    assert.equal(
      logLine('warn', 'connecting again', { attempt: 2, host: 'localhost' }),
      'WARN  connecting again attempt=2 host=localhost',
    )
    assert.equal(logLine('error', 'two\n  lines'), 'ERROR two lines')
  })

  it('quotes what would be read wrongly and leaves out what is undefined', () => {
    const fields = {
      a: 'two words',
      b: 'x=y',
      c: '',
      d: 'line\nend',
      e: undefined,
      f: new Error('no\nmore'),
      g: { n: 1n },
      h: null,
    }
    assert.equal(
      logLine('info', 'm', fields),
      'INFO  m a="two words" b="x=y" c="" d="line\\nend" f=no g={"n":"1n"} h=null',
    )
  })

  it('cuts long fields', () => {
    assert.ok(logLine('info', 'm', { text: 'x'.repeat(10_000), list: new Array(10_000).fill(1) }).length < 1200)
  })

  it('never throws and never gives more than a line', () => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    for (const value of [circular, Symbol('s'), () => 1, Object.create(null), new Map()]) {
      assert.ok(!logLine('info', 'm', { value }).includes('\n'))
    }
  })
})

describe('isLogged', () => {
  it('orders the levels', () => {
    assert.deepEqual(
      (['debug', 'info', 'warn', 'error'] as const).map(level => isLogged(level, 'warn')),
      [false, false, true, true],
    )
  })
})
