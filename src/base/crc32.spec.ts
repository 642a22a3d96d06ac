import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crc32 as zlibCrc32 } from 'node:zlib'
import fc from 'fast-check'
import { crc32 } from './crc32.ts'

describe('crc32', () => {
  test('gives the known values', () => {
    const ofText = (text: string): number => crc32(Buffer.from(text, 'latin1'))
    assert.equal(ofText(''), 0)
    assert.equal(ofText('a'), 0xe8b7be43)
    assert.equal(ofText('123456789'), 0xcbf43926)
    assert.equal(ofText('The quick brown fox jumps over the lazy dog'), 0x414fa339)
    assert.equal(crc32(new Uint8Array(32)), 0x190a55ad)
    assert.equal(crc32(new Uint8Array(32).fill(0xff)), 0xff6cab0b)
  })

  test('agrees with zlib, whatever the bytes, their number, and where they begin', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300, size: 'max' }), fc.nat({ max: 9 }), (bytes, from) => {
        const some = bytes.subarray(from)
        assert.equal(crc32(some), zlibCrc32(some))
      }),
    )
  })

  test('continues from the checksum of what goes before', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ maxLength: 60 }), (a, b) => {
        assert.equal(crc32(b, crc32(a)), crc32(Uint8Array.from([...a, ...b])))
      }),
    )
  })

  test('finds every single flipped bit', () => {
    const bytes = Uint8Array.from({ length: 40 }, (_, index) => index * 37)
    const right = crc32(bytes)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      assert.notEqual(crc32(flipped), right, `bit ${bit}`)
    }
  })
})
