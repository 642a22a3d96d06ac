// Decides how each process of a job is to die: by the killer at random moments and by itself at random points of each phase, in turn.
import type { Prng } from '../../../src/base/prng.ts'
import { type Aim, type Armed, PHASES_TO_HIT, type Phase } from './kill-settings.ts'

/** How one process dies. */
export type Death =
  | {
      readonly by: 'killer'
      /** What the killer waits for, and how long it waits after that. */
      readonly after: 'record' | 'checkpoint'
      readonly delayMs: number
    }
  | { readonly by: 'itself'; readonly aim: Aim }

/** So many deaths while records advance, and one more during the recovery. */
const KILLS_PER_RECOVERY = 12
/** From so many on, one more falls into the end of the job, after the last record of the source. */
const KILLS_WITH_END_MIN = 10
/** A checkpoint has some forty points in all, of which a phase has a part. */
const POINTS_MAX = 24
/** A death at the end falls into the final checkpoint and what follows. */
const END_POINTS_MAX = 100
/** A record is a point for those who die idle. */
const IDLE_POINTS_MAX = 20_000

/**
 * The deaths of a run: `kills` of them while records advance, the first one after a checkpoint, and where there are many some more during
 * recovery and at the end. `intervalMs` is that of checkpoints.
 */
export function planDeaths(kills: number, intervalMs: number, prng: Prng): readonly Death[] {
  const firstAim = prng.below(PHASES_TO_HIT.length)
  const deaths: Death[] = []
  for (let number = 1; number <= kills; number++) {
    const phase = PHASES_TO_HIT[(firstAim + (number >> 1)) % PHASES_TO_HIT.length] as Phase
    deaths.push(number % 2 === 1 ? deathByKiller(number === 1, intervalMs, prng) : deathByItself(phase, prng))
    if (number % KILLS_PER_RECOVERY === 0) deaths.push(deathInRecovery(prng))
  }
  return kills < KILLS_WITH_END_MIN ? deaths : [...deaths, deathAtEnd(prng)]
}

function deathByKiller(isFirst: boolean, intervalMs: number, prng: Prng): Death {
  const after = isFirst || prng.below(2) === 0 ? 'checkpoint' : 'record'
  // Two checkpoints fall into that time.
  return { by: 'killer', after, delayMs: prng.below(2 * intervalMs) }
}

function deathByItself(phase: Phase, prng: Prng): Death {
  const points = 1 + prng.below(phase === 'idle' ? IDLE_POINTS_MAX : POINTS_MAX)
  return { by: 'itself', aim: { armed: prng.below(2) === 0 ? 'first-record' : 'first-checkpoint', phase, points } }
}

function deathInRecovery(prng: Prng): Death {
  return { by: 'itself', aim: { armed: 'at-start', phase: 'recovery', points: 1 + prng.below(POINTS_MAX) } }
}

function deathAtEnd(prng: Prng): Death {
  return { by: 'itself', aim: { armed: 'last-record', phase: undefined, points: 1 + prng.below(END_POINTS_MAX) } }
}

const ARMED_TEXT: Readonly<Record<Armed, string>> = {
  'at-start': 'the start',
  'first-record': 'the first record',
  'first-checkpoint': 'the first checkpoint',
  'last-record': 'the last record',
}

/** A death in words. */
export function deathText(death: Death): string {
  if (death.by === 'killer') return `by the killer, ${death.delayMs} ms after the first ${death.after}`
  const { armed, phase, points } = death.aim
  return `by itself, at point ${points}${phase === undefined ? '' : ` of ${phase}`} after ${ARMED_TEXT[armed]}`
}
