// Batches of records to frames and back: `node bench/micro/record-codec.ts`. With `closures` as argument: without generated source.
import { NODE_TEXT_DECODING } from '../../src/platform/ring/node-text-decoding.ts'
import type { RecordColumns } from '../../src/serde/record-codec/record-columns.ts'
import { RecordDecoder } from '../../src/serde/record-codec/record-decoder.ts'
import { RecordEncoder } from '../../src/serde/record-codec/record-encoder.ts'
import { measure } from './measure.ts'

const OPERATIONS = 5_000_000
const BATCH_RECORDS = 256
const BATCHES = 64

const word = (index: number): string => String.fromCharCode(97 + (index % 26)).repeat(5 + (index % 4))
const kinds: readonly (readonly [name: string, record: (index: number) => unknown])[] = [
  ['{ key, value } of int32', index => ({ key: index, value: index * 7 })],
  ['{ key, value } of int32 and float64', index => ({ key: index, value: index + 0.5 })],
  ['{ word, n }, words of 5 to 8 letters', index => ({ word: word(index), n: index })],
  ['{ id, name }, texts of 36 letters', index => ({ id: String(index).padStart(36, 'id-'), name: word(index) })],
  ['words', word],
  ['words beyond Latin-1', index => `${word(index)}€`],
  ['tuples [word, n]', index => [word(index), index]],
  ['{ at, user: { name, age } }', index => ({ at: 1.7e12 + index, user: { name: word(index), age: index % 90 } })],
  ['{ key, value }, every 10th without value', index => (index % 10 === 0 ? { key: index } : { key: index, value: 1 })],
  ['maps of 1 entry (tagged)', index => new Map([[word(index), index]])],
]

function batchOf(record: (index: number) => unknown, batch: number): RecordColumns {
  const values: unknown[] = []
  for (let i = 0; i < BATCH_RECORDS; i++) values.push(record(batch * BATCH_RECORDS + i))
  return { values, timestamps: undefined, keys: undefined, retractions: undefined }
}

const options = process.argv[2] === 'closures' ? { generateAfterRows: Infinity } : {}
for (const [name, record] of kinds) {
  const batches = Array.from({ length: BATCHES }, (_, index) => batchOf(record, index))
  const encoder = new RecordEncoder('bench', options)
  measure(`encode ${name}`, OPERATIONS, () => {
    let bytes = 0
    for (let i = 0; i < OPERATIONS / BATCH_RECORDS; i++) {
      bytes += encoder.encode(batches[i % BATCHES] as RecordColumns).length
    }
    return bytes
  })
  const frames = batches.map(batch => {
    const frame = encoder.encode(batch)
    const shared = new Uint8Array(new SharedArrayBuffer(frame.length))
    shared.set(frame)
    return shared
  })
  const decoder = new RecordDecoder({ texts: NODE_TEXT_DECODING, ...options })
  measure(`decode ${name}`, OPERATIONS, () => {
    let last: unknown
    for (let i = 0; i < OPERATIONS / BATCH_RECORDS; i++) last = decoder.decode(frames[i % BATCHES] as Uint8Array)
    return last
  })
}
