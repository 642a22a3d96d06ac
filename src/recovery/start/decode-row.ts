// A row of a snapshot as values, without the job that wrote it: what it is about, and what is kept for it.
import { type ByteReader, BytesCorruptError } from '../../base/byte-reader.ts'
import { readValue } from '../../serde/value-codec.ts'
import type { PartSchema, StateSchema } from '../../state/state-part.ts'
import { toBase64 } from './base64.ts'

/** What is kept in a row. */
export interface DecodedRow {
  /** The key first, then its window or the like; empty for parts that are not keyed. */
  readonly identity: readonly unknown[]
  /** What is kept, by name: declared states, or what the layout calls it. */
  readonly values: Readonly<Record<string, unknown>>
}

/** The names of what the rows of a layout hold, in order; what has none is numbered. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  accumulators: ['count', 'accumulator'],
  loop: ['value', 'timestamp', 'isRetraction'],
  splits: ['split'],
  transactions: ['transaction'],
  calls: ['call'],
  watermark: ['watermark'],
  time: ['times'],
}

/** Reads a row that was written with a schema. What cannot be read is given as bytes in base64, so that one odd row hides no other. */
export function decodeRow(schema: PartSchema, identity: ByteReader, payload: ByteReader): DecodedRow {
  return { identity: valuesIn(identity), values: payloadValues(schema, payload) }
}

/** The values that follow each other up to the end. */
export function valuesIn(bytes: ByteReader): readonly unknown[] {
  const values: unknown[] = []
  while (!bytes.isAtEnd) values.push(readValue(bytes))
  return values
}

/** Slots by position up to -1, then the times of timers in event time and in processing time (state/state-rows.ts). */
function slotValues({ states }: PartSchema, payload: ByteReader): Readonly<Record<string, unknown>> {
  const values = new Map<string, unknown>()
  for (let slot = readValue(payload); slot !== -1; slot = readValue(payload)) {
    const state = states[slot as number]
    values.set(state?.name ?? String(slot), shown(readValue(payload), state))
  }
  for (const timers of TIMERS) {
    const times = payload.isAtEnd ? [] : readValue(payload)
    // A state of that name goes before; most keys have no timers.
    if (Array.isArray(times) && times.length > 0 && !values.has(timers)) values.set(timers, times)
  }
  return Object.fromEntries(values)
}

const TIMERS = ['eventTimers', 'processingTimers']

/** One element of state without key (state/operator-state.ts). */
function elementValue({ states: [state] }: PartSchema, payload: ByteReader): Readonly<Record<string, unknown>> {
  return { [state?.name ?? '0']: shown(readValue(payload), state) }
}

/** The bytes of a codec of the job's own say nothing without it. */
function shown(value: unknown, state: StateSchema | undefined): unknown {
  if (state === undefined || state.codec === 'tagged' || !(value instanceof Uint8Array)) return value
  return { codec: state.codec, base64: toBase64(value) }
}

function payloadValues(schema: PartSchema, payload: ByteReader): Readonly<Record<string, unknown>> {
  const { position } = payload
  try {
    if (schema.layout === 'slots') return slotValues(schema, payload)
    if (schema.layout === 'elements') return elementValue(schema, payload)
    const names = NAMES[schema.layout] ?? []
    return Object.fromEntries(valuesIn(payload).map((value, index) => [names[index] ?? String(index), value]))
  } catch (error) {
    if (!(error instanceof BytesCorruptError)) throw error
    payload.position = position
    return { bytes: { codec: 'unknown', base64: toBase64(payload.raw(payload.end - position)) } }
  }
}
