// A snapshot in words, for `millrace inspect`.
import type { InspectedOperator, InspectedPart, InspectedSnapshot } from '../recovery/start/inspect.ts'

/** What a snapshot holds, a line for each step, part and state. */
export function inspectionText(snapshot: InspectedSnapshot): string {
  const { job, id, kind, triggeredMs, completedMs, operators } = snapshot
  const at = `complete ${new Date(completedMs).toISOString()} after ${completedMs - triggeredMs} ms`
  const head = `${kind} ${id} of job "${job}", ${at}`
  return [head, ...operators.flatMap(operatorLines)].join('\n')
}

/** A number of bytes as people read it. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = bytes / 1000
  let unit = 0
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value.toFixed(1)} ${units[unit]}`
}

function operatorLines(operator: InspectedOperator): string[] {
  const { uid, isUidDerived, name, kind, parallelism, maxParallelism, finishedSubtasks, parts } = operator
  const derived = isUidDerived ? ', derived' : ''
  const finished = finishedSubtasks.length === 0 ? '' : `, ${finishedSubtasks.length} at the end of their input`
  const subtasks = `${count(parallelism, 'subtask')} of ${count(maxParallelism, 'key group')}${finished}`
  return [`  "${name}" (uid ${uid}${derived}): ${kind}, ${subtasks}`, ...parts.flatMap(partLines)]
}

function partLines({ name, kind, layout, states, keys, rows, bytes, segments }: InspectedPart): string[] {
  const keyed = kind === 'keyed' ? `${count(keys, 'key')}, ` : ''
  const how = layout === name ? kind : `${kind} ${layout}`
  const line = `    ${name} (${how}): ${keyed}${count(rows, 'row')}, ${bytesText(bytes)} in ${count(segments, 'segment')}`
  const stateLines = states.map(state => {
    const version = state.version === 0 ? '' : `, version ${state.version}`
    const codec = state.codec === 'tagged' ? '' : `, codec ${state.codec}`
    return `      ${state.name}: ${state.kind}${codec}${version}`
  })
  return [line, ...stateLines]
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`
}
