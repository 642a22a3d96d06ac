// The counting job as a process of its own: it takes a checkpoint, says so on standard output, and then waits to be killed.
import { startCounting } from './counting-job.ts'

const run = startCounting(process.argv[2] as string)
await run.source.readUpTo(20)
await run.handle.checkpoint()
process.stdout.write('ready\n')
// Standard input stays open as long as whoever started it lives.
process.stdin.resume()
process.stdin.once('end', () => process.exit(1))
await run.handle
