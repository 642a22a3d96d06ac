// The keyed part against a naive model: whatever happens between barriers, a snapshot restores to the copy that the model made at its barrier.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import { readValue, writeValue } from '../serde/value-codec.ts'
import { restoreParts, type TakenSnapshot } from '../testing/snapshot-operator.ts'
import { type EntryRows, KeyedPart } from './keyed-part.ts'
import { KeyEntry, KeyedTable } from './keyed-table.ts'
import type { PartSnapshot } from './state-part.ts'

const MAX_PARALLELISM = 4

class NumberEntry extends KeyEntry {
  numbers: number[] | undefined = undefined

  isEmpty(): boolean {
    return this.numbers === undefined
  }
}

/** A table of lists of numbers with its part. */
class Subject {
  readonly part: KeyedPart<NumberEntry>
  readonly table: KeyedTable<NumberEntry>

  constructor(isTracked = true) {
    this.part = new KeyedPart(
      'numbers',
      rowsOf(() => this.table),
    )
    if (isTracked) this.part.changes.enable()
    // Maps of two entries, so that the table has several of them.
    this.table = new KeyedTable(MAX_PARALLELISM, (key, group) => new NumberEntry(key, group), this.part.changes, 2)
  }

  set(key: unknown, n: number): void {
    this.table.ensure(key).numbers = [n]
  }

  /** Changes what is there in place, if anything is. */
  push(key: unknown, n: number): void {
    const entry = this.table.peek(key)
    if (entry === undefined) return
    this.part.changes.touch(entry)
    entry.numbers?.push(n)
  }

  remove(key: unknown): void {
    const entry = this.table.find(key)
    if (entry === undefined) return
    entry.numbers = undefined
    this.table.releaseIfEmpty(entry)
  }

  contents(): Map<string, number[]> {
    return new Map([...this.table.entries()].map(({ key, numbers }) => [String(key), [...(numbers ?? [])]]))
  }

  snapshot(id: number, isFull = false): PartSnapshot {
    this.part.begin(id, isFull)
    while (!this.part.advance(1));
    return this.part.take()
  }
}

function rowsOf(table: () => KeyedTable<NumberEntry>): EntryRows<NumberEntry> {
  return {
    schema: { layout: 'numbers', states: [] },
    all: () => table().entries(),
    writeIdentity: (entry, out) => writeValue(out, entry.key),
    writePayload(entry, out) {
      if (entry.isEmpty()) return false
      writeValue(out, entry.numbers)
      return true
    },
    restorer: () => ({
      row(keyGroup, identity, payload) {
        const entry = table().ensure(readValue(identity))
        assert.equal(entry.keyGroup, keyGroup)
        assert.equal(entry.numbers, undefined, 'a row is given twice')
        entry.numbers = readValue(payload) as number[]
      },
    }),
  }
}

function restored(chain: readonly PartSnapshot[]): Subject {
  const subject = new Subject()
  const snapshots = chain.map((part): TakenSnapshot => ({ parts: [part] }))
  restoreParts([subject.part], snapshots)
  return subject
}

type Step =
  | { readonly do: 'set' | 'push'; readonly key: number; readonly n: number }
  | { readonly do: 'remove' | 'look'; readonly key: number }
  | { readonly do: 'begin'; readonly isFull: boolean }
  | { readonly do: 'advance'; readonly rows: number }
  | { readonly do: 'complete' | 'abort'; readonly which: number }
  | { readonly do: 'restore' }

const key = fc.nat({ max: 7 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('set' as const, 'push' as const), key, n: fc.nat(99) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('remove' as const, 'look' as const), key }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('begin' as const), isFull: fc.nat(5).map(n => n === 0) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('advance' as const), rows: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('complete' as const, 'complete' as const, 'abort' as const),
      which: fc.constantFrom(0, 0, 0, 1, 2),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const) }) },
)

/** Composite keys now and then: they are kept apart. */
function keyOf(n: number): unknown {
  return n < 5 ? n : { n }
}

interface Pending {
  readonly id: number
  readonly copy: ReadonlyMap<string, number[]>
  /** Undefined while it is being encoded. */
  part: PartSnapshot | undefined
}

