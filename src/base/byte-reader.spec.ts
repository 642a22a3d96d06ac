import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ByteReader, BytesCorruptError } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'

describe('ByteReader', () => {
  it('reads what a ByteWriter wrote', () => {
    const writer = new ByteWriter(1)
    writer.byte(255)
    writer.uint32(0xfffefdfc)
    writer.float64(-0.1)
    writer.varint(300)
    writer.raw(Uint8Array.from([1, 2, 3]))
    const reader = new ByteReader(writer.view())
    assert.equal(reader.byte(), 255)
    assert.equal(reader.uint32(), 0xfffefdfc)
    assert.equal(reader.float64(), -0.1)
    assert.equal(reader.varint(), 300)
    assert.deepEqual([...reader.raw(3)], [1, 2, 3])
    assert.ok(reader.isAtEnd)
  })

  it('reads any whole number up to 2^53 as it was written', () => {
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeNat(), fc.nat(), fc.nat({ max: 300 }), fc.constant(2 ** 53)), value => {
        const writer = new ByteWriter()
        writer.varint(value)
        const reader = new ByteReader(writer.view())
        assert.equal(reader.varint(), value)
        assert.ok(reader.isAtEnd)
      }),
      { numRuns: 1000 },
    )
  })

  it('reads from a position to an end, whatever lies around', () => {
    const reader = new ByteReader(Uint8Array.from([9, 1, 2, 9]), 1, 3)
    assert.deepEqual([reader.byte(), reader.byte()], [1, 2])
    assert.ok(reader.isAtEnd)
    assert.throws(() => reader.byte(), BytesCorruptError)
  })

  it('reads numbers where the bytes are a view into a larger buffer', () => {
    const bytes = Uint8Array.from([0, 0, 0, 1, 2, 3, 4]).subarray(3)
    assert.equal(new ByteReader(bytes).uint32(), 0x04030201)
  })

  it('keeps a part within its own end, and goes on behind it', () => {
    const reader = new ByteReader(Uint8Array.from([1, 2, 3]))
    const part = reader.part(2)
    assert.equal(reader.byte(), 3)
    assert.deepEqual([part.byte(), part.byte()], [1, 2])
    assert.throws(() => part.byte(), BytesCorruptError)
  })

  it('finds that bytes are missing, and stays where it was', () => {
    const reader = new ByteReader(Uint8Array.from([1, 2, 3]))
    for (const read of [
      () => reader.uint32(),
      () => reader.float64(),
      () => reader.raw(4),
      () => reader.part(4),
      () => reader.raw(2 ** 50),
    ]) {
      assert.throws(read, BytesCorruptError)
      assert.equal(reader.position, 0)
    }
    assert.throws(() => new ByteReader(Uint8Array.from([1])).uint32(), {
      message: '4 bytes are expected where 1 are left',
    })
  })

  it('refuses a varint that does not end: cut off, or of more than eight bytes', () => {
    assert.throws(() => new ByteReader(Uint8Array.from([0x80])).varint(), BytesCorruptError)
    assert.throws(() => new ByteReader(new Uint8Array(20).fill(0xff)).varint(), {
      name: 'BytesCorruptError',
      message: 'a number has too many bytes',
    })
  })
})
