// The part of a snapshot that holds the splits of a source. It remembers what it gave to each snapshot until that has settled, so that
// readers can be told of the positions that are safe.
import { ListPart } from '../state/list-part.ts'
import type { PartRestorer, PartSchema, PartSnapshot, StatePart } from '../state/state-part.ts'

/** A split as a snapshot holds it. */
export interface SplitState {
  readonly id: string
  readonly position: unknown
  readonly isEnded: boolean
  /** Epoch ms; -Infinity where the source makes no watermarks. */
  readonly watermark: number
}

/** The name of the part. */
export const SPLITS_PART = 'splits'

/** What the part needs of its source. */
export interface SplitsPartInit {
  /** All splits as they are now. */
  readonly states: () => readonly SplitState[]
  /** Takes the splits of a snapshot that fell to this subtask. */
  readonly restored: (states: readonly SplitState[]) => void
  /** How many records the subtask has emitted. */
  readonly recordsOut: () => number
}

/** What one snapshot holds. */
interface Given {
  readonly snapshotId: number
  readonly states: readonly SplitState[]
  readonly recordsOut: number
}

/** The splits of one subtask. */
export class SplitsPart implements StatePart {
  readonly name = SPLITS_PART
  readonly kind = 'list'
  readonly schema: PartSchema
  /** How many of the records emitted the newest complete snapshot accounts for. */
  recordsComplete = 0
  private readonly list: ListPart
  private readonly recordsOut: () => number
  /** The newest complete one, and those that have not settled. */
  private given: readonly Given[] = []
  private states: readonly SplitState[] = []

  constructor({ states, restored, recordsOut }: SplitsPartInit) {
    const elements = (): readonly SplitState[] => {
      this.states = states()
      return this.states
    }
    this.list = new ListPart(SPLITS_PART, 'list', SPLITS_PART, elements, rows => restored(rows as SplitState[]))
    this.schema = this.list.schema
    this.recordsOut = recordsOut
  }

  begin(snapshotId: number): void {
    this.list.begin()
    const { states } = this
    this.given = [...this.given, { snapshotId, states, recordsOut: this.recordsOut() }]
  }

  advance(): boolean {
    return this.list.advance()
  }

  take(): PartSnapshot {
    return this.list.take()
  }

  // The source settles it, with what its readers are to hear.
  settle(): void {}

  /**
   * What became of a snapshot: the splits that it holds if it is complete, none otherwise. A complete one settles those before it. What a task
   * gave at its end is in every later snapshot, so it settles again and again.
   */
  settled(snapshotId: number, outcome: 'completed' | 'aborted'): readonly SplitState[] {
    const found = this.given.find(given => given.snapshotId === snapshotId)
    if (outcome === 'aborted') {
      this.given = this.given.filter(given => given !== found)
      return []
    }
    this.given = this.given.filter(given => given.snapshotId >= snapshotId)
    if (found === undefined) return []
    this.recordsComplete = found.recordsOut
    return found.states
  }

  restorer(): PartRestorer {
    return this.list.restorer()
  }
}
