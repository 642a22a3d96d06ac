// The simulator for users: whether a job of the DataStream API gives the same results whatever happens to it on the way.
import { StreamEnvironment } from '../api/datastream/environment.ts'
import { StreamError } from '../base/errors.ts'
import { portableConnectors } from '../connectors/portable.ts'
import type { Graph } from '../model/graph.ts'
import type { JobHandle, JobLauncher } from '../model/job.ts'
import { toJson } from '../recovery/start/json-value.ts'
import type { FaultKind } from '../testing/simulation/fault-plan.ts'
import { simulateFaults } from '../testing/simulation/simulate-job.ts'
import type { TransactionalCollection } from '../testing/simulation/transactional-collection.ts'

/** Which faults a simulated run gets, and how many. */
export interface SimulationFaults {
  /** All kinds unless given. */
  readonly kinds?: readonly FaultKind[]
  /** Faults of one run at least; 5 unless given. */
  readonly min?: number
  /** Faults of one run at most; 50 unless given. */
  readonly max?: number
}

/** What a simulated run is decided by. */
export interface SimulationOptions<T> {
  /** Decides the faults and the order of steps: the same seed repeats the run. */
  readonly seed: number
  /** What the job writes to, and what is compared: its records as a bag, without an order. */
  readonly collection: TransactionalCollection<T>
  readonly faults?: SimulationFaults
  /** The parallelisms that the job is rescaled to; the run without faults has the first. 1, 2 and 3 unless given. */
  readonly parallelisms?: readonly number[]
  /** From one checkpoint to the next in ms of virtual time; 20 unless given. */
  readonly checkpointIntervalMs?: number
  /**
   * True to look for records that are changed after they were emitted, and for objects of state that are changed where they may not be:
   * RECORD_MUTATED, STATE_MUTATED. It makes runs slower.
   */
  readonly checkMutations?: boolean
}

/** What became of a simulated run. */
export interface SimulationResult {
  readonly seed: number
  /** True when the results were those of a run without faults, and nothing was left behind. */
  readonly isCorrect: boolean
  /** What is wrong, in words, with the seed that repeats it; undefined when nothing is. */
  readonly mistake: string | undefined
  /** How often each kind of fault happened. */
  readonly faults: ReadonlyMap<FaultKind, number>
  /** The processes that it took: each crash and each stop needs another. */
  readonly processes: number
}

/**
 * Runs a job twice in virtual time, on a simulated disk: once undisturbed, and once through crashes, power losses, failing and slow disks,
 * delays, clock jumps, savepoints and rescaling, as the seed decides. It neither waits for real time nor touches a real file. `job` is
 * called for each process: it must build the same job each time, from sources that can be read again, with results that do not hang on
 * the order of records in different splits or on processing time. Rejects with what makes the job fail without any fault, and with
 * OPTION_INVALID.
 * @example
 * ```ts
 * import { pacedSource, simulate, transactionalCollection } from 'millrace/testing'
 * const words = ['to', 'be', 'or', 'not', 'to', 'be'].map((value, timestamp) => ({ value, timestamp }))
 * const counts = transactionalCollection<string>()
 * for (let seed = 1; seed <= 3; seed++) {
 *   const result = await simulate(
 *     env => {
 *       env
 *         .addSource(pacedSource([words, words]), { isBounded: true, hasTimestamps: true })
 *         .map(word => ({ word, count: 1 }))
 *         .keyBy('word')
 *         .sum('count')
 *         .map(({ word, count }) => `${word} ${count}`)
 *         .addSink(counts.sink, { delivery: 'transactional' })
 *     },
 *     { seed, collection: counts },
 *   )
 *   if (!result.isCorrect) throw new Error(result.mistake)
 * }
 * ```
 */
export async function simulate<T>(
  job: (env: StreamEnvironment) => void,
  options: SimulationOptions<T>,
): Promise<SimulationResult> {
  const { seed, collection, faults = {}, parallelisms, checkpointIntervalMs, checkMutations = false } = options
  checkOptions(options)
  const { mistake, isCorrect, fired, processes } = await simulateFaults({
    graph: parallelism => graphOf(job, parallelism),
    connectors: () => portableConnectors({ text: { write: () => {} } }),
    results: () => collection.records.map(record => JSON.stringify(toJson(record))),
    reset: () => collection.clear(),
    seed,
    checkMutations,
    repeat: `simulate() with seed: ${seed}`,
    ...(faults.kinds === undefined ? {} : { kinds: faults.kinds }),
    ...(faults.min === undefined ? {} : { faultsMin: faults.min }),
    ...(faults.max === undefined ? {} : { faultsMax: faults.max }),
    ...(parallelisms === undefined ? {} : { parallelisms }),
    ...(checkpointIntervalMs === undefined ? {} : { checkpointIntervalMs }),
  })
  return { seed, isCorrect, mistake, faults: fired, processes }
}

function checkOptions(options: Omit<SimulationOptions<never>, 'collection'>): void {
  const { seed, faults = {}, parallelisms, checkpointIntervalMs = 20 } = options
  const { kinds, min = FAULTS_MIN, max = Math.max(min, FAULTS_MAX) } = faults
  const mend = (what: string): StreamError => new StreamError('OPTION_INVALID', `simulate(): ${what}`)
  if (!Number.isSafeInteger(seed)) throw mend(`the seed is ${String(seed)}; give a whole number`)
  if (kinds?.length === 0) throw mend('faults.kinds is empty; name at least one, or leave it out for all')
  if (!(isWhole(min, 0) && isWhole(max, min)))
    throw mend(
      `faults.min is ${String(min)} and faults.max ${String(max)}; give whole numbers from 0, the smaller first`,
    )
  if (parallelisms !== undefined && !(parallelisms.length > 0 && parallelisms.every(each => isWhole(each, 1))))
    throw mend(`parallelisms are [${parallelisms.join(', ')}]; give whole numbers from 1`)
  if (!(checkpointIntervalMs >= 1))
    throw mend(`checkpointIntervalMs is ${checkpointIntervalMs}; give milliseconds from 1`)
}

const FAULTS_MIN = 5
const FAULTS_MAX = 50

function isWhole(value: number, min: number): boolean {
  return Number.isSafeInteger(value) && value >= min
}

// The job may call execute() as it does in production, or leave it out.
function graphOf(job: (env: StreamEnvironment) => void, parallelism: number): Graph {
  let graph: Graph | undefined
  const launcher: JobLauncher = {
    defaultParallelism: parallelism,
    launch: launched => {
      graph = launched
      return undefined as unknown as JobHandle
    },
    explain: () => ({ text: '', json: {} }),
  }
  const env = new StreamEnvironment(launcher)
  job(env)
  if (graph === undefined) env.execute('simulated')
  return graph as unknown as Graph
}
