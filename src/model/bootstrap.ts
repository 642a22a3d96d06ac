// Whether a bootstrap input can come to its end: the others are held back until then, so nothing that it needs may depend on them.
import type { Graph, Vertex } from './graph.ts'
import { edgesInto } from './graph.ts'
import { strategyOf } from './operator-spec.ts'
import { stepText } from './step-text.ts'

/** A step with a bootstrap input, and what stands before its inputs. */
interface Holder {
  readonly vertex: Vertex
  /** All steps that the bootstrap input needs, from the sources on. */
  readonly needed: ReadonlySet<number>
  /** All steps that its other inputs read from: held back, they may stand still. */
  readonly heldBack: ReadonlySet<number>
}

/** All mistakes of bootstrap inputs in words: inputs that would hold the others back for ever. */
export function bootstrapMistakes(graph: Graph): string[] {
  const holders = graph.vertices.filter(vertex => vertex.bootstrap !== undefined).map(vertex => holderOf(graph, vertex))
  return holders.flatMap(holder => [
    ...endlessMistakes(graph, holder),
    ...deadlockMistakes(graph, holder, holders),
    ...alignmentMistakes(graph, holder),
  ])
}

function holderOf(graph: Graph, vertex: Vertex): Holder {
  const before = (isBootstrap: boolean): ReadonlySet<number> =>
    upstream(
      graph,
      edgesInto(graph, vertex.id)
        .filter(edge => (edge.input === vertex.bootstrap?.input) === isBootstrap)
        .map(edge => edge.from),
    )
  return { vertex, needed: before(true), heldBack: before(false) }
}

/** The given vertices and all before them, over feedback edges too: a loop that stands still holds what feeds it back. */
function upstream(graph: Graph, vertexIds: readonly number[]): ReadonlySet<number> {
  const found = new Set(vertexIds)
  for (const id of found) for (const edge of edgesInto(graph, id)) found.add(edge.from)
  return found
}

// A source that is ahead waits for those of its group; one that is held back here would never catch up.
function alignmentMistakes(graph: Graph, { vertex, needed, heldBack }: Holder): string[] {
  const groupsOf = (ids: ReadonlySet<number>): string[] =>
    [...ids].flatMap(id => strategyOf((graph.vertices[id] as Vertex).operator)?.alignment?.group ?? [])
  const others = new Set(groupsOf(heldBack))
  const shared = groupsOf(needed).find(group => others.has(group))
  if (shared === undefined) return []
  return [
    `${stepText(vertex)} reads input ${vertex.bootstrap?.input} first, but its sources are aligned in "${shared}" with those of the other input, which is held back meanwhile: neither would go on; align each in a group of its own`,
  ]
}

function endlessMistakes(graph: Graph, { vertex, needed }: Holder): string[] {
  const { input, untilMs } = vertex.bootstrap as NonNullable<Vertex['bootstrap']>
  if (untilMs === Infinity) return []
  const steps = [...needed].map(id => graph.vertices[id]).filter(step => step !== undefined)
  const endless = steps.filter(({ operator }) => operator.kind === 'source' && !operator.source.isBounded)
  const strategies = steps.map(({ operator }) => strategyOf(operator)).filter(strategy => strategy !== undefined)
  const mayBeIdle = strategies.some(strategy => strategy.idleTimeoutMs !== undefined)
  const hasWatermarks = strategies.length > 0
  if (endless.length === 0 || mayBeIdle || (untilMs !== undefined && hasWatermarks)) return []
  const sources = endless.map(stepText).join(' and ')
  const why =
    untilMs === undefined
      ? `nothing says that ${sources} ends`
      : `it has no watermark strategy whose watermark could come to ${untilMs}`
  const mend = `give its watermark strategy an idleTimeoutMs, say with bootstrapUntilMs how far to read it first, or vouch for its end with bootstrapUntilMs: Infinity`
  return [
    `${stepText(vertex)} reads input ${input} first, but ${why}: the other input would be held back for ever; ${mend}`,
  ]
}

/**
 * Whoever needs a step that is held back by another waits for that one; in a ring each waits for ever. A ring of one is the common case: both
 * inputs come from one step, which the full channel of the one input keeps from feeding the other.
 */
function deadlockMistakes(graph: Graph, holder: Holder, holders: readonly Holder[]): string[] {
  const { vertex } = holder
  const shared = [...holder.needed].find(id => holder.heldBack.has(id) && graph.vertices[id] !== undefined)
  if (shared !== undefined) {
    const step = stepText(graph.vertices[shared] as Vertex)
    return [
      `${stepText(vertex)} reads input ${vertex.bootstrap?.input} first, but both inputs come from ${step}: held back by the one it could not feed the other; read the two from sources of their own, or leave out bootstrap`,
    ]
  }
  const ring = awaited(holder, holders)
  if (!ring.has(holder)) return []
  const others = [...ring].filter(other => other !== holder).map(other => stepText(other.vertex))
  return [
    `${stepText(vertex)} reads input ${vertex.bootstrap?.input} first, but what feeds it is held back by ${others.join(' and ')}, which in turn waits for this step; leave out bootstrap at one of them`,
  ]
}

/** The holders that one waits for, directly or through others. */
function awaited(holder: Holder, holders: readonly Holder[]): ReadonlySet<Holder> {
  const found = new Set<Holder>()
  const visit = ({ needed }: Holder): void => {
    for (const other of holders) {
      if (found.has(other) || ![...needed].some(id => other.heldBack.has(id))) continue
      found.add(other)
      visit(other)
    }
  }
  visit(holder)
  return found
}
