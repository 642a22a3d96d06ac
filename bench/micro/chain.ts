// What a chain costs beside its functions: generator, steps and sink, one thread: `npm run build && node bench/micro/chain.ts`.
import { type DataStream, environment } from 'millrace'

const RECORDS = 5_000_000
const PASSES = 3

async function measureChain(name: string, steps: (numbers: DataStream<number>) => DataStream<number>): Promise<void> {
  let best = 0
  for (let pass = 0; pass < PASSES; pass++) {
    let sum = 0
    const env = environment()
    steps(env.generate(index => index, { count: RECORDS })).addSink(n => {
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

await measureChain('generator -> sink', numbers => numbers)
await measureChain('generator -> map -> sink', numbers => numbers.map(n => n + 1))
await measureChain('generator -> map -> filter -> map -> map -> sink', numbers =>
  numbers
    .map(n => n + 1)
    .filter(n => n > 0)
    .map(n => n + 1)
    .map(n => n + 1),
)
await measureChain('generator -> map => map -> sink (one exchange)', numbers =>
  numbers
    .map(n => n + 1)
    .map(n => n + 1)
    .disableChaining(),
)
