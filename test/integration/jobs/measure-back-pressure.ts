// Measures how far an unbounded generator gets ahead of a sink of a given rate. Run by itself it prints the measurement:
// `node --expose-gc test/integration/jobs/measure-back-pressure.ts [seconds]`.
import { environment } from '../../../src/entry/index.ts'

/** What was seen. */
export interface BackPressureMeasurement {
  readonly emitted: number
  readonly consumed: number
  readonly samples: number
  /** The largest number of records emitted and not yet consumed. */
  readonly aheadPeak: number
  readonly capacityRecords: number
  /** Growth of the heap after garbage collection from the first second on; undefined without --expose-gc. */
  readonly heapGrowthBytes: number | undefined
}

/** Runs the job for the given time of the wall clock. */
export async function measureBackPressure(init: {
  readonly seconds: number
  readonly sinkRecordsPerSecond: number
}): Promise<BackPressureMeasurement> {
  let emitted = 0
  let consumed = 0
  const sink = pacedSink(init.sinkRecordsPerSecond, () => consumed++)
  const env = environment({ parallelism: 1 })
  env
    .generate(index => {
      emitted++
      return { index, text: `record ${index}` }
    })
    .map(record => record)
    .disableChaining()
    .addSink(sink)
  const job = env.execute('back-pressure')
  const endMs = performance.now() + init.seconds * 1000
  let samples = 0
  let aheadPeak = 0
  let heapFirst: number | undefined
  while (performance.now() < endMs) {
    await new Promise(resolve => setTimeout(resolve, 20))
    samples++
    const channels = job.metrics().edges.length
    aheadPeak = Math.max(aheadPeak, (emitted - consumed) / Math.max(channels, 1))
    if (samples % 50 === 0) heapFirst ??= heapAfterCollection()
  }
  const { edges } = job.metrics()
  const heapLast = heapAfterCollection()
  await job.cancel()
  return {
    emitted,
    consumed,
    samples,
    aheadPeak,
    capacityRecords: edges[0]?.capacityRecords ?? 0,
    heapGrowthBytes: heapFirst === undefined || heapLast === undefined ? undefined : heapLast - heapFirst,
  }
}

/** Takes what is due, then waits: the rate holds over time. */
function pacedSink(recordsPerSecond: number, onRecord: () => void): () => void | Promise<void> {
  const startedMs = performance.now()
  let taken = 0
  return () => {
    onRecord()
    taken++
    const dueMs = startedMs + (taken / recordsPerSecond) * 1000
    const waitMs = dueMs - performance.now()
    return waitMs <= 0 ? undefined : new Promise(resolve => setTimeout(resolve, waitMs))
  }
}

function heapAfterCollection(): number | undefined {
  const { gc } = globalThis as { gc?: () => void }
  if (gc === undefined) return undefined
  gc()
  return process.memoryUsage().heapUsed
}

if (process.argv[1] === import.meta.filename) {
  const measured = await measureBackPressure({ seconds: Number(process.argv[2] ?? 20), sinkRecordsPerSecond: 1000 })
  console.log(`channel capacity ${measured.capacityRecords} records`)
  console.log(
    `emitted ${measured.emitted}, consumed ${measured.consumed}, furthest ahead per channel ${measured.aheadPeak} (${measured.samples} samples)`,
  )
  if (measured.heapGrowthBytes !== undefined)
    console.log(`heap growth after collection ${(measured.heapGrowthBytes / 1048576).toFixed(2)} MiB`)
}
