// What windows cost beside each other: overlapping ones and sessions against tumbling ones of the same stream, in CPU seconds a record. Each pass has a
// process of its own, the two of a pair run in turn, and the ratio is the median of the pairs. The sums are known, so a wrong one ends the run.
import { execFileSync } from 'node:child_process'
import {
  environment,
  forMonotonousTimestamps,
  minutes,
  seconds,
  sessionWindows,
  slidingWindows,
  tumblingWindows,
} from 'millrace'
import { nextState, pick } from './workloads.ts'

const MINUTE = minutes(1)

const ASSIGNERS = {
  tumbling: tumblingWindows(MINUTE),
  sliding: slidingWindows(MINUTE, seconds(1)),
  sessions: sessionWindows(MINUTE),
} as const

type Windows = keyof typeof ASSIGNERS

/** A stream of records of random keys, evenly over event time. */
interface Stream {
  readonly records: number
  readonly keys: number
  readonly recordsPerMs: number
}

interface Comparison {
  readonly id: string
  readonly windows: Windows
  readonly stream: Stream
  readonly aim: number | undefined
}

function comparisons(isQuick: boolean): readonly Comparison[] {
  const share = isQuick ? 0.2 : 1
  const dense: Stream = { records: 1e7 * share, keys: 1000, recordsPerMs: 100 * share }
  return [
    { id: 'sliding 60 s / 1 s, 1e5 records/s', windows: 'sliding', stream: dense, aim: 1.5 },
    {
      id: 'sliding 60 s / 1 s, 1e3 records/s',
      windows: 'sliding',
      stream: { records: 1e6 * share, keys: 1000, recordsPerMs: 1 },
      aim: undefined,
    },
    {
      id: '1e5 open sessions',
      windows: 'sessions',
      stream: { records: 1e7 * share, keys: 1e5, recordsPerMs: 100 },
      aim: 3,
    },
  ]
}

/** One pass over the stream; returns its CPU seconds. */
async function pass(windows: Windows, { records, keys, recordsPerMs }: Stream): Promise<number> {
  const env = environment({ parallelism: 1 })
  let state = 1
  let sum = 0
  env
    .generate(
      () => {
        state = nextState(state)
        return { key: pick(state, keys), value: 1 }
      },
      { count: records, timestamp: (_record, index) => Math.floor(index / recordsPerMs) },
    )
    .assignTimestampsAndWatermarks(forMonotonousTimestamps())
    .keyBy('key')
    .window(ASSIGNERS[windows])
    .sum('value')
    .addSink({
      open: () => ({
        write: ({ value }) => {
          sum += value
        },
        close: () => {},
      }),
    })
  const before = process.cpuUsage()
  await env.execute(windows)
  const cpu = process.cpuUsage(before)
  const expected = records * (windows === 'sliding' ? 60 : 1)
  if (sum !== expected) throw new Error(`${windows}: the sum is ${sum}, expected ${expected}`)
  return (cpu.user + cpu.system) / 1e6
}

function passApart(windows: Windows, stream: Stream): number {
  const args = [import.meta.filename, windows, JSON.stringify(stream)]
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }))
}

/** Measures and prints the comparisons. */
export function reportWindows(isQuick: boolean): void {
  console.log('\nCPU nanoseconds a record, sum in windows; tumbling windows of 60 s over the same stream.\n')
  console.log('| windows | windows | tumbling | ratio | aim |')
  console.log('|---|---|---|---|---|')
  for (const { id, windows, stream, aim } of comparisons(isQuick)) {
    const pairs = Array.from({ length: isQuick ? 3 : 5 }, () => {
      const base = passApart('tumbling', stream)
      return { base, cpu: passApart(windows, stream) }
    }).sort((a, b) => a.cpu / a.base - b.cpu / b.base)
    const { base, cpu } = pairs[pairs.length >> 1] as (typeof pairs)[number]
    const nanoseconds = (cpuSeconds: number): string => ((cpuSeconds * 1e9) / stream.records).toFixed(0)
    const aimText = aim === undefined ? 'reported' : String(aim)
    console.log(`| ${id} | ${nanoseconds(cpu)} | ${nanoseconds(base)} | ${(cpu / base).toFixed(2)} | ${aimText} |`)
  }
}

const [, , windows, stream] = process.argv
if (process.argv[1] === import.meta.filename && windows !== undefined && stream !== undefined) {
  const parsed = JSON.parse(stream) as Stream
  await pass(windows as Windows, { ...parsed, records: Math.min(parsed.records, 200_000) })
  console.log(await pass(windows as Windows, parsed))
}
