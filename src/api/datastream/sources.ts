// The sources of the DataStream API as specs: names and options of connectors, which the runner resolves. The checks that need no
// connector are made here, at the call.

import { preview } from '../../base/errors.ts'
import type { Source, SourceSpec } from '../../model/connector.ts'
import type { WatermarkStrategy } from '../../model/watermark-strategy.ts'
import {
  optionInvalid,
  requireFunction,
  requireMethods,
  requireStrategy,
  requireText,
  requireWhole,
} from './arguments.ts'

/** What every source can be given beside its own options. */
export interface WatermarkedOptions<T> {
  /**
   * Gives the records timestamps, and makes a watermark in each split of the source: that of a subtask is the smallest of its splits
   * that are neither idle nor ended. So splits that are read at different speeds do not make each other's records late.
   */
  readonly watermarks?: WatermarkStrategy<T>
}

/** How lines of text are read. */
export interface TextOptions extends WatermarkedOptions<string> {
  /** A longer line (in bytes, without its end) fails with LINE_TOO_LONG. 16 MiB unless said otherwise. */
  readonly lineBytesMax?: number
  /** Bytes that are not UTF-8: `replace` them by U+FFFD (the default), or `fail` with TEXT_INVALID. */
  readonly encodingErrors?: 'replace' | 'fail'
}

/** How files of text are read. */
export interface TextFileOptions extends TextOptions {
  /** `auto` (the default) decompresses files whose names end in `.gz`; `gzip` all, `none` no file. */
  readonly compression?: 'auto' | 'gzip' | 'none'
  /**
   * True to wait at the end of each file for what is added to it, as `tail -f` does; `everyMs` says how often to look (500 unless given). The input
   * then has no end, and a last line is one when its line end is there. A file that shrinks or is replaced fails with SOURCE_FAILED. Of a pattern,
   * files that come to match it are read too: it is looked for them as often.
   */
  readonly follow?: boolean | { readonly everyMs: number }
}

/**
 * A log on the disk of what a source gave, which is emitted again after a failure. For jobs with checkpoints alone, since these let go of old
 * records: any other is refused with OPTION_INVALID when it starts.
 */
export interface WriteAheadLogOptions {
  /**
   * Where it is; unless given, `./.millrace/wal/` and the name of the job with a hash of that and of what the source reads. No two readers may share
   * one: give each its own where a job reads the same address twice, or where jobs of one name run in one working directory.
   */
  readonly directory?: string
  /** The size at which a file of the log ends; files are removed as a whole. 8 MiB unless given, 4096 at least. */
  readonly segmentBytes?: number
  /** With so many bytes in the log nothing is read until checkpoints let go of old ones. 1 GiB unless given, 4096 at least. */
  readonly bytesMax?: number
}

/** For sources that cannot go back. */
export interface LoggedOptions {
  /**
   * True, or options, for a write-ahead log: records are emitted when they are durable in it, and after a failure those behind the
   * checkpoint are emitted again. What the source gave and was not in the log yet is lost.
   */
  readonly writeAheadLog?: boolean | WriteAheadLogOptions
}

/** How standard input is read. */
export interface StdinOptions extends TextOptions, LoggedOptions {}

/** How a text socket is read. */
export interface SocketTextOptions extends TextOptions, LoggedOptions {
  /** What ends a record; a line feed unless said otherwise. */
  readonly delimiter?: string
  /** How often a broken connection is made again; 5 unless said otherwise. The first connection is tried once. */
  readonly retries?: number
  /** The wait before the first retry in ms, doubled for each further one; 100 unless said otherwise. */
  readonly retryDelayMs?: number
}

/**
 * How many records are generated, and how fast. Where `watermarks` has a timestamp function, write the type of the index,
 * `(index: number) => ...`: only then the compiler knows the record in there.
 */
export interface GenerateOptions<T> extends WatermarkedOptions<T> {
  /** Without it the source has no end. */
  readonly count?: number
  /** Over all subtasks; as fast as the job takes them unless said otherwise. */
  readonly recordsPerSecond?: number
  /** The record's event time in epoch ms. */
  readonly timestamp?: (record: T, index: number) => number
}

