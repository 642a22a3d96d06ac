// How messages name a step: by its name and its place in the user's code.
import { locationText } from '../base/source-location.ts'
import type { Vertex } from './graph.ts'

/** A step in a message: `step "count" (src/job.ts:12)`. */
export function stepText(vertex: Vertex): string {
  const place = locationText(vertex.location)
  return `step "${vertex.name}"${place === '' ? '' : ` (${place})`}`
}
