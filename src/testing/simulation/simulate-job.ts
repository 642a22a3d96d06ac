// Runs a whole job again and again in virtual time: once without faults, then through the faults that a seed decides, from crash to
// crash over one simulated disk. What comes out must be the same, and what is left behind must be in order.
import { errorText } from '../../base/errors.ts'
import { type Logger, silentLogger } from '../../base/logger.ts'
import { Prng } from '../../base/prng.ts'
import type { Files } from '../../base/storage.ts'
import type { ConnectorResolver } from '../../model/connector.ts'
import type { Graph } from '../../model/graph.ts'
import type { ReadableSnapshot } from '../../recovery/start/inspect.ts'
import { VirtualClock } from '../../runtime/simulated-scheduler.ts'
import { type DiskFault, SimulatedFiles } from '../simulated-files.ts'
import { resultsDifference } from './compare-results.ts'
import { FaultInjector } from './fault-injector.ts'
import { type FaultKind, type FaultOptions, type PlannedFault, planFaults } from './fault-plan.ts'
import { collectGarbage, leakedFiles } from './leftovers.ts'
import {
  JOB_DIRECTORY,
  type ProcessInit,
  type ProcessOutcome,
  SAVEPOINTS_DIRECTORY,
  SimulatedProcess,
} from './simulated-process.ts'
import { snapshotOnDisk } from './snapshot-on-disk.ts'

/** What a simulated job is made of. */
export interface SimulatedJobInit extends FaultOptions {
  /** Makes the graph anew for each process, at the given parallelism. Functions of the job may sleep on the clock. */
  readonly graph: (parallelism: number, clock: VirtualClock) => Graph
  readonly connectors: (files: Files) => ConnectorResolver
  /** What came out so far, one text for each result, in the order in which it came where there is one. */
  readonly results: (files: SimulatedFiles) => readonly string[]
  /** Forgets what came out. */
  readonly reset?: () => void
  readonly seed: number
  /** The parallelisms that rescaling chooses from, at least one; the run without faults has the first. 1, 2 and 3 unless given. */
  readonly parallelisms?: readonly number[]
  readonly checkpointIntervalMs?: number
  /** True to look for records and objects of state that are changed where they may not be. */
  readonly checkMutations?: boolean
  readonly logger?: Logger
  /** Steps of one process after which it counts as stuck. */
  readonly stepsMax?: number
  /** Called for each complete checkpoint, as it is on the disk then; what it rejects with is a mistake. */
  readonly onCheckpoint?: (snapshot: ReadableSnapshot) => Promise<void>
  /** What is wrong with the order of the results, in words. */
  readonly checkOrder?: (results: readonly string[]) => string | undefined
  /** Whether a file outside the job's directory is a result. */
  readonly isResultFile?: (path: string) => boolean
  /** The results without faults and the steps that they took, if they are known already. */
  readonly expected?: ExpectedOutcome
  /** How this run is repeated: a command, or a call. */
  readonly repeat?: string
}

/** What a run without faults gives. */
export interface ExpectedOutcome {
  readonly results: readonly string[]
  readonly steps: number
}

/** What became of one simulated run. */
export interface SimulationOutcome {
  readonly seed: number
  readonly isCorrect: boolean
  /** What is wrong, in words, with the seed and how it is repeated; undefined when nothing is. */
  readonly mistake: string | undefined
  /** How often each kind of fault happened. */
  readonly fired: ReadonlyMap<FaultKind, number>
  /** The damage that came of it on the disk. */
  readonly diskFaults: ReadonlyMap<DiskFault, number>
  /** Checkpoints that were looked at. */
  readonly checkpointsChecked: number
  readonly processes: number
  readonly expected: ExpectedOutcome
}

/** A call to the disk that fails: the n-th from the start of the job, counted from 1. */
export interface FailedCall {
  readonly call: number
  /** EIO, ENOSPC, ... */
  readonly code: string
}

/** Processes of one run; each death or stop needs another. */
const PROCESSES_MAX = 200
/** How many times the steps of a run without faults one process may take, and how many more: waiting for slow disks takes steps. */
const STEPS_FACTOR = 20
const STEPS_MORE = 200_000
/** Steps of the run without faults. */
const STEPS_MAX = 2_000_000
const PARALLELISMS: readonly number[] = [1, 2, 3]
// A time after which nothing is too far in the future.
const START_MS = 1_000_000_000_000

