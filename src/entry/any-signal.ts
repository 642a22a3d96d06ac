// Joins two signals to cancel into one.
import type { CancelSignal } from '../model/job.ts'

/** A signal that is aborted when either is; undefined when there is neither. */
export function anySignal(first: CancelSignal | undefined, second: CancelSignal | undefined): CancelSignal | undefined {
  if (first === undefined || second === undefined || first === second) return first ?? second
  return {
    get aborted() {
      return first.aborted || second.aborted
    },
    addEventListener(type, listener) {
      first.addEventListener(type, listener)
      second.addEventListener(type, listener)
    },
    removeEventListener(type, listener) {
      first.removeEventListener(type, listener)
      second.removeEventListener(type, listener)
    },
  }
}
