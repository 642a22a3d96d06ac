// Tells a process that still runs from one that is gone, also where its number was given to another process since.
import { readFileSync } from 'node:fs'

/** What a process is known by on its machine. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it began, as the system counts; undefined where the system does not say (everywhere but on Linux). */
  readonly startTime: string | undefined
}

/** Field 22 of /proc/PID/stat, counted from behind the command, which may hold spaces and brackets. */
const START_TIME_FIELD = 19

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTime: startTimeOf(process.pid) }
}

/** True while this very process runs; where start times are not known, while any process has its number. */
export function isRunning({ pid, startTime }: ProcessIdentity): boolean {
  if (!hasProcess(pid)) return false
  const actual = startTimeOf(pid)
  return startTime === undefined || actual === undefined || actual === startTime
}

function hasProcess(pid: number): boolean {
  // Zero and below name groups of processes.
  if (pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is there, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

// Ticks since boot begin anew with each boot, so the boot is part of it.
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TIME_FIELD]
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    return ticks === undefined ? undefined : `${boot}/${ticks}`
  } catch {
    return undefined
  }
}
