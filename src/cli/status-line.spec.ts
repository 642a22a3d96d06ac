import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StatusLine, type TextStream } from './status-line.ts'

const CLEAR = '\r\u001b[2K'

/** Two streams that show on one screen; `screen` holds what reached it, in order. */
function terminal(columns?: number) {
  const screen: string[] = []
  const stream = (isTTY: boolean): TextStream => ({
    isTTY,
    ...(columns === undefined ? {} : { columns }),
    write: text => screen.push(String(text)) > 0,
  })
  return { screen, stream }
}

describe('StatusLine', () => {
  test('rewrites one line, cut to the width of the terminal', () => {
    const { screen, stream } = terminal(8)
    const line = new StatusLine(stream(true))
    line.draw('one')
    line.draw('a longer one')
    line.close()
    line.close()
    assert.deepEqual(screen, [`${CLEAR}one`, `${CLEAR}a longe`, CLEAR])
  })

  test('takes a terminal of unknown width for one of 80 columns', () => {
    for (const columns of [undefined, 0]) {
      const { screen, stream } = terminal(columns)
      new StatusLine(stream(true)).draw('x'.repeat(100))
      assert.deepEqual(screen, [CLEAR + 'x'.repeat(79)])
    }
  })

  test('goes away before something else is written, on either stream', () => {
    const { screen, stream } = terminal()
    const [stderr, stdout] = [stream(true), stream(true)]
    const line = new StatusLine(stderr, stdout)
    line.draw('status')
    stdout.write('storm 4\n')
    stdout.write('dublin 1\n')
    line.draw('status')
    stderr.write('a warning\n')
    assert.deepEqual(screen, [
      `${CLEAR}status`,
      CLEAR,
      'storm 4\n',
      'dublin 1\n',
      `${CLEAR}status`,
      CLEAR,
      'a warning\n',
    ])
  })

  test('waits while a line of somebody else has no end', () => {
    const { screen, stream } = terminal()
    const stdout = stream(true)
    const line = new StatusLine(stream(true), stdout)
    stdout.write('half a ')
    line.draw('status')
    stdout.write(new TextEncoder().encode('line\n'))
    stdout.write('')
    line.draw('status')
    assert.deepEqual(screen.map(String).at(-1), `${CLEAR}status`)
    assert.equal(screen.filter(text => text.includes('status')).length, 1)
  })

  test('does not mind a stream that goes elsewhere, and gives the streams back', () => {
    const { screen, stream } = terminal()
    const [stderr, file] = [stream(true), stream(false)]
    const { write } = stderr
    const line = new StatusLine(stderr, file)
    line.draw('status')
    file.write('half a ')
    line.draw('status')
    assert.deepEqual(screen, [`${CLEAR}status`, 'half a ', `${CLEAR}status`])
    line.close()
    assert.equal(stderr.write, write)
  })
})
