// How far the time of a windowing was, as a part of its snapshots. It is restored before the windows, which need to know.
import { ListPart } from '../../state/list-part.ts'
import type { StatePart } from '../../state/state-part.ts'

const NAME = 'time'

/**
 * A part of some times (epoch ms), always as many. A job that starts at another parallelism takes the least of each over all subtasks;
 * `restore` is not called when no snapshot holds any.
 */
export function timePart(times: () => readonly number[], restore: (least: readonly number[]) => void): StatePart {
  return new ListPart(
    NAME,
    'union',
    NAME,
    () => [times()],
    elements => {
      const [first, ...rest] = elements as readonly (readonly number[])[]
      if (first !== undefined)
        restore(first.map((timeMs, at) => Math.min(timeMs, ...rest.map(own => own[at] as number))))
    },
  )
}
