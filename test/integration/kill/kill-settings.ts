// What the killer and the job that it kills say to each other: the settings of a run one way, its phases the other.

/**
 * What a job is doing: `prepare` and `commit` are the sink's halves of a checkpoint, `garbage` removes old checkpoints, `recovery` is everything
 * before the first record. `idle`: records are moved, and nothing else.
 */
export const PHASES = ['idle', 'segments', 'manifest', 'prepare', 'commit', 'garbage', 'recovery'] as const
export type Phase = (typeof PHASES)[number]

/** The phases that a run of the killer has to hit. */
export const PHASES_TO_HIT: readonly Phase[] = ['idle', 'segments', 'manifest', 'prepare', 'commit']

/** From when on a job counts down to its death. */
export type Armed = 'at-start' | 'first-record' | 'first-checkpoint' | 'last-record'

/** Where a job is to kill itself: at the n-th point, from then on, at which it is in the phase (in any, if undefined). */
export interface Aim {
  readonly armed: Armed
  readonly phase: Phase | undefined
  readonly points: number
}

/** One run of the job, as the argument of its process. */
export interface JobSettings {
  readonly sink: 'files' | 'postgres'
  /** Of checkpoints. */
  readonly directory: string
  /** A directory of files, or a table. */
  readonly output: string
  /** Of the PostgreSQL server; empty for files. */
  readonly url: string
  readonly records: number
  /** 0: as fast as it goes. */
  readonly recordsPerSecond: number
  readonly intervalMs: number
  readonly aim: Aim | undefined
}

/** The records have so many keys: the n-th record of a key leaves the sink as `key n`, so that each line stands for one record of the source. */
export const KEYS = 5000
/** The subtasks of every step, so that each checkpoint takes several writers. */
export const PARALLELISM = 2
/** Where the job's process writes its events, one a line. */
export const EVENTS_FD = 3

/** An event as a line; `epochMs` is that of `record` and `checkpoint`. */
export type JobEvent =
  | { readonly kind: 'enter' | 'leave'; readonly phase: Phase }
  | { readonly kind: 'record' | 'checkpoint'; readonly epochMs: number }

/** The line of an event, with its end. */
export function eventLine(event: JobEvent): string {
  return `${event.kind} ${'phase' in event ? event.phase : event.epochMs}\n`
}

/** The event of a line; throws for a line that is none. */
export function parseEvent(line: string): JobEvent {
  const [kind, value] = line.split(' ')
  if (kind === 'record' || kind === 'checkpoint') return { kind, epochMs: Number(value) }
  const phase = PHASES.find(name => name === value)
  if ((kind === 'enter' || kind === 'leave') && phase !== undefined) return { kind, phase }
  throw new Error(`"${line}" is no event of the job`)
}
