// Collects vertices and edges while a job is written, and turns them into a frozen, validated graph.
import { StreamError } from '../base/errors.ts'
import type { SourceLocation } from '../base/source-location.ts'
import { batchMistakes, batchOperator, type RuntimeMode } from './batch-mode.ts'
import type { Placement } from './connector.ts'
import type { BootstrapInput, Chaining, Edge, Graph, Vertex } from './graph.ts'
import { MAX_PARALLELISM_DEFAULT } from './graph.ts'
import type { KeySelector } from './key.ts'
import type { OperatorSpec } from './operator-spec.ts'
import type { Partitioning } from './partitioning.ts'
import { deriveUids } from './uid.ts'
import { validate } from './validate.ts'

/** A vertex while the job is being written; its settings may change until the graph is built. */
export interface VertexDraft {
  readonly id: number
  uid?: string
  name: string
  readonly operator: OperatorSpec
  parallelism?: number
  maxParallelism?: number
  chaining: Chaining
  readonly placement: Placement
  readonly keySelectors: readonly KeySelector[]
  readonly bootstrap?: BootstrapInput
  readonly location: SourceLocation | undefined
}

/** What is given for a new vertex; the rest has defaults. */
export interface VertexInit {
  readonly name: string
  readonly operator: OperatorSpec
  readonly parallelism?: number
  readonly placement?: Placement
  readonly keySelectors?: readonly KeySelector[]
  readonly bootstrap?: BootstrapInput
  readonly location?: SourceLocation | undefined
}

/** What is given for a new edge; it goes to input 0 and reads the main output unless said otherwise. */
export interface EdgeInit {
  readonly from: number
  readonly to: number
  readonly input?: number
  /** Undefined: forward between equal parallelisms, else rebalance (as in Flink). */
  readonly partitioning?: Partitioning | undefined
  readonly outputTag?: string | undefined
  readonly isFeedback?: boolean
}

/** An edge whose partitioning may still depend on the parallelism of its two ends. */
type EdgeDraft = Omit<Edge, 'partitioning'> & { readonly partitioning: Partitioning | undefined }

/** What holds for all vertices that do not say otherwise. */
export interface GraphDefaults {
  readonly parallelism: number
  /** `streaming` unless given. */
  readonly runtimeMode?: RuntimeMode
  readonly maxParallelism?: number
}

/** The mutable side of a graph: front-ends add to it, `build` makes the immutable graph. */
export class GraphBuilder {
  private readonly drafts: VertexDraft[] = []
  private readonly edges: EdgeDraft[] = []

  get vertices(): readonly VertexDraft[] {
    return this.drafts
  }

  addVertex(init: VertexInit): VertexDraft {
    const draft: VertexDraft = {
      id: this.drafts.length,
      name: init.name,
      operator: init.operator,
      chaining: 'allowed',
      placement: init.placement ?? 'any',
      keySelectors: init.keySelectors ?? [],
      ...(init.bootstrap === undefined ? {} : { bootstrap: init.bootstrap }),
      location: init.location,
    }
    if (init.parallelism !== undefined) draft.parallelism = init.parallelism
    this.drafts.push(draft)
    return draft
  }

  addEdge(init: EdgeInit): void {
    const { from, to, input = 0, partitioning, outputTag, isFeedback = false } = init
    this.edges.push(Object.freeze({ from, to, input, partitioning, outputTag, isFeedback }))
  }

  /** True when the graph has a vertex that writes somewhere. */
  hasSinks(): boolean {
    return this.drafts.some(draft => draft.operator.kind === 'sink')
  }

  /** The graph as written so far. Throws GRAPH_INVALID listing every mistake. */
  build(name: string, defaults: GraphDefaults): Graph {
    const vertices = this.drafts.map(draft => vertexOf(draft, defaults))
    const edges = this.edges.map(edge => withPartitioning(edge, vertices))
    const graph = freezeGraph(name, deriveUids(vertices, edges), edges)
    const isBatch = defaults.runtimeMode === 'batch'
    const mistakes = [...validate(graph), ...(isBatch ? batchMistakes(vertices) : [])]
    if (mistakes.length > 0) {
      const lines = mistakes.map((mistake, index) => `  ${index + 1}. ${mistake}`)
      throw new StreamError('GRAPH_INVALID', `the job "${name}" has ${count(mistakes.length)}:\n${lines.join('\n')}`)
    }
    return graph
  }

  /** The graph written so far with the same vertex ids; what is added to the copy does not show in the original. */
  copy(): GraphBuilder {
    return this.restrictedTo(new Set(this.drafts.keys()))
  }

  /** The part of the graph that the given vertex needs: itself and everything upstream, loops kept whole. */
  upstreamOf(vertexId: number): GraphBuilder {
    const kept = new Set<number>([vertexId])
    const pending = [vertexId]
    while (pending.length > 0) {
      const id = pending.pop() as number
      for (const edge of this.edges) {
        if (edge.to !== id || kept.has(edge.from)) continue
        kept.add(edge.from)
        pending.push(edge.from)
      }
    }
    return this.restrictedTo(kept)
  }

  private restrictedTo(kept: ReadonlySet<number>): GraphBuilder {
    const part = new GraphBuilder()
    const newId = new Map<number, number>()
    for (const draft of this.drafts) {
      if (!kept.has(draft.id)) continue
      newId.set(draft.id, part.drafts.length)
      part.drafts.push({ ...draft, id: part.drafts.length })
    }
    for (const edge of this.edges) {
      const from = newId.get(edge.from)
      const to = newId.get(edge.to)
      if (from !== undefined && to !== undefined) part.edges.push(Object.freeze({ ...edge, from, to }))
    }
    return part
  }
}

function vertexOf(draft: VertexDraft, defaults: GraphDefaults): Vertex {
  const { operator } = draft
  const connector = operator.kind === 'source' ? operator.source : operator.kind === 'sink' ? operator.sink : undefined
  const parallelism = draft.parallelism ?? Math.min(defaults.parallelism, connector?.parallelismMax ?? Infinity)
  return {
    id: draft.id,
    uid: draft.uid ?? '',
    isUidDerived: draft.uid === undefined,
    name: draft.name,
    operator: defaults.runtimeMode === 'batch' ? batchOperator(operator) : operator,
    parallelism,
    maxParallelism: draft.maxParallelism ?? defaults.maxParallelism ?? MAX_PARALLELISM_DEFAULT,
    placement: draft.placement,
    chaining: draft.chaining,
    keySelectors: draft.keySelectors,
    ...(draft.bootstrap === undefined ? {} : { bootstrap: draft.bootstrap }),
    location: draft.location,
  }
}

function withPartitioning(edge: EdgeDraft, vertices: readonly Vertex[]): Edge {
  const { partitioning } = edge
  if (partitioning !== undefined) return Object.freeze({ ...edge, partitioning })
  const isEven = vertices[edge.from]?.parallelism === vertices[edge.to]?.parallelism
  return Object.freeze({ ...edge, partitioning: Object.freeze({ kind: isEven ? 'forward' : 'rebalance' }) })
}

function freezeGraph(name: string, vertices: readonly Vertex[], edges: readonly Edge[]): Graph {
  return Object.freeze({
    name,
    vertices: Object.freeze(vertices.map(vertex => Object.freeze(vertex))),
    edges: Object.freeze(edges),
  })
}

function count(mistakes: number): string {
  return mistakes === 1 ? 'a mistake' : `${mistakes} mistakes`
}
