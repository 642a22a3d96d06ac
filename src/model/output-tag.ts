// Names of side outputs.

declare const recordType: unique symbol

/** Names a side output and carries the type of its records. Equal ids are the same output. */
export interface OutputTag<T> {
  readonly id: string
  readonly [recordType]?: T
}

/**
 * Makes a tag for a side output, to emit with `ctx.output(tag, value)` and to read with `stream.sideOutput(tag)`.
 * @example
 * ```ts
 * import { outputTag } from 'millrace'
 * const rejected = outputTag<string>('rejected')
 * console.log(rejected.id)
 * ```
 */
export function outputTag<T>(id: string): OutputTag<T> {
  return Object.freeze({ id })
}
