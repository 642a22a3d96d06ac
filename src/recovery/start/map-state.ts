// Holds the state of a snapshot against a job that is to start from it: what is kept, migrated, dropped, new, and what forbids the start.
import { StreamError } from '../../base/errors.ts'
import type { Graph, Vertex } from '../../model/graph.ts'
import { isStateful } from '../../model/operator-spec.ts'
import type { Manifest, ManifestOperator, ManifestPart } from '../snapshot/manifest.ts'
import { keyProblems } from './compare-keys.ts'
import { type ComparedState, compareState } from './compare-states.ts'
import { declaredStates, stateFamily, windowLayouts } from './declared-states.ts'
import { applyRenames } from './renames.ts'
import { partsWithState, rowsOf, schemasOf } from './snapshot-rows.ts'
import type { MappedState, MappedStep, MappingProblem, MappingStatus, StateMapping } from './state-mapping.ts'

export { applyRenames } from './renames.ts'
export type { MappedState, MappedStep, MappingProblem, MappingStatus, StateMapping } from './state-mapping.ts'

/** How the steps of a snapshot and a job are matched. */
export interface MapStateOptions {
  /** What the job has nothing for is dropped instead of being a problem. */
  readonly allowUnmapped?: boolean
  /** The uids of the snapshot that have other names in the job. */
  readonly renames?: Readonly<Record<string, string>>
}

/**
 * What becomes of the state of a snapshot in a job. It decides nothing: `requireStartable` does. Throws OPTION_INVALID for renames that the
 * snapshot does not know.
 */
export function mapState(manifest: Manifest, graph: Graph, options: MapStateOptions = {}): StateMapping {
  const { operators } = applyRenames(manifest, options.renames ?? {})
  const compared = operators.flatMap(operator => compareStep(operator, graph, options.allowUnmapped === true))
  const known = new Set(operators.filter(({ parts }) => parts.length > 0).map(({ uid }) => uid))
  const added = graph.vertices.filter(vertex => keepsState(vertex) && !known.has(vertex.uid)).map(newStep)
  const steps = compared.map(({ step }) => step)
  return {
    job: manifest.job,
    snapshotId: manifest.id,
    steps: [...steps, ...added],
    problems: compared.flatMap(({ problems }) => problems),
    warnings: derivedUidWarnings(steps),
  }
}

/** Throws one error that names every problem of a mapping; its code is that of the first. */
export function requireStartable({ job, snapshotId, problems }: StateMapping): void {
  const [first] = problems
  if (first === undefined) return
  const snapshot = `snapshot ${snapshotId} of "${job}"`
  if (problems.length === 1)
    throw new StreamError(first.code, `the job cannot start from ${snapshot}: ${first.message}`)
  const lines = problems.map(({ message }, index) => `  ${index + 1}. ${message}`)
  throw new StreamError(
    first.code,
    `the job cannot start from ${snapshot}, for ${problems.length} reasons:\n${lines.join('\n')}`,
  )
}

interface ComparedStep {
  readonly step: MappedStep
  readonly problems: readonly MappingProblem[]
}

/** Nothing for steps of the snapshot that hold nothing. */
function compareStep(operator: ManifestOperator, graph: Graph, allowUnmapped: boolean): readonly ComparedStep[] {
  const vertex = graph.vertices.find(({ uid }) => uid === operator.uid)
  const parts = partsWithState(operator)
  if (vertex === undefined) return parts.length === 0 ? [] : [lostStep(operator, parts, allowUnmapped)]
  if (parts.length === 0) return operator.parts.length === 0 || !keepsState(vertex) ? [] : [emptyStep(operator, vertex)]
  const family = stateFamily(operator.kind)
  const familyNow = stateFamily(vertex.operator.kind)
  if (family !== familyNow) return [changedStep(operator, vertex, parts)]
  return [keptStep({ operator, vertex, parts, allowUnmapped })]
}

// Of sinks only those with transactions have anything to lose.
function keepsState({ operator }: Vertex): boolean {
  return isStateful(operator) && (operator.kind !== 'sink' || operator.sink.delivery === 'transactional')
}

