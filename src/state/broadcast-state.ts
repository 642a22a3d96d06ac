// Record path. Broadcast state on the heap: maps without key, one of each in every subtask, which only broadcast records may change. In
// snapshots each map is a row, encoded again only after it changed.
import { ByteWriter } from '../base/byte-writer.ts'
import { StreamError } from '../base/errors.ts'
import type { BroadcastDescriptors } from '../model/broadcast-functions.ts'
import type { MapKey, MapState } from '../model/state.ts'
import { RowPart } from './row-part.ts'
import { SlotForm } from './slot-form.ts'
import type { PartRestorer, PartSchema, StatePart } from './state-part.ts'

/** The name of the part that holds broadcast state. */
export const BROADCAST_STATE_PART = 'broadcast'

/** The broadcast state of one operator in one subtask. */
export class BroadcastState {
  /** The handles by declared name; what changes them outside `writing` is STATE_READ_ONLY. */
  readonly handles: Readonly<Record<string, MapState<MapKey, unknown>>>
  readonly part: StatePart
  private readonly maps: readonly BroadcastMap[]
  private readonly form: SlotForm
  private isWritable = false

  /** Throws OPTION_INVALID for a map with a time-to-live. */
  constructor(descriptors: BroadcastDescriptors) {
    const canWrite = (): boolean => this.isWritable
    this.form = new SlotForm(descriptors)
    this.maps = Object.entries(descriptors).map(([name, { ttl, isImmutable = false }]) => {
      if (ttl !== undefined) throw noTtl(name)
      return new BroadcastMap({ name, isImmutable, canWrite })
    })
    this.handles = Object.freeze(Object.fromEntries(this.maps.map(map => [map.name, map])))
    this.part = new RowPart({
      name: BROADCAST_STATE_PART,
      kind: 'broadcast',
      schema: this.form.schema,
      payloads: () => this.maps.map((map, at) => map.encoded(() => this.payload(map, at))),
      restorer: schema => this.restorer(schema),
    })
  }

  /** The call, during which the state may be changed. */
  writing(call: (record: unknown) => unknown): (record: unknown) => unknown {
    return record => {
      this.isWritable = true
      try {
        return call(record)
      } finally {
        this.isWritable = false
      }
    }
  }

  private payload(map: BroadcastMap, at: number): Uint8Array {
    const out = new ByteWriter()
    const slots: unknown[] = []
    slots[at] = map.stored
    this.form.write({ key: undefined, slots }, out, -Infinity)
    return out.copy()
  }

  private restorer(written: PartSchema): PartRestorer {
    const reader = this.form.reader(written, () => -Infinity)
    return {
      row: (_keyGroup, _identity, payload) => {
        const slots: unknown[] = []
        reader.read({ key: undefined, slots }, payload)
        for (const [at, map] of this.maps.entries()) map.restore(slots[at] as ReadonlyMap<MapKey, unknown> | undefined)
      },
    }
  }
}

interface BroadcastMapInit {
  readonly name: string
  readonly isImmutable: boolean
  readonly canWrite: () => boolean
}

class BroadcastMap implements MapState<MapKey, unknown> {
  readonly name: string
  readonly stored = new Map<MapKey, unknown>()
  private readonly canWrite: () => boolean
  private readonly isChangeable: boolean
  /** Its row; undefined after it changed. */
  private bytes: Uint8Array | undefined = undefined

  constructor({ name, isImmutable, canWrite }: BroadcastMapInit) {
    this.name = name
    this.canWrite = canWrite
    this.isChangeable = !isImmutable
  }

  get size(): number {
    return this.stored.size
  }

  get(key: MapKey): unknown {
    const value = this.stored.get(key)
    if (typeof value === 'object') this.handOut()
    return value
  }

  has(key: MapKey): boolean {
    return this.stored.has(key)
  }

  keys(): IterableIterator<MapKey> {
    return this.stored.keys()
  }

  entries(): IterableIterator<[MapKey, unknown]> {
    this.handOut()
    return this.stored.entries()
  }

  set(key: MapKey, value: unknown): void {
    this.writable().set(key, value)
  }

  delete(key: MapKey): boolean {
    return this.writable().delete(key)
  }

  clear(): void {
    this.writable().clear()
  }

  /** Its row, made by the function unless nothing has changed. */
  encoded(make: () => Uint8Array): Uint8Array {
    this.bytes ??= make()
    return this.bytes
  }

  restore(entries: ReadonlyMap<MapKey, unknown> | undefined): void {
    for (const [key, value] of entries ?? []) this.stored.set(key, value)
    this.bytes = undefined
  }

  // What is handed out where it may be changed counts as changed.
  private handOut(): void {
    if (this.isChangeable && this.canWrite()) this.bytes = undefined
  }

  private writable(): Map<MapKey, unknown> {
    if (this.canWrite()) {
      this.bytes = undefined
      return this.stored
    }
    throw new StreamError(
      'STATE_READ_ONLY',
      `broadcast state "${this.name}" was changed outside onBroadcast, which would make the subtasks differ; change it in onBroadcast only`,
    )
  }
}

function noTtl(name: string): StreamError {
  return new StreamError(
    'OPTION_INVALID',
    `broadcast state "${name}" declares a ttl, by which the subtasks would differ; remove its entries in onBroadcast instead`,
  )
}
