// The temporal join as a step: its options are checked here, where the call is written.
import { preview } from '../../base/errors.ts'
import { temporalJoin, temporalJoinText } from '../../functions/temporal-join.ts'
import type { BootstrapInput } from '../../model/graph.ts'
import type { TemporalJoinSpec } from '../../model/join-functions.ts'
import { optionInvalid, requireFunction, requireWhole } from './arguments.ts'
import { addStep, type Flow, type KeyedFlow, outputOf } from './job-context.ts'
import type { InnerTemporalJoin, TemporalJoinOptions } from './join-options.ts'
import type { AnyKeyedCoProcessFunction } from './keyed-functions.ts'
import { refuseLateTag, requireBoolean, requireTimestamps, stateUnbounded, timeOption } from './state-bounds.ts'

/** The options of any temporal join, for code that does not know its records. */
export type AnyTemporalJoinOptions = TemporalJoinOptions<unknown, unknown, unknown>

const CALL = 'temporalJoin()'
const TABLE_INPUT = 1

/** Adds the step and returns its output. Throws OPTION_INVALID, TIMESTAMP_MISSING, STATE_UNBOUNDED. */
export function temporalJoinStep(stream: KeyedFlow, table: KeyedFlow, options: AnyTemporalJoinOptions): Flow {
  const spec = temporalJoinSpec(options)
  const bootstrap = bootstrapInput(options)
  requireTimestamps(CALL, spec.timeDomain, [stream, table], "say time: 'processing-time'")
  requireBoundedTable(table, options)
  const step = addStep([stream, table], {
    name: 'temporal-join',
    operator: {
      kind: 'keyed-co-process',
      function: temporalJoin(spec) as unknown as AnyKeyedCoProcessFunction,
      description: temporalJoinText(spec),
    },
    keySelectors: [stream.selector, table.selector],
    ...(bootstrap === undefined ? {} : { bootstrap }),
  })
  return outputOf(stream.job, step)
}

function temporalJoinSpec(options: AnyTemporalJoinOptions): TemporalJoinSpec {
  if (typeof options !== 'object' || options === null) {
    throw optionInvalid(CALL, `the options are ${preview(options)}; give at least { join: (record, version) => ... }`)
  }
  const { type = 'inner', deleted, retentionMs, sideOutputLateData, sideOutputLateVersions } = options
  const { join } = options as InnerTemporalJoin<unknown, unknown, unknown>
  requireFunction(`${CALL} join`, join)
  if (deleted !== undefined) requireFunction(`${CALL} deleted`, deleted)
  const timeDomain = timeOption(CALL, options.time)
  if (type !== 'inner' && type !== 'left') {
    throw optionInvalid(CALL, `type is ${preview(type)}; give 'inner' or 'left'`)
  }
  if (retentionMs !== undefined) requireWhole(CALL, 'retentionMs', retentionMs, { min: 0 })
  refuseLateTag(CALL, timeDomain, { sideOutputLateData, sideOutputLateVersions })
  return {
    timeDomain,
    joinType: type,
    join,
    retentionMs: retentionMs ?? Infinity,
    ...(deleted === undefined ? {} : { isDeleted: deleted }),
    ...(sideOutputLateData === undefined ? {} : { lateTag: sideOutputLateData }),
    ...(sideOutputLateVersions === undefined ? {} : { lateVersionTag: sideOutputLateVersions }),
  }
}

function bootstrapInput({ bootstrap, bootstrapUntilMs }: AnyTemporalJoinOptions): BootstrapInput | undefined {
  requireBoolean(CALL, 'bootstrap', bootstrap)
  if (bootstrapUntilMs !== undefined) {
    if (typeof bootstrapUntilMs !== 'number' || Number.isNaN(bootstrapUntilMs)) {
      throw optionInvalid(CALL, `bootstrapUntilMs is ${preview(bootstrapUntilMs)}; give epoch milliseconds`)
    }
    if (bootstrap !== true) {
      throw optionInvalid(CALL, 'bootstrapUntilMs is given without bootstrap: true; say both, or neither')
    }
  }
  if (bootstrap !== true) return undefined
  return bootstrapUntilMs === undefined ? { input: TABLE_INPUT } : { input: TABLE_INPUT, untilMs: bootstrapUntilMs }
}

// A table that ends holds what it holds; so does one whose rows are deleted, or go when they are old.
function requireBoundedTable(table: Flow, options: AnyTemporalJoinOptions): void {
  const { allowUnboundedState, deleted, retentionMs } = options
  requireBoolean(CALL, 'allowUnboundedState', allowUnboundedState)
  if (allowUnboundedState === true || deleted !== undefined || retentionMs !== undefined) return
  const isEndless = table.upstreams.some(({ vertexId }) =>
    table.job.builder
      .upstreamOf(vertexId)
      .vertices.some(({ operator }) => operator.kind === 'source' && !operator.source.isBounded),
  )
  if (!isEndless) return
  throw stateUnbounded(
    CALL,
    'the table has no end, so that a version of every key that ever came is kept for ever',
    'retentionMs (how long a version is valid) or deleted (which records delete one)',
  )
}
