// Which thread runs which subtask. Subtasks that a forward edge joins share a thread, so that nothing is encoded between them.
import type { Graph, Vertex } from '../../../model/graph.ts'
import { strategyOf } from '../../../model/operator-spec.ts'
import type { Chain, PhysicalPlan } from '../../../plan/physical-plan.ts'

/** The main thread, which runs what is pinned to it. */
export const MAIN_THREAD = 0

/** The thread of a subtask: 0 for the main thread, or one of the others from 1. */
export type Placement = (chain: Chain, subtaskIndex: number) => number

/** Places the subtasks of a plan on so many threads beside the main thread. */
export function placeSubtasks(plan: PhysicalPlan, threads: number): Placement {
  const groups = forwardGroups(plan)
  const loops = loopChains(plan)
  const aligned = alignedChains(plan)
  const alone = new Set([...loops, ...aligned])
  // A callback in one of them brings all of them to the main thread.
  const isPinned = (id: number): boolean => plan.chains[id]?.placement === 'main-thread'
  const pinned = new Set([loops, aligned].flatMap(together => (together.some(isPinned) ? together : [])))
  // Groups that do not fill the threads begin at different ones.
  const first = new Map<number, number>()
  let next = 0
  for (const group of new Set(groups)) {
    const { parallelism } = plan.chains[group] as Chain
    first.set(group, parallelism < threads ? next : 0)
    if (parallelism < threads) next = (next + parallelism) % threads
  }
  return (chain, subtaskIndex) => {
    if (chain.placement === 'main-thread' || pinned.has(chain.id)) return MAIN_THREAD
    if (alone.has(chain.id)) return 1
    const group = groups[chain.id] as number
    const spread = chain.parallelism < threads ? subtaskIndex : Math.floor((subtaskIndex * threads) / chain.parallelism)
    return 1 + (((first.get(group) ?? 0) + spread) % threads)
  }
}

/** The largest number of threads that the subtasks of a plan can fill. */
export function usefulThreads(plan: PhysicalPlan): number {
  return Math.max(1, ...plan.chains.filter(chain => chain.placement !== 'main-thread').map(chain => chain.parallelism))
}

/** For each chain the first one that it is joined to by forward edges. */
function forwardGroups({ chains, exchanges }: PhysicalPlan): readonly number[] {
  const leader = chains.map(({ id }) => id)
  const find = (id: number): number => (leader[id] === id ? id : find(leader[id] as number))
  for (const { edge, fromChain, toChain } of exchanges) {
    const [from, to] = [chains[fromChain] as Chain, chains[toChain] as Chain]
    if (edge.partitioning.kind !== 'forward' || from.parallelism !== to.parallelism) continue
    const [low, high] = [Math.min(find(fromChain), find(toChain)), Math.max(find(fromChain), find(toChain))]
    leader[high] = low
  }
  return leader.map((_, id) => find(id))
}

/** The chains of loops: what goes round one counts as queued wherever it is, so all of it stays in one thread. */
function loopChains({ exchanges }: PhysicalPlan): readonly number[] {
  const reaches = (from: number, to: number, seen = new Set<number>()): boolean => {
    if (from === to) return true
    if (seen.has(from)) return false
    seen.add(from)
    return exchanges.some(exchange => exchange.fromChain === from && reaches(exchange.toChain, to, seen))
  }
  const inLoop = new Set<number>()
  for (const { edge, fromChain: tail, toChain: head } of exchanges) {
    if (!edge.isFeedback) continue
    inLoop.add(head).add(tail)
    for (const { fromChain, toChain } of exchanges) {
      for (const chain of [fromChain, toChain]) if (reaches(head, chain) && reaches(chain, tail)) inLoop.add(chain)
    }
  }
  return [...inLoop]
}

/** The chains whose sources wait for each other in event time: they look at one clock of their own. */
function alignedChains({ graph, chains }: PhysicalPlan): readonly number[] {
  return chains.filter(({ vertices }) => vertices.some(id => isAligned(graph, id))).map(({ id }) => id)
}

function isAligned(graph: Graph, id: number): boolean {
  return strategyOf((graph.vertices[id] as Vertex).operator)?.alignment !== undefined
}
