// Ordered elements as a join uses them, in order and a little out of order, against a Map searched whole: `node bench/micro/ordered-elements.ts`.
import { OrderedElements } from '../../src/state/ordered-elements.ts'
import { nextState } from '../workloads.ts'
import { measure } from './measure.ts'

const OPERATIONS = 1_000_000
/** So many elements are kept. */
const KEPT = 100

function slide(jitter: number): number {
  const elements = new OrderedElements<number>()
  let state = 1
  let sum = 0
  for (let i = 0; i < OPERATIONS; i++) {
    state = nextState(state)
    elements.add(jitter === 0 ? i : i - (state % jitter), i)
    elements.forEach(
      element => {
        sum += element
      },
      i - 2,
      i,
    )
    while (elements.size > KEPT) elements.shift()
  }
  return sum
}

function byMap(): number {
  const elements = new Map<number, number>()
  let sum = 0
  for (let i = 0; i < OPERATIONS; i++) {
    elements.set(i, i)
    for (const [timeMs, element] of elements) if (timeMs >= i - 2) sum += element
    elements.delete(i - KEPT)
  }
  return sum
}

measure(`OrderedElements, ${KEPT} kept, in order`, OPERATIONS, () => slide(0))
measure(`OrderedElements, ${KEPT} kept, out of order by 20`, OPERATIONS, () => slide(20))
measure(`Map of times, ${KEPT} kept`, OPERATIONS, byMap)
