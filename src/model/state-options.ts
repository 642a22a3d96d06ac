// What can be said of any declared state: how its values are written to snapshots and read by later versions of the job, how long they live,
// and whether they are changed in place.
import { preview, StreamError } from '../base/errors.ts'
import type { Codec } from './codec.ts'

/** The name under which snapshots know the codec of state without one of its own. */
export const TAGGED_CODEC = 'tagged'

/** What a schema says of a value. */
export interface StandardSchemaResult {
  /** Absent for a value that fits. */
  readonly issues?: readonly { readonly message: string }[] | undefined
}

/** A schema of any library that follows Standard Schema v1 (zod, valibot, arktype, ...). It must answer at once, without a promise. */
export interface StandardSchema<V> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardSchemaResult | Promise<StandardSchemaResult>
    readonly types?: { readonly input: unknown; readonly output: V } | undefined
  }
}

/** How the values of a state are written to snapshots and read again. */
export interface StoredValueOptions<V> {
  /** Writes and reads the values; plain data needs none. */
  readonly codec?: Codec<V>
  /** What values of a snapshot must fit when a job starts from it: others are STATE_INCOMPATIBLE. They are checked and stay as they are. */
  readonly schema?: StandardSchema<V>
  /** Counts the shapes that the values had over the versions of a job, from 0. */
  readonly version?: number
  /** Makes a value of this version from one that an earlier version of the job wrote. Lists and maps are migrated value by value. */
  migrate?(fromVersion: number, value: unknown): V
}

/** How long values live, in processing time. What has expired is never returned again. */
export interface TtlOptions {
  readonly durationMs: number
  /** What makes a value live on: only its creation, every write (unless given), or every read as well. */
  readonly updateOn?: 'create' | 'write' | 'read'
}

/** What can be said of keyed state. */
export interface StateOptions<V> extends StoredValueOptions<V> {
  /** Values live for ever unless given. Each element of a list and each entry of a map has its own time. */
  readonly ttl?: TtlOptions
  /**
   * True when objects that come from the state are never changed in place, but replaced: a read then is no change that the next snapshot
   * has to write.
   */
  readonly isImmutable?: boolean
}

const STORED_OPTIONS: readonly string[] = ['codec', 'schema', 'version', 'migrate']
const ALL_OPTIONS: readonly string[] = [...STORED_OPTIONS, 'ttl', 'isImmutable']
const UPDATES: readonly unknown[] = [undefined, 'create', 'write', 'read']

/** The options of keyed state, checked. Throws OPTION_INVALID, naming the call. */
export function checkedStateOptions<V>(call: string, options: StateOptions<V> = {}): StateOptions<V> {
  const stored = checked(call, options, ALL_OPTIONS)
  const { ttl, isImmutable = false } = options
  if (typeof isImmutable !== 'boolean') throw invalid(call, 'isImmutable', isImmutable, 'give true or false')
  if (ttl === undefined) return { ...stored, isImmutable }
  const { durationMs, updateOn = 'write' } = ttl ?? {}
  if (!(typeof durationMs === 'number' && durationMs > 0 && durationMs < Infinity))
    throw invalid(call, 'ttl.durationMs', durationMs, 'give milliseconds above 0')
  if (!UPDATES.includes(updateOn)) throw invalid(call, 'ttl.updateOn', updateOn, "give 'create', 'write' or 'read'")
  return { ...stored, isImmutable, ttl: Object.freeze({ durationMs, updateOn }) }
}

/** The options of state that is not kept by key, checked. Throws OPTION_INVALID, naming the call. */
export function checkedStoredOptions<V>(call: string, options: StoredValueOptions<V> = {}): StoredValueOptions<V> {
  return checked(call, options, STORED_OPTIONS)
}

function checked<V>(call: string, options: StoredValueOptions<V>, known: readonly string[]): StoredValueOptions<V> {
  if (typeof options !== 'object' || options === null) throw invalid(call, 'the options', options, 'give an object')
  const unknown = Object.keys(options).find(name => !known.includes(name))
  if (unknown !== undefined)
    throw new StreamError('OPTION_INVALID', `${call} has no option "${unknown}"; it takes ${known.join(', ')}`)
  const { codec, schema, version = 0, migrate } = options
  if (!Number.isSafeInteger(version) || version < 0)
    throw invalid(call, 'version', version, 'give a whole number from 0')
  if (migrate !== undefined && typeof migrate !== 'function') throw invalid(call, 'migrate', migrate, 'give a function')
  if (migrate !== undefined && version === 0) {
    const mend = 'there is nothing before version 0; give the values of this job a version from 1'
    throw new StreamError('OPTION_INVALID', `${call}: migrate was given with version 0; ${mend}`)
  }
  checkCodec(call, codec)
  if (schema !== undefined && typeof schema?.['~standard']?.validate !== 'function')
    throw invalid(call, 'schema', schema, 'give a schema that follows Standard Schema v1')
  return {
    version,
    ...(codec === undefined ? {} : { codec }),
    ...(schema === undefined ? {} : { schema }),
    ...(migrate === undefined ? {} : { migrate }),
  }
}

function checkCodec(call: string, codec: Codec<unknown> | undefined): void {
  if (codec === undefined) return
  const { name, encode, decode } = codec ?? ({} as Partial<Codec<unknown>>)
  if (typeof name !== 'string' || name === '' || typeof encode !== 'function' || typeof decode !== 'function')
    throw invalid(call, 'codec', codec, 'give an object with a name, encode() and decode()')
  if (name === TAGGED_CODEC)
    throw invalid(call, 'the name of codec', name, 'give it another: that one is for state without a codec')
}

function invalid(call: string, what: string, found: unknown, mend: string): StreamError {
  return new StreamError('OPTION_INVALID', `${call}: ${what} is ${preview(found)}; ${mend}`)
}
