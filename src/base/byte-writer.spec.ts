import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'

describe('ByteWriter', () => {
  it('gives back the bytes written, however many there are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400, size: 'max' }), bytes => {
        const writer = new ByteWriter()
        for (const byte of bytes) writer.byte(byte)
        assert.deepEqual(writer.view(), bytes)
        assert.deepEqual(writer.copy(), bytes)
      }),
    )
  })

  it('writes 32-bit integers most significant byte first', () => {
    const writer = new ByteWriter()
    writer.uint32BigEndian(0x01020304)
    writer.uint32BigEndian(0xfffefdfc)
    assert.deepEqual([...writer.view()], [1, 2, 3, 4, 255, 254, 253, 252])
  })

  it('begins anew after reset, in the same memory', () => {
    const writer = new ByteWriter()
    for (let i = 0; i < 100; i++) writer.byte(1)
    const { buffer } = writer.view()
    writer.reset()
    assert.equal(writer.view().length, 0)
    writer.byte(7)
    assert.deepEqual([...writer.view()], [7])
    assert.equal(writer.view().buffer, buffer)
  })

  it('copies bytes that later writes do not change', () => {
    const writer = new ByteWriter()
    writer.byte(1)
    const copy = writer.copy()
    writer.reset()
    writer.byte(2)
    assert.deepEqual([...copy], [1])
  })

  it('writes numbers least significant byte first', () => {
    const writer = new ByteWriter(1)
    writer.uint32(0x01020304)
    writer.float64(1)
    assert.deepEqual([...writer.view()], [4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f])
  })

  it('writes whole numbers in seven bits a byte', () => {
    const golden: readonly (readonly [number, readonly number[]])[] = [
      [0, [0]],
      [127, [0x7f]],
      [128, [0x80, 1]],
      [300, [0xac, 2]],
      [2 ** 31, [0x80, 0x80, 0x80, 0x80, 8]],
      [2 ** 32, [0x80, 0x80, 0x80, 0x80, 0x10]],
      [2 ** 53 - 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ]
    for (const [value, bytes] of golden) {
      const writer = new ByteWriter()
      writer.varint(value)
      assert.deepEqual([...writer.view()], bytes, String(value))
    }
  })

  it('forgets what was written behind a length', () => {
    const writer = new ByteWriter()
    for (let i = 0; i < 10; i++) writer.byte(i)
    writer.truncate(3)
    writer.byte(9)
    assert.equal(writer.length, 4)
    assert.deepEqual([...writer.view()], [0, 1, 2, 9])
  })

  it('fills in the length of what follows, whatever it takes to write it', () => {
    const room = [0, 1, 62, 126, 127, 128, 129, 1000, 16_382, 16_383, 16_384, 16_385, 70_000]
    for (const length of room) {
      for (const more of [0, 1]) {
        const writer = new ByteWriter(1)
        writer.byte(42)
        const from = writer.openLength()
        for (let i = 0; i < length; i++) writer.byte(i & 0xff)
        writer.fillLength(from, more)
        writer.byte(43)
        const reader = new ByteReader(writer.view())
        assert.equal(reader.byte(), 42)
        assert.equal(reader.varint(), length + more, `${length} bytes`)
        const bytes = reader.raw(length)
        assert.ok(bytes.every((byte, i) => byte === (i & 0xff)))
        assert.equal(reader.byte(), 43)
        assert.ok(reader.isAtEnd)
      }
    }
  })

  it('fills in lengths inside each other', () => {
    const writer = new ByteWriter()
    const outer = writer.openLength()
    const inner = writer.openLength()
    writer.raw(new Uint8Array(200).fill(7))
    writer.fillLength(inner)
    writer.fillLength(outer)
    const reader = new ByteReader(writer.view())
    const part = reader.part(reader.varint())
    assert.ok(reader.isAtEnd)
    assert.deepEqual(part.raw(part.varint()), new Uint8Array(200).fill(7))
    assert.ok(part.isAtEnd)
  })
})
