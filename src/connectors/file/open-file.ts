// Opens a file of a split for reading, and checks that reading can go on at its position.
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { StreamError } from '../../base/errors.ts'
import { readError } from './file-errors.ts'

/** A file that is open for reading. */
export interface OpenFile {
  readonly handle: FileHandle
  readonly path: string
  /** Pipes and devices are read where they stand; only a regular file can be read at an offset. */
  readonly isSeekable: boolean
  readonly bytes: number
}

/** Opens what is no directory. Rejects with FILE_NOT_FOUND, FILE_NOT_READABLE or SOURCE_FAILED. */
export async function openFile(description: string, path: string): Promise<OpenFile> {
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch (error) {
    throw readError(description, path, error)
  }
  try {
    const stat = await handle.stat()
    if (stat.isDirectory()) throw Object.assign(new Error(`${path} is a directory`), { code: 'EISDIR' })
    return { handle, path, isSeekable: stat.isFile(), bytes: stat.size }
  } catch (error) {
    await handle.close()
    throw readError(description, path, error)
  }
}

/** The error for a file in which reading cannot go on at a position. */
export function positionLost(
  description: string,
  path: string,
  { found, position }: { found: string; position: number },
) {
  return new StreamError(
    'SOURCE_FAILED',
    `${description}: ${path} ${found}, but reading is to go on at byte ${position}; restore the file as it was, or start the job anew`,
  )
}
