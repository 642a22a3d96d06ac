// A windowed join of two inputs: every pair of a left and a right element of a key and window, and what found no partner where the join is
// an outer one.
import type { Collector } from '../model/functions.ts'
import type { JoinType } from '../model/join-functions.ts'
import type { Key } from '../model/key.ts'
import type { WindowContext } from '../model/window-functions.ts'
import type { CoGroupFunction } from '../model/window-spec.ts'

/** Makes a record of a pair; the side that is missing in an outer join is undefined. */
export type Joiner = (left: unknown, right: unknown, ctx: WindowContext<Key>) => unknown

/** The join as a function of the groups of a window. Cost: the product of the two groups. */
export function joinGroups(type: JoinType, joiner: Joiner): CoGroupFunction {
  const keepsLeft = type === 'left' || type === 'full'
  const keepsRight = type === 'right' || type === 'full'
  return (groups, ctx, out) => {
    const [lefts = [], rights = []] = groups as readonly (readonly unknown[])[]
    if (rights.length === 0 && keepsLeft) collect(lefts, left => joiner(left, undefined, ctx), out)
    if (lefts.length === 0 && keepsRight) collect(rights, right => joiner(undefined, right, ctx), out)
    for (const left of lefts) collect(rights, right => joiner(left, right, ctx), out)
  }
}

function collect(elements: readonly unknown[], join: (element: unknown) => unknown, out: Collector<unknown>): void {
  for (const element of elements) out.collect(join(element))
}
