// `millrace savepoint`, `stop`, `inspect` and `diff`: what they print, and their exit codes.
import { closeSync, openSync, writeSync } from 'node:fs'
import { failureText } from '../entry/failure-text.ts'
import {
  type EndRequest,
  endJob,
  exportRows,
  type InspectOptions,
  inspect,
  isAllKept,
  mappingText,
  parseRenames,
  takeSavepoint,
} from '../entry/snapshots.ts'
import { withJobFile } from './job-file.ts'

const FAILED = 1
/** Lines written at once. */
const CHUNK_CHARACTERS = 64 * 1024

/** What the command line says of a savepoint. */
export interface SavepointCommandOptions {
  readonly to?: string
  readonly stop?: boolean
  readonly drain?: boolean
}

/** Takes a savepoint of a running job and prints where it is. */
export function savepointCommand(job: string, options: SavepointCommandOptions): Promise<number> {
  return told(job, async () => {
    const end = endOf(options)
    const { id, location } = await takeSavepoint(job, { to: options.to, end })
    const ended = end === undefined ? '' : `; the job has ended`
    process.stdout.write(`savepoint ${id} in ${location}${ended}\n`)
  })
}

/** Ends a running job and prints how it ended. */
export function stopCommand(job: string, options: { readonly drain?: boolean }): Promise<number> {
  return told(job, async () => {
    const { name, status, recordsIn, recordsOut } = await endJob(job, options.drain === true ? 'drain' : 'stop')
    process.stdout.write(`job "${name}" ${status}: ${recordsIn} records in, ${recordsOut} out\n`)
  })
}

/** What the command line says of a look into a snapshot. */
export interface InspectCommandOptions extends InspectOptions {
  readonly export?: string
  readonly json?: boolean
}

/** Prints what a snapshot holds; with a step, a state or a key its rows as JSON lines; with `export` they go to a file. */
export function inspectCommand(place: string, options: InspectCommandOptions): Promise<number> {
  return told(place, async () => {
    const { export: file, operator, state, key } = options
    if (file !== undefined) {
      const rows = await exportTo(file, place, options)
      process.stdout.write(`${rows} rows in ${file}\n`)
      return
    }
    if (operator !== undefined || state !== undefined || key !== undefined) {
      await exportTo(process.stdout.fd, place, options)
      return
    }
    const { text, json } = await inspect(place)
    process.stdout.write(`${options.json === true ? JSON.stringify(json, null, 2) : text}\n`)
  })
}

/** What the command line says of a comparison. */
export interface DiffCommandOptions {
  readonly parallelism?: number
  readonly json?: boolean
  readonly rename?: readonly string[]
}

/** Prints what becomes of the state of a snapshot in a job; exit code 1 when any of it is dropped or cannot be read. */
export function diffCommand(
  place: string,
  job: string,
  args: readonly string[],
  options: DiffCommandOptions,
): Promise<number> {
  return withJobFile(job, args, async ({ url, millrace }) => {
    const renames = parseRenames(options.rename ?? [])
    const { diff } = await millrace.snapshots()
    const mapping = await diff(place, url, { args, renames, parallelism: options.parallelism })
    process.stdout.write(`${options.json === true ? JSON.stringify(mapping, null, 2) : mappingText(mapping)}\n`)
    return isAllKept(mapping) ? 0 : FAILED
  })
}

function endOf({ stop, drain }: SavepointCommandOptions): EndRequest | undefined {
  if (drain === true) return 'drain'
  return stop === true ? 'stop' : undefined
}

async function told(where: string, action: () => Promise<void>): Promise<number> {
  try {
    await action()
    return 0
  } catch (error) {
    process.stderr.write(`${failureText(error, where)}\n`)
    return FAILED
  }
}

/** Rows come faster than a stream takes them, so they are written at once. */
async function exportTo(target: string | number, place: string, options: InspectOptions): Promise<number> {
  let text = ''
  let file = typeof target === 'number' ? target : undefined
  const flush = (): void => {
    // A snapshot that cannot be read leaves an earlier export as it is.
    file ??= openSync(target as string, 'w')
    writeAll(file, Buffer.from(text))
    text = ''
  }
  try {
    const rows = await exportRows(place, options, line => {
      text += `${line}\n`
      if (text.length >= CHUNK_CHARACTERS) flush()
    })
    flush()
    return rows
  } finally {
    if (file !== undefined && typeof target === 'string') closeSync(file)
  }
}

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(file, bytes, at)
    } catch (error) {
      // A pipe that is full for now.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}
