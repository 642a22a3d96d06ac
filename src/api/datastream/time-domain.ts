// Which time a window of a stream goes by, found in the graph as it is when the window is added.
import type { TimeDomain } from '../../model/functions.ts'
import { givesTimestamps } from '../../model/operator-spec.ts'
import type { Flow } from './job-context.ts'

/** Event time where any step upstream gives timestamps, else processing time. */
export function timeDomainOf(flow: Flow): TimeDomain {
  const { builder } = flow.job
  const hasTimestamps = flow.upstreams.some(({ vertexId }) =>
    builder.upstreamOf(vertexId).vertices.some(vertex => givesTimestamps(vertex.operator)),
  )
  return hasTimestamps ? 'event-time' : 'processing-time'
}