/** Runs the job without faults. Rejects with what makes it fail. */
export async function runWithoutFaults(init: SimulatedJobInit): Promise<ExpectedOutcome> {
  init.reset?.()
  const files = new SimulatedFiles()
  const clock = new VirtualClock(START_MS)
  const life = new SimulatedProcess({
    ...processInit(init, { files, clock, stepsMax: init.stepsMax ?? STEPS_MAX }),
    graph: init.graph((init.parallelisms ?? PARALLELISMS)[0] as number, clock),
    seed: 0,
  })
  const outcome = await life.live()
  if (outcome.kind === 'failed') throw outcome.error
  return { results: init.results(files), steps: life.steps }
}

/** Runs the job through the faults of a seed, and compares. */
export async function simulateFaults(init: SimulatedJobInit): Promise<SimulationOutcome> {
  const expected = init.expected ?? (await runWithoutFaults(init))
  const prng = new Prng(init.seed)
  const plan = planFaults(prng, expected.steps, init)
  const { parallelisms = PARALLELISMS } = init
  const parallelism = parallelisms[prng.below(parallelisms.length)] as number
  return new Course({ ...init, expected }, { prng, plan, parallelism, files: new SimulatedFiles() }).run()
}

/** Runs the job with one call to the disk that fails, and no other fault. It fails in the first process that gets so far. */
export async function simulateFailedCall(
  init: SimulatedJobInit,
  { call, code }: FailedCall,
): Promise<SimulationOutcome> {
  const expected = init.expected ?? (await runWithoutFaults(init))
  const files = new SimulatedFiles()
  files.failCall(call, code)
  const parallelism = (init.parallelisms ?? PARALLELISMS)[0] as number
  return new Course({ ...init, expected }, { prng: new Prng(init.seed), plan: [], parallelism, files }).run()
}

interface CourseInit {
  readonly prng: Prng
  readonly plan: readonly PlannedFault[]
  readonly parallelism: number
  readonly files: SimulatedFiles
}

type CheckedInit = SimulatedJobInit & { readonly expected: ExpectedOutcome }

/** One simulated run: a process after the other until the job is at its end. */
class Course {
  private readonly init: CheckedInit
  private readonly prng: Prng
  private readonly files: SimulatedFiles
  private readonly clock = new VirtualClock(START_MS)
  private readonly injector: FaultInjector
  private parallelism: number
  private savepoint: string | undefined
  private readonly checks: Promise<string | undefined>[] = []

  constructor(init: CheckedInit, { prng, plan, parallelism, files }: CourseInit) {
    this.init = init
    this.prng = prng
    this.files = files
    this.parallelism = parallelism
    this.injector = new FaultInjector({ prng, files, clock: this.clock, plan })
  }

  async run(): Promise<SimulationOutcome> {
    const { init } = this
    init.reset?.()
    let processes = 0
    let end: 'over' | { readonly mistake: string } | undefined
    let failedCalls = 0
    while (end === undefined && processes < PROCESSES_MAX) {
      failedCalls = this.failedCalls()
      end = await this.runProcess(++processes)
    }
    const mistake =
      end === undefined
        ? `the job did not end within ${PROCESSES_MAX} processes`
        : end === 'over'
          ? await this.check(failedCalls)
          : end.mistake
    return {
      seed: init.seed,
      isCorrect: mistake === undefined,
      mistake: mistake === undefined ? undefined : `${mistake}\n${repeatText(init)}`,
      fired: this.injector.fired,
      diskFaults: this.files.counts,
      checkpointsChecked: this.checks.length,
      processes,
      expected: init.expected,
    }
  }

