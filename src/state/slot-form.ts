// How the slots of declared state become tagged values and come back: `position value position value ... -1`, for the slots that hold
// something. Of n states, position n + p holds the times at which the values of p expire, and comes before them.
import { type ByteReader, BytesCorruptError } from '../base/byte-reader.ts'
import type { ByteWriter } from '../base/byte-writer.ts'
import { preview, StreamError } from '../base/errors.ts'
import type { StateDescriptor, StateDescriptors } from '../model/state.ts'
import type { TtlOptions } from '../model/state-options.ts'
import { readValue, writeValue } from '../serde/value-codec.ts'
import { Dated } from './dated.ts'
import { columnsOf, fromPlain, type SlotColumns, toPlain, toSlot } from './slot-columns.ts'
import type { PartSchema, StateSchema } from './state-part.ts'
import { stateProblems } from './state-problems.ts'
import { namingState, ValueForm } from './value-form.ts'

/** Stands behind the last slot. */
const END = -1

/** The layout of parts whose rows are slots. */
export const SLOTS_LAYOUT = 'slots'

/** Something that has slots: what is kept for a key, or for a key and window. */
export interface SlotOwner {
  readonly key: unknown
  readonly slots: unknown[]
}

/** Reads what `SlotForm.write` wrote. */
export interface SlotReader {
  /** True when the snapshot holds states that the job declares no more: they are passed over. */
  readonly isLossy: boolean
  /** Fills the slots from a payload, and moves on behind them. Throws STATE_INCOMPATIBLE for values that the job cannot take. */
  read(owner: SlotOwner, payload: ByteReader): void
}

interface Slot {
  readonly kind: StateDescriptor['kind']
  readonly ttl: TtlOptions | undefined
  readonly form: ValueForm
}

/** The slots of some declared states. */
export class SlotForm {
  readonly schema: PartSchema
  private readonly descriptors: StateDescriptors
  private readonly slots: readonly Slot[]

  constructor(descriptors: StateDescriptors) {
    this.descriptors = descriptors
    this.slots = Object.entries(descriptors).map(([name, descriptor]) => ({
      kind: descriptor.kind,
      ttl: descriptor.ttl,
      form: new ValueForm(name, descriptor),
    }))
    this.schema = { layout: SLOTS_LAYOUT, states: this.slots.map(({ form }) => form.state) }
  }

  /**
   * Appends what the slots hold, without what has expired; false when that is nothing, though the end is written all the same. Throws
   * STATE_NOT_SERIALIZABLE, naming state and key; what is written up to there is of no use.
   */
  write(owner: SlotOwner, out: ByteWriter, nowMs: number): boolean {
    let isAny = false
    for (let position = 0; position < this.slots.length; position++) {
      const stored = owner.slots[position]
      if (stored === undefined) continue
      const slot = this.slots[position] as Slot
      try {
        if (this.writeSlot(slot, position, stored, out, nowMs)) isAny = true
      } catch (error) {
        throw namingState(error, `state "${slot.form.state.name}"${keyText(owner.key)}`)
      }
    }
    writeValue(out, END)
    return isAny
  }

  /** How to read slots that were written with a schema. Throws STATE_INCOMPATIBLE, naming every state that does not fit. */
  reader(written: PartSchema, nowMs: () => number): SlotReader {
    if (written.layout !== SLOTS_LAYOUT) {
      throw new StreamError(
        'STATE_INCOMPATIBLE',
        `the snapshot holds ${written.layout} where declared state is expected; give the step another uid()`,
      )
    }
    const { problems, dropped } = stateProblems(written, this.descriptors)
    if (problems.length > 0) throw new StreamError('STATE_INCOMPATIBLE', problems.join('\n'))
    const readers = written.states.map(state => this.slotReader(state))
    return {
      isLossy: dropped.length > 0,
      read(owner, payload) {
        let expiries: readonly number[] | undefined
        for (let at = readPosition(payload, readers.length); at !== END; at = readPosition(payload, readers.length)) {
          const plain = readValue(payload)
          if (at >= readers.length) expiries = parsedExpiries(plain)
          else {
            readers[at]?.(owner, plain, expiries, nowMs())
            expiries = undefined
          }
        }
      },
    }
  }

