// What a windowing cannot be: combinations that only show when assigner, trigger and function are together. Each says the mend.
import { innerTriggers, type TriggerSpec, triggerText } from './trigger-spec.ts'
import { isMerging, type WindowSpec } from './window-spec.ts'

/** The mistakes of a windowing, each to be read after the name of its step. */
export function windowProblems(window: WindowSpec): string[] {
  const problems: string[] = []
  if (isMerging(window.assigner)) {
    for (const trigger of unmergeable(window.trigger)) {
      problems.push(
        `has merging windows, but its trigger (${triggerText(trigger)}) cannot be merged; give it merge(), or use another trigger`,
      )
    }
    if (window.function.kind === 'process' && window.function.function.state !== undefined) {
      problems.push(
        'has merging windows, but its function keeps state per window, which cannot be merged; use globalState, or an aggregate',
      )
    }
  }
  if (window.timeDomain === 'processing-time' && window.timestampCombiner !== 'end-of-window') {
    problems.push(
      `goes by processing time, where no watermark can be held back for the ${window.timestampCombiner} timestamp; use event time, or leave timestampCombiner out`,
    )
  }
  return problems
}

/**
 * True when nothing comes out of the windowing before the end of its input: a global window whose trigger waits for the window's end.
 * On an input without end that is for ever.
 */
export function firesAtEndOnly({ assigner, trigger }: WindowSpec): boolean {
  return assigner.kind === 'global' && waitsForEnd(trigger)
}

function waitsForEnd(trigger: TriggerSpec): boolean {
  switch (trigger.kind) {
    case 'on-window-end':
    case 'never':
      return true
    case 'after-watermark':
      return trigger.early === undefined || waitsForEnd(trigger.early)
    case 'repeatedly':
    case 'purging':
      return waitsForEnd(trigger.trigger)
    case 'after-each':
      return trigger.triggers.slice(0, 1).every(waitsForEnd)
    case 'after-all':
      return trigger.triggers.some(waitsForEnd)
    case 'after-first':
      return trigger.triggers.every(waitsForEnd)
    case 'or-finally':
      return waitsForEnd(trigger.trigger) && waitsForEnd(trigger.until)
    default:
      return false
  }
}

function unmergeable(trigger: TriggerSpec): TriggerSpec[] {
  const own = trigger.kind === 'delta' || (trigger.kind === 'custom' && !canMerge(trigger)) ? [trigger] : []
  return [...own, ...innerTriggers(trigger).flatMap(unmergeable)]
}

// Without state there is nothing to merge: the engine joins the timers.
function canMerge({ trigger }: Extract<TriggerSpec, { readonly kind: 'custom' }>): boolean {
  return trigger.create === undefined || trigger.merge !== undefined
}
