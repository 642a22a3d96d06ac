// Record path (bench/micro/keyed-table.ts). The heap's table of one operator's keyed state in one subtask: one lookup finds the
// entry of a key, which holds all that is kept for it. Keys compare by value.

import { keyGroupOf } from '../model/key-groups.ts'
import { encodeKeyText, hashKey } from '../serde/key-encoding.ts'
import { ChangeTracker, type Tracked } from './change-tracker.ts'

/** A V8 Map ends at 2^24 entries; half of that leaves room for its growth. */
const MAP_ENTRIES_MAX = 1 << 23

/** What a table holds for one key. Operators extend it by fields for what they keep: one object less to reach than a list of slots. */
export abstract class KeyEntry implements Tracked {
  readonly key: unknown
  readonly keyGroup: number
  touchedIn = 0
  writtenIn = 0

  constructor(key: unknown, keyGroup: number) {
    this.key = key
    this.keyGroup = keyGroup
  }

  /** True when nothing is kept for the key any more. */
  abstract isEmpty(): boolean
}

/** For tables whose changes nobody asks for. */
const UNTRACKED: ChangeTracker<KeyEntry> = new ChangeTracker(() => {})

/**
 * Entries by key. What `find` and `ensure` hand out counts as changed; whoever comes by an entry in another way and changes it tells the
 * tracker itself. `find` and `ensure` cost one hash lookup for primitive keys, an encoding more for composite ones.
 */
export class KeyedTable<Entry extends KeyEntry> {
  private current = new Map<unknown, Entry>()
  private readonly full: Map<unknown, Entry>[] = []
  private readonly composite = new Map<string, Entry>()
  private readonly maxParallelism: number
  private readonly makeEntry: (key: unknown, keyGroup: number) => Entry
  private readonly tracker: ChangeTracker<Entry>
  private readonly mapEntriesMax: number

  constructor(
    maxParallelism: number,
    makeEntry: (key: unknown, keyGroup: number) => Entry,
    tracker: ChangeTracker<Entry> = UNTRACKED as unknown as ChangeTracker<Entry>,
    mapEntriesMax = MAP_ENTRIES_MAX,
  ) {
    this.maxParallelism = maxParallelism
    this.makeEntry = makeEntry
    this.tracker = tracker
    this.mapEntriesMax = mapEntriesMax
  }

  /** The number of keys. */
  get size(): number {
    return this.full.reduce((sum, map) => sum + map.size, this.current.size + this.composite.size)
  }

  /** As `find`, for one who only looks: what changes the entry later tells the tracker before. */
  peek(key: unknown): Entry | undefined {
    return this.current.get(key) ?? this.peekElsewhere(key)
  }

  /** The entry of the key, if there is one. Throws KEY_INVALID for what cannot be a key. */
  find(key: unknown): Entry | undefined {
    const found = this.current.get(key)
    if (found === undefined) return this.findElsewhere(key)
    if (found.touchedIn !== this.tracker.epoch) this.tracker.touch(found)
    return found
  }

  /** The entry of the key, made when there is none. Throws KEY_INVALID for what cannot be a key. */
  ensure(key: unknown): Entry {
    const found = this.current.get(key)
    if (found === undefined) return this.findElsewhere(key) ?? this.insert(key)
    if (found.touchedIn !== this.tracker.epoch) this.tracker.touch(found)
    return found
  }

  /** Removes an entry that holds nothing any more, so that keys seen once do not stay for ever. */
  releaseIfEmpty(entry: Entry): void {
    if (!entry.isEmpty()) return
    if (isComposite(entry.key)) this.composite.delete(encodeKeyText(entry.key))
    else if (!this.current.delete(entry.key)) this.full.some(map => map.delete(entry.key))
  }

  /** All entries, in the order their keys first came (older maps first, composite keys last). */
  *entries(): IterableIterator<Entry> {
    for (const map of this.full) yield* map.values()
    yield* this.current.values()
    yield* this.composite.values()
  }

  private findElsewhere(key: unknown): Entry | undefined {
    const found = this.peekElsewhere(key)
    if (found !== undefined) this.tracker.touch(found)
    return found
  }

  private peekElsewhere(key: unknown): Entry | undefined {
    return isComposite(key) ? this.composite.get(encodeKeyText(key)) : this.findInFull(key)
  }

  private findInFull(key: unknown): Entry | undefined {
    for (const map of this.full) {
      const found = map.get(key)
      if (found !== undefined) return found
    }
    return undefined
  }

  private insert(key: unknown): Entry {
    const entry = this.makeEntry(key, keyGroupOf(hashKey(key), this.maxParallelism))
    this.tracker.touch(entry)
    if (isComposite(key)) {
      this.composite.set(encodeKeyText(key), entry)
      return entry
    }
    if (this.current.size >= this.mapEntriesMax) {
      this.full.push(this.current)
      this.current = new Map()
    }
    this.current.set(key, entry)
    return entry
  }
}

// What a Map compares by value is not composite; all else goes through the encoding, which also refuses what cannot be a key.
function isComposite(key: unknown): boolean {
  switch (typeof key) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return false
    default:
      return key !== null
  }
}
