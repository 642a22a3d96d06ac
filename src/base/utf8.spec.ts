import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { BytesCorruptError } from './byte-reader.ts'
import { decodeUtf8, encodeUtf8 } from './utf8.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\0', '\x7f', '\x80', '\u07ff', '\u0800', '\ud7ff', '\ud83d', '\udc00', '\ue000', '\uffff', '😀'),
    fc.constantFrom('\ufeff', '\u{10000}', '\u{10ffff}', 'a', 'é', '€'),
  ),
  maxLength: 40,
  size: 'max',
})

/** What a strict decoder says: the text, or undefined when it refuses. */
function expected(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

describe('encodeUtf8', () => {
  test('agrees with TextEncoder, lone surrogates included', () => {
    fc.assert(
      fc.property(text, text => {
        assert.deepEqual(encodeUtf8(text), encoder.encode(text))
      }),
      { numRuns: 1000 },
    )
  })
})

describe('decodeUtf8', () => {
  test('gives back every text without lone surrogates', () => {
    fc.assert(
      fc.property(text, text => {
        const whole = text.replace(/\p{Surrogate}/gu, '\ufffd')
        assert.equal(decodeUtf8(encodeUtf8(whole)), whole)
      }),
      { numRuns: 1000 },
    )
  })

  test('gives back every character of Unicode, and texts longer than it works off at once', () => {
    let all = ''
    for (let point = 0; point <= 0x10ffff; point++) {
      if (point < 0xd800 || point > 0xdfff) all += String.fromCodePoint(point)
    }
    assert.equal(decodeUtf8(encodeUtf8(all)), all)
    for (const length of [4094, 4095, 4096, 4097]) {
      const long = `${'a'.repeat(length)}😀b`
      assert.equal(decodeUtf8(encodeUtf8(long)), long)
    }
    assert.equal(decodeUtf8(new Uint8Array()), '')
  })

  test('agrees with a strict TextDecoder on what is not UTF-8', () => {
    const byte = fc.oneof(
      fc.constantFrom(0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef),
      fc.constantFrom(0xf0, 0xf4, 0xf5, 0xff),
    )
    let refused = 0
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 5 }), list => {
        const bytes = Uint8Array.from(list)
        const text = expected(bytes)
        if (text === undefined) {
          refused++
          assert.throws(() => decodeUtf8(bytes), BytesCorruptError)
        } else assert.equal(decodeUtf8(bytes), text)
      }),
      { numRuns: 5000 },
    )
    assert.ok(refused > 100 && refused < 4990, `${refused} of 5000 refused`)
  })

  test('names the byte where the damage begins', () => {
    assert.throws(() => decodeUtf8(Uint8Array.from([0x61, 0xc3])), {
      name: 'BytesCorruptError',
      message: 'what begins at byte 1 is not UTF-8',
    })
  })
})
