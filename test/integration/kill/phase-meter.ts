// Knows in the job's process what the job is doing, tells the killer through a pipe, and kills the process at the point that was aimed at.
// Every line is written before the call returns, so that what a dead process was doing is known to the last instruction.
import { writeSync } from 'node:fs'
import { type Aim, type Armed, EVENTS_FD, eventLine, type JobEvent, type Phase } from './kill-settings.ts'

/** The phases of one process. */
export class PhaseMeter {
  private readonly aim: Aim | undefined
  /** Those that have begun and not ended, in the order in which they began; what the job is doing is the last of them. */
  private readonly active: Phase[] = []
  private isArmed = false
  private pointsLeft: number
  private hasRecord = false

  constructor(aim: Aim | undefined) {
    this.aim = aim
    this.pointsLeft = aim?.points ?? 0
    this.enter('recovery')
    this.arm('at-start')
  }

  /** Runs an action as part of a phase. */
  async during<R>(phase: Phase, action: () => R | Promise<R>): Promise<R> {
    this.enter(phase)
    try {
      return await action()
    } finally {
      this.leave(phase)
    }
  }

  /** A point at which a process may die that is not like the one before: a system call or a statement begins, is under way, or has ended. */
  point(): void {
    const { aim } = this
    if (!this.isArmed || aim === undefined) return
    const isHit = aim.phase === undefined || (this.active.at(-1) ?? 'idle') === aim.phase
    if (isHit && --this.pointsLeft <= 0) this.die()
  }

  /** The source emits a record. */
  onRecord(): void {
    if (!this.hasRecord) {
      this.hasRecord = true
      this.leave('recovery')
      this.tell({ kind: 'record', epochMs: epochMs() })
      // There were fewer points than it was told.
      if (this.aim?.armed === 'at-start') this.die()
      this.arm('first-record')
    }
    if (this.aim?.phase === 'idle') this.point()
  }

  /** A checkpoint is complete. */
  onCheckpoint(): void {
    this.tell({ kind: 'checkpoint', epochMs: epochMs() })
    this.arm('first-checkpoint')
  }

  /** The source has no more records. */
  onLastRecord(): void {
    this.arm('last-record')
  }

  /** Everything is done: whoever was to die before dies now. */
  onEnding(): void {
    if (this.aim?.armed === 'last-record') this.die()
  }

  private arm(armed: Armed): void {
    if (this.aim?.armed === armed) this.isArmed = true
  }

  private enter(phase: Phase): void {
    this.active.push(phase)
    this.tell({ kind: 'enter', phase })
  }

  private leave(phase: Phase): void {
    this.active.splice(this.active.lastIndexOf(phase), 1)
    this.tell({ kind: 'leave', phase })
  }

  private tell(event: JobEvent): void {
    writeSync(EVENTS_FD, eventLine(event))
  }

  // The same as kill -9 from outside, at a known instruction.
  private die(): void {
    process.kill(process.pid, 'SIGKILL')
  }
}

function epochMs(): number {
  return performance.timeOrigin + performance.now()
}
