// What must hold of a simulated job beside equal results: the order of each key's results, and that the state in a checkpoint is what the input
// up to the positions in the same checkpoint makes of it.
import assert from 'node:assert/strict'
import { type ReadableSnapshot, readSnapshotRows, type SnapshotRow } from '../../../src/recovery/start/inspect.ts'
import type { Event, Splits } from './events.ts'

/** Records are texts that end in a number, which in one transaction counts up for whatever stands before it, without a gap. */
export function checkSequences(records: readonly string[]): string | undefined {
  const counts = new Map<string, number>()
  for (const text of records) {
    const at = text.lastIndexOf(' ')
    const key = text.slice(0, at)
    const count = Number(text.slice(at + 1))
    const before = counts.get(key)
    if (before !== undefined && count !== before + 1)
      return `"${text}" was written where "${key} ${before + 1}" comes next`
    counts.set(key, count)
  }
  return undefined
}

/** The events that a snapshot's state has seen: those that were read, but for those that its barrier overtook. */
export async function eventsBefore(snapshot: ReadableSnapshot, splits: Splits): Promise<readonly Event[]> {
  const positions = new Map<string, number>()
  await visit(snapshot, 'splits', ({ values }) => {
    const { id, position } = values.split as { readonly id: string; readonly position: number }
    assert.ok(!positions.has(id), `checkpoint ${snapshot.manifest.id} holds split ${id} twice`)
    positions.set(id, position)
  })
  assert.equal(positions.size, splits.length, `checkpoint ${snapshot.manifest.id} holds ${positions.size} splits`)
  const inFlight = new Set<number>()
  await visit(snapshot, 'in-flight', ({ values }) => {
    const event = Object.values(values).find(isEvent)
    if (event !== undefined) inFlight.add(event.n)
  })
  const read = splits.flatMap((split, index) => split.slice(0, positions.get(String(index))))
  return read.map(({ value }) => value).filter(({ n }) => !inFlight.has(n))
}

function isEvent(value: unknown): value is Event {
  return typeof value === 'object' && value !== null && 'n' in value
}

/** Compares a keyed state with the count of events of each key. `countIn` takes it from what is kept for a key. */
export function checkCounts(
  splits: Splits,
  state: string,
  countIn: (values: Readonly<Record<string, unknown>>) => unknown,
): (snapshot: ReadableSnapshot) => Promise<void> {
  return async snapshot => {
    const expected = new Map<unknown, unknown>()
    for (const { key } of await eventsBefore(snapshot, splits))
      expected.set(key, ((expected.get(key) as number) ?? 0) + 1)
    const found = new Map<unknown, unknown>()
    await visit(snapshot, state, ({ identity, values }) => found.set(identity[0], countIn(values)))
    assertEqual(snapshot, state, sorted(found), sorted(expected))
  }
}

/** Compares the elements of a state without key with the numbers of the events. `distinct`: each subtask may hold the same. */
export function checkElements(
  splits: Splits,
  state: string,
  distinct: boolean,
): (snapshot: ReadableSnapshot) => Promise<void> {
  return async snapshot => {
    const expected = (await eventsBefore(snapshot, splits)).map(({ n }) => n)
    const found: number[] = []
    await visit(snapshot, state, ({ values }) => found.push(Object.values(values)[0] as number))
    const compared = distinct ? [...new Set(found)] : found
    assertEqual(snapshot, state, ascending(compared), ascending(expected))
  }
}

// A part that nothing was ever written of is not in a manifest.
async function visit(snapshot: ReadableSnapshot, state: string, action: (row: SnapshotRow) => void): Promise<void> {
  try {
    await readSnapshotRows(snapshot, { state }, action)
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'OPTION_INVALID') throw error
  }
}

function sorted(map: ReadonlyMap<unknown, unknown>): readonly string[] {
  return [...map].map(([key, value]) => `${key}: ${value}`).sort()
}

function ascending(numbers: readonly number[]): readonly number[] {
  return numbers.toSorted((a, b) => a - b)
}

function assertEqual(
  snapshot: ReadableSnapshot,
  state: string,
  found: readonly unknown[],
  expected: readonly unknown[],
): void {
  const [has, needs] = [found.join(', '), expected.join(', ')]
  assert.ok(has === needs, `checkpoint ${snapshot.manifest.id} holds as ${state}: ${has}; its input makes: ${needs}`)
}
