// What is said of joins and co-groups within windows, as types; window-joins.ts makes steps of it.
import type { TimeWindow } from '../../model/functions.ts'
import type { JoinType } from '../../model/join-functions.ts'
import type { WindowContext } from '../../model/window-functions.ts'
import type { WindowAssigner } from './window-assigners.ts'
import type { WindowOptions } from './window-options.ts'

/** The sides of a join as its function gets them: the one that may be missing in an outer join may be undefined. */
export type JoinSides<L, R, J extends JoinType> = J extends 'inner'
  ? readonly [left: L, right: R]
  : J extends 'left'
    ? readonly [left: L, right: R | undefined]
    : J extends 'right'
      ? readonly [left: L | undefined, right: R]
      : readonly [left: L | undefined, right: R | undefined]

/** A join of two keyed streams within windows. */
export interface WindowJoinOptions<K, L, R, O, W extends TimeWindow, J extends JoinType>
  extends WindowOptions<NoInfer<L | R>, W> {
  readonly window: WindowAssigner<NoInfer<L | R>, W>
  /** `inner` unless given. */
  readonly type?: J
  /** Makes a record of each pair of elements of a key and window, and of those without a partner where the join is an outer one. */
  readonly join: (...args: [...sides: JoinSides<L, R, J>, ctx: WindowContext<K, W>]) => O
}

/** A co-group of any number of keyed streams within windows. */
export interface CoGroupOptions<K, G extends readonly unknown[], O, W extends TimeWindow>
  extends WindowOptions<G[number], W> {
  readonly window: WindowAssigner<G[number], W>
  /** Makes records of the elements of a key and window, a list for each stream in the order given, possibly empty. */
  readonly coGroup: (
    groups: { readonly [I in keyof G]: readonly G[I][] },
    ctx: WindowContext<K, W>,
    out: { collect(record: O): void },
  ) => void
}