/** What the graph must know of a source of your own. */
export interface SourceOptions<T = unknown> extends WatermarkedOptions<T> {
  /** True when the source comes to an end by itself. */
  readonly isBounded: boolean
  /** True when it emits timestamps; then windows go by event time. */
  readonly hasTimestamps?: boolean
  /**
   * How often (ms) `newSplits` is asked while the job runs; only at a start from a checkpoint unless given. Each subtask asks, and reads those whose ids
   * fall on it. For sources with `isBounded: false`, since there may always be more.
   */
  readonly discoverEveryMs?: number
  /** The largest parallelism that the source can run with; any unless said otherwise. */
  readonly parallelismMax?: number
  /** In words, for plans and errors. */
  readonly description?: string
}

/** What from() takes: something to iterate, or a function that makes it for each run. */
export type IterableInput<T> = Iterable<T> | AsyncIterable<T> | (() => Iterable<T> | AsyncIterable<T>)

/** What makes a path a pattern, as the connector sees it. */
const FILE_PATTERN = /[*?[{]/
/** How often a followed file is looked at unless the user says. */
const FOLLOW_EVERY_MS_DEFAULT = 500

/** Lines from a TCP server. */
export function socketTextSpec(host: string, port: number, options: SocketTextOptions): SourceSpec {
  const call = 'socketTextStream()'
  requireText(call, 'the host', host)
  requireWhole(call, 'the port', port, { min: 1, max: 65_535 })
  return single(
    'socket-text',
    { host, port, ...ownOptions(options) },
    { description: `socket ${host}:${port}`, isBounded: false, isReplayable: false, ...logged(call, options) },
  )
}

/** Lines of a file, or of all files that a pattern matches. */
export function textFileSpec(path: string, options: TextFileOptions): SourceSpec {
  const call = 'readTextFile()'
  requireText(call, 'the path', path)
  const { compression, follow } = options
  const isFollowed = follow !== undefined && follow !== false
  if (isFollowed && compression === 'gzip')
    throw optionInvalid(call, "follow does not go with compression 'gzip': compressed files do not grow line by line")
  if (typeof follow === 'object') requireWhole(call, 'follow.everyMs', follow?.everyMs, { min: 1, max: 3_600_000 })
  const own = { path, ...ownOptions(options) }
  const spec = single('file-lines', own, { description: `file ${path}`, isBounded: !isFollowed })
  if (!FILE_PATTERN.test(path)) return spec
  // Each file is a split, so as many subtasks may read as there are files.
  const { parallelismMax, ...parallel } = spec
  const discovery = isFollowed ? { discoverEveryMs: followEveryMs(follow) } : {}
  return { ...parallel, ...discovery, description: `files ${path}` }
}

function followEveryMs(follow: true | { readonly everyMs: number }): number {
  return follow === true ? FOLLOW_EVERY_MS_DEFAULT : follow.everyMs
}

/** Lines of standard input. */
export function stdinSpec(options: StdinOptions): SourceSpec {
  const spec = single('stdin-lines', ownOptions(options), {
    description: 'standard input',
    isBounded: false,
    isReplayable: false,
    ...logged('readStdin()', options),
  })
  return { ...spec, placement: 'main-thread' }
}

/** Values in memory. */
export function collectionSpec(values: readonly unknown[]): SourceSpec {
  const description = `${values.length} element${values.length === 1 ? '' : 's'}`
  return single('collection', { values }, { description, isBounded: true })
}

/** An iterable, or a function that makes one. A bare iterable exists in this thread only. */
export function iterableSpec(input: IterableInput<unknown>): SourceSpec {
  if (typeof input === 'function') {
    // An async generator function makes an async iterable; an async function only promises one.
    const isAsyncGenerator = Object.prototype.toString.call(input) === '[object AsyncGeneratorFunction]'
    if (!isAsyncGenerator) requireFunction('from()', input)
    return single('iterable', { factory: input }, { description: 'iterable', isBounded: false })
  }
  const isIterable =
    typeof input === 'object' && input !== null && (Symbol.iterator in input || Symbol.asyncIterator in input)
  if (!isIterable) {
    throw optionInvalid(
      'from()',
      `expected an iterable, an async iterable, or a function that returns one; got ${preview(input)}`,
    )
  }
  // Of others nobody knows whether they end, and whether they can be begun anew.
  const isCollection = Array.isArray(input) || input instanceof Set || input instanceof Map
  const what = { description: 'iterable', isBounded: isCollection, ...(isCollection ? {} : { isReplayable: false }) }
  const spec = single('iterable', { iterable: input }, what)
  return { ...spec, placement: 'main-thread' }
}

/** Records made of their index. */
export function generatorSpec<T>(generate: (index: number) => T, options: GenerateOptions<T>): SourceSpec {
  const call = 'generate()'
  const { count, recordsPerSecond, timestamp } = options
  requireFunction(call, generate)
  if (count !== undefined) requireWhole(call, 'the count', count, { min: 0 })
  if (timestamp !== undefined) requireFunction(`${call}: timestamp`, timestamp)
  const isRate = recordsPerSecond === undefined || (Number.isFinite(recordsPerSecond) && recordsPerSecond > 0)
  if (!isRate)
    throw optionInvalid(call, `recordsPerSecond is ${preview(recordsPerSecond)}; give a finite number above 0`)
  return {
    connector: 'generator',
    options: { generate, count, recordsPerSecond, timestamp },
    description: count === undefined ? 'generator' : `generator of ${count}`,
    placement: 'any',
    isBounded: count !== undefined,
    hasTimestamps: timestamp !== undefined,
  }
}

/** A source that carries its implementation. */
export function customSourceSpec(source: Source<unknown>, options: SourceOptions<never>): SourceSpec {
  const call = 'addSource()'
  const {
    isBounded,
    hasTimestamps = false,
    parallelismMax,
    discoverEveryMs,
    description = 'custom source',
  } = options ?? {}
  requireMethods(call, source, { required: ['splits', 'open'], mayBeAsync: true })
  if (typeof isBounded !== 'boolean')
    throw optionInvalid(call, 'say { isBounded: true } if the source ends by itself, else false')
  if (parallelismMax !== undefined) requireWhole(call, 'parallelismMax', parallelismMax, { min: 1 })
  if (discoverEveryMs !== undefined) requireDiscovery(call, source, { discoverEveryMs, isBounded })
  const limit = parallelismMax === undefined ? {} : { parallelismMax }
  const discovery = discoverEveryMs === undefined ? {} : { discoverEveryMs }
  const what = { connector: 'custom', options: {}, implementation: source, description }
  return { ...what, ...limit, ...discovery, placement: 'any', isBounded, hasTimestamps }
}

function requireDiscovery(
  call: string,
  source: Source<unknown>,
  { discoverEveryMs, isBounded }: { readonly discoverEveryMs: number; readonly isBounded: boolean },
): void {
  requireWhole(call, 'discoverEveryMs', discoverEveryMs, { min: 1 })
  if (isBounded) throw optionInvalid(call, 'discoverEveryMs does not go with isBounded: true: there may always be more')
  requireMethods(call, source, { required: ['newSplits'], mayBeAsync: true })
}

/** The strategy among the options of a source call; throws OPTION_INVALID for what is none. */
export function strategyIn<T>(
  call: string,
  options: WatermarkedOptions<T> | undefined,
): WatermarkStrategy<T> | undefined {
  const strategy = options?.watermarks
  if (strategy !== undefined) requireStrategy(`${call}: watermarks`, strategy)
  return strategy
}

// What the plan says of a write-ahead log; the connector checks its options once more in detail.
function logged(call: string, { writeAheadLog }: LoggedOptions): Pick<SourceSpec, 'isLogged'> {
  if (writeAheadLog === undefined || writeAheadLog === false) return {}
  if (writeAheadLog === true) return { isLogged: true }
  if (typeof writeAheadLog !== 'object' || writeAheadLog === null)
    throw optionInvalid(call, `writeAheadLog is ${preview(writeAheadLog)}; give true, or { directory }`)
  const { directory, segmentBytes, bytesMax } = writeAheadLog
  if (directory !== undefined) requireText(call, 'writeAheadLog.directory', directory)
  if (segmentBytes !== undefined) requireWhole(call, 'writeAheadLog.segmentBytes', segmentBytes, { min: 4096 })
  if (bytesMax !== undefined) requireWhole(call, 'writeAheadLog.bytesMax', bytesMax, { min: 4096 })
  return { isLogged: true }
}

// A connector knows its own options only, and refuses others as misspelt.
function ownOptions({ watermarks, ...own }: TextOptions): SourceSpec['options'] {
  return own
}

function single(
  connector: string,
  options: SourceSpec['options'],
  rest: Pick<SourceSpec, 'description' | 'isBounded' | 'isReplayable' | 'isLogged'>,
): SourceSpec {
  return { connector, options, ...rest, placement: 'any', parallelismMax: 1, hasTimestamps: false }
}
