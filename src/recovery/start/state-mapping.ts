// What becomes of the state of a snapshot when a job starts from it, as plain data: for `millrace diff`, and for the start itself.
import type { ErrorCode } from '../../base/error-codes.ts'

/**
 * What becomes of a state, or of a step with all its states:
 * - `kept`: read as it is; `migrated`: its values are brought to a later version
 * - `dropped`: the job has nothing that takes it; `new`: the snapshot holds nothing of it
 * - `incompatible`: the job cannot read it as it is declared now
 */
export type MappingStatus = 'kept' | 'migrated' | 'dropped' | 'new' | 'incompatible'

/** What becomes of one state of a step. */
export interface MappedState {
  readonly name: string
  readonly status: MappingStatus
  /** The versions of its values, where they are migrated. */
  readonly fromVersion?: number
  readonly toVersion?: number
}

/** What becomes of the state of one step. */
export interface MappedStep {
  readonly uid: string
  readonly name: string
  readonly isUidDerived: boolean
  readonly status: MappingStatus
  /** The rows that the snapshot holds of it. A row may count twice where changes are on top of a full snapshot. */
  readonly rows: number
  /** The parallelism that it had and has; undefined where there is none. */
  readonly fromParallelism: number | undefined
  readonly toParallelism: number | undefined
  /** The declared states, by name. */
  readonly states: readonly MappedState[]
}

/** Why a job cannot start from a snapshot, with the mend. */
export interface MappingProblem {
  readonly code: Extract<ErrorCode, 'STATE_UNMAPPED' | 'STATE_INCOMPATIBLE' | 'RESCALE_REFUSED'>
  readonly uid: string
  readonly message: string
}

/** What becomes of all state of a snapshot. */
export interface StateMapping {
  /** The job that wrote the snapshot, and the snapshot's id. */
  readonly job: string
  readonly snapshotId: number
  /** The steps of the snapshot that hold anything, then the job's new ones. */
  readonly steps: readonly MappedStep[]
  readonly problems: readonly MappingProblem[]
  readonly warnings: readonly string[]
}
