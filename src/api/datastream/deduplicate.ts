// Deduplication as a step: its options are checked here, where the call is written.
import { preview } from '../../base/errors.ts'
import { deduplicate, deduplicateText } from '../../functions/deduplicate.ts'
import type { DeduplicationSpec } from '../../model/join-functions.ts'
import { optionInvalid, requireWhole } from './arguments.ts'
import { addStep, type Flow, type KeyedFlow, outputOf } from './job-context.ts'
import type { DeduplicateOptions } from './join-options.ts'
import type { AnyKeyedProcessFunction } from './keyed-functions.ts'
import {
  refuseLateTag,
  requireBoolean,
  requireTag,
  requireTimestamps,
  stateUnbounded,
  timeOption,
} from './state-bounds.ts'

const CALL = 'deduplicate()'

/** Adds the step and returns its output. Throws OPTION_INVALID, TIMESTAMP_MISSING, STATE_UNBOUNDED. */
export function deduplicateStep(flow: KeyedFlow, options: DeduplicateOptions<unknown> | undefined): Flow {
  const spec = deduplicationSpec(options ?? {})
  requireTimestamps(CALL, spec.timeDomain, [flow], "say time: 'processing-time'")
  const step = addStep([flow], {
    name: 'deduplicate',
    operator: {
      kind: 'keyed-process',
      function: deduplicate(spec) as unknown as AnyKeyedProcessFunction,
      description: deduplicateText(spec),
    },
    keySelectors: [flow.selector],
  })
  return outputOf(flow.job, step)
}

function deduplicationSpec(options: DeduplicateOptions<unknown>): DeduplicationSpec {
  const { keep = 'first', withinMs = Infinity, sideOutputDuplicates, sideOutputLateData } = options
  const timeDomain = timeOption(CALL, options.time)
  if (keep !== 'first' && keep !== 'last') {
    throw optionInvalid(CALL, `keep is ${preview(keep)}; give 'first' or 'last'`)
  }
  if (withinMs !== Infinity) requireWhole(CALL, 'withinMs', withinMs, { min: 0 })
  if (sideOutputDuplicates !== undefined) requireTag(CALL, 'sideOutputDuplicates', sideOutputDuplicates)
  refuseLateTag(CALL, timeDomain, { sideOutputLateData })
  requireBoolean(CALL, 'allowUnboundedState', options.allowUnboundedState)
  if (withinMs === Infinity && options.allowUnboundedState !== true) {
    throw stateUnbounded(CALL, 'without a time every key that ever came is kept for ever', 'withinMs')
  }
  return {
    timeDomain,
    keep,
    withinMs,
    ...(sideOutputDuplicates === undefined ? {} : { duplicatesTag: sideOutputDuplicates }),
    ...(sideOutputLateData === undefined ? {} : { lateTag: sideOutputLateData }),
  }
}
