// How running work is told that nobody waits for it any more.

/** The part of the web's AbortSignal that is needed to cancel. */
export interface CancelSignal {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}
