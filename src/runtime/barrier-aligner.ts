// Record path. Which of a task's ordinary inputs the barrier of a snapshot came over. In exactly-once mode an input that it came over waits
// for the others: what it would give next belongs behind the snapshot.
import { assert } from '../base/assert.ts'
import type { Barrier } from './batch.ts'

/** `exactly-once` aligns; with `at-least-once` nothing waits, and what overtakes the barrier comes again after a failure. */
export type BarrierMode = 'exactly-once' | 'at-least-once'

type InputState = 'awaited' | 'arrived' | 'ended'

/** The barriers at one gate. One snapshot at a time: the barrier of a later one takes the place of one that never became complete. */
export class BarrierAligner {
  private readonly mode: BarrierMode
  private readonly inputs: InputState[]
  private barrier: Barrier | undefined
  /** The newest snapshot that was seen, passed on or given up: barriers of it and of earlier ones mean nothing any more. */
  private settledId = 0

  constructor(inputCount: number, mode: BarrierMode) {
    this.mode = mode
    this.inputs = new Array<InputState>(inputCount).fill('awaited')
  }

  /** The barrier that came over some inputs and not over all. */
  get aligning(): Barrier | undefined {
    return this.barrier
  }

  /** The snapshot that some inputs' barriers are still awaited for. */
  get snapshotId(): number | undefined {
    return this.barrier?.snapshotId
  }

  /** True when the input must be left alone. */
  isBlocked(input: number): boolean {
    return this.barrier !== undefined && this.mode === 'exactly-once' && this.inputs[input] === 'arrived'
  }

  /** True for a snapshot whose barrier was passed on or given up. */
  isSettled(snapshotId: number): boolean {
    return snapshotId <= this.settledId
  }

  hasArrived(input: number): boolean {
    return this.inputs[input] !== 'awaited'
  }

  arrived(input: number, barrier: Barrier): void {
    if (barrier.snapshotId <= this.settledId) return
    if (barrier.snapshotId !== this.barrier?.snapshotId) {
      assert(this.barrier === undefined || barrier.snapshotId > this.barrier.snapshotId, 'barriers came out of order')
      this.reset()
      this.barrier = barrier
    }
    if (this.inputs[input] === 'awaited') this.inputs[input] = 'arrived'
  }

  /** An input has ended: all it had to give is before any barrier. */
  ended(input: number): void {
    this.inputs[input] = 'ended'
  }

  /** The barrier, once, when it came over all inputs. */
  takeAligned(): Barrier | undefined {
    const { barrier } = this
    if (barrier === undefined || this.inputs.includes('awaited')) return undefined
    this.settledId = barrier.snapshotId
    this.reset()
    return barrier
  }

  /** Nobody waits for the snapshot any more. */
  abort(snapshotId: number): void {
    if (snapshotId > this.settledId) this.settledId = snapshotId
    if (this.barrier !== undefined && this.barrier.snapshotId <= snapshotId) this.reset()
  }

  private reset(): void {
    this.barrier = undefined
    for (let input = 0; input < this.inputs.length; input++) {
      if (this.inputs[input] === 'arrived') this.inputs[input] = 'awaited'
    }
  }
}