/** Takes steps, and checks every snapshot that completes. */
class ModelRun {
  completedCount = 0
  deltaCount = 0
  private subject = new Subject()
  private readonly model = new Map<string, number[]>()
  private pending: Pending[] = []
  private completed: PartSnapshot[] = []
  private newestCopy: ReadonlyMap<string, number[]> = new Map()
  private nextId = 1

  take(step: Step): void {
    switch (step.do) {
      case 'set':
        this.subject.set(keyOf(step.key), step.n)
        this.model.set(nameOf(step.key), [step.n])
        break
      case 'push':
        this.subject.push(keyOf(step.key), step.n)
        this.model.get(nameOf(step.key))?.push(step.n)
        break
      case 'remove':
        this.subject.remove(keyOf(step.key))
        this.model.delete(nameOf(step.key))
        break
      case 'look':
        this.subject.table.find(keyOf(step.key))
        break
      case 'begin':
        this.begin(step.isFull)
        break
      case 'advance':
        this.advance(step.rows)
        break
      case 'complete':
        this.complete(step.which)
        break
      case 'abort':
        this.abort(step.which)
        break
      case 'restore':
        this.restore()
        break
    }
  }

  private begin(isFull: boolean): void {
    if (this.running !== undefined) return
    const copy = new Map([...this.model].map(([name, numbers]) => [name, [...numbers]]))
    const id = this.nextId++
    this.subject.part.begin(id, isFull)
    this.pending.push({ id, copy, part: undefined })
  }

  private advance(rows: number): void {
    const { running } = this
    if (running !== undefined && this.subject.part.advance(rows)) running.part = this.subject.part.take()
  }

  private complete(which: number): void {
    const snapshot = this.pending.filter(({ part }) => part !== undefined)[which]
    if (snapshot?.part === undefined) return
    this.pending = this.pending.filter(({ id }) => id > snapshot.id)
    this.subject.part.settle(snapshot.id, 'completed')
    this.completed.push(snapshot.part)
    this.newestCopy = snapshot.copy
    this.completedCount++
    if (!snapshot.part.isFull) this.deltaCount++
    assert.deepEqual(namedContents(restored(this.completed)), new Map(snapshot.copy))
  }

  private abort(which: number): void {
    const snapshot = this.pending[which]
    if (snapshot === undefined) return
    this.pending = this.pending.filter(({ id }) => id > snapshot.id)
    this.subject.part.settle(snapshot.id, 'aborted')
  }

  /** Goes on from the newest complete snapshot, as after a crash. */
  private restore(): void {
    if (this.completed.length === 0) return
    this.subject = restored(this.completed)
    this.pending = []
    this.model.clear()
    for (const [name, numbers] of this.newestCopy) this.model.set(name, [...numbers])
  }

  private get running(): Pending | undefined {
    return this.pending.find(({ part }) => part === undefined)
  }
}

function nameOf(n: number): string {
  return n < 5 ? String(n) : `#${n}`
}

function namedContents(subject: Subject): Map<string, number[]> {
  const named = [...subject.table.entries()].map(({ key: found, numbers }): [string, number[]] => {
    return [nameOf(typeof found === 'number' ? found : (found as { readonly n: number }).n), [...(numbers ?? [])]]
  })
  return new Map(named)
}

