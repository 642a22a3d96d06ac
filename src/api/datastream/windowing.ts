// The windowings of the DataStream API as data: timeWindow and countWindow are an assigner, a trigger and perhaps an evictor.
import type { TimeDomain } from '../../model/functions.ts'
import { WINDOW_DEFAULTS, type WindowTimeDomain } from '../../model/window-spec.ts'
import { requireWhole } from './arguments.ts'
import type { Flow, Windowing } from './job-context.ts'
import { timeDomainOf } from './time-domain.ts'
import { requireAssigner, type WindowAssigner } from './window-assigners.ts'

/** A windowing by an assigner. */
export function assignedWindowing(call: string, assigner: WindowAssigner<never>, flow: Flow): Windowing {
  requireAssigner(call, assigner)
  const timeDomain = timeOf(assigner, [flow])
  return { label: assigner.label, spec: { ...WINDOW_DEFAULTS, timeDomain, assigner: assigner.spec } }
}

/** The time that windows over the flows go by: the one asked for, else event time where any of them has it, else processing time. */
export function timeOf(assigner: WindowAssigner<never>, flows: readonly Flow[]): WindowTimeDomain {
  if (assigner.time !== undefined) return assigner.time
  return flows.some(flow => timeDomainOf(flow) === 'event-time') ? 'event-time' : 'processing-time'
}

/** Windows of a fixed duration, one after the other or, with a slide, overlapping. OPTION_INVALID for times that are not whole and positive. */
export function timeWindowing(timeDomain: TimeDomain, sizeMs: number, slideMs: number | undefined): Windowing {
  const list = listed(sizeMs, slideMs)
  const call = `timeWindow(${list})`
  requireWhole(call, 'the size in milliseconds', sizeMs, { min: 1 })
  // A slide above the size would leave gaps whose records belong to no window: they would vanish without a word.
  if (slideMs !== undefined) requireWhole(call, 'the slide in milliseconds', slideMs, { min: 1, max: sizeMs })
  const assigner =
    slideMs === undefined
      ? ({ kind: 'tumbling', sizeMs, offsetMs: 0 } as const)
      : ({ kind: 'sliding', sizeMs, slideMs, offsetMs: 0 } as const)
  return {
    label: `time-window(${list})`,
    spec: { ...WINDOW_DEFAULTS, timeDomain, assigner },
  }
}

/** Windows of a number of records of one key; with a slide: of the newest `size` records, every `slide` records. OPTION_INVALID as above. */
export function countWindowing(size: number, slide: number | undefined): Windowing {
  const list = listed(size, slide)
  const call = `countWindow(${list})`
  const label = `count-window(${list})`
  requireWhole(call, 'the size in records', size, { min: 1 })
  if (slide !== undefined) requireWhole(call, 'the slide in records', slide, { min: 1 })
  // Counting asks for no time; processing time is what needs neither timestamps nor watermarks. What is left at the end is no full window.
  const common = { ...WINDOW_DEFAULTS, timeDomain: 'processing-time', finalPane: 'never' } as const
  if (slide === undefined) {
    const assigner = { kind: 'global', restarts: true } as const
    return { label, spec: { ...common, assigner, trigger: { kind: 'after-count', count: size } } }
  }
  const trigger = { kind: 'repeatedly', trigger: { kind: 'after-count', count: slide } } as const
  const evictor = { kind: 'count', count: size, after: false } as const
  return { label, spec: { ...common, assigner: { kind: 'global', restarts: false }, trigger, evictor } }
}

function listed(size: unknown, slide: unknown): string {
  return slide === undefined ? String(size) : `${String(size)}, ${String(slide)}`
}