function lostStep(operator: ManifestOperator, parts: readonly ManifestPart[], allowUnmapped: boolean): ComparedStep {
  const { uid, name } = operator
  const mend = `give the step that takes it over uid("${uid}"), rename it (--rename ${uid}=UID), or drop it (--allow-unmapped)`
  const message = `the snapshot holds state of step "${name}" (uid "${uid}"), and the job has no step with that uid; ${mend}`
  return {
    step: mappedStep(operator, undefined, parts, 'dropped', writtenStates(parts, 'dropped')),
    problems: allowUnmapped ? [] : [{ code: 'STATE_UNMAPPED', uid, message }],
  }
}

function emptyStep(operator: ManifestOperator, vertex: Vertex): ComparedStep {
  return { step: mappedStep(operator, vertex, [], 'kept', []), problems: [] }
}

function changedStep(operator: ManifestOperator, vertex: Vertex, parts: readonly ManifestPart[]): ComparedStep {
  const { uid, kind, name } = operator
  const found = `step "${vertex.name}" (uid "${uid}") was ${kind} "${name}" and is ${vertex.operator.kind}`
  const message = `${found}: it cannot read that state; give it another uid(), and drop the old state (--allow-unmapped)`
  return {
    step: mappedStep(operator, vertex, parts, 'incompatible', writtenStates(parts, 'incompatible')),
    problems: [{ code: 'STATE_INCOMPATIBLE', uid, message }],
  }
}

interface Pair {
  readonly operator: ManifestOperator
  readonly vertex: Vertex
  readonly parts: readonly ManifestPart[]
  readonly allowUnmapped: boolean
}

function keptStep(pair: Pair): ComparedStep {
  const { operator, vertex, parts } = pair
  const { uid } = operator
  const compared = comparedStates(pair)
  const step = `step "${vertex.name}" (uid "${uid}")`
  const incompatible = [
    ...compared.flatMap(({ problem }) => problem ?? []),
    ...layoutProblems(pair),
    ...keyProblems(pair),
  ].map((problem): MappingProblem => ({ code: 'STATE_INCOMPATIBLE', uid, message: `${step}: ${problem}` }))
  const lost = compared.filter(({ state }) => state.status === 'dropped')
  const dropped = (pair.allowUnmapped ? [] : lost).map(({ state }): MappingProblem => {
    const mend = 'declare it again, or drop it (--allow-unmapped)'
    const message = `${step}: the snapshot holds state "${state.name}", which the step does not declare any more; ${mend}`
    return { code: 'STATE_UNMAPPED', uid, message }
  })
  const refused = rescaleProblems(operator, vertex, parts).map(
    (problem): MappingProblem => ({ code: 'RESCALE_REFUSED', uid, message: `${step}: ${problem}` }),
  )
  const problems = [...refused, ...incompatible, ...dropped]
  const states = compared.map(({ state }) => state)
  const hasMistake = refused.length + incompatible.length > 0
  const status = hasMistake ? 'incompatible' : states.some(state => state.status === 'migrated') ? 'migrated' : 'kept'
  return { step: mappedStep(operator, vertex, parts, status, states), problems }
}

// Segments of one part may have been written by different versions of the job: the one that fares worst says what becomes of a state.
function comparedStates({ vertex, parts }: Pair): readonly ComparedState[] {
  const descriptors = declaredStates(vertex.operator)
  const byName = new Map<string, ComparedState>()
  for (const schema of parts.flatMap(schemasOf)) {
    for (const written of schema.states) {
      const compared = compareState(written, descriptors)
      const before = byName.get(written.name)
      if (before === undefined || SEVERITY[compared.state.status] > SEVERITY[before.state.status])
        byName.set(written.name, compared)
    }
  }
  const added = Object.keys(descriptors).filter(name => !byName.has(name))
  return [...byName.values(), ...added.map((name): ComparedState => ({ state: { name, status: 'new' } }))]
}

