// Columns of one part that come and go, as those of windows do. What is closed stays until a snapshot is complete that tells that it is gone.
import type { KeyedColumns } from './keyed-columns.ts'
import type { ColumnRows } from './keyed-part.ts'

interface OpenSet {
  readonly columns: KeyedColumns
  /** The snapshot that began last before it was made. */
  readonly since: number
  /** The one that began last before it was closed; undefined while it is open. */
  closedAfter: number | undefined
}

/** The columns of a part. */
export class ColumnSets implements ColumnRows {
  private sets: OpenSet[] = []
  private begunId = 0

  /** All of them as one. */
  readonly tracker: ColumnRows['tracker']

  constructor() {
    const { changedCount, advance, settle, forgetChanges } = this
    this.tracker = {
      get changedCount() {
        return changedCount()
      },
      advance,
      settle,
      forgetChanges,
    }
  }

  get count(): number {
    return this.sets.reduce((sum, { columns }) => sum + columns.count, 0)
  }

  open(columns: KeyedColumns): void {
    this.sets.push({ columns, since: this.begunId, closedAfter: undefined })
  }

  /** All rows are emptied. */
  close(columns: KeyedColumns): void {
    const closed = this.sets.find(set => set.columns === columns)
    if (closed === undefined) return
    closed.closedAfter = this.begunId
    // No snapshot began while it was open, so none knows of it.
    if (closed.since === this.begunId) this.sets = this.sets.filter(set => set !== closed)
  }

  begin(snapshotId: number, isFull: boolean): void {
    this.begunId = snapshotId
    for (const { columns } of this.sets) columns.begin(snapshotId, isFull)
  }

  private readonly changedCount = (): number =>
    this.sets.reduce((sum, { columns }) => sum + columns.tracker.changedCount, 0)

  private readonly advance = (rows: number): boolean => this.sets.every(({ columns }) => columns.tracker.advance(rows))

  private readonly settle = (snapshotId: number, outcome: 'completed' | 'aborted'): void => {
    for (const { columns } of this.sets) columns.tracker.settle(snapshotId, outcome)
    if (outcome === 'aborted') return
    this.sets = this.sets.filter(({ closedAfter }) => closedAfter === undefined || closedAfter >= snapshotId)
  }

  private readonly forgetChanges = (): void => {
    for (const { columns } of this.sets) columns.tracker.forgetChanges()
  }
}
