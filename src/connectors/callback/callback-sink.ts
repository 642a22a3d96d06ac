// A sink that hands each record to a function of the job.
import { errorText, StreamError } from '../../base/errors.ts'
import type { Sink, SinkSpec, SinkWriter } from '../../model/connector.ts'
import { ConnectorOptions } from '../options.ts'

type Callback = (record: unknown, timestampMs: number | undefined) => unknown

/**
 * Makes the sink `callback` of the option `write`; throws OPTION_INVALID. A promise that `write` returns is waited for before the next record.
 * A throw or rejection is USER_FUNCTION_FAILED with the number of the record within its subtask, from 1.
 */
export function callbackSink(spec: SinkSpec): Sink<unknown> {
  const options = new ConnectorOptions(spec, ['write'])
  const write = options.callable<Callback>('write')
  return { open: () => new CallbackWriter(spec.description, write) }
}

class CallbackWriter implements SinkWriter<unknown> {
  private readonly description: string
  private readonly callback: Callback
  private recordsTaken = 0

  constructor(description: string, callback: Callback) {
    this.description = description
    this.callback = callback
  }

  write(record: unknown, timestampMs: number | undefined): void | Promise<void> {
    this.recordsTaken++
    const { recordsTaken } = this
    let result: unknown
    try {
      result = this.callback(record, timestampMs)
    } catch (error) {
      throw this.failure(recordsTaken, error)
    }
    if (!isThenable(result)) return
    return Promise.resolve(result).then(
      () => {},
      error => {
        throw this.failure(recordsTaken, error)
      },
    )
  }

  close(): void {}

  private failure(recordNumber: number, error: unknown): StreamError {
    if (error instanceof StreamError) return error
    const message = `${this.description}: the function threw at record ${recordNumber}: ${errorText(error)}`
    return new StreamError('USER_FUNCTION_FAILED', message, { cause: error })
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
}
