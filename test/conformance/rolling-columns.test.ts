// A rolling aggregation of a field keeps records of one form in columns and others in entries; nobody can tell which. Outputs and snapshots
// are held against a model, whatever happens between barriers.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import { ByteReader } from '../../src/base/byte-reader.ts'
import { maxOf, sumOf } from '../../src/functions/field-aggregates.ts'
import type { AggregateFunction } from '../../src/model/functions.ts'
import type { Vertex } from '../../src/model/graph.ts'
import { fieldSelector } from '../../src/model/key.ts'
import { type CurrentRecord, NO_TIMESTAMP, type Operator, type OperatorContext } from '../../src/operators/operator.ts'
import { rollingOperator } from '../../src/operators/rolling.ts'
import { readValue } from '../../src/serde/value-codec.ts'
import type { PartSnapshot, StatePart } from '../../src/state/state-part.ts'
import { restoreParts, snapshotParts } from '../../src/testing/snapshot-operator.ts'

type Row = Readonly<Record<string, unknown>>

/** Whole, negative, fractional and large numbers, zeros of both signs, texts, and keys that no column holds. */
const KEYS = [1, 2, 300, -7, 2.5, 2 ** 40, 0, -0, Number.NaN, 'a', 'zoë', '漢', true, null, [1, 'a']] as const

/** The forms that records of a key come in; the first one that comes gives the columns theirs. */
const FORMS: readonly ((key: unknown, n: number) => Row)[] = [
  (key, n) => ({ key, n }),
  (key, n) => ({ n, key }),
  (key, n) => ({ key, n, weight: n * 0.5, tags: [`t${n}`], note: n % 2 === 0 ? null : 'odd' }),
  (key, n) => ({ key, n, other: undefined }),
  (key, n) => Object.assign(Object.create(null) as Record<string, unknown>, { key, n }),
  (key, n) => ({ key, n, ['__proto__']: 'a field' }),
]

class Subject {
  readonly operator: Operator
  readonly part: StatePart
  private readonly emitted: Row[] = []

  constructor(aggregate: AggregateFunction<Row, unknown, Row>, isKeyedByField: boolean) {
    const record: CurrentRecord = { timestamp: NO_TIMESTAMP, key: undefined, isRetraction: false }
    this.operator = rollingOperator(
      aggregate as never,
      {
        vertex: {
          name: 'step',
          maxParallelism: 4,
          keySelectors: isKeyedByField ? [fieldSelector('key')] : [],
        } as Partial<Vertex> as Vertex,
        record,
        output: value => this.emitted.push(value as Row),
        isCheckpointed: true,
        takesRetractions: false,
        keyOf: () => (each: Row) => each['key'],
      } as Partial<OperatorContext> as OperatorContext,
    )
    this.part = (this.operator.parts as readonly StatePart[])[0] as StatePart
  }

  send(record: Row): Row | undefined {
    this.operator.inputs[0]?.(record)
    return this.emitted.pop()
  }
}

interface Kept {
  readonly key: unknown
  readonly record: Row
  readonly count: number
}

/** The rows of a full snapshot, by key as text. */
function rowsOf(part: PartSnapshot): ReadonlyMap<string, Kept> {
  const rows = new Map<string, Kept>()
  for (const section of part.sections) {
    const bytes = new ByteReader(section.bytes)
    for (let row = 0; row < section.rows; row++) {
      const identity = new ByteReader(bytes.raw(bytes.varint()))
      const payload = new ByteReader(bytes.raw(bytes.varint() - 1))
      const key = readValue(identity)
      const count = readValue(payload) as number
      rows.set(nameOf(key), { key, count, record: readValue(payload) as Row })
      assert.ok(identity.isAtEnd && payload.isAtEnd)
    }
    assert.ok(bytes.isAtEnd)
  }
  return rows
}

function nameOf(key: unknown): string {
  return typeof key === 'number' ? String(key) : JSON.stringify(key)
}

type Step =
  | { readonly do: 'send'; readonly key: number; readonly form: number; readonly n: number }
  | { readonly do: 'begin'; readonly isFull: boolean }
  | { readonly do: 'advance'; readonly rows: number }
  | { readonly do: 'complete' | 'abort' | 'restore' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      key: fc.nat({ max: KEYS.length - 1 }),
      // Mostly of one form: another in every fourth record or so.
      form: fc.nat({ max: 15 }),
      n: fc.oneof(fc.integer({ min: -200, max: 200 }), fc.constantFrom(-0, 0.25, 2 ** 33, Number.NaN)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('begin' as const), isFull: fc.nat(4).map(n => n === 0) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), rows: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('complete' as const, 'complete' as const, 'abort' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const) }) },
)

interface Pending {
  readonly id: number
  readonly copy: ReadonlyMap<string, Kept>
  /** Undefined while it is being encoded. */
  part: PartSnapshot | undefined
}

