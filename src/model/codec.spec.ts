import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { BytesCorruptError } from '../base/byte-reader.ts'
import { jsonCodec } from './codec.ts'

describe('jsonCodec', () => {
  test('is named json, and gives the UTF-8 of the JSON', () => {
    const codec = jsonCodec<{ readonly name: string }>()
    assert.equal(codec.name, 'json')
    assert.equal(Buffer.from(codec.encode({ name: 'Jürg €😀' })).toString('utf8'), '{"name":"Jürg €😀"}')
  })

  test('gives back every JSON value, lone surrogates included', () => {
    const codec = jsonCodec<unknown>()
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), value => {
        // -0 is 0 in JSON.
        assert.deepStrictEqual(codec.decode(codec.encode(value)), JSON.parse(JSON.stringify(value)))
      }),
      { numRuns: 500 },
    )
    assert.equal(codec.decode(codec.encode('\ud83d')), '\ud83d')
  })

  test('refuses what JSON cannot write', () => {
    const codec = jsonCodec<unknown>()
    const ring: unknown[] = []
    ring.push(ring)
    const MEND = 'plain data, or declare the state with another codec'
    const refused: readonly (readonly [unknown, string])[] = [
      [undefined, `undefined is not JSON; store null or ${MEND}`],
      [function add() {}, `function add is not JSON; store null or ${MEND}`],
      [Symbol('s'), `Symbol(s) is not JSON; store null or ${MEND}`],
      [1n, `1n cannot be written as JSON (Do not know how to serialize a BigInt); store ${MEND}`],
      [ring, `[object Array] cannot be written as JSON (Converting circular structure to JSON); store ${MEND}`],
    ]
    for (const [value, message] of refused) {
      assert.throws(() => codec.encode(value), {
        code: 'STATE_NOT_SERIALIZABLE',
        message: `STATE_NOT_SERIALIZABLE: ${message}`,
      })
    }
  })

  test('finds bytes that are not what was written', () => {
    const codec = jsonCodec<unknown>()
    const bytes = codec.encode({ name: 'ü' })
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => codec.decode(bytes.subarray(0, length)), BytesCorruptError)
    }
    assert.throws(() => codec.decode(Uint8Array.from([0xff])), BytesCorruptError)
  })
})
