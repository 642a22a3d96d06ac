// A source whose records go through a write-ahead log, for sources that cannot go back: from the log on, a failure loses nothing.
import { assert } from '../../base/assert.ts'
import { StreamError } from '../../base/errors.ts'
import { hashText } from '../../base/hash.ts'
import type { Files } from '../../base/storage.ts'
import type { ReaderContext, Source, SourceSpec, SplitReader } from '../../model/connector.ts'
import { ConnectorOptions } from '../options.ts'
import { logError } from './log-errors.ts'
import { LogFolder, type LogPosition } from './log-folder.ts'
import { LoggedReader, type LogLimits } from './logged-reader.ts'
import { BEGINNING, openLog } from './open-log.ts'

/** The file system that logs are in. */
export interface LogFiles {
  readonly files: Files
  /** The path in it of a directory as the user names it. */
  readonly pathOf: (directory: string) => string
}

/** A log, with its options checked. */
export interface LogSettings extends LogLimits {
  /** The path of its directory in the file system, for a job of the given name. */
  readonly directoryOf: (jobName: string) => string
}

const OPTION_NAMES = ['directory', 'segmentBytes', 'bytesMax'] as const
const BYTES_MIN = 4096
const SEGMENT_BYTES_DEFAULT = 8 * 1024 * 1024
const BYTES_MAX_DEFAULT = 1024 * 1024 * 1024

/**
 * The makers of sources that take the option `writeAheadLog`: true, or `{ directory, segmentBytes, bytesMax }`. The source itself does not
 * see it. Making it throws OPTION_INVALID. Without a file system there are no logs. `make` gets, beside the spec, what stands for the source
 * over all restarts of its job; nothing where a log keeps what the source gave.
 */
export function loggable<T, P>(
  make: (spec: SourceSpec, readFor: object | undefined) => Source<T, P>,
  port: LogFiles | undefined,
): (spec: SourceSpec) => Source<unknown> {
  return spec => {
    const { writeAheadLog, ...options } = spec.options
    const isLogged = writeAheadLog !== undefined && writeAheadLog !== false
    const inner = make({ ...spec, options }, isLogged ? undefined : spec)
    if (!isLogged) return inner as Source<unknown>
    const owner = new ConnectorOptions(spec, Object.keys(spec.options))
    if (port === undefined) throw owner.invalid('writeAheadLog', 'none here, where there is no file system')
    const settings = logSettings(spec, port)
    return loggedSource(inner, settings, { description: spec.description, files: port.files }) as Source<unknown>
  }
}

/**
 * Reads the splits of a source through logs; the splits of the inner source must be the same ones each time. Opening one throws OPTION_INVALID in
 * a job without checkpoints: nothing would ever be removed from the log, until it is full and the job stands still.
 */
export function loggedSource<T, P>(
  inner: Source<T, P>,
  settings: LogSettings,
  { description, files }: { readonly description: string; readonly files: Files },
): Source<T, LogPosition> {
  const { directoryOf } = settings
  return {
    splits: async parallelism => (await inner.splits(parallelism)).map(({ id }) => ({ id, position: BEGINNING })),
    async open(split, context) {
      if (!context.isCheckpointed) throw uncheckpointedError(description)
      const directory = directoryOf(context.jobName)
      const folder = new LogFolder({ description, files, directory, splitId: split.id })
      const log = await attempt(description, async () => {
        await folder.claim()
        return openLog(folder, positionOf(split.position), context.logger)
      })
      const reader = log.isComplete ? undefined : await openInner(inner, split.id, context)
      return new LoggedReader({ ...settings, folder, log, inner: reader, context })
    },
  }
}

function uncheckpointedError(description: string): StreamError {
  return new StreamError(
    'OPTION_INVALID',
    `${description}: a write-ahead log needs checkpoints, which let go of old records, and the job takes none; call enableCheckpointing() on its environment, start it with --dir, or leave out writeAheadLog`,
  )
}

async function openInner<T, P>(inner: Source<T, P>, id: string, context: ReaderContext): Promise<SplitReader<T, P>> {
  const splits = await inner.splits(context.parallelism)
  const split = splits.find(candidate => candidate.id === id) ?? splits[0]
  assert(split !== undefined && (split.id === id || splits.length === 1), 'a source with a log has lost a split')
  // The only split may have another name now: a log may outlast the address that it was filled from.
  return inner.open(split, context)
}

async function attempt<R>(description: string, action: () => Promise<R>): Promise<R> {
  try {
    return await action()
  } catch (error) {
    throw logError(description, 'cannot be opened', error)
  }
}

// The snapshot may be of a time when the source had no log.
function positionOf(position: unknown): LogPosition {
  const { segment, offset } = (position ?? BEGINNING) as Partial<LogPosition>
  return typeof segment === 'number' && typeof offset === 'number' ? { segment, offset } : BEGINNING
}

function logSettings(spec: SourceSpec, { pathOf }: LogFiles): LogSettings {
  const given = spec.options['writeAheadLog']
  if (given !== true && (typeof given !== 'object' || given === null))
    throw new ConnectorOptions(spec, Object.keys(spec.options)).invalid(
      'writeAheadLog',
      'true, or an object with directory, segmentBytes or bytesMax',
    )
  const { connector } = spec
  const description = `${spec.description}, writeAheadLog`
  const own = given === true ? {} : (given as Readonly<Record<string, unknown>>)
  const options = new ConnectorOptions({ connector, description, options: own }, OPTION_NAMES)
  const max = Number.MAX_SAFE_INTEGER
  const segmentBytes = options.wholeNumber('segmentBytes', { min: BYTES_MIN, max, default: SEGMENT_BYTES_DEFAULT })
  const directory = options.optionalText('directory')
  return {
    directoryOf: jobName => pathOf(directory ?? defaultDirectory(jobName, spec.description)),
    segmentBytes,
    bytesMax: options.wholeNumber('bytesMax', { min: BYTES_MIN, max, default: BYTES_MAX_DEFAULT }),
  }
}

/**
 * Where a log is unless its source says otherwise: by the name of the job and what the source reads, below the working directory. Not by the uid of
 * the step or the directory of the job, which may change when the job goes on from a snapshot.
 */
function defaultDirectory(jobName: string, description: string): string {
  const name = jobName.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, NAME_LENGTH_MAX)
  const digits = hashText(JSON.stringify([jobName, description]))
    .toString(16)
    .padStart(8, '0')
  return `./.millrace/wal/${name}-${digits}`
}

const NAME_LENGTH_MAX = 40
