// Finds every mistake of a graph at once; each names the step, the user's file and line, and the mend.
import { bootstrapMistakes } from './bootstrap.ts'
import type { Edge, Graph, Vertex } from './graph.ts'
import { edgesInto, MAX_PARALLELISM_LIMIT } from './graph.ts'
import { keySelectorText } from './key.ts'
import { broadcastInput, inputCount, isKeyed, keyedInputs } from './operator-spec.ts'
import { retractionProblem, takesRetractions } from './retractions.ts'
import { stepText } from './step-text.ts'
import { windowProblems } from './window-problems.ts'

/** All mistakes of the graph in words; empty when it can run. */
export function validate(graph: Graph): string[] {
  return [
    ...graph.edges.flatMap(edge => edgeMistakes(graph, edge)),
    ...graph.vertices.flatMap(vertex => vertexMistakes(graph, vertex)),
    ...duplicateUids(graph),
    ...illegalCycles(graph),
    ...bootstrapMistakes(graph),
  ]
}

function edgeMistakes(graph: Graph, edge: Edge): string[] {
  const from = graph.vertices[edge.from]
  const to = graph.vertices[edge.to]
  if (to === undefined)
    return [`an edge leads to vertex ${edge.to}, which does not exist; add the vertex before the edge`]
  if (from === undefined) {
    return [
      `${stepText(to)} reads from vertex ${edge.from}, which does not exist; connect it to a step of the same environment`,
    ]
  }
  const mistakes: string[] = []
  const inputs = inputCount(to.operator)
  if (inputs === 0) {
    mistakes.push(
      `${stepText(to)} is a source, which has no input, but reads from ${stepText(from)}; use union() to join their records`,
    )
  } else if (edge.input < 0 || edge.input >= inputs) {
    const allowed = inputs === 1 ? 'one input' : `${inputs} inputs`
    mistakes.push(`${stepText(to)} has ${allowed} but an edge leads to input ${edge.input}; inputs count from 0`)
  }
  if (from.operator.kind === 'sink') {
    mistakes.push(
      `${stepText(to)} reads from ${stepText(from)}, a sink, which has no output; read from the step before it`,
    )
  }
  if (edge.partitioning.kind === 'forward' && from.parallelism !== to.parallelism) {
    mistakes.push(
      `${stepText(to)} has parallelism ${to.parallelism} but a forward edge from ${stepText(from)} with ${from.parallelism}; use rebalance() between them`,
    )
  }
  if (edge.isFeedback && to.operator.kind !== 'feedback') {
    mistakes.push(`a feedback edge leads to ${stepText(to)}; only the head of an iteration may take one, use iterate()`)
  }
  return mistakes
}

function vertexMistakes(graph: Graph, vertex: Vertex): string[] {
  return [
    ...parallelismMistakes(vertex),
    ...inputMistakes(graph, vertex),
    ...keyMistakes(graph, vertex),
    ...retractionMistakes(graph, vertex),
    ...windowMistakes(vertex),
    ...broadcastMistakes(graph, vertex),
    ...alignmentMistakes(vertex),
  ]
}

function parallelismMistakes(vertex: Vertex): string[] {
  const { parallelism, maxParallelism, operator } = vertex
  const step = stepText(vertex)
  const mistakes: string[] = []
  if (!isCount(parallelism)) mistakes.push(`${step} has parallelism ${parallelism}; give a whole number from 1`)
  if (!isCount(maxParallelism) || maxParallelism > MAX_PARALLELISM_LIMIT) {
    mistakes.push(
      `${step} has maxParallelism ${maxParallelism}; give a whole number from 1 to ${MAX_PARALLELISM_LIMIT}`,
    )
  } else if (parallelism > maxParallelism) {
    mistakes.push(
      `${step} has parallelism ${parallelism} but maxParallelism ${maxParallelism}; lower the parallelism, or raise setMaxParallelism() before there is state`,
    )
  }
  const connector = operator.kind === 'source' ? operator.source : operator.kind === 'sink' ? operator.sink : undefined
  if (connector?.parallelismMax !== undefined && parallelism > connector.parallelismMax) {
    mistakes.push(
      `${step} has parallelism ${parallelism} but ${connector.description} can run with ${connector.parallelismMax} at most; remove setParallelism() there`,
    )
  }
  return mistakes
}

