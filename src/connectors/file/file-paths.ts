// Which files a path means: one, or all that a pattern matches.
import { glob, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { readError, systemCode } from './file-errors.ts'

const PATTERN_SIGNS = /[*?[{]/

/**
 * The absolute paths of the files that a path means, sorted. A path with `*`, `?`, `[` or `{` is a pattern (`**` stands for directories at any
 * depth), unless there is a file of exactly that name; it matches neither directories nor hidden files, whose names begin with a dot. A path
 * without is taken as it is, whether the file is there or not. Rejects with FILE_NOT_READABLE or SOURCE_FAILED.
 */
export async function filesOf(description: string, path: string): Promise<readonly string[]> {
  if (!PATTERN_SIGNS.test(path)) return [resolve(path)]
  try {
    if (await isFile(path)) return [resolve(path)]
    const found = new Set<string>()
    for await (const match of glob(path)) {
      const isHidden = basename(match).startsWith('.') && !basename(path).startsWith('.')
      if (!isHidden && (await isFile(match))) found.add(resolve(match))
    }
    return [...found].sort()
  } catch (error) {
    throw readError(description, path, error)
  }
}

/** Whether new files may come to be meant by the path. */
export function isPattern(path: string): boolean {
  return PATTERN_SIGNS.test(path)
}

// A file may go between being found and being looked at.
async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error))) return false
    throw error
  }
}
