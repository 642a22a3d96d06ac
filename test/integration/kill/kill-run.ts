// Kills a job again and again, lets it end, and compares what came out with the output of the same job left alone.
import { join } from 'node:path'
import type { Prng } from '../../../src/base/prng.ts'
import { type Ended, JobProcess } from './job-process.ts'
import { type Death, planDeaths } from './kill-plan.ts'
import type { JobSettings, Phase } from './kill-settings.ts'
import type { Outputs } from './outputs.ts'
import { type Difference, differenceOf } from './tally.ts'

/** What to do. */
export interface KillRunInit {
  readonly outputs: Outputs
  /** For the directories of the jobs. */
  readonly folder: string
  /** Those while records advance. */
  readonly kills: number
  readonly records: number
  readonly prng: Prng
  /** Is told of each kill. */
  readonly onKill?: (kill: Kill) => void
}

/** One kill. */
export interface Kill {
  /** From 1. */
  readonly number: number
  readonly death: Death
  readonly phase: Phase
  /** Those that the process completed. */
  readonly checkpoints: number
  readonly runMs: number
}

/** What came of it. */
export interface KillReport {
  readonly kills: readonly Kill[]
  readonly difference: Difference
  /** What the job left that is neither shown nor removed. */
  readonly leftovers: readonly string[]
  /** Of each process after a kill that got so far, from its start. */
  readonly firstRecordMs: readonly number[]
  readonly firstCheckpointMs: readonly number[]
}

const INTERVAL_MS = 150
/** How long the records would last for each kill. A process lives a part of it, so that records are left for the last one. */
const PACE_MS_PER_KILL = 2000
/** How long a process may take that is to be killed, and one that goes to the end. */
const KILLED_LIMIT_MS = 60_000
const ENDING_LIMIT_MS = 900_000

/** Runs all of it. Rejects when a job fails, and when one ends before it was killed. */
export async function killRun(init: KillRunInit): Promise<KillReport> {
  const { outputs, records } = init
  const undisturbed = await outputs.create('undisturbed')
  await runToEnd(settingsOf(init, 'undisturbed', undisturbed))
  const expected = await outputs.read(undisturbed, records)
  const output = await outputs.create('killed')
  const { kills, recoveries } = await killAll(init, output)
  return {
    kills,
    difference: differenceOf(await outputs.read(output, records), expected),
    leftovers: await outputs.leftovers(output),
    firstRecordMs: recoveries.flatMap(({ firstRecordMs }) => firstRecordMs ?? []),
    firstCheckpointMs: recoveries.flatMap(({ firstCheckpointMs }) => firstCheckpointMs ?? []),
  }
}

async function killAll(
  init: KillRunInit,
  output: string,
): Promise<{ readonly kills: readonly Kill[]; readonly recoveries: readonly Ended[] }> {
  const kills: Kill[] = []
  const ends: Ended[] = []
  for (const [index, death] of planDeaths(init.kills, INTERVAL_MS, init.prng).entries()) {
    const number = index + 1
    const ended = await runToDeath(settingsOf(init, 'killed', output, death), death)
    if (ended.end !== 'killed') throw new Error(`the job ${ended.end} before kill ${number}:\n${ended.stderr}`)
    if (number === 1 && ended.checkpoints === 0) throw new Error('the first kill came before a checkpoint')
    ends.push(ended)
    const kill = { number, death, phase: ended.phase, checkpoints: ended.checkpoints, runMs: ended.runMs }
    kills.push(kill)
    init.onKill?.(kill)
  }
  ends.push(await runToEnd(settingsOf(init, 'killed', output)))
  return { kills, recoveries: ends.slice(1) }
}

function runToDeath(settings: JobSettings, death: Death): Promise<Ended> {
  const job = new JobProcess(settings, settings.recordsPerSecond === 0 ? ENDING_LIMIT_MS : KILLED_LIMIT_MS)
  if (death.by === 'killer') job.once(death.after, () => setTimeout(() => job.kill(), death.delayMs))
  return job.ended
}

async function runToEnd(settings: JobSettings): Promise<Ended> {
  const ended = await new JobProcess(settings, ENDING_LIMIT_MS).ended
  if (ended.end === 'finished') return ended
  throw new Error(`the job was to come to its end, and ${ended.end}:\n${ended.stderr}`)
}

function settingsOf(init: KillRunInit, name: string, output: string, death?: Death): JobSettings {
  const { outputs, folder, records, kills } = init
  const aim = death?.by === 'itself' ? death.aim : undefined
  const isToLast = death !== undefined && aim?.armed !== 'last-record'
  return {
    sink: outputs.sink,
    url: outputs.url,
    directory: join(folder, `${outputs.sink}-${name}-job`),
    output,
    records,
    recordsPerSecond: isToLast ? Math.ceil((records * 1000) / (kills * PACE_MS_PER_KILL)) : 0,
    intervalMs: INTERVAL_MS,
    aim,
  }
}
