// Running a part of the job to read one stream of it in a loop.
import { StreamError } from '../../base/errors.ts'
import type { SinkSpec } from '../../model/connector.ts'
import type { JobHandle } from '../../model/job.ts'
import { CollectBuffer } from './collect-buffer.ts'
import { addStep, type Flow } from './job-context.ts'

/**
 * Runs what is upstream of the flow and gives its records in turn. Leaving the loop cancels the job and waits until it is closed;
 * a failure of the job is thrown into the loop, and so is JOB_CANCELLED when somebody else cancelled it, since records may be missing.
 */
export async function* iterateRecords<T>(flow: Flow, name: string): AsyncGenerator<T, void, undefined> {
  const buffer = new CollectBuffer<T>()
  const handle = launchCollecting(flow, name, buffer)
  try {
    while (await buffer.hasNext()) {
      while (buffer.length > 0) yield buffer.take()
    }
  } finally {
    buffer.leave()
    await handle.cancel()
  }
}

function launchCollecting<T>(flow: Flow, name: string, buffer: CollectBuffer<T>): JobHandle {
  // The sink goes into a copy: it must not be part of the job that execute() runs.
  const builder = flow.job.builder.copy()
  const sink: SinkSpec = {
    connector: 'custom',
    options: {},
    description: 'collect',
    placement: 'main-thread',
    parallelismMax: 1,
    implementation: buffer.sink as CollectBuffer<unknown>['sink'],
  }
  const vertex = addStep([{ ...flow, job: { ...flow.job, builder } }], {
    name: 'collect',
    operator: { kind: 'sink', sink },
    placement: 'main-thread',
    parallelism: 1,
  })
  const handle = flow.job.launch(builder.upstreamOf(vertex.id), name)
  handle.done.then(
    result => (result.status === 'cancelled' ? buffer.fail(cancelled(name)) : buffer.end()),
    (error: unknown) => buffer.fail(error),
  )
  return handle
}

function cancelled(name: string): StreamError {
  return new StreamError(
    'JOB_CANCELLED',
    `the job "${name}" was cancelled before its last record was collected; read the stream again`,
  )
}
