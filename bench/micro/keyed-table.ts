// The look-up of a key's entry and a change of what it holds, against a Map: `node bench/micro/keyed-table.ts`.
import { KeyEntry, KeyedTable } from '../../src/state/keyed-table.ts'
import { nextState, pick } from '../workloads.ts'
import { measure } from './measure.ts'

const OPERATIONS = 10_000_000

class CountEntry extends KeyEntry {
  count = 0

  isEmpty(): boolean {
    return this.count === 0
  }
}

function byTable(keys: number): number {
  const table = new KeyedTable(128, (key, keyGroup) => new CountEntry(key, keyGroup))
  let state = 1
  let sum = 0
  for (let i = 0; i < OPERATIONS; i++) {
    state = nextState(state)
    sum += ++table.ensure(pick(state, keys)).count
  }
  return sum
}

function byMap(keys: number): number {
  const map = new Map<number, number>()
  let state = 1
  let sum = 0
  for (let i = 0; i < OPERATIONS; i++) {
    state = nextState(state)
    const key = pick(state, keys)
    const count = (map.get(key) ?? 0) + 1
    map.set(key, count)
    sum += count
  }
  return sum
}

for (const keys of [10_000, 1_000_000]) {
  measure(`KeyedTable, ${keys} keys`, OPERATIONS, () => byTable(keys))
  measure(`Map of numbers, ${keys} keys`, OPERATIONS, () => byMap(keys))
}
