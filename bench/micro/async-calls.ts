// What an asynchronous call costs beside what it waits for: `npm run build && node bench/micro/async-calls.ts`.
import { type AsyncOptions, environment } from 'millrace'

const RECORDS = 500_000
const PASSES = 3

type Options = AsyncOptions<number, number, never>

async function measureCalls(
  name: string,
  call: (n: number) => Promise<number> | number,
  options: Options,
): Promise<void> {
  let best = 0
  for (let pass = 0; pass < PASSES; pass++) {
    let sum = 0
    const env = environment()
    env
      .generate(index => index, { count: RECORDS })
      .mapAsync(call, options)
      .addSink(n => {
        sum += n
      })
    const before = process.cpuUsage()
    await env.execute(name)
    const { user, system } = process.cpuUsage(before)
    if (sum <= 0) throw new Error('the sink got nothing')
    best = Math.max(best, RECORDS / (user + system))
  }
  console.log(`${name.padEnd(48)} ${best.toFixed(2)} M records per CPU second`)
}

const resolved = async (n: number): Promise<number> => n

await measureCalls('values, no promise', n => n, { timeoutMs: Infinity })
await measureCalls('resolved promises, ordered, no timeout', resolved, { timeoutMs: Infinity })
await measureCalls('resolved promises, ordered, timeout 60 s', resolved, {})
await measureCalls('resolved promises, unordered, timeout 60 s', resolved, { order: 'unordered' })
await measureCalls('resolved promises, ordered, capacity 10,000', resolved, { capacity: 10_000 })
