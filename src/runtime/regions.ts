// The parts of a plan that fail alone: chains that exchange records, or are aligned in event time, fail and start again together.
import type { Graph } from '../model/graph.ts'
import { strategyOf } from '../model/operator-spec.ts'
import type { Chain, PhysicalPlan } from '../plan/physical-plan.ts'

/** The regions of a plan, in the order of their first chains. */
export function regionsOf(plan: PhysicalPlan): readonly (readonly Chain[])[] {
  const leader = plan.chains.map(chain => chain.id)
  const find = (id: number): number => {
    let at = id
    while (leader[at] !== at) at = leader[at] as number
    return at
  }
  const join = (a: number, b: number): void => {
    const [low, high] = [Math.min(find(a), find(b)), Math.max(find(a), find(b))]
    leader[high] = low
  }
  for (const { fromChain, toChain } of plan.exchanges) join(fromChain, toChain)
  for (const aligned of alignedChains(plan)) for (const chain of aligned) join(aligned[0] as number, chain)
  return plan.chains
    .filter(({ id }) => find(id) === id)
    .map(({ id }) => plan.chains.filter(chain => find(chain.id) === id))
}

/** The chains whose sources share an alignment group. */
function alignedChains({ graph, chains }: PhysicalPlan): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>()
  for (const chain of chains) {
    for (const group of groupsIn(graph, chain)) groups.set(group, [...(groups.get(group) ?? []), chain.id])
  }
  return [...groups.values()]
}

function groupsIn(graph: Graph, chain: Chain): readonly string[] {
  return chain.vertices.flatMap(id => {
    const operator = graph.vertices[id]?.operator
    const group = operator === undefined ? undefined : strategyOf(operator)?.alignment?.group
    return group === undefined ? [] : [group]
  })
}