const SEVERITY: Readonly<Record<MappingStatus, number>> = { new: 0, kept: 1, migrated: 2, dropped: 3, incompatible: 4 }

function layoutProblems({ vertex, parts }: Pair): readonly string[] {
  const layouts = windowLayouts(vertex.operator)
  const written = parts.filter(({ name }) => name === 'windows').flatMap(schemasOf)
  const foreign = layouts === undefined ? undefined : written.find(({ layout }) => !layouts.includes(layout))
  const problems: string[] = []
  if (foreign !== undefined) {
    const mend = 'keep the kind of its windows and of its function, or give it another uid()'
    problems.push(`the snapshot holds ${foreign.layout}, and it keeps ${layouts?.join(' or ')} now; ${mend}`)
  }
  const { operator } = vertex
  if (operator.kind === 'sink' && operator.sink.delivery !== 'transactional') {
    const mend = 'start it once with the transactional sink, which commits them'
    problems.push(
      `the snapshot holds transactions that are to be committed, and the sink is not transactional; ${mend}`,
    )
  }
  return problems
}

function rescaleProblems(
  operator: ManifestOperator,
  vertex: Vertex,
  parts: readonly ManifestPart[],
): readonly string[] {
  const isKeyed = parts.some(({ kind }) => kind === 'keyed')
  const problems: string[] = []
  if (isKeyed && vertex.maxParallelism !== operator.maxParallelism) {
    problems.push(
      `it has maxParallelism ${vertex.maxParallelism}, and its state was written with ${operator.maxParallelism}, which is fixed for the life of the state; set maxParallelism to ${operator.maxParallelism}`,
    )
  }
  const fixed = parts.find(({ kind }) => !SPREADABLE.has(kind))
  if (fixed !== undefined && vertex.parallelism !== operator.parallelism) {
    problems.push(
      `it has parallelism ${vertex.parallelism}, and its state "${fixed.name}" is not partitioned, so that it stays with the ${operator.parallelism} subtasks that wrote it; set its parallelism to ${operator.parallelism}`,
    )
  }
  return problems
}

/** The kinds of parts that any number of subtasks can take. */
const SPREADABLE: ReadonlySet<string> = new Set([
  'keyed',
  'list',
  'union',
  'broadcast',
] satisfies ManifestPart['kind'][])

function writtenStates(parts: readonly ManifestPart[], status: MappingStatus): readonly MappedState[] {
  const names = new Set(parts.flatMap(schemasOf).flatMap(({ states }) => states.map(({ name }) => name)))
  return [...names].map(name => ({ name, status }))
}

function mappedStep(
  { uid, name, isUidDerived, parallelism }: ManifestOperator,
  vertex: Vertex | undefined,
  parts: readonly ManifestPart[],
  status: MappingStatus,
  states: readonly MappedState[],
): MappedStep {
  return {
    uid,
    name: vertex?.name ?? name,
    isUidDerived: vertex?.isUidDerived ?? isUidDerived,
    status,
    rows: parts.reduce((sum, part) => sum + rowsOf(part), 0),
    fromParallelism: parallelism,
    toParallelism: vertex?.parallelism,
    states,
  }
}

function newStep(vertex: Vertex): MappedStep {
  const { uid, name, isUidDerived, parallelism } = vertex
  const states = Object.keys(declaredStates(vertex.operator)).map(
    (state): MappedState => ({ name: state, status: 'new' }),
  )
  return {
    uid,
    name,
    isUidDerived,
    status: 'new',
    rows: 0,
    fromParallelism: undefined,
    toParallelism: parallelism,
    states,
  }
}

function derivedUidWarnings(steps: readonly MappedStep[]): readonly string[] {
  const derived = steps.filter(({ isUidDerived, rows }) => isUidDerived && rows > 0)
  if (derived.length === 0) return []
  const names = derived.map(({ name, uid }) => `"${name}" (${uid})`).join(', ')
  return [
    `the identity of the state of ${names} is derived from the shape of the job, and may change with it; give each a name of its own with uid()`,
  ]
}
