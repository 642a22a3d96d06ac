// A StreamError that nobody catches ends the process, as any error does; it is told as one paragraph instead of a trace of the library's
// inside. All other errors, and programs that handle uncaught errors themselves, are left alone.
import { isMainThread } from 'node:worker_threads'
import { StreamError } from '../base/errors.ts'
import { failureText } from './failure-text.ts'

let isWatched = false

/** From now on an uncaught StreamError is told in one paragraph, with exit code 1. */
export function tellUncaughtFailures(): void {
  if (isWatched || !isMainThread) return
  isWatched = true
  // The monitor comes first and changes nothing by itself, so that the default stays for what is not ours.
  process.on('uncaughtExceptionMonitor', error => {
    if (!(error instanceof StreamError) || process.listenerCount('uncaughtException') > 0) return
    process.once('uncaughtException', () => {
      process.stderr.write(`${failureText(error, process.argv[1] ?? 'this script')}\n`)
      process.exit(1)
    })
  })
}
