// Which elements leave a window around its function, by Flink's rules. Runs once a pane, not once a record.
import { unreachable } from '../base/assert.ts'
import type { Evictor, EvictorContext, TimestampedElement } from '../model/window-functions.ts'
import type { EvictorSpec } from '../model/window-spec.ts'
import type { Keep } from './element-buffer.ts'

/** What stays before the function sees the elements, and after it saw them. */
export interface Evict {
  readonly before: Keep<EvictorContext>
  readonly after: Keep<EvictorContext>
}

type Elements = readonly TimestampedElement<unknown>[]

/** The behaviour of an evictor. */
export function evictors(spec: EvictorSpec): Evict {
  if (spec.kind === 'custom') {
    const evictor = spec.evictor as Evictor<unknown>
    return { before: evictor.before?.bind(evictor), after: evictor.after?.bind(evictor) }
  }
  const keep = keeping(spec)
  return spec.after ? { before: undefined, after: keep } : { before: keep, after: undefined }
}

function keeping(spec: Exclude<EvictorSpec, { readonly kind: 'custom' }>): (elements: Elements) => Elements {
  switch (spec.kind) {
    case 'count':
      return elements => elements.slice(Math.max(0, elements.length - spec.count))
    case 'time':
      return elements => {
        const newest = elements.reduce((greatest, { timestamp }) => Math.max(greatest, timestamp), -Infinity)
        return elements.filter(({ timestamp }) => timestamp > newest - spec.keepMs)
      }
    case 'delta': {
      const delta = spec.delta as (element: unknown, newest: unknown) => number
      return elements => {
        const newest = elements.at(-1)
        return elements.filter(({ value }) => delta(value, newest?.value) < spec.threshold)
      }
    }
    default:
      return unreachable(spec, 'evictors')
  }
}