class ModelRun {
  compared = 0
  private subject: Subject
  private model = new Map<string, Kept>()
  private newest: ReadonlyMap<string, Kept> = new Map()
  private pending: Pending[] = []
  private completed: PartSnapshot[] = []
  private id = 0
  private readonly aggregate: AggregateFunction<Row, unknown, Row>
  private readonly combine: (a: number, b: number) => number
  private readonly isKeyedByField: boolean

  constructor(
    aggregate: AggregateFunction<Row, unknown, Row>,
    combine: (a: number, b: number) => number,
    isKeyedByField: boolean,
  ) {
    this.aggregate = aggregate
    this.isKeyedByField = isKeyedByField
    this.combine = combine
    this.subject = new Subject(aggregate, isKeyedByField)
  }

  take(step: Step): void {
    switch (step.do) {
      case 'send':
        this.send(KEYS[step.key], FORMS[Math.max(0, step.form - 10)] as (typeof FORMS)[number], step.n)
        break
      case 'begin':
        if (this.running === undefined) {
          this.subject.part.begin(++this.id, step.isFull)
          this.pending.push({ id: this.id, copy: new Map(this.model), part: undefined })
        }
        break
      case 'advance':
        if (this.running !== undefined && this.subject.part.advance(step.rows))
          this.running.part = this.subject.part.take()
        break
      case 'complete':
        this.complete()
        break
      case 'abort':
        this.abort()
        break
      case 'restore':
        if (this.completed.length > 0) this.restore()
        break
    }
  }

  private send(key: unknown, form: (typeof FORMS)[number], n: number): void {
    const record = form(key, n)
    const before = this.model.get(nameOf(key))
    const kept: Kept =
      before === undefined
        ? { key, record, count: 1 }
        : {
            key: before.key,
            record: replaced(before.record, this.combine(before.record['n'] as number, n)),
            count: before.count + 1,
          }
    this.model.set(nameOf(key), kept)
    assert.deepEqual(this.subject.send(record), kept.record)
  }

  private get running(): Pending | undefined {
    return this.pending.find(({ part }) => part === undefined)
  }

  private complete(): void {
    const snapshot = this.pending[0]
    if (snapshot?.part === undefined) return
    this.pending.shift()
    this.subject.part.settle(snapshot.id, 'completed')
    this.completed.push(snapshot.part)
    this.newest = snapshot.copy
    assert.deepEqual(rowsOf(snapshotParts([this.restored().part], 1, true).parts[0] as PartSnapshot), this.newest)
    this.compared++
  }

  private abort(): void {
    const snapshot = this.pending.shift()
    if (snapshot !== undefined) this.subject.part.settle(snapshot.id, 'aborted')
  }

  private restore(): void {
    this.subject = this.restored()
    this.pending = []
    this.model = new Map(this.newest)
  }

  private restored(): Subject {
    const subject = new Subject(this.aggregate, this.isKeyedByField)
    restoreParts(
      [subject.part],
      this.completed.map(part => ({ parts: [part] })),
    )
    return subject
  }
}

function replaced(record: Row, n: number): Row {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(record) as object | null), record) as Record<
    string,
    unknown
  >
  if (Object.hasOwn(record, '__proto__'))
    Object.defineProperty(copy, '__proto__', { value: 'a field', enumerable: true, configurable: true, writable: true })
  copy['n'] = n
  return copy
}

describe('a rolling aggregation of a field', () => {
  for (const [name, aggregate, combine] of [
    ['sum', sumOf<Row>('n'), (a: number, b: number) => a + b],
    ['max', maxOf<Row>('n'), (a: number, b: number) => (a >= b || Number.isNaN(a) ? a : b)],
  ] as const) {
    test(`${name}: emits and restores what a plain map would hold, whatever form records have`, () => {
      let compared = 0
      fc.assert(
        fc.property(fc.array(step, { minLength: 30, maxLength: 150, size: 'max' }), steps => {
          const run = new ModelRun(aggregate, combine, compared % 2 === 0)
          for (const each of steps) run.take(each)
          compared += run.compared
        }),
        { numRuns: 3000, seed: 20_261_125 },
      )
      assert.ok(compared > 2000, `${compared} snapshots were compared`)
    })
  }

  test('holds a hundred thousand keys of any size, and finds each', () => {
    const subject = new Subject(sumOf<Row>('n'), true)
    const keys = Array.from({ length: 100_000 }, (_, i) => (i % 3 === 0 ? i * 1e9 : i % 3 === 1 ? -i : i / 7))
    for (const round of [1, 2, 3]) {
      for (const key of keys) assert.equal(subject.send({ key, n: 1 })?.['n'], round)
    }
  })

  test('fails on a field that is no number, and counts nothing of that record', () => {
    const subject = new Subject(sumOf<Row>('n'), true)
    subject.send({ key: 1, n: 1 })
    assert.throws(() => subject.send({ key: 1, n: '2' }), /FIELD_NOT_NUMBER/)
    assert.deepEqual(subject.send({ key: 1, n: 3 }), { key: 1, n: 4 })
  })
})
