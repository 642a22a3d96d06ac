// A source of the lines of files. One split for each file; the position is the byte offset of the next line in its text, from which it can be
// resumed by any subtask.
import { StreamError } from '../../base/errors.ts'
import type { ReaderContext, Source, SourceSpec, Split, SplitReader } from '../../model/connector.ts'
import { type FileLinesOptions, fileLinesOptions, isGzip } from './file-options.ts'
import { filesOf, isPattern } from './file-paths.ts'
import { GzipLinesReader } from './gzip-lines.ts'
import { openFile, positionLost } from './open-file.ts'
import { PlainLinesReader } from './plain-lines.ts'

/**
 * Makes the source `file-lines` of `path`, `lineBytesMax`, `encodingErrors`, `chunkBytes`, `compression` and `follow`; throws OPTION_INVALID.
 * Lines end with a line feed, or carriage return and line feed; the last one may lack it. Files are read as UTF-8; a split's id is its file's
 * absolute path, and one that is followed is never at its end. Finding the files fails with FILE_NOT_FOUND where a pattern matches none, opening
 * a reader with FILE_NOT_FOUND or FILE_NOT_READABLE; reading with LINE_TOO_LONG, TEXT_INVALID or SOURCE_FAILED.
 */
export function fileLinesSource(spec: SourceSpec): Source<string, number> {
  const options = fileLinesOptions(spec)
  const source: Source<string, number> = {
    splits: () => firstSplits(options),
    open: (split, context) => openReader(options, split, context),
  }
  return isPattern(options.path) ? { ...source, newSplits: known => newSplits(options, known) } : source
}

async function firstSplits({ description, path }: FileLinesOptions): Promise<readonly Split<number>[]> {
  const files = await filesOf(description, path)
  if (files.length > 0) return files.map(splitOf)
  throw new StreamError(
    'FILE_NOT_FOUND',
    `${description}: no file matches ${path}; correct the pattern, or write the files before the job starts`,
  )
}

async function newSplits(
  { description, path }: FileLinesOptions,
  known: ReadonlySet<string>,
): Promise<readonly Split<number>[]> {
  const files = await filesOf(description, path)
  return files.filter(file => !known.has(file)).map(splitOf)
}

function splitOf(path: string): Split<number> {
  return { id: path, position: 0 }
}

async function openReader(
  options: FileLinesOptions,
  { id: path, position }: Split<number>,
  context: ReaderContext,
): Promise<SplitReader<string, number>> {
  const { description } = options
  const file = await openFile(description, path)
  try {
    if (!isGzip(options, path)) return new PlainLinesReader(options, file, position, context)
    if (position > 0 && !file.isSeekable)
      throw positionLost(description, path, { found: 'is not a regular file', position })
    return new GzipLinesReader(options, file, position, context)
  } catch (error) {
    await file.handle.close()
    throw error
  }
}
