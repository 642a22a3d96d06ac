// How the values of one declared state are written and read: by its codec, if it has one, and brought to the version of the job.
import { errorText, preview, StreamError } from '../base/errors.ts'
import type { Codec } from '../model/codec.ts'
import type { StandardSchema } from '../model/state-options.ts'
import type { StateSchema } from './state-part.ts'
import { type DeclaredState, stateSchema } from './state-problems.ts'

/** The way from values to what snapshots hold of them, and back. */
export class ValueForm {
  /** The state as snapshots know it. */
  readonly state: StateSchema
  readonly hasCodec: boolean
  private readonly declared: DeclaredState

  constructor(name: string, declared: DeclaredState) {
    this.state = stateSchema(name, declared)
    this.hasCodec = declared.codec !== undefined
    this.declared = declared
  }

  /** What `writeValue` is to write for a value. Throws STATE_NOT_SERIALIZABLE when the codec cannot take it. */
  encode(value: unknown): unknown {
    const { codec } = this.declared
    return codec === undefined ? value : this.encodeBy(codec, value)
  }

  /** How to make values of what `readValue` reads of a snapshot. What it gives throws STATE_INCOMPATIBLE for what is no value any more. */
  decoder(written: StateSchema): (stored: unknown) => unknown {
    const { codec, schema, version = 0 } = this.declared
    const isOld = written.version < version
    return stored => {
      const decoded = codec === undefined ? stored : this.decodeBy(codec, stored)
      const value = isOld ? this.migrate(written.version, decoded) : decoded
      if (schema !== undefined) this.check(schema, value)
      return value
    }
  }

  private encodeBy(codec: Codec<unknown>, value: unknown): Uint8Array {
    let bytes: unknown
    try {
      bytes = codec.encode(value)
    } catch (cause) {
      throw this.unwritable(`encode() of codec ${codec.name} failed for ${preview(value)} (${errorText(cause)})`, cause)
    }
    if (!(bytes instanceof Uint8Array))
      throw this.unwritable(`encode() of codec ${codec.name} returned ${preview(bytes)}, which is no Uint8Array`)
    // Not a subclass, such as a Buffer of Node, which snapshots do not know.
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  private decodeBy(codec: Codec<unknown>, stored: unknown): unknown {
    if (!(stored instanceof Uint8Array)) throw this.incompatible(`holds ${preview(stored)}, which is not of a codec`)
    try {
      return codec.decode(stored)
    } catch (cause) {
      throw this.incompatible(`cannot be read by decode() of codec ${codec.name} (${errorText(cause)})`, cause)
    }
  }

  private migrate(fromVersion: number, value: unknown): unknown {
    try {
      return this.declared.migrate?.(fromVersion, value)
    } catch (cause) {
      throw this.incompatible(
        `${preview(value)} of version ${fromVersion}: migrate() failed (${errorText(cause)})`,
        cause,
      )
    }
  }

  private check(schema: StandardSchema<unknown>, value: unknown): void {
    const result = schema['~standard'].validate(value)
    if (result instanceof Promise)
      throw this.incompatible('has a schema that answers with a promise; give one that answers at once')
    const [issue] = result.issues ?? []
    if (issue !== undefined)
      throw this.incompatible(`holds ${preview(value)}, which its schema refuses: ${issue.message}`)
  }

  private unwritable(what: string, cause?: unknown): StreamError {
    const mend = 'store what the codec takes, or declare another'
    return new StreamError('STATE_NOT_SERIALIZABLE', `state "${this.state.name}": ${what}; ${mend}`, { cause })
  }

  private incompatible(what: string, cause?: unknown): StreamError {
    const mend = 'mend the declaration, or start from another snapshot'
    return new StreamError('STATE_INCOMPATIBLE', `state "${this.state.name}" ${what}; ${mend}`, { cause })
  }
}

/** The error of `writeValue`, naming the state (and its key) that the value belongs to; other errors as they are. */
export function namingState(error: unknown, where: string): unknown {
  if (!(error instanceof StreamError) || error.code !== 'STATE_NOT_SERIALIZABLE') return error
  const text = error.message.slice(error.code.length + 2)
  return new StreamError(error.code, `${where}: ${text}`, { cause: error })
}
