// A windowing in words, for plans: what is as usual goes without saying.

import type { CalendarSpec } from './calendar-spec.ts'
import { triggerText } from './trigger-spec.ts'
import type { EvictorSpec, WindowSpec } from './window-spec.ts'
import { WINDOW_DEFAULTS } from './window-spec.ts'

/** A windowing in words: `tumbling window 5000 ms of event time, allowed lateness 1000 ms`. */
export function windowText(window: WindowSpec): string {
  const parts = [assignerText(window)]
  if (window.trigger.kind !== 'on-window-end' && !isCountWindow(window)) parts.push(triggerText(window.trigger))
  if (window.evictor !== undefined && !isCountWindow(window)) parts.push(`evicting by ${evictorText(window.evictor)}`)
  if (window.accumulation !== WINDOW_DEFAULTS.accumulation && !isCountWindow(window)) parts.push(window.accumulation)
  if (window.allowedLatenessMs > 0) parts.push(`allowed lateness ${window.allowedLatenessMs} ms`)
  if (window.timestampCombiner !== 'end-of-window') parts.push(`${window.timestampCombiner} timestamp`)
  if (window.lateRecords === 'fail') parts.push('late records fail')
  return parts.join(', ')
}

function assignerText(window: WindowSpec): string {
  const { assigner } = window
  const time = `of ${window.timeDomain.replace('-', ' ')}`
  switch (assigner.kind) {
    case 'tumbling':
      return `tumbling window ${assigner.sizeMs} ms ${time}${offsetText(assigner.offsetMs)}`
    case 'sliding':
      return `sliding window ${assigner.sizeMs} ms every ${assigner.slideMs} ms ${time}${offsetText(assigner.offsetMs)}`
    case 'session': {
      const gap = typeof assigner.gapMs === 'number' ? `gap ${assigner.gapMs} ms` : 'dynamic gap'
      const end = assigner.end === 'last-record' ? ', ending at the last record' : ''
      return `session window ${gap} ${time}${assigner.touching === 'separate' ? ', touching apart' : ''}${end}`
    }
    case 'global':
      return isCountWindow(window) ? countText(window) : 'global window'
    case 'calendar':
      return `calendar window ${calendarText(assigner.calendar)} ${time}`
    case 'custom':
      return `${assigner.assigner.description ?? 'custom'} window ${time}`
  }
}

/** A count window is a global one with a trigger and perhaps an evictor that count. */
function isCountWindow({ assigner, trigger, evictor }: WindowSpec): boolean {
  if (assigner.kind !== 'global') return false
  if (trigger.kind === 'after-count') return assigner.restarts
  return trigger.kind === 'repeatedly' && trigger.trigger.kind === 'after-count' && evictor?.kind === 'count'
}

function countText({ trigger, evictor }: WindowSpec): string {
  if (trigger.kind === 'after-count') return `count window ${trigger.count}`
  const slide = trigger.kind === 'repeatedly' && trigger.trigger.kind === 'after-count' ? trigger.trigger.count : 0
  return `count window ${evictor?.kind === 'count' ? evictor.count : 0} every ${slide}`
}

function calendarText({ unit, count, timeZone }: CalendarSpec): string {
  return `${count} ${count === 1 ? unit.slice(0, -1) : unit} in ${timeZone}`
}

function evictorText(evictor: EvictorSpec): string {
  switch (evictor.kind) {
    case 'count':
      return `count ${evictor.count}`
    case 'time':
      return `time ${evictor.keepMs} ms`
    case 'delta':
      return `delta ${evictor.threshold}`
    case 'custom':
      return evictor.evictor.description ?? 'custom evictor'
  }
}

function offsetText(offsetMs: number): string {
  return offsetMs === 0 ? '' : `, offset ${offsetMs} ms`
}
