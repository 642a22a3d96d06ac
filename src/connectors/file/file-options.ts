// The options of the source `file-lines`, checked.
import type { SourceSpec } from '../../model/connector.ts'
import { ConnectorOptions } from '../options.ts'
import { TEXT_OPTION_NAMES, type TextOptions, textOptions } from '../text-options.ts'

/** What a file source reads, and how. */
export interface FileLinesOptions {
  readonly description: string
  /** As the user wrote it: a file or a pattern. */
  readonly path: string
  readonly chunkBytes: number
  readonly text: TextOptions
  readonly compression: 'auto' | 'gzip' | 'none'
  /** How often a file is looked at for more; undefined: it is read to its end. */
  readonly followEveryMs: number | undefined
}

const OPTION_NAMES = ['path', 'chunkBytes', 'compression', 'follow', ...TEXT_OPTION_NAMES] as const
const CHUNK_BYTES_DEFAULT = 256 * 1024
const CHUNK_BYTES_MAX = 64 * 1024 * 1024
const FOLLOW_EVERY_MS_DEFAULT = 500
const FOLLOW_EVERY_MS_MAX = 3_600_000

/** The options of a spec; throws OPTION_INVALID. */
export function fileLinesOptions(spec: SourceSpec): FileLinesOptions {
  const options = new ConnectorOptions(spec, OPTION_NAMES)
  const compression = options.oneOf('compression', ['auto', 'gzip', 'none'], 'auto')
  const followEveryMs = followInterval(options)
  if (followEveryMs !== undefined && compression === 'gzip')
    throw options.invalid('follow', "none with compression 'gzip': compressed files do not grow line by line")
  return {
    description: spec.description,
    path: options.text('path'),
    chunkBytes: options.wholeNumber('chunkBytes', { min: 1, max: CHUNK_BYTES_MAX, default: CHUNK_BYTES_DEFAULT }),
    text: textOptions(options),
    compression,
    followEveryMs,
  }
}

/** Whether a file is read as gzip. */
export function isGzip({ compression }: FileLinesOptions, path: string): boolean {
  return compression === 'gzip' || (compression === 'auto' && path.endsWith('.gz'))
}

function followInterval(options: ConnectorOptions): number | undefined {
  const follow = options.raw('follow')
  if (follow === undefined || follow === false) return undefined
  if (follow === true) return FOLLOW_EVERY_MS_DEFAULT
  const everyMs = (follow as { readonly everyMs?: unknown } | null)?.everyMs
  const isInterval = Number.isInteger(everyMs) && Number(everyMs) >= 1 && Number(everyMs) <= FOLLOW_EVERY_MS_MAX
  if (isInterval) return Number(everyMs)
  throw options.invalid('follow', `true, or { everyMs } with a whole number from 1 to ${FOLLOW_EVERY_MS_MAX}`)
}
