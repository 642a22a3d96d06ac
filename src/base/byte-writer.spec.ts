import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
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
})
