import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { crc32 } from '../../base/crc32.ts'
import { decodeFrames, HEADER, headerKind, LogBatch, scanFrames } from './log-format.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const RECORDS = fc.array(
  fc.record({
    value: fc.oneof(fc.string(), fc.integer(), fc.array(fc.string(), { maxLength: 3 }), fc.constant(undefined)),
    timestampMs: fc.option(fc.integer(), { nil: undefined }),
    isRetraction: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
)

describe('the format of a write-ahead log', () => {
  test('keeps its bytes for ever', () => {
    const batch = new LogBatch()
    batch.add('a', undefined, false)
    batch.add(1, 2, true)
    batch.addEnd()
    assert.equal(hex(batch.view()), '030000003f9d6b490021610a000000a23fcc7f0300000000000000409101000000942b6fd504')
    assert.equal(hex(HEADER), '4d5257414c303031a18dd96c')
  })

  test('gives back what was added, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(RECORDS, fc.nat(), (records, seed) => {
        const batch = new LogBatch()
        for (const { value, timestampMs, isRetraction } of records) batch.add(value, timestampMs, isRetraction)
        const cut = seed % (batch.bytes + 1)
        const scan = scanFrames(batch.view().subarray(0, cut))
        const whole = batch.entries.filter(({ endBytes }) => endBytes <= cut)
        assert.deepEqual(decodeFrames(batch.view().subarray(0, scan.endBytes)), whole)
        assert.equal(scan.endBytes, whole.at(-1)?.endBytes ?? 0)
        assert.equal(scan.stop, scan.endBytes === cut ? 'none' : 'cut')
      }),
    )
  })

  test('finds every changed byte, and ends at the record before it', () => {
    const batch = new LogBatch()
    for (const value of ['first', 'second', 'third']) batch.add(value, undefined, false)
    const ends = [0, ...batch.entries.map(({ endBytes }) => endBytes)]
    for (let at = 0; at < batch.bytes; at++) {
      const bytes = batch.view().slice()
      bytes[at] = (bytes[at] as number) ^ 0x10
      const before = ends.filter(end => end <= at).at(-1)
      assert.equal(scanFrames(bytes).endBytes, before, `byte ${at}`)
    }
  })

  test('does not take zeros, with which a disk may come back, for frames', () => {
    assert.deepEqual(scanFrames(new Uint8Array(64)), {
      endBytes: 0,
      stop: 'damaged',
      neededBytes: 0,
      endOfInputAt: undefined,
    })
  })

  test('sees the end of the input only where nothing comes behind it', () => {
    const batch = new LogBatch()
    batch.add('a', undefined, false)
    const endOfInputAt = batch.bytes
    batch.addEnd()
    assert.equal(scanFrames(batch.view()).endOfInputAt, endOfInputAt)
    batch.add('b', undefined, false)
    assert.equal(scanFrames(batch.view()).endOfInputAt, undefined)
  })

  test('adds nothing for a value that has no form in it', () => {
    const batch = new LogBatch()
    assert.throws(() => batch.add({ nested: () => 1 }, undefined, false), /STATE_NOT_SERIALIZABLE: \.nested/)
    assert.equal(batch.bytes, 0)
    assert.equal(batch.entries.length, 0)
  })

  test('tells a header of another version from one that a crash left', () => {
    assert.equal(headerKind(HEADER), 'this')
    for (let at = 0; at < HEADER.length; at++) {
      const bytes = HEADER.slice()
      bytes[at] = (bytes[at] as number) ^ 1
      assert.equal(headerKind(bytes), 'none', `byte ${at}`)
    }
    assert.equal(headerKind(HEADER.subarray(0, 5)), 'none')
    const other = new Uint8Array([...Buffer.from('MRWAL002'), 0, 0, 0, 0])
    new DataView(other.buffer).setUint32(8, crc32(other.subarray(0, 8)), true)
    assert.equal(headerKind(other), 'other')
  })
})
