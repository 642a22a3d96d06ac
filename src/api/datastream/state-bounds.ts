// What joins and deduplication check when they are written: that they have a time to go by, and that their state has a bound.
import { preview } from '../../base/errors.ts'
import type { TimeDomain } from '../../model/functions.ts'
import { misuse, optionInvalid } from './arguments.ts'
import type { Flow } from './job-context.ts'
import { timeDomainOf } from './time-domain.ts'

/** The kind of time given, event time by default. Throws OPTION_INVALID for anything else. */
export function timeOption(call: string, time: unknown): TimeDomain {
  if (time === undefined) return 'event-time'
  if (time === 'event-time' || time === 'processing-time') return time
  throw optionInvalid(call, `time is ${preview(time)}; give 'event-time' or 'processing-time'`)
}

/** Throws TIMESTAMP_MISSING when a step is to go by event time and nothing before gives a flow's records timestamps. */
export function requireTimestamps(call: string, time: TimeDomain, flows: readonly Flow[], mend: string): void {
  if (time === 'processing-time' || flows.every(flow => timeDomainOf(flow) === 'event-time')) return
  const which = flows.length === 1 ? 'the stream' : 'one of the two streams'
  throw misuse(
    'TIMESTAMP_MISSING',
    call,
    `no step before gives the records of ${which} timestamps; call assignTimestampsAndWatermarks() there, or ${mend}`,
  )
}

/** Throws STATE_UNBOUNDED: `missing` names what would bound the state. */
export function stateUnbounded(call: string, problem: string, missing: string): Error {
  const mend = `give ${missing}, or say { allowUnboundedState: true } if that is meant`
  return misuse('STATE_UNBOUNDED', call, `${problem}; ${mend}`)
}

/** Throws OPTION_INVALID unless the option is left out or a boolean. */
export function requireBoolean(call: string, what: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return
  throw optionInvalid(call, `${what} is ${preview(value)}; give true or false`)
}

/** Throws OPTION_INVALID for the tag of late records in processing time, where no record is late. */
export function refuseLateTag(call: string, time: TimeDomain, tags: Readonly<Record<string, unknown>>): void {
  for (const [name, tag] of Object.entries(tags)) {
    if (tag === undefined) continue
    if (time === 'processing-time') {
      throw optionInvalid(call, `${name} is given, but in processing time no record is late; leave it out`)
    }
    requireTag(call, name, tag)
  }
}

/** Throws OPTION_INVALID unless it is the tag of a side output. */
export function requireTag(call: string, what: string, tag: unknown): void {
  const id = (tag as { readonly id?: unknown } | null | undefined)?.id
  if (typeof id === 'string' && id.length > 0) return
  throw optionInvalid(call, `${what} is ${preview(tag)}; make a tag with outputTag('name')`)
}
