// The directory of a job: made where it is not there, and used by one process at a time.
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { errorText, StreamError } from '../../base/errors.ts'
import { type Logger, silentLogger } from '../../base/logger.ts'
import type { Files } from '../../base/storage.ts'
import { lockDirectory } from './directory-lock.ts'
import { nodeFiles } from './node-files.ts'

/** A directory that no other process uses until it is closed. */
export interface JobDirectory {
  /** Absolute. */
  readonly path: string
  readonly files: Files
  /** Lets others have it. May be called more than once. */
  close(): Promise<void>
}

/**
 * Opens a directory for one job. Throws DIRECTORY_LOCKED when another job runs on it, in this process too, and DIRECTORY_NOT_WRITABLE when it
 * cannot be made or written to. What a killed process left locked is taken over, which the logger is told.
 */
export async function openJobDirectory(path: string, logger: Logger = silentLogger): Promise<JobDirectory> {
  const absolute = resolve(path)
  try {
    await mkdir(absolute, { recursive: true })
    const lock = await lockDirectory(absolute, logger)
    let closing: Promise<void> | undefined
    const close = (): Promise<void> => {
      closing ??= lock.release()
      return closing
    }
    return { path: absolute, files: nodeFiles(absolute), close }
  } catch (error) {
    if (error instanceof StreamError) throw error
    throw notWritable(absolute, error)
  }
}

function notWritable(path: string, cause: unknown): StreamError {
  const text = `the job directory ${path} cannot be used (${errorText(cause)}); ${mend(cause)}`
  return new StreamError('DIRECTORY_NOT_WRITABLE', text, { cause })
}

function mend(cause: unknown): string {
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'ENOTDIR':
    case 'EEXIST':
      return 'something on its path is a file; choose another directory'
    case 'ENOSPC':
    case 'EDQUOT':
      return 'make room on the disk, or choose another directory'
    case 'EROFS':
      return 'the file system is mounted read-only; choose another directory'
    default:
      return `give the user of this process the right to write there, or choose another directory`
  }
}