  private writeSlot(
    { kind, ttl, form }: Slot,
    position: number,
    stored: unknown,
    out: ByteWriter,
    nowMs: number,
  ): boolean {
    // What is kept just as it is written needs no columns.
    if (ttl === undefined && kind !== 'ordered-list' && (!form.hasCodec || isSingle(kind))) {
      writeValue(out, position)
      writeValue(out, form.encode(stored))
      return true
    }
    const all = columnsOf(kind, stored)
    const live = ttl === undefined ? all : filtered(all, value => !(value as Dated).isExpired(nowMs))
    if (live.values.length === 0) return false
    if (ttl !== undefined) {
      writeValue(out, this.slots.length + position)
      writeValue(
        out,
        live.values.map(value => (value as Dated).expiresAtMs),
      )
    }
    const values = live.values.map(value => form.encode(ttl === undefined ? value : (value as Dated).value))
    writeValue(out, position)
    writeValue(out, toPlain(kind, { keys: live.keys, values }))
    return true
  }

  /** Undefined for a state that the job declares no more. */
  private slotReader(state: StateSchema): ReadSlot | undefined {
    const at = this.slots.findIndex(({ form }) => form.state.name === state.name)
    if (at < 0) return undefined
    const { kind, ttl, form } = this.slots[at] as Slot
    const decode = form.decoder(state)
    return (owner, plain, expiries, nowMs) => {
      const { keys, values } = fromPlain(kind, plain)
      const decoded = { keys, values: values.map(decode) }
      owner.slots[at] = toSlot(kind, dated(decoded, expiries, ttl, nowMs), ttl !== undefined)
    }
  }
}

type ReadSlot = (owner: SlotOwner, plain: unknown, expiries: readonly number[] | undefined, nowMs: number) => void

function isSingle(kind: StateDescriptor['kind']): boolean {
  return kind === 'value' || kind === 'reducing' || kind === 'aggregating'
}

/** Values with their expiries, as the job keeps them: without dates where it declares no time-to-live any more. */
function dated(
  { keys, values }: SlotColumns,
  expiries: readonly number[] | undefined,
  ttl: TtlOptions | undefined,
  nowMs: number,
): SlotColumns {
  if (expiries === undefined && ttl === undefined) return { keys, values }
  const all = values.map((value, at) => new Dated(value, expiries?.[at] ?? nowMs + (ttl?.durationMs ?? Infinity)))
  const live = filtered({ keys, values: all }, value => !(value as Dated).isExpired(nowMs))
  return ttl === undefined ? { keys: live.keys, values: live.values.map(value => (value as Dated).value) } : live
}

function filtered({ keys, values }: SlotColumns, isKept: (value: unknown) => boolean): SlotColumns {
  return { keys: keys?.filter((_, at) => isKept(values[at])), values: values.filter(isKept) }
}

/** END, the position of a state, or that of its expiry times. */
function readPosition(payload: ByteReader, stateCount: number): number {
  const position = readValue(payload)
  if (position === END) return END
  if (typeof position === 'number' && Number.isSafeInteger(position) && position >= 0 && position < 2 * stateCount)
    return position
  throw new BytesCorruptError(`${preview(position)} is no position of one of ${stateCount} states`)
}

function parsedExpiries(plain: unknown): readonly number[] {
  if (Array.isArray(plain) && plain.every(timeMs => typeof timeMs === 'number')) return plain as number[]
  throw new BytesCorruptError(`${preview(plain)} are no times`)
}

function keyText(key: unknown): string {
  return key === undefined ? '' : ` of key ${preview(key)}`
}
