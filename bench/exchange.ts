// The exchange between two threads: records through codec and ring, in million records per CPU second of both sides. The receiver adds up
// a field, and a wrong sum ends the run. `npm run bench -- --only exchange`; the file is also the program of the sending thread.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { NODE_TEXT_DECODING } from '../src/platform/ring/node-text-decoding.ts'
import { createRingMemory, RECORDS_FRAME } from '../src/platform/ring/ring-memory.ts'
import { RingReader } from '../src/platform/ring/ring-reader.ts'
import { RingWriter } from '../src/platform/ring/ring-writer.ts'
import { createWakeMemory, ThreadWake } from '../src/platform/ring/thread-wake.ts'
import type { RecordColumns } from '../src/serde/record-codec/record-columns.ts'
import { RecordDecoder } from '../src/serde/record-codec/record-decoder.ts'
import { RecordEncoder } from '../src/serde/record-codec/record-encoder.ts'

const RING_BYTES = 1 << 18
const PREPARED_RECORDS = 1 << 14
const EPOCH = 1
const PATIENCE_MS = 60_000
const PASSES = 4

interface Kind {
  readonly name: string
  readonly record: (index: number) => unknown
  readonly amountOf: (record: never) => number
  /** Million records per CPU second. */
  readonly aim: number
}

const word = (index: number): string => String.fromCharCode(97 + (index % 26)).repeat(5 + (index % 4))

const KINDS: readonly Kind[] = [
  {
    name: '{ key: int, value: number }',
    record: index => ({ key: index, value: (index % 1000) + 0.5 }),
    amountOf: ({ value }: { value: number }) => value,
    aim: 20,
  },
  {
    name: '{ word: 5 to 8 letters, n }',
    record: index => ({ word: word(index), n: index % 1000 }),
    amountOf: ({ word, n }: { word: string; n: number }) => n + word.length,
    aim: 12,
  },
]

interface Setup {
  readonly kind: number
  readonly batchRecords: number
  readonly records: number
  readonly ring: SharedArrayBuffer
  readonly senderWake: SharedArrayBuffer
  readonly receiverWake: SharedArrayBuffer
}

/** The batches that the sender sends again and again; their records number PREPARED_RECORDS. */
function prepare({ kind, batchRecords }: Setup): readonly RecordColumns[] {
  const { record } = KINDS[kind] as Kind
  return Array.from({ length: Math.floor(PREPARED_RECORDS / batchRecords) }, (_, batch) => {
    const values: unknown[] = []
    for (let i = 0; i < batchRecords; i++) values.push(record(batch * batchRecords + i))
    return { values, timestamps: undefined, keys: undefined, retractions: undefined }
  })
}

/** The sending thread: one pass for each message. */
function serve(setup: Setup): void {
  const batches = prepare(setup)
  const encoder = new RecordEncoder('exchange')
  const writer = new RingWriter({
    memory: setup.ring,
    epoch: EPOCH,
    ownWake: new ThreadWake(setup.senderWake),
    otherWake: new ThreadWake(setup.receiverWake),
  })
  parentPort?.on('message', () => {
    const count = setup.records / setup.batchRecords
    for (let sent = 0; sent < count; sent++) {
      const frame = encoder.encode(batches[sent % batches.length] as RecordColumns)
      while (!writer.tryWrite(RECORDS_FRAME, frame)) writer.waitForRoomSync(PATIENCE_MS)
    }
  })
  parentPort?.postMessage('ready')
}

function receive(reader: RingReader, decoder: RecordDecoder, { kind, records }: Setup): number {
  const { amountOf } = KINDS[kind] as Kind
  let sum = 0
  for (let received = 0; received < records; ) {
    const frame = reader.tryRead()
    if (frame === undefined) {
      if (!reader.waitForDataSync(PATIENCE_MS)) throw new Error(`nothing came for ${PATIENCE_MS} ms`)
      continue
    }
    const { values } = decoder.decode(frame)
    for (let i = 0; i < values.length; i++) sum += amountOf(values[i] as never)
    received += values.length
  }
  return sum
}

/** What the receiver must come to. */
function expectedSum(setup: Setup): number {
  const { amountOf } = KINDS[setup.kind] as Kind
  const batches = prepare(setup)
  const sums = batches.map(({ values }) => values.reduce<number>((sum, record) => sum + amountOf(record as never), 0))
  let sum = 0
  for (let sent = 0; sent < setup.records / setup.batchRecords; sent++) sum += sums[sent % sums.length] as number
  return sum
}

interface Rates {
  /** Million records per CPU second of both threads. */
  readonly cpu: number
  readonly wall: number
}

/** The best of some passes after a warm-up, between this thread and one of its own. */
async function measureExchange(kind: number, batchRecords: number, passRecords: number): Promise<Rates> {
  const setup: Setup = {
    kind,
    batchRecords,
    records: Math.floor(passRecords / PREPARED_RECORDS) * PREPARED_RECORDS,
    ring: createRingMemory(RING_BYTES, EPOCH),
    senderWake: createWakeMemory(),
    receiverWake: createWakeMemory(),
  }
  const worker = new Worker(new URL(import.meta.url), { workerData: setup })
  await once(worker, 'message')
  const reader = new RingReader({
    memory: setup.ring,
    epoch: EPOCH,
    ownWake: new ThreadWake(setup.receiverWake),
    otherWake: new ThreadWake(setup.senderWake),
  })
  const decoder = new RecordDecoder({ texts: NODE_TEXT_DECODING })
  const expected = expectedSum(setup)
  let best: Rates = { cpu: 0, wall: 0 }
  for (let pass = 0; pass < PASSES; pass++) {
    const cpuBefore = process.cpuUsage()
    const wallBefore = performance.now()
    worker.postMessage('pass')
    const sum = receive(reader, decoder, setup)
    const wallUs = (performance.now() - wallBefore) * 1000
    const { user, system } = process.cpuUsage(cpuBefore)
    if (sum !== expected) throw new Error(`exchange ${KINDS[kind]?.name}: the sum is ${sum}; expected ${expected}`)
    const cpu = setup.records / (user + system)
    if (pass > 0 && cpu > best.cpu) best = { cpu, wall: setup.records / wallUs }
  }
  await worker.terminate()
  return best
}

/** Prints a table of the rates by kind of record and size of batch. */
export async function reportExchange(isQuick: boolean): Promise<void> {
  console.log(
    'Exchange between two threads, million records per CPU second of both sides (and per second of the clock).\n',
  )
  console.log('| records | batches of 1 | 16 | 256 | aim |')
  console.log('|---|---|---|---|---|')
  for (let kind = 0; kind < KINDS.length; kind++) {
    const { name, aim } = KINDS[kind] as Kind
    const cells: string[] = []
    for (const batchRecords of [1, 16, 256]) {
      const passRecords = (isQuick ? 4e6 : 20e6) * (batchRecords === 256 ? 1 : batchRecords === 16 ? 0.5 : 0.1)
      const { cpu, wall } = await measureExchange(kind, batchRecords, passRecords)
      cells.push(`${cpu.toFixed(1)} (${wall.toFixed(1)})`)
    }
    console.log(`| ${name} | ${cells.join(' | ')} | ${aim} |`)
  }
}

if (!isMainThread && workerData !== null && 'ring' in workerData) serve(workerData as Setup)
