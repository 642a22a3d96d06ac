// What becomes of the state of a snapshot, in words, for `millrace diff`.
import type { MappedState, MappedStep, StateMapping } from '../recovery/start/state-mapping.ts'

/** A line for each step and each of its states, then what forbids a start, then what may become a problem. */
export function mappingText({ job, snapshotId, steps, problems, warnings }: StateMapping): string {
  return [
    `snapshot ${snapshotId} of job "${job}":`,
    ...steps.flatMap(stepLines),
    ...problems.map(({ code, message }) => `${code}: ${message}`),
    ...warnings.map(warning => `warning: ${warning}`),
  ].join('\n')
}

function stepLines({ uid, name, isUidDerived, status, fromParallelism, toParallelism, states }: MappedStep): string[] {
  const isRescaled = fromParallelism !== undefined && toParallelism !== undefined && fromParallelism !== toParallelism
  const rescaled = isRescaled ? `, parallelism ${fromParallelism} to ${toParallelism}` : ''
  const derived = isUidDerived ? ', derived' : ''
  return [`  ${status.padEnd(WIDTH)}  "${name}" (uid ${uid}${derived})${rescaled}`, ...states.map(stateLine)]
}

function stateLine({ name, status, fromVersion, toVersion }: MappedState): string {
  const versions = fromVersion === undefined ? '' : `, version ${fromVersion} to ${toVersion}`
  return `    ${status.padEnd(WIDTH)}  ${name}${versions}`
}

const WIDTH = 'incompatible'.length
