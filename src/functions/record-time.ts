// Record path. The time by which a built-in function takes a record.
import { preview, StreamError } from '../base/errors.ts'
import type { RecordContext } from '../model/functions.ts'

/** The event time of the record at hand. Throws TIMESTAMP_MISSING when it has none. */
export function eventTimeOf(record: unknown, ctx: RecordContext): number {
  const { timestamp } = ctx
  if (timestamp !== undefined) return timestamp
  throw new StreamError(
    'TIMESTAMP_MISSING',
    `record ${preview(record)} has no timestamp; call assignTimestampsAndWatermarks() before this step, or let it go by processing time`,
  )
}

/** Throws USER_FUNCTION_ASYNC for a promise: what it would do later would come after its record's turn. */
export function refusePromise<T>(result: T): T {
  if (!(result instanceof Promise)) return result
  throw new StreamError(
    'USER_FUNCTION_ASYNC',
    'its function returned a promise; return the value itself, and wait in a source or a sink',
  )
}
