// Record path. Broadcast state on the heap: maps without key, one of each in every subtask, which only broadcast records may change.
import { StreamError } from '../base/errors.ts'
import type { BroadcastDescriptors } from '../model/broadcast-functions.ts'
import type { MapKey, MapState } from '../model/state.ts'

/** The broadcast state of one operator in one subtask. */
export class BroadcastState {
  /** The handles by declared name; what changes them outside `writing` is STATE_READ_ONLY. */
  readonly handles: Readonly<Record<string, MapState<MapKey, unknown>>>
  private isWritable = false

  constructor(descriptors: BroadcastDescriptors) {
    const canWrite = (): boolean => this.isWritable
    const handles = Object.keys(descriptors).map(name => [name, new BroadcastMap(name, canWrite)] as const)
    this.handles = Object.freeze(Object.fromEntries(handles))
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
}

class BroadcastMap implements MapState<MapKey, unknown> {
  private readonly name: string
  private readonly canWrite: () => boolean
  private readonly stored = new Map<MapKey, unknown>()

  constructor(name: string, canWrite: () => boolean) {
    this.name = name
    this.canWrite = canWrite
  }

  get size(): number {
    return this.stored.size
  }

  get(key: MapKey): unknown {
    return this.stored.get(key)
  }

  has(key: MapKey): boolean {
    return this.stored.has(key)
  }

  keys(): IterableIterator<MapKey> {
    return this.stored.keys()
  }

  entries(): IterableIterator<[MapKey, unknown]> {
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

  private writable(): Map<MapKey, unknown> {
    if (this.canWrite()) return this.stored
    throw new StreamError(
      'STATE_READ_ONLY',
      `broadcast state "${this.name}" was changed outside onBroadcast, which would make the subtasks differ; change it in onBroadcast only`,
    )
  }
}
