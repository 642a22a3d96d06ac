// The time between checkpoints, as the command line gives it.
import { StreamError } from '../base/errors.ts'

/** Milliseconds from 1. Throws OPTION_INVALID for other texts. */
export function parseInterval(text: string): number {
  const intervalMs = Number(text)
  if (/^\d+$/.test(text) && intervalMs >= 1 && Number.isSafeInteger(intervalMs)) return intervalMs
  throw new StreamError(
    'OPTION_INVALID',
    `--checkpoint-interval is ${text}; give whole milliseconds from 1, as in 10000`,
  )
}