describe('a keyed part', () => {
  test('restores every snapshot to what there was at its barrier', () => {
    let completedCount = 0
    let deltaCount = 0
    fc.assert(
      fc.property(fc.array(step, { minLength: 40, maxLength: 160, size: 'max' }), steps => {
        const run = new ModelRun()
        for (const each of steps) run.take(each)
        completedCount += run.completedCount
        deltaCount += run.deltaCount
      }),
      { numRuns: 3000, seed: 20_251_125 },
    )
    assert.ok(completedCount > 5000, `${completedCount} snapshots were compared`)
    assert.ok(deltaCount > 1500, `${deltaCount} of them held changes alone`)
  })

  test('holds everything at first, then what changed', () => {
    const subject = new Subject()
    for (let n = 0; n < 10; n++) subject.set(n, n)
    const base = subject.snapshot(1)
    subject.part.settle(1, 'completed')
    subject.set(3, 30)
    subject.remove(4)
    const delta = subject.snapshot(2)
    subject.part.settle(2, 'completed')
    assert.deepEqual([base.isFull, rowCount(base)], [true, 10])
    assert.deepEqual([delta.isFull, rowCount(delta)], [false, 2])
    const nothing = subject.snapshot(3)
    assert.deepEqual([nothing.isFull, nothing.sections], [false, []])
  })

  test('says nothing of what came and went between two barriers', () => {
    const subject = new Subject()
    subject.set(1, 1)
    subject.snapshot(1)
    subject.part.settle(1, 'completed')
    subject.set(2, 2)
    subject.remove(2)
    assert.deepEqual(subject.snapshot(2).sections, [])
  })

  test('holds everything again after the first snapshot was aborted', () => {
    const subject = new Subject()
    subject.set(1, 1)
    subject.snapshot(1)
    subject.part.settle(1, 'aborted')
    assert.equal(subject.snapshot(2).isFull, true)
  })

  test('holds everything again once the changes are as large as everything', () => {
    const subject = new Subject()
    for (let n = 0; n < 4; n++) subject.set(n, n)
    const fulls: number[] = []
    for (let id = 1; id <= 3000; id++) {
      for (let n = 0; n < 4; n++) subject.set(n, id)
      if (subject.snapshot(id).isFull) fulls.push(id)
      subject.part.settle(id, 'completed')
    }
    const distances = fulls.slice(1).map((id, at) => id - (fulls[at] as number))
    assert.ok(distances.length >= 2, `full ones: ${fulls}`)
    assert.ok(Math.max(...distances) <= 1001, `a full snapshot every ${distances} snapshots`)
  })

  test('keeps the end of a key behind its new beginning when an older snapshot is aborted late', () => {
    const subject = new Subject()
    subject.set(1, 1)
    const base = subject.snapshot(1)
    subject.part.settle(1, 'completed')
    subject.remove(1)
    subject.snapshot(2)
    subject.set(1, 2)
    const third = subject.snapshot(3)
    subject.part.settle(2, 'aborted')
    subject.part.settle(3, 'completed')
    subject.set(9, 9)
    const fourth = subject.snapshot(4)
    assert.deepEqual(
      [third, fourth].map(({ isFull }) => isFull),
      [false, false],
    )
    assert.deepEqual(
      restored([base, third, fourth]).contents(),
      new Map([
        ['1', [2]],
        ['9', [9]],
      ]),
    )
  })

  test('holds everything after it was restored with something left out', () => {
    const subject = new Subject()
    subject.set(1, 1)
    const base = subject.snapshot(1)
    const whole = restored([base])
    assert.equal(whole.snapshot(2).isFull, false)
    const rows = rowsOf(() => table)
    const lossy: EntryRows<NumberEntry> = { ...rows, restorer: schema => ({ ...rows.restorer(schema), isLossy: true }) }
    const part: KeyedPart<NumberEntry> = new KeyedPart('numbers', lossy)
    part.changes.enable()
    const table = new KeyedTable(MAX_PARALLELISM, (made, group) => new NumberEntry(made, group), part.changes)
    restoreParts([part], [{ parts: [base] }])
    part.begin(2, false)
    while (!part.advance(10));
    assert.equal(part.take().isFull, true)
  })

  test('leaves no torn row behind a value that cannot be written', () => {
    const subject = new Subject()
    for (let n = 0; n < 10; n++) subject.set(n, n)
    subject.table.ensure(10).numbers = [(() => 1) as unknown as number]
    subject.part.begin(1, false)
    assert.throws(() => subject.part.advance(100), { code: 'STATE_NOT_SERIALIZABLE' })
    assert.equal(restored([subject.part.take()]).table.size, 10)
    subject.part.settle(1, 'aborted')
    subject.set(10, 10)
    assert.equal(restored([subject.snapshot(2)]).table.size, 11)
  })
})

function rowCount({ sections }: PartSnapshot): number {
  return sections.reduce((sum, { rows }) => sum + rows, 0)
}
