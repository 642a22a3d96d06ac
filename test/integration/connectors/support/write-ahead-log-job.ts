// The job of socket-write-ahead-log.test.ts, as a process to be killed: numbered lines from a socket into files that show each line once.
// It tells what it has seen, a line each, on standard output.
import { environment } from '../../../../src/entry/index.ts'

const [port, directory, intervalMs] = process.argv.slice(2)

const env = environment()
env.enableCheckpointing(Number(intervalMs))
env
  .socketTextStream('127.0.0.1', Number(port), {
    writeAheadLog: { directory: `${directory}/log`, segmentBytes: 4096, bytesMax: 65_536 },
  })
  .map(line => {
    process.stdout.write(`${line}\n`)
    return line
  })
  .writeToFiles(`${directory}/out`)
await env.execute('numbers', { directory: `${directory}/state` })
