// The keyed part of an operator's state: rows by key group, of all entries or of those that changed.
import { assert } from '../base/assert.ts'
import type { ByteReader } from '../base/byte-reader.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import { ChangeTracker } from './change-tracker.ts'
import type { KeyEntry } from './keyed-table.ts'
import type { PartRestorer, PartSchema, PartSection, PartSnapshot, StatePart } from './state-part.ts'

/** Changes since the last full snapshot may take as many bytes as it did, and a few more, before everything is written again. */
const REBASE_BYTES_MIN = 64 * 1024
/** Snapshots of changes on top of a full one. */
const DELTAS_MAX = 1000

/** How the entries of one part become rows, and rows entries. */
export interface EntryRows<Entry> {
  readonly schema: PartSchema
  /** All entries. */
  all(): Iterator<Entry>
  /** How many there are; without it, it is not known when most of them have changed. */
  count?(): number
  /** What the row is about, as tagged values: the key first. */
  writeIdentity(entry: Entry, out: ByteWriter): void
  /** What is kept, as tagged values; false (and nothing written) when the entry is gone. */
  writePayload(entry: Entry, out: ByteWriter): boolean
  restorer(schema: PartSchema): EntryRestorer
}

/** Takes the rows of a keyed part. */
export interface EntryRestorer extends PartRestorer {
  /** True when it leaves out some of what the rows hold: the next snapshot then holds everything, so that nobody finds it there again. */
  readonly isLossy?: boolean
}

/** Where the rows of one key group go, with how many there are. */
export interface RowTarget {
  readonly out: ByteWriter
  rows: number
}

/** Keyed state that lies in columns. It writes rows as an EntryRows would, into the targets of the part. */
export interface ColumnRows {
  readonly count: number
  readonly tracker: {
    readonly changedCount: number
    advance(rows: number): boolean
    settle(snapshotId: number, outcome: 'completed' | 'aborted'): void
    forgetChanges(): void
  }
  begin(snapshotId: number, isFull: boolean): void
}

/**
 * Rows are `identity length, identity, payload length + 1, payload`; a payload length of 0 says that what the row is about is gone. Within
 * the rows of one snapshot and key group a row with a payload goes before one without.
 */
export class KeyedPart<Entry extends KeyEntry> implements StatePart {
  readonly name: string
  readonly kind = 'keyed'
  readonly changes: ChangeTracker<Entry>
  private readonly rows: EntryRows<Entry>
  private columns: ColumnRows | undefined
  private expectedBytes: readonly number[] = []
  private groups: (RowTarget | undefined)[] = []
  private snapshotId = 0
  private isFull = false
  private baseBytes = 0
  private deltaBytes = 0
  private deltas = 0
  /** True once a full snapshot is complete. */
  private hasBase = false
  /** The newest full snapshot that is not settled. */
  private newBaseId = 0
  private isRestoreLossy = false

  constructor(name: string, rows: EntryRows<Entry>) {
    this.name = name
    this.rows = rows
    this.changes = new ChangeTracker(entry => this.write(entry))
  }

  get schema(): PartSchema {
    return this.rows.schema
  }

  /** Adds rows that lie in columns, of keys that no entry has; they are new. */
  attach(columns: ColumnRows): void {
    this.columns = columns
  }

  begin(snapshotId: number, isFull: boolean): void {
    this.snapshotId = snapshotId
    this.isFull = isFull || this.mustRebase() || this.haveMostChanged()
    this.groups = []
    this.changes.begin(snapshotId, this.isFull, () => this.rows.all())
    this.columns?.begin(snapshotId, this.isFull)
  }

  advance(rows: number): boolean {
    return this.changes.advance(rows) && (this.columns?.tracker.advance(rows) ?? true)
  }

  take(): PartSnapshot {
    const sections = this.groups.flatMap((group, keyGroup): PartSection[] =>
      group === undefined || group.rows === 0 ? [] : [{ keyGroup, rows: group.rows, bytes: group.out.view() }],
    )
    // The next snapshot holds about as much: buffers that need not grow take half of the time.
    this.expectedBytes = this.groups.map(
      group => (group === undefined ? 0 : group.out.length + (group.out.length >> 5)) + 64,
    )
    this.groups = []
    const bytes = sections.reduce((sum, section) => sum + section.bytes.length, 0)
    if (this.isFull) {
      this.newBaseId = this.snapshotId
      this.baseBytes = bytes
      this.deltaBytes = 0
      this.deltas = 0
    } else {
      this.deltaBytes += bytes
      this.deltas++
    }
    return { part: this.name, kind: 'keyed', schema: this.schema, isFull: this.isFull, sections }
  }

  settle(snapshotId: number, outcome: 'completed' | 'aborted'): void {
    this.changes.settle(snapshotId, outcome)
    this.columns?.tracker.settle(snapshotId, outcome)
    if (this.newBaseId === 0 || snapshotId < this.newBaseId) return
    // After an abort it is not known what the changes counted so far are on top of, so everything is written again.
    this.hasBase = outcome === 'completed'
    this.newBaseId = 0
  }

  restorer(schema: PartSchema): PartRestorer {
    const inner = this.rows.restorer(schema)
    return {
      row: (keyGroup: number, identity: ByteReader, payload: ByteReader) => {
        this.baseBytes += identity.end - identity.position + payload.end - payload.position
        inner.row(keyGroup, identity, payload)
      },
      finish: () => {
        inner.finish?.()
        if (inner.isLossy === true) this.isRestoreLossy = true
        this.hasBase = !this.isRestoreLossy
        this.changes.forgetChanges()
        this.columns?.tracker.forgetChanges()
      },
    }
  }

  // Entries lie in memory in the order in which they were made: to visit them all is quicker than many of them in another order.
  private haveMostChanged(): boolean {
    const changed = this.changes.changedCount + (this.columns?.tracker.changedCount ?? 0)
    return changed * 2 > (this.rows.count?.() ?? Infinity) + (this.columns?.count ?? 0)
  }

  private mustRebase(): boolean {
    return (
      !this.hasBase ||
      this.newBaseId > 0 ||
      this.deltas >= DELTAS_MAX ||
      this.deltaBytes > this.baseBytes + REBASE_BYTES_MIN
    )
  }

  /** Where the snapshot that is encoded takes the rows of a key group. */
  targetOf(keyGroup: number): RowTarget {
    const target = this.groups[keyGroup]
    if (target !== undefined) return target
    const made = { out: new ByteWriter(this.expectedBytes[keyGroup] ?? 1024), rows: 0 }
    this.groups[keyGroup] = made
    return made
  }

  private write(entry: Entry): void {
    const group = this.targetOf(entry.keyGroup)
    const { out } = group
    const from = out.length
    try {
      if (this.writeRow(entry, out)) group.rows++
      else out.truncate(from)
    } catch (error) {
      out.truncate(from)
      throw error
    }
  }

  /** False when there is nothing to say of the entry. */
  private writeRow(entry: Entry, out: ByteWriter): boolean {
    const identity = out.openLength()
    this.rows.writeIdentity(entry, out)
    out.fillLength(identity)
    const payload = out.openLength()
    if (this.rows.writePayload(entry, out)) {
      out.fillLength(payload, 1)
      return true
    }
    assert(out.length === payload + 1, `${this.name}: an entry that is gone left a payload`)
    // No snapshot holds it, so none needs to be told that it is gone.
    return !this.isFull && entry.writtenIn !== 0
  }
}
