// What making watermarks costs beside a chain, one thread, by where they are made and when: `npm run build && node bench/micro/timestamps.ts`.
import { type DataStream, environment, forMonotonousTimestamps, type StreamEnvironment } from 'millrace'

const RECORDS = 5_000_000
const PASSES = 3

async function measureTime(name: string, read: (env: StreamEnvironment) => DataStream<number>): Promise<void> {
  let best = 0
  for (let pass = 0; pass < PASSES; pass++) {
    let sum = 0
    const env = environment({ parallelism: 1 })
    read(env).addSink(n => {
      sum += n
    })
    const before = process.cpuUsage()
    await env.execute(name)
    const { user, system } = process.cpuUsage(before)
    if (sum <= 0) throw new Error('the sink got nothing')
    best = Math.max(best, RECORDS / (user + system))
  }
  console.log(`${name.padEnd(48)} ${best.toFixed(1)} M records per CPU second`)
}

const generate = (index: number): number => index
const timestamp = (n: number): number => n

await measureTime('no time', env => env.generate(generate, { count: RECORDS }))
await measureTime('a step, after each batch', env =>
  env.generate(generate, { count: RECORDS }).assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp })),
)
await measureTime('a step, after each record', env =>
  env
    .generate(generate, { count: RECORDS })
    .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp, emit: 'per-record' })),
)
await measureTime('a step, every 200 ms', env =>
  env
    .generate(generate, { count: RECORDS })
    .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp, emit: { everyMs: 200 } })),
)
await measureTime('a source, per split', env =>
  env.generate(generate, { count: RECORDS, watermarks: forMonotonousTimestamps({ timestamp }) }),
)
await measureTime('a source, per split, aligned', env =>
  env.generate(generate, {
    count: RECORDS,
    watermarks: forMonotonousTimestamps({ timestamp, alignment: { group: 'all', maxDriftMs: 1000 } }),
  }),
)
