// Runs a golden job in virtual time: up to a snapshot, which is kept as files, or from such files to its end.
import { type Logger, silentLogger } from '../../../src/base/logger.ts'
import type { Files } from '../../../src/base/storage.ts'
import { decodeUtf8 } from '../../../src/base/utf8.ts'
import type { ConnectorResolver } from '../../../src/model/connector.ts'
import type { Graph } from '../../../src/model/graph.ts'
import { CheckpointStore } from '../../../src/recovery/snapshot/checkpoint-store.ts'
import { fileStorage } from '../../../src/recovery/snapshot/file-storage.ts'
import type { Manifest } from '../../../src/recovery/snapshot/manifest.ts'
import { VirtualClock } from '../../../src/runtime/simulated-scheduler.ts'
import { SimulatedFiles } from '../../../src/testing/simulated-files.ts'
import {
  JOB_DIRECTORY,
  type ProcessOutcome,
  SimulatedProcess,
} from '../../../src/testing/simulation/simulated-process.ts'
import { storageOnDisk } from '../../../src/testing/simulation/snapshot-on-disk.ts'

/** What the sink of a golden job has committed. */
export interface CommittedRecords {
  readonly committed: readonly string[]
}

/** A job of which snapshots are kept. */
export interface GoldenJob<L extends CommittedRecords> {
  readonly name: string
  readonly startMs: number
  /** Of the job when its snapshots were taken. */
  readonly parallelism: number
  /** Where its file sink writes. */
  readonly resultsDirectory: string
  ledger(name: string): L
  graph(parallelism: number, clock: VirtualClock, ledger: L): Graph
  connectors(files: Files): ConnectorResolver
}

/** Files by their paths. */
export type FileTree = ReadonlyMap<string, Uint8Array>

/** Where a snapshot is among the files of a golden. */
export const SNAPSHOT_DIRECTORY = 'snapshot'
/** How long the job was down before it goes on from a snapshot: less than its timers and its state wait for. */
const DOWN_MS = 60_000
const CHECKPOINT_INTERVAL_MS = 8
const STEPS_MAX = 1_000_000

/** A snapshot, what the file sink left beside it, and what had been committed before. */
export interface Golden {
  readonly files: FileTree
  readonly before: readonly string[]
}

/** Which snapshot of a run is kept. */
export interface Capture {
  /** A third of the seeds, those that 3 divides, lets barriers overtake records. */
  readonly seed: number
  readonly snapshotId: number
  readonly kind: 'checkpoint' | 'savepoint'
}

/** A run to the end. */
export interface GoldenRun {
  readonly seed: number
  readonly parallelism: number
  /** The files that it begins with; none: it starts at the beginning. */
  readonly files?: FileTree
  readonly logger?: Logger
}

/** Runs the job up to a snapshot, and kills it there. */
export async function captureGolden<L extends CommittedRecords>(job: GoldenJob<L>, capture: Capture): Promise<Golden> {
  const files = new SimulatedFiles()
  const ledger = job.ledger('before')
  let captured: { readonly manifest: Manifest; readonly disk: FileTree; readonly before: readonly string[] } | undefined
  const onCheckpoint = (process: SimulatedProcess, manifest: Manifest): void => {
    if (captured !== undefined || manifest.kind === 'final') return
    if (manifest.id === capture.snapshotId - 1 && capture.kind === 'savepoint') {
      // It is killed before it could be told how that went.
      process.run?.snapshot('savepoint').catch(() => {})
    }
    if (manifest.id !== capture.snapshotId) return
    captured = { manifest, disk: copyOf(files), before: resultsOf(job, ledger, files) }
    process.kill()
  }
  const run = { seed: capture.seed, parallelism: job.parallelism }
  await live(job, { run, files, ledger, clock: new VirtualClock(job.startMs), onCheckpoint })
  if (captured === undefined) throw new Error(`there is no snapshot ${capture.snapshotId}`)
  if (captured.manifest.kind !== capture.kind) throw new Error(`snapshot ${capture.snapshotId} is no ${capture.kind}`)
  return { files: await keptFiles(job, captured), before: captured.before }
}

/** Runs the job to its end, and gives all that it committed. */
export async function runGolden<L extends CommittedRecords>(
  job: GoldenJob<L>,
  run: GoldenRun,
): Promise<readonly string[]> {
  const files = await diskOf(run.files ?? new Map())
  const ledger = job.ledger('after')
  const clock = new VirtualClock(job.startMs + (run.files === undefined ? 0 : DOWN_MS))
  const outcome = await live(job, { run, files, ledger, clock, onCheckpoint: () => {} })
  if (outcome.kind === 'failed') throw outcome.error
  return resultsOf(job, ledger, files)
}

/** A disk that holds the files. */
export async function diskOf(tree: FileTree): Promise<SimulatedFiles> {
  const files = new SimulatedFiles()
  for (const [path, bytes] of tree) {
    const file = await files.open(path, 'create')
    await file.append(bytes)
    await file.sync()
    await file.close()
    await files.syncDirectory(path.slice(0, path.lastIndexOf('/')))
  }
  return files
}

interface Life<L> {
  readonly run: GoldenRun
  readonly files: SimulatedFiles
  readonly ledger: L
  readonly clock: VirtualClock
  readonly onCheckpoint: (process: SimulatedProcess, manifest: Manifest) => void
}

function live<L extends CommittedRecords>(job: GoldenJob<L>, life: Life<L>): Promise<ProcessOutcome> {
  const { run, files, ledger, clock } = life
  const process: SimulatedProcess = new SimulatedProcess({
    graph: job.graph(run.parallelism, clock, ledger),
    connectors: job.connectors,
    files,
    clock,
    logger: run.logger ?? silentLogger,
    seed: run.seed,
    checkpointIntervalMs: CHECKPOINT_INTERVAL_MS,
    stepsMax: STEPS_MAX,
    savepoint: run.files === undefined ? undefined : SNAPSHOT_DIRECTORY,
    beforeStep: () => true,
    beforeCall: () => {},
    delay: () => Promise.resolve(),
    onCheckpoint: manifest => life.onCheckpoint(process, manifest),
  })
  return process.live()
}

/** What readers see, sorted: the order of results is open. */
function resultsOf<L extends CommittedRecords>(job: GoldenJob<L>, ledger: L, files: SimulatedFiles): readonly string[] {
  const prefix = `${job.resultsDirectory}/`
  const finished = [...files.snapshot()].filter(([path]) => path.startsWith(prefix) && !path.includes('/.'))
  const lines = finished.flatMap(([, bytes]) => decodeUtf8(bytes).trimEnd().split('\n'))
  return [...ledger.committed, ...lines].sort()
}

function copyOf(files: SimulatedFiles): FileTree {
  return new Map([...files.snapshot()].map(([path, bytes]) => [path, bytes.slice()]))
}

/** The snapshot, complete in itself, and the files that wait for it. */
async function keptFiles<L extends CommittedRecords>(
  job: GoldenJob<L>,
  { manifest, disk }: { readonly manifest: Manifest; readonly disk: FileTree },
): Promise<FileTree> {
  const files = await diskOf(disk)
  const store = new CheckpointStore({
    storage: storageOnDisk(files, JOB_DIRECTORY),
    job: job.name,
    logger: silentLogger,
  })
  await store.writeSavepoint(fileStorage(files, SNAPSHOT_DIRECTORY), manifest)
  const isKept = (path: string): boolean => path.startsWith(`${SNAPSHOT_DIRECTORY}/`) || path.endsWith('.pending')
  return new Map([...copyOf(files)].filter(([path]) => isKept(path)))
}
