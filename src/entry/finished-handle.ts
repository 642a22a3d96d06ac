// The handle of a job that was explained instead of run: it has ended, and it did nothing.
import { StreamError } from '../base/errors.ts'
import type { JobHandle, JobResult } from '../model/job.ts'

/** A handle of a job that ended without a record. */
export function finishedHandle(name: string): JobHandle {
  const result: JobResult = Object.freeze({ name, status: 'finished', durationMs: 0, recordsIn: 0, recordsOut: 0 })
  const done = Promise.resolve(result)
  return {
    name,
    done,
    // biome-ignore lint/suspicious/noThenProperty: a handle can be awaited for the end of its job, as documented in model/job.ts.
    then: (onDone, onFailed) => done.then(onDone, onFailed),
    cancel: async () => {},
    stop: async () => {},
    drain: async () => {},
    checkpoint: () => notRunning(name),
    savepoint: () => notRunning(name),
    explainNoOutput: () => [],
    metrics: () => ({
      recordsIn: 0,
      recordsOut: 0,
      watermark: Infinity,
      backpressuredShare: 0,
      vertices: [],
      edges: [],
    }),
    [Symbol.asyncDispose]: async () => {},
  }
}

function notRunning(name: string): Promise<never> {
  const message = `the job "${name}" is explained, not run; take snapshots of a job that runs`
  return Promise.reject(new StreamError('CHECKPOINT_FAILED', message))
}
