// What the golden job of format 1 reads, and where it writes. Nothing here may change: the snapshots beside it were taken of it.
import type { StreamEnvironment } from '../../../../src/api/datastream/environment.ts'
import type { DataStream } from '../../../../src/api/datastream/streams.ts'
import { Prng } from '../../../../src/base/prng.ts'
import type { PreparedTransaction, Sink, TransactionalWriter, WriterContext } from '../../../../src/model/connector.ts'
import type { Key } from '../../../../src/model/key.ts'
import { pacedSource } from '../../../../src/testing/simulation/paced-source.ts'
import { forBoundedOutOfOrderness, forMonotonousTimestamps } from '../../../../src/time/watermark-strategies.ts'

/** A record of the input. */
export interface Event {
  readonly n: number
  /** Which key it has, from 0. */
  readonly k: number
  /** Event time, ms. */
  readonly at: number
}

/** A key of every type, and of types within types. */
export const KEYS: readonly Key[] = [
  '',
  'ann',
  'ünï😀',
  0,
  -1.5,
  1e300,
  Infinity,
  2 ** 40,
  true,
  false,
  null,
  12n,
  -(2n ** 70n),
  new Uint8Array([0, 1, 255]),
  ['ann', 7],
  [],
  { city: 'Cork', tags: ['a', null] },
]

const STEP_MS = 5

interface Draw {
  readonly salt: number
  readonly count?: number
  readonly keys?: number
  readonly disorderMs?: number
}

function drawEvents({ salt, count = 40, keys = KEYS.length, disorderMs = 0 }: Draw): readonly Event[] {
  const prng = new Prng(salt)
  return Array.from({ length: count }, (_, n): Event => {
    const backMs = disorderMs === 0 ? 0 : prng.below(prng.below(8) === 0 ? disorderMs * 5 : disorderMs)
    return { n, k: prng.below(keys), at: Math.max(0, n * STEP_MS - backMs) }
  })
}

const paced = (events: readonly Event[]) => events.map(value => ({ value, timestamp: value.at }))

/** One split in order, with a watermark after each event. */
export function readInOrder(env: StreamEnvironment, name: string, draw: Draw): DataStream<Event> {
  return env
    .addSource(pacedSource([paced(drawEvents(draw))], { recordsPerMs: 1 }), { isBounded: true, hasTimestamps: true })
    .uid(`source ${name}`)
    .setParallelism(1)
    .assignTimestampsAndWatermarks(forMonotonousTimestamps<Event>({ timestamp: event => event.at, emit: 'per-record' }))
    .uid(`time ${name}`)
    .setParallelism(1)
}

/** One split out of order, with a watermark after each event: what is late is late in every run. */
export function readOutOfOrder(env: StreamEnvironment, name: string, draw: Draw): DataStream<Event> {
  const strategy = forBoundedOutOfOrderness<Event>(12, { timestamp: event => event.at, emit: 'per-record' })
  return env
    .addSource(pacedSource([paced(drawEvents({ ...draw, disorderMs: 15 }))], { recordsPerMs: 1 }), {
      isBounded: true,
      hasTimestamps: true,
    })
    .uid(`source ${name}`)
    .setParallelism(1)
    .assignTimestampsAndWatermarks(strategy)
    .uid(`time ${name}`)
    .setParallelism(1)
}

/** Three splits, of which one is at its end long before the others. */
export function readSplits(env: StreamEnvironment, name: string): DataStream<Event> {
  const splits = [3, 40, 40].map((count, index) => paced(drawEvents({ salt: 20 + index, count })))
  return env
    .addSource(pacedSource(splits, { recordsPerMs: 1 }), { isBounded: true, hasTimestamps: true })
    .uid(`source ${name}`)
}

/** Any value as a text of its own: what differs in type differs in text. */
export function text(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (typeof value === 'bigint') return `${value}n`
  if (Object.is(value, -0)) return '-0'
  if (Array.isArray(value)) return `[${value.map(text).join(' ')}]`
  if (value instanceof Date) return `date ${value.getTime()}`
  if (value instanceof Uint8Array) return `bytes ${value.join(' ')}`
  if (value instanceof Set) return `set ${text([...value])}`
  if (value instanceof Map) return `map ${text([...value])}`
  if (typeof value !== 'object' || value === null) return String(value)
  return `{${Object.entries(value)
    .map(([name, field]) => `${name} ${text(field)}`)
    .join(' ')}}`
}

interface LedgerTransaction {
  readonly id: string
  readonly records: readonly string[]
}

/** A transactional sink whose snapshots hold the records themselves, so that they need nothing else to be committed. */
export class Ledger {
  readonly committed: string[] = []
  readonly sink: Sink<string> = { open: context => new LedgerWriter(this, context) }
  /** Tells its transactions from those of other ledgers. */
  readonly name: string
  private readonly ids = new Set<string>()

  constructor(name: string) {
    this.name = name
  }

  commit({ id, records }: LedgerTransaction): void {
    if (this.ids.has(id)) return
    this.ids.add(id)
    this.committed.push(...records)
  }
}

class LedgerWriter implements TransactionalWriter<string, LedgerTransaction> {
  private readonly ledger: Ledger
  private readonly context: WriterContext
  private records: string[] = []
  private begun = 0

  constructor(ledger: Ledger, context: WriterContext) {
    this.ledger = ledger
    this.context = context
  }

  recover(prepared: readonly PreparedTransaction<LedgerTransaction>[]): void {
    for (const transaction of prepared) this.commit(transaction)
  }

  begin(): void {
    this.records = []
    this.begun++
  }

  write(record: string): void {
    this.records.push(record)
  }

  prepare(snapshotId: number): LedgerTransaction | undefined {
    if (this.records.length === 0) return undefined
    const { attempt, subtaskIndex } = this.context
    return { id: `${this.ledger.name}/${snapshotId}/${attempt}/${subtaskIndex}/${this.begun}`, records: this.records }
  }

  commit({ transaction }: PreparedTransaction<LedgerTransaction>): void {
    this.ledger.commit(transaction)
  }

  close(): void {}
}
