import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { browserPlatform } from './browser-platform.ts'

const CONSOLE_METHODS = ['log', 'debug', 'info', 'warn', 'error'] as const

describe('the browser platform', () => {
  const calls: [string, string][] = []
  const original = globalThis.console

  beforeEach(() => {
    calls.length = 0
    const recording = CONSOLE_METHODS.map(method => [method, (text: string) => calls.push([method, text])])
    globalThis.console = Object.fromEntries(recording)
  })

  afterEach(() => {
    globalThis.console = original
  })

  it('logs at the levels of the console, from its own level on', () => {
    const { logger } = browserPlatform()
    logger.log('debug', 'dropped')
    logger.log('warn', 'careful', { bytes: 3 })
    logger.log('error', 'failed')
    browserPlatform({ logLevel: 'debug' }).logger.log('debug', 'kept')
    assert.deepEqual(calls, [
      ['warn', 'WARN  careful bytes=3'],
      ['error', 'ERROR failed'],
      ['debug', 'DEBUG kept'],
    ])
  })

  it('prints a piece of text as one entry without its last line end', () => {
    const { text } = browserPlatform()
    text.write('a\nb\n')
    text.write('no line end')
    assert.deepEqual(calls, [
      ['log', 'a\nb'],
      ['log', 'no line end'],
    ])
  })

  it('is made of modules that import nothing of Node', () => {
    const folders = [new URL('./', import.meta.url), new URL('../', import.meta.url)]
    const modules = folders.flatMap(folder =>
      readdirSync(folder)
        .filter(file => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
        .map(file => readFileSync(new URL(file, folder), 'utf8')),
    )
    assert.ok(modules.length >= 9, `${modules.length} modules were seen`)
    for (const text of modules) {
      assert.doesNotMatch(text, /from '(?!\.)/)
      assert.doesNotMatch(text, /from '\.+\/node\//)
    }
  })
})
