// The snapshots of one task: asks its operators to get ready at the barrier, fixes what their parts hold, and encodes it piece by piece
// between records.
import { assert } from '../base/assert.ts'
import { isStateful } from '../model/operator-spec.ts'
import type { TaskSnapshot } from '../recovery/snapshot/manifest.ts'
import { ListPart } from '../state/list-part.ts'
import type { PartSnapshot, StatePart } from '../state/state-part.ts'
import type { Barrier } from './batch.ts'
import type { ChainNode } from './chain-instance.ts'

/** The part that holds how far event time was at a step. */
export const TIME_PART = 'watermark'

/** The snapshot that a task takes at its end; it stands for the task in every later one. */
export const FINAL_SNAPSHOT_ID = Number.MAX_SAFE_INTEGER

/** Where a task's snapshots go. */
export interface SnapshotEvents {
  /** All of a snapshot is encoded. */
  onSnapshot(snapshotId: number, snapshot: TaskSnapshot): void
  /** The task has come to its end, which is what it will always be from now on. */
  onFinalSnapshot(snapshot: TaskSnapshot, end: 'finish' | 'stop'): void
}

interface NodeParts {
  readonly node: ChainNode
  readonly parts: readonly StatePart[]
}

/** Takes snapshots of the operators of one task. */
export class TaskSnapshots {
  /** The barrier that asked for the next snapshot. */
  requested: Barrier | undefined
  private readonly events: SnapshotEvents | undefined
  private readonly nodes: readonly NodeParts[]
  /** `encoding`: rows are left; `final`: those of the last snapshot. */
  private state: 'none' | 'encoding' | 'final' = 'none'
  private snapshotId = 0
  private rest: StatePart[] = []

  constructor(
    nodes: readonly ChainNode[],
    events: SnapshotEvents | undefined,
    inFlight: ReadonlyMap<number, StatePart>,
  ) {
    this.events = events
    this.nodes = nodes.map(node => {
      const log = inFlight.get(node.vertex.id)
      const channels = log === undefined ? [] : [log]
      return { node, parts: [...channels, ...timeParts(node), ...(node.operator.parts ?? [])] }
    })
  }

  get isEnabled(): boolean {
    return this.events !== undefined
  }

  /** The parts of each operator that has any, by uid. */
  get operators(): readonly { readonly uid: string; readonly parts: readonly StatePart[] }[] {
    return this.nodes
      .filter(({ parts }) => parts.length > 0)
      .map(({ node, parts }) => ({ uid: node.vertex.uid, parts }))
  }

  /** True when rows are left to encode, of a snapshot before the last. */
  get isEncoding(): boolean {
    return this.state === 'encoding'
  }

  /** Asks the operators to get ready for the snapshot requested; false while one of them waits for something. */
  prepare(): boolean {
    const { requested } = this
    assert(requested !== undefined, 'a snapshot is prepared that nobody asked for')
    let isReady = true
    for (const { node } of this.nodes) {
      if (node.operator.prepareSnapshot?.(requested.snapshotId) === false) isReady = false
    }
    return isReady
  }

  /** Fixes what the snapshot requested holds, and returns its barrier to be sent on. */
  begin(): Barrier {
    const { requested } = this
    assert(requested !== undefined && this.state === 'none', 'a snapshot begins while another is encoded')
    this.requested = undefined
    this.beginParts(requested.snapshotId, requested.snapshot === 'savepoint')
    this.state = 'encoding'
    return requested
  }

  /** Encodes about so many rows of the snapshot under way; true when it did anything. */
  advance(rows: number): boolean {
    if (this.state !== 'encoding') return false
    const partsBefore = this.rest.length
    if (!this.encode(rows))
      return this.rest.length > 0 && (partsBefore !== this.rest.length || this.rest[0]?.kind === 'keyed')
    this.state = 'none'
    this.events?.onSnapshot(this.snapshotId, this.taken())
    return true
  }

  /** Takes the last snapshot, piece by piece; true when it is handed in. */
  sumUp(rows: number, end: 'finish' | 'stop'): boolean {
    if (this.state === 'encoding') {
      this.advance(rows)
      return false
    }
    if (this.state === 'none') {
      this.requested = undefined
      this.beginParts(FINAL_SNAPSHOT_ID, false)
      this.state = 'final'
    }
    if (!this.encode(rows)) return false
    this.events?.onFinalSnapshot(this.taken(), end)
    return true
  }

  settle(snapshotId: number, outcome: 'completed' | 'aborted'): void {
    if (outcome === 'aborted') {
      if (this.requested?.snapshotId === snapshotId) this.requested = undefined
      if (this.state === 'encoding' && this.snapshotId === snapshotId) this.state = 'none'
    }
    for (const { node, parts } of this.nodes) {
      for (const part of parts) part.settle(snapshotId, outcome)
      node.operator.settleSnapshot?.(snapshotId, outcome)
    }
  }

  private beginParts(snapshotId: number, isFull: boolean): void {
    this.snapshotId = snapshotId
    this.rest = this.nodes.flatMap(({ parts }) => parts)
    for (const part of this.rest) part.begin(snapshotId, isFull)
  }

  private encode(rows: number): boolean {
    while (this.rest.length > 0) {
      if (!(this.rest[0] as StatePart).advance(rows)) return false
      this.rest.shift()
    }
    return true
  }

  private taken(): TaskSnapshot {
    return {
      operators: this.operators.map(({ uid, parts }) => ({
        uid,
        parts: parts.map((part): PartSnapshot => part.take()),
      })),
    }
  }
}

// Only stateful steps have an identity that survives a change of the job. A job that starts at another parallelism takes the least time.
function timeParts(node: ChainNode): readonly StatePart[] {
  if (!isStateful(node.vertex.operator)) return []
  const part = new ListPart(
    TIME_PART,
    'union',
    TIME_PART,
    () => [node.inputWatermark],
    times => {
      node.restoredWatermark = Math.min(...(times as readonly number[]))
    },
  )
  return [part]
}
