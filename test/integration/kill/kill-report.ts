// Tells a run of the killer in words and numbers.
import { deathText } from './kill-plan.ts'
import type { Kill, KillReport } from './kill-run.ts'
import { PHASES, type Phase } from './kill-settings.ts'

/** A line for one kill. */
export function killLine({ number, death, phase, checkpoints, runMs }: Kill): string {
  const run = `${(runMs / 1000).toFixed(2)} s, ${checkpoints} checkpoints`
  return `kill ${String(number).padStart(3)}  ${phase.padEnd(9)} (${run}; ${deathText(death)})`
}

/** How many kills fell into each phase. */
export function phaseCounts(kills: readonly Kill[]): ReadonlyMap<Phase, number> {
  return new Map(PHASES.map(phase => [phase, kills.filter(kill => kill.phase === phase).length]))
}

/** Records that are not as they would be without kills, and what was left lying about. */
export function wrongCount({ difference: { lost, repeated, foreign }, leftovers }: KillReport): number {
  return lost + repeated + foreign + leftovers.length
}

/** The summary; its last line is `kills=N phases=... wrong=W`. */
export function reportLines(report: KillReport): readonly string[] {
  const { kills, difference, leftovers, firstRecordMs, firstCheckpointMs } = report
  const { lost, repeated, foreign } = difference
  const phases = [...phaseCounts(kills)].map(([phase, count]) => `${phase}:${count}`).join(',')
  return [
    `lost ${lost}, repeated ${repeated}, foreign ${foreign}, left behind ${leftovers.length}${leftovers.length === 0 ? '' : `: ${leftovers.join(', ')}`}`,
    `from the restart of the process to the first record: ${quantiles(firstRecordMs)}`,
    `from the restart of the process to the first new checkpoint: ${quantiles(firstCheckpointMs)}`,
    `kills=${kills.length} phases=${phases} wrong=${wrongCount(report)}`,
  ]
}

function quantiles(valuesMs: readonly number[]): string {
  const sorted = [...valuesMs].sort((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN).toFixed(0)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (${sorted.length} restarts)`
}
