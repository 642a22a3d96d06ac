// Reads the options of a source or sink spec: each is checked when the connector is made, before the job runs.
// Which options a connector has is the connector's own matter.
import { preview, StreamError } from '../base/errors.ts'

/** The part of a spec that says what was asked for. */
export interface OptionsOwner {
  readonly connector: string
  readonly description: string
  readonly options: Readonly<Record<string, unknown>>
}

/** The bounds and the default of a number; without a default the option must be given. */
export interface NumberRange {
  readonly min: number
  readonly max: number
  readonly default?: number
}

/** Checked access to the options of one spec; every mistake is OPTION_INVALID with the value found and what was expected. */
export class ConnectorOptions {
  readonly description: string
  private readonly options: Readonly<Record<string, unknown>>

  /** Throws OPTION_INVALID when the spec has an option that is not in `known`: a misspelt one would be ignored otherwise. */
  constructor(owner: OptionsOwner, known: readonly string[]) {
    this.description = owner.description
    this.options = owner.options
    for (const name of Object.keys(owner.options)) {
      if (known.includes(name) || owner.options[name] === undefined) continue
      const expected = known.length === 0 ? 'no options' : known.join(', ')
      throw new StreamError(
        'OPTION_INVALID',
        `${owner.description}: the connector ${owner.connector} has no option ${name}; it has ${expected}`,
      )
    }
  }

  /** The value as it was given. */
  raw(name: string): unknown {
    return this.options[name]
  }

  /** A text that is not empty. */
  text(name: string, fallback?: string): string {
    const value = this.options[name] ?? fallback
    if (typeof value !== 'string' || value === '') throw this.invalid(name, 'a text that is not empty')
    return value
  }

  /** A text that is not empty, or undefined where none was given. */
  optionalText(name: string): string | undefined {
    return this.options[name] === undefined ? undefined : this.text(name)
  }

  /** A whole number within the range. */
  wholeNumber(name: string, range: NumberRange): number {
    const value = this.options[name] ?? range.default
    if (typeof value === 'number' && Number.isInteger(value) && value >= range.min && value <= range.max) return value
    throw this.invalid(name, `a whole number from ${range.min} to ${range.max}`)
  }

  /** One of a few words. */
  oneOf<W extends string>(name: string, words: readonly W[], fallback: W): W {
    const value = this.options[name] ?? fallback
    const word = words.find(candidate => candidate === value)
    if (word === undefined) throw this.invalid(name, words.map(each => `'${each}'`).join(' or '))
    return word
  }

  /** A function, taken at its word for parameters and result. */
  callable<F>(name: string): F {
    const value = this.options[name]
    if (typeof value !== 'function') throw this.invalid(name, 'a function')
    return value as F
  }

  /** A function, or undefined where none was given. */
  optionalCallable<F>(name: string): F | undefined {
    return this.options[name] === undefined ? undefined : this.callable<F>(name)
  }

  /** The error for an option whose value is not what was expected. */
  invalid(name: string, expected: string): StreamError {
    const found = preview(this.options[name])
    return new StreamError('OPTION_INVALID', `${this.description}: option ${name} is ${found}; expected ${expected}`)
  }
}