function inputMistakes(graph: Graph, vertex: Vertex): string[] {
  const mistakes: string[] = []
  const inputs = edgesInto(graph, vertex.id).filter(edge => !edge.isFeedback)
  for (let ordinal = 0; ordinal < inputCount(vertex.operator); ordinal++) {
    if (inputs.some(edge => edge.input === ordinal)) continue
    mistakes.push(`${stepText(vertex)} has nothing connected to input ${ordinal}; connect a stream to it`)
  }
  return mistakes
}

function keyMistakes(graph: Graph, vertex: Vertex): string[] {
  if (!isKeyed(vertex.operator)) return []
  const step = stepText(vertex)
  const mistakes: string[] = []
  for (const ordinal of keyedInputs(vertex.operator)) {
    if (vertex.keySelectors[ordinal] === undefined) {
      mistakes.push(`${step} works per key but input ${ordinal} has no key; call keyBy() before it`)
    }
  }
  for (const edge of edgesInto(graph, vertex.id)) {
    if (vertex.keySelectors[edge.input] === undefined || edge.partitioning.kind === 'hash') continue
    mistakes.push(
      `${step} works per key but takes its input by ${edge.partitioning.kind}; let keyBy() be the last call before it`,
    )
  }
  const [first, second] = vertex.keySelectors
  if (
    first?.fields !== undefined &&
    second?.fields !== undefined &&
    keyShape(first.fields, first.isTuple) !== keyShape(second.fields, second.isTuple)
  ) {
    mistakes.push(
      `${step} connects a stream keyed by ${keySelectorText(first)} with one keyed by ${keySelectorText(second)}, whose keys can never be equal; key both by one field, or both by a list of as many fields`,
    )
  }
  return mistakes
}

function retractionMistakes(graph: Graph, vertex: Vertex): string[] {
  const problem = retractionProblem(vertex.operator)
  if (problem === undefined || !takesRetractions(graph, vertex.id)) return []
  return [`${stepText(vertex)} reads results that may be taken back, but ${problem}`]
}

function windowMistakes(vertex: Vertex): string[] {
  if (vertex.operator.kind !== 'window') return []
  return windowProblems(vertex.operator.window).map(problem => `${stepText(vertex)} ${problem}`)
}

// What the subtasks make of broadcast records must be the same everywhere, so each must get all of them.
function broadcastMistakes(graph: Graph, vertex: Vertex): string[] {
  const input = broadcastInput(vertex.operator)
  if (vertex.parallelism === 1) return []
  return edgesInto(graph, vertex.id)
    .filter(edge => edge.input === input && edge.partitioning.kind !== 'broadcast')
    .map(
      edge =>
        `${stepText(vertex)} keeps broadcast state but takes input ${edge.input} by ${edge.partitioning.kind}; connect a broadcastState() stream to it`,
    )
}

// Whoever pauses a step in the middle of a job pauses all that its task reads, the slow splits as well as the fast ones.
function alignmentMistakes(vertex: Vertex): string[] {
  const { operator } = vertex
  if (operator.kind !== 'timestamps' || operator.strategy.alignment === undefined) return []
  const { group } = operator.strategy.alignment
  return [
    `${stepText(vertex)} has a watermark strategy aligned in "${group}", but only a source can pause its splits; give the strategy to the source: { watermarks: strategy }`,
  ]
}

function keyShape(fields: readonly string[], isTuple: boolean): string {
  return isTuple ? `tuple of ${fields.length}` : 'single'
}

function duplicateUids(graph: Graph): string[] {
  const byUid = new Map<string, Vertex[]>()
  for (const vertex of graph.vertices) byUid.set(vertex.uid, [...(byUid.get(vertex.uid) ?? []), vertex])
  return [...byUid].flatMap(([uid, vertices]) =>
    vertices.length === 1
      ? []
      : [`${vertices.map(stepText).join(' and ')} have the same uid "${uid}"; give each its own with uid()`],
  )
}

function illegalCycles(graph: Graph): string[] {
  const state = new Map<number, 'open' | 'done'>()
  const mistakes: string[] = []
  const visit = (id: number): void => {
    state.set(id, 'open')
    for (const edge of graph.edges) {
      if (edge.from !== id || edge.isFeedback) continue
      const target = graph.vertices[edge.to]
      if (target === undefined) continue
      if (state.get(edge.to) === 'open') {
        mistakes.push(
          `${stepText(target)} is part of a cycle that is not marked as feedback; build loops with iterate()`,
        )
      } else if (state.get(edge.to) === undefined) visit(edge.to)
    }
    state.set(id, 'done')
  }
  for (const vertex of graph.vertices) if (state.get(vertex.id) === undefined) visit(vertex.id)
  return mistakes
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1
}
