import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { finishHash, HASH_SEED, hashByte, hashBytes, hashText } from './hash.ts'

const utf8 = new TextEncoder()

describe('hash', () => {
  it('folds bytes as FNV-1a does (test vectors of its authors)', () => {
    const fold = (text: string): number => utf8.encode(text).reduce(hashByte, HASH_SEED) >>> 0
    assert.equal(fold(''), 0x811c9dc5)
    assert.equal(fold('a'), 0xe40c292c)
    assert.equal(fold('foobar'), 0xbf9cf968)
  })

  it('finishes as the 32-bit finaliser of MurmurHash3 does', () => {
    assert.deepEqual([0, 1, 2].map(finishHash), [0, 0x514e28b7, 0x30f4c306])
    assert.equal(finishHash(-1), 0x81f16f39)
  })

  it('keeps the values of byte sequences for ever', () => {
    assert.equal(hashBytes(new Uint8Array()), 0xab3e7c0b)
    assert.equal(hashBytes(Uint8Array.of(0)), 0x0578ab1b)
    assert.equal(hashBytes(utf8.encode('millrace')), 0x8c3b5d03)
    assert.equal(hashBytes(Uint8Array.from({ length: 256 }, (_, i) => i)), 0xf8c36466)
  })

  it('keeps the values of texts for ever', () => {
    assert.equal(hashText(''), 0xab3e7c0b)
    assert.equal(hashText('millrace'), 0xd5c0b600)
    assert.equal(hashText('Größe 😀'), 0x6381b52f)
  })

  it('hashes a text as its UTF-16 units, low byte first', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff })), units => {
        const text = String.fromCharCode(...units)
        const bytes = units.flatMap(unit => [unit & 0xff, unit >>> 8])
        assert.equal(hashText(text), hashBytes(Uint8Array.from(bytes)))
      }),
    )
  })

  it('gives unsigned 32-bit integers', () => {
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        const hash = hashBytes(bytes)
        assert.ok(Number.isInteger(hash) && hash >= 0 && hash <= 0xffffffff)
      }),
    )
  })
})
