// What checkpoints cost: a keyed sum with one each second against the same without, in CPU seconds a record; the longest a snapshot kept a
// task from its records; and the bytes of a checkpoint beside the keys that changed. Each pass has a process of its own, the two of a
// pair run in turn, and the ratio is the median of the pairs.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DataStream, environment, seconds, value } from 'millrace'
import { nextState, pick } from './workloads.ts'

/** What is kept for a key: a number in a built-in accumulator, or an object in declared state. */
type Kept = 'accumulator' | 'object'

interface Setup {
  readonly kept: Kept
  readonly keys: number
  readonly records: number
  readonly checkpoints: boolean
}

interface Pass {
  readonly cpuSeconds: number
  readonly checkpoints: number
}

interface Reading {
  readonly key: number
  readonly value: number
}

async function pass({ kept, keys, records, checkpoints }: Setup): Promise<Pass> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const env = environment({ parallelism: 1 })
  if (checkpoints) env.enableCheckpointing(seconds(1))
  let state = 1
  let rows = 0
  let total = 0
  const keyed = env
    .generate(
      (): Reading => {
        state = nextState(state)
        return { key: pick(state, keys), value: 1 }
      },
      { count: records },
    )
    .keyBy('key')
  const sums: DataStream<Reading> =
    kept === 'accumulator'
      ? keyed.sum('value')
      : keyed.process({
          state: { sum: value(() => ({ key: 0, value: 0 })) },
          onRecord(reading, ctx, out) {
            const sum = ctx.state.sum.get()
            sum.key = reading.key
            sum.value += reading.value
            out.collect({ key: sum.key, value: sum.value })
          },
        })
  sums.addSink({
    open: () => ({
      write: sum => {
        rows++
        total += sum.value
      },
      close: () => {},
    }),
  })
  const before = process.cpuUsage()
  const job = env.execute('keyed sum', { directory })
  await job
  const { user, system } = process.cpuUsage(before)
  if (rows !== records || total < records)
    throw new Error(`${rows} rows with the total ${total}, expected ${records} rows`)
  const taken = checkpoints ? newestCheckpoint(directory) : 0
  rmSync(directory, { recursive: true })
  return { cpuSeconds: (user + system) / 1e6, checkpoints: taken }
}

function newestCheckpoint(directory: string): number {
  const names = readdirSync(join(directory, 'checkpoints'))
  return Math.max(...names.map(name => Number.parseInt(name, 10)).filter(Number.isFinite))
}

function passApart(setup: Setup): Pass {
  const args = [import.meta.filename, JSON.stringify(setup)]
  return JSON.parse(
    execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
  ) as Pass
}

/** Bytes of the checkpoints of a job in which so many of its keys change between two of them. */
async function bytesPerCheckpoint(keys: number, changedShares: readonly number[]): Promise<readonly number[]> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const env = environment({ parallelism: 1 })
  env.enableCheckpointing(seconds(3600))
  const sizes: number[] = []
  const phases = [keys, ...changedShares.map(share => Math.round(keys * share))]
  let open = (): void => {}
  async function* records(): AsyncGenerator<Reading> {
    for (const count of phases) {
      for (let key = 0; key < count; key++) yield { key, value: 1 }
      await new Promise<void>(resolve => {
        open = resolve
      })
    }
  }
  env
    .from(() => records())
    .keyBy('key')
    .sum('value')
    .addSink({ open: () => ({ write: () => {}, close: () => {} }) })
  const job = env.execute('changes', { directory })
  let before = 0
  for (const _ of phases) {
    await new Promise(resolve => setTimeout(resolve, 1500))
    await job.checkpoint()
    const bytes = readdirSync(join(directory, 'segments'))
      .map(name => statSync(join(directory, 'segments', name)).size)
      .reduce((sum, size) => sum + size, 0)
    sizes.push(bytes - before)
    before = bytes
    open()
  }
  await job.cancel()
  rmSync(directory, { recursive: true })
  return sizes
}

/** Measures and prints. */
export function reportCheckpoints(isQuick: boolean): void {
  console.log('\nCPU nanoseconds a record of a keyed sum, with a checkpoint each second and without.\n')
  console.log('| kept | keys | with | without | ratio | checkpoints | aim |')
  console.log('|---|---|---|---|---|---|---|')
  const share = isQuick ? 0.25 : 1
  const setups = [
    { kept: 'accumulator', keys: 1e4, records: 8e7 * share },
    { kept: 'accumulator', keys: 1e6, records: 3e7 * share },
    { kept: 'object', keys: 1e4, records: 6e7 * share },
    { kept: 'object', keys: 1e6, records: 2e7 * share },
  ] as const
  for (const setup of setups) {
    const pairs = Array.from({ length: isQuick ? 3 : 5 }, () => {
      const without = passApart({ ...setup, checkpoints: false })
      return { without, with: passApart({ ...setup, checkpoints: true }) }
    }).sort((a, b) => a.with.cpuSeconds / a.without.cpuSeconds - b.with.cpuSeconds / b.without.cpuSeconds)
    const median = pairs[pairs.length >> 1] as (typeof pairs)[number]
    const nanoseconds = ({ cpuSeconds }: Pass): string => ((cpuSeconds * 1e9) / setup.records).toFixed(0)
    const ratio = (median.with.cpuSeconds / median.without.cpuSeconds).toFixed(3)
    const aim = setup.kept === 'accumulator' ? '1.10' : 'reported'
    console.log(
      `| ${setup.kept} | ${setup.keys} | ${nanoseconds(median.with)} | ${nanoseconds(median.without)} | ${ratio} | ${median.with.checkpoints} | ${aim} |`,
    )
  }
  const sizes = execFileSync(process.execPath, [import.meta.filename, 'bytes'], { encoding: 'utf8' })
  console.log(`\n${sizes}`)
}

const [, , argument] = process.argv
if (process.argv[1] === import.meta.filename && argument !== undefined) {
  if (argument === 'bytes') {
    const sizes = await bytesPerCheckpoint(100_000, [0.5, 0.1, 0.01])
    console.log(
      `Bytes of a checkpoint of 100,000 keys: all ${sizes[0]}; 50 % changed ${sizes[1]}; 10 % ${sizes[2]}; 1 % ${sizes[3]}`,
    )
  } else console.log(JSON.stringify(await pass(JSON.parse(argument) as Setup)))
}
