// What outlasts a job: opens its directory, finds the snapshot to start from, and keeps its savepoints.
import type { Clock } from '../../base/clock.ts'
import { hashText } from '../../base/hash.ts'
import type { Logger } from '../../base/logger.ts'
import type { Storage } from '../../base/storage.ts'
import { type CheckpointOptions, checkpointSettings } from '../../model/checkpoint-options.ts'
import type { JobHandle, LaunchOptions } from '../../model/job.ts'
import { exponentialDelay } from '../../model/restart-strategy.ts'
import type { PhysicalPlan } from '../../plan/physical-plan.ts'
import { claimAttempt } from '../../recovery/snapshot/attempts.ts'
import { CheckpointStore } from '../../recovery/snapshot/checkpoint-store.ts'
import type { Manifest } from '../../recovery/snapshot/manifest.ts'
import { ownerOf } from '../../recovery/snapshot/owner.ts'
import { findRestart, findStart, noteEnding, type StartOptions } from '../../recovery/start/find-start.ts'
import type { RecoveryInit } from '../../runtime/job-run.ts'

/** A directory, or what stands for it, that only this run of the job uses. */
export interface OpenedDirectory {
  /** Its path, in full. */
  readonly location: string
  readonly storage: Storage
  /** Answers the commands of people while the job runs. */
  serve(handle: JobHandle): Promise<void>
  close(): Promise<void>
}

/** Where a job wants to keep what outlasts it. */
export interface JobPlace {
  /** Undefined: where the platform chooses. */
  readonly directory: string | undefined
  /** Where its snapshots are, if not in the directory. */
  readonly storage: string | undefined
}

/** How a platform opens directories. */
export interface OpenDirectory {
  /** That of a job; the platform chooses where, unless told. Throws DIRECTORY_LOCKED, DIRECTORY_NOT_WRITABLE. */
  job(jobName: string, where: JobPlace, logger: Logger): Promise<OpenedDirectory>
  /** That of a savepoint; without a path it lies below the directory of the job. */
  savepoint(
    path: string | undefined,
    job: OpenedDirectory,
    id: number,
  ): { readonly location: string; readonly storage: Storage }
}

/** The recovery of one run of a job. */
export interface OpenRecovery {
  readonly init: RecoveryInit
  readonly location: string
  serve(handle: JobHandle): Promise<void>
  /** Copies a snapshot to where savepoints are kept; returns where that is. */
  writeSavepoint(manifest: Manifest, directory: string | undefined): Promise<string>
  close(): Promise<void>
}

/** Opens the directory of a job, and decides what it starts from. */
export async function openRecovery(
  platform: {
    readonly clock: Clock
    readonly openDirectory: OpenDirectory
    readonly logger: Logger
    readonly pause: () => Promise<void>
  },
  plan: PhysicalPlan,
  options: LaunchOptions & { readonly checkpoints: CheckpointOptions },
): Promise<OpenRecovery> {
  const { openDirectory, logger } = platform
  const settings = checkpointSettings(options.checkpoints)
  const place: JobPlace = { directory: options.directory, storage: options.storage }
  const directory = await openDirectory.job(plan.graph.name, place, logger)
  try {
    const store = new CheckpointStore({
      storage: directory.storage,
      pause: platform.pause,
      job: plan.graph.name,
      retained: settings.retained,
      logger,
    })
    const { from = 'newest' } = options
    const isWord = from === 'newest' || from === 'last' || from === 'beginning'
    const startOptions: StartOptions = {
      graph: plan.graph,
      from: isWord ? from : openDirectory.savepoint(from, directory, 0).storage,
      allowUnmapped: options.allowUnmapped ?? false,
      renames: options.renames ?? {},
      storage: directory.storage,
      logger,
    }
    const start = await findStart(store, startOptions)
    return {
      init: {
        settings,
        store,
        restart: options.restart ?? exponentialDelay({ attempts: RESTARTS_MAX }),
        from: start,
        nextId: await store.nextId(),
        latest: () => findRestart(store, startOptions, start),
        noteEnding: manifest => noteEnding(directory.storage, manifest),
        owner: await ownerOf(directory.storage, () => freshOwner(platform.clock, directory.location)),
        claimAttempt: () => claimAttempt(directory.storage),
      },
      location: directory.location,
      serve: handle => directory.serve(handle),
      writeSavepoint: async (manifest, path) => {
        const target = openDirectory.savepoint(path, directory, manifest.id)
        await store.writeSavepoint(target.storage, manifest)
        return target.location
      },
      close: () => directory.close(),
    }
  } catch (error) {
    await directory.close()
    throw error
  }
}

/** An id for a directory that is used for the first time: by where and when that is. */
function freshOwner(clock: Clock, location: string): string {
  const text = JSON.stringify([location, clock.now(), clock.monotonicMs()])
  return [text, `again ${text}`].map(each => hashText(each).toString(16).padStart(8, '0')).join('')
}

/** Restarts without a while of running between them, unless the job says otherwise. */
const RESTARTS_MAX = 10
