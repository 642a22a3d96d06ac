// The parallelism as a person types it. What a program passes is checked where it is used.
import { preview, StreamError } from '../base/errors.ts'
import { MAX_PARALLELISM_LIMIT } from '../model/graph.ts'

/** The number in the text; throws OPTION_INVALID, naming the `option`, unless it is a whole number from 1 to the largest allowed. */
export function parseParallelism(option: string, text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= MAX_PARALLELISM_LIMIT) return number
  const mend = `give a whole number from 1 to ${MAX_PARALLELISM_LIMIT}`
  throw new StreamError('OPTION_INVALID', `${option} is ${preview(text)}; ${mend}`)
}
