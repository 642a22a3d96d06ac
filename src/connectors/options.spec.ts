import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConnectorOptions } from './options.ts'

function optionsOf(options: Record<string, unknown>): ConnectorOptions {
  return new ConnectorOptions({ connector: 'test', description: 'the test', options }, ['host', 'port', 'mode', 'make'])
}

describe('ConnectorOptions', () => {
  it('gives values and defaults', () => {
    const options = optionsOf({ host: 'h', port: 7, mode: undefined })
    assert.equal(options.text('host'), 'h')
    assert.equal(options.wholeNumber('port', { min: 1, max: 9 }), 7)
    assert.equal(options.oneOf('mode', ['fast', 'safe'], 'safe'), 'safe')
    assert.equal(options.optionalCallable('make'), undefined)
    assert.equal(optionsOf({}).wholeNumber('port', { min: 1, max: 9, default: 3 }), 3)
    assert.equal(optionsOf({}).optionalText('host'), undefined)
  })

  it('names the value found and what was expected', () => {
    assert.throws(() => optionsOf({ host: '' }).text('host'), {
      message: 'OPTION_INVALID: the test: option host is ""; expected a text that is not empty',
    })
    assert.throws(() => optionsOf({}).text('host'), /option host is undefined/)
    assert.throws(
      () => optionsOf({ mode: 'slow' }).oneOf('mode', ['fast', 'safe'], 'safe'),
      /is "slow"; expected 'fast' or 'safe'/,
    )
    assert.throws(() => optionsOf({ make: 1 }).callable('make'), /option make is 1; expected a function/)
  })

  it('refuses numbers that are out of range, broken or of another type', () => {
    for (const port of [0, 10, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null]) {
      assert.throws(
        () => optionsOf({ port }).wholeNumber('port', { min: 1, max: 9 }),
        /OPTION_INVALID: .*a whole number from 1 to 9/,
      )
    }
  })

  it('refuses an option that the connector does not have', () => {
    assert.throws(() => optionsOf({ prot: 1 }), {
      message: 'OPTION_INVALID: the test: the connector test has no option prot; it has host, port, mode, make',
    })
  })
})
