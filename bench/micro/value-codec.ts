// Rows of state to bytes and back in the tagged codec, and the checksum over them: `node bench/micro/value-codec.ts`.
import { ByteReader } from '../../src/base/byte-reader.ts'
import { ByteWriter } from '../../src/base/byte-writer.ts'
import { crc32 } from '../../src/base/crc32.ts'
import { readValue, writeValue } from '../../src/serde/value-codec.ts'
import { measure } from './measure.ts'

const OPERATIONS = 2_000_000
const ROWS = 1024

const kinds: readonly (readonly [name: string, row: (index: number) => unknown])[] = [
  ['whole numbers', index => index * 1000],
  ['fractions', index => index + 0.5],
  ['words of 8 letters', index => `word${String(index).padStart(4, '0')}`],
  ['words beyond Latin-1', index => `wörd€${String(index).padStart(4, '0')}`],
  ['texts of 60 letters', index => String(index).padStart(60, 'text ')],
  ['{ count, sum }', index => ({ count: index, sum: index * 7 })],
  ['{ user, name, at, amount }', index => ({ user: `u${index}`, name: 'Ann Lee', at: 1.7e12 + index, amount: 9.5 })],
  ['arrays of 3 numbers', index => [index, index + 1, index + 2]],
  ['maps of 2 entries', index => new Map([['a', index] as const, ['b', 1] as const])],
]

function writeAll(out: ByteWriter, rows: readonly unknown[]): number {
  for (let i = 0; i < OPERATIONS; i++) {
    const index = i % ROWS
    if (index === 0) out.reset()
    writeValue(out, rows[index])
  }
  return out.length
}

function readAll(bytes: Uint8Array): unknown {
  let input = new ByteReader(bytes)
  let last: unknown
  for (let i = 0; i < OPERATIONS; i++) {
    if (input.isAtEnd) input = new ByteReader(bytes)
    last = readValue(input)
  }
  return last
}

for (const [name, row] of kinds) {
  const rows = Array.from({ length: ROWS }, (_, index) => row(index))
  const out = new ByteWriter(1 << 16)
  measure(`write ${name}`, OPERATIONS, () => writeAll(out, rows))
  out.reset()
  for (const each of rows) writeValue(out, each)
  const bytes = out.copy()
  measure(`read ${name}`, OPERATIONS, () => readAll(bytes))
}

const block = new Uint8Array(1 << 20).map((_, index) => index * 31)
measure('crc32, bytes', block.length * 100, () => {
  let crc = 0
  for (let i = 0; i < 100; i++) crc = crc32(block, crc)
  return crc
})
