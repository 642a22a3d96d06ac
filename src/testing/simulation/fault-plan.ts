// The faults of one simulated run: what happens, and after how much of the run. One seed decides them all.
import type { Prng } from '../../base/prng.ts'

/**
 * What can go wrong, or be asked for, in a simulated run:
 * - `task-crash`: a task throws; `process-kill`: the process ends between two instructions, what it wrote is kept; `power-loss`: what was not
 *   synced may be lost, in part too
 * - `kill-in-snapshot`: the process ends at a call to the storage while a snapshot is under way; `kill-in-restore`: while it starts
 *   from one; `kill-in-second-restore`: and once more in the start after that; `kill-in-savepoint`: while a savepoint is taken;
 *   `kill-in-rescale`: while it starts at another parallelism
 * - `io-error`: a call to the storage fails; `sync-error`: what was written cannot be made durable; `disk-full`: a write is cut short;
 *   `slow-disk`: calls take seconds
 * - `delayed-delivery`: a channel gives nothing for a while, so that others overtake it; `delayed-task`: a task is not run for a while
 * - `clock-jump`: the wall clock is set, up to an hour either way
 * - `savepoint`: one is taken; `resume-savepoint`: the job is stopped and goes on from one; `rescale`: it goes on at another parallelism
 */
export type FaultKind =
  | 'task-crash'
  | 'process-kill'
  | 'power-loss'
  | 'kill-in-snapshot'
  | 'kill-in-restore'
  | 'kill-in-second-restore'
  | 'kill-in-savepoint'
  | 'kill-in-rescale'
  | 'io-error'
  | 'sync-error'
  | 'disk-full'
  | 'slow-disk'
  | 'delayed-delivery'
  | 'delayed-task'
  | 'clock-jump'
  | 'savepoint'
  | 'resume-savepoint'
  | 'rescale'

/** All kinds. */
export const FAULT_KINDS: readonly FaultKind[] = [
  'task-crash',
  'process-kill',
  'power-loss',
  'kill-in-snapshot',
  'kill-in-restore',
  'kill-in-second-restore',
  'kill-in-savepoint',
  'kill-in-rescale',
  'io-error',
  'sync-error',
  'disk-full',
  'slow-disk',
  'delayed-delivery',
  'delayed-task',
  'clock-jump',
  'savepoint',
  'resume-savepoint',
  'rescale',
]

/** One fault: it happens when so many steps were made since the one before. */
export interface PlannedFault {
  readonly kind: FaultKind
  readonly afterSteps: number
}

/** How many faults a run gets, of which kinds. */
export interface FaultOptions {
  readonly kinds?: readonly FaultKind[]
  readonly faultsMin?: number
  readonly faultsMax?: number
}

/** Draws the faults of a run that takes about so many steps without any. */
export function planFaults(prng: Prng, steps: number, options: FaultOptions): readonly PlannedFault[] {
  const { kinds = FAULT_KINDS, faultsMin = 5, faultsMax = 50 } = options
  // Some runs have few kinds: what happens often together hides what happens alone (swarm testing).
  const swarm = prng.below(3) === 0 ? kinds.filter(() => prng.below(3) === 0) : kinds
  const chosen = swarm.length === 0 ? kinds : swarm
  const count = faultsMin + prng.below(faultsMax - faultsMin + 1)
  const gap = Math.max(2, Math.ceil((steps * 1.5) / count))
  return Array.from({ length: count }, () => ({
    kind: chosen[prng.below(chosen.length)] as FaultKind,
    afterSteps: prng.below(gap * 2),
  }))
}