  /** One process; undefined when another has to go on. */
  private async runProcess(index: number): Promise<'over' | { readonly mistake: string } | undefined> {
    const { init, injector, prng, files, clock, parallelism } = this
    const { parallelisms = PARALLELISMS, expected } = init
    const stepsMax = init.stepsMax ?? expected.steps * STEPS_FACTOR + STEPS_MORE
    const life = new SimulatedProcess({
      ...processInit(init, { files, clock, stepsMax }),
      seed: prng.nextUint32(),
      graph: init.graph(parallelism, clock),
      savepoint: this.savepoint,
      beforeStep: (current, task) => injector.beforeStep(current, task),
      beforeCall: (current, call) => injector.beforeCall(current, call),
      delay: () => injector.delay(),
      onCheckpoint: manifest => {
        if (init.onCheckpoint === undefined) return
        const checked = init.onCheckpoint(snapshotOnDisk(files, JOB_DIRECTORY, manifest))
        this.checks.push(checked.then(() => undefined, errorText))
      },
    })
    injector.onStart(life)
    const outcome = await life.live()
    init.logger?.log('info', `process ${index} ended`, { ...outcome, parallelism, savepoint: life.savepoint })
    const next = await injector.onEnd(outcome)
    if (next.isRescaled) this.parallelism = parallelisms[prng.below(parallelisms.length)] as number
    // A process that died before it took over the savepoint starts from it again; afterwards its own checkpoints are newer.
    if (next.savepoint !== undefined) this.savepoint = next.savepoint
    else if (life.isRunning) this.savepoint = undefined
    if ((outcome.kind === 'ended' && outcome.status === 'finished') || hasComeToEnd(files)) return 'over'
    const mistake = failureOf(outcome)
    return mistake === undefined ? undefined : { mistake }
  }

  /** What is wrong at the end, in words. */
  private async check(failedCallsBefore: number): Promise<string | undefined> {
    const { init, files } = this
    const results = init.results(files)
    const difference = resultsDifference(results, init.expected.results)
    if (difference !== undefined) return difference
    for (const mistake of await Promise.all(this.checks)) if (mistake !== undefined) return mistake
    const disorder = init.checkOrder?.(results)
    if (disorder !== undefined) return disorder
    if (files.openHandles > 0) return `${files.openHandles} files were left open: ${files.openPaths.join(', ')}`
    // What could not be removed is left to the next process.
    if (this.failedCalls() > failedCallsBefore) return undefined
    await collectGarbage(files, init.graph(this.parallelism, this.clock).name)
    const isExpected = (path: string): boolean =>
      path.startsWith(`${SAVEPOINTS_DIRECTORY}/`) || init.isResultFile?.(path) === true
    const leaked = leakedFiles(files, isExpected)
    return leaked.length === 0 ? undefined : `${leaked.length} files are left that nobody needs: ${leaked.join(', ')}`
  }

  private failedCalls(): number {
    const { counts } = this.files
    return (counts.get('failed-call') ?? 0) + (counts.get('failed-sync') ?? 0)
  }
}

interface Place {
  readonly files: SimulatedFiles
  readonly clock: VirtualClock
  readonly stepsMax: number
}

function processInit(init: SimulatedJobInit, place: Place): Omit<ProcessInit, 'graph' | 'seed'> {
  const { connectors, logger = silentLogger, checkpointIntervalMs = 20, checkMutations = false } = init
  return {
    ...place,
    connectors,
    logger,
    checkpointIntervalMs,
    checkMutations,
    savepoint: undefined,
    beforeStep: () => true,
    beforeCall: () => {},
    delay: () => Promise.resolve(),
    onCheckpoint: () => {},
  }
}

// A job may come to its end although it was just told to stop, and a process may die just after it has noted that.
function hasComeToEnd(files: SimulatedFiles): boolean {
  return [...files.snapshot().keys()].some(path => path.startsWith(ENDINGS) && !path.startsWith(`${ENDINGS}.`))
}

const ENDINGS = `${JOB_DIRECTORY}/endings/`

// Faults may make a job fail for good, as a full disk does; somebody starts it again. Mistakes of the engine are another matter.
function failureOf(outcome: ProcessOutcome): string | undefined {
  if (outcome.kind !== 'failed') return undefined
  const { error } = outcome
  const code = (error as { readonly code?: unknown }).code
  const isExpected = typeof code === 'string' && EXPECTED_CODES.includes(code)
  return isExpected
    ? undefined
    : `a process failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}

/** What a job may end with when its disk fails. */
const EXPECTED_CODES: readonly string[] = [
  'STORAGE_FAILED',
  'DIRECTORY_NOT_WRITABLE',
  'CHECKPOINT_FAILED',
  'SINK_FAILED',
  'TRANSACTION_FAILED',
  'SOURCE_FAILED',
]

function repeatText({ seed, repeat }: SimulatedJobInit): string {
  return repeat === undefined ? `the seed is ${seed}` : `the seed is ${seed}; repeat it with: ${repeat}`
}
