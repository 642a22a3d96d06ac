// Counts the words of a text: `node examples/word-count.ts [FILE | --socket PORT]`. Without an argument it reads the shipped text.
// From a file it prints the 20 most frequent words at the end; from a socket, every count while lines arrive.
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DataStream, environment, StreamError } from 'millrace'

const TOP_WORDS = 20
const SHIPPED_TEXT = fileURLToPath(new URL('data/jargon-file.txt', import.meta.url))

interface WordCount {
  readonly word: string
  readonly count: number
}

/** Words are runs of letters, digits and apostrophes, in lower case; each update is a word with its count so far. */
function countWords(lines: DataStream<string>): DataStream<WordCount> {
  return lines
    .flatMap(line => line.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [])
    .map(word => ({ word, count: 1 }))
    .keyBy('word')
    .sum('count')
    .uid('count')
}

async function countFile(path: string): Promise<void> {
  const env = environment()
  const counts = new Map<string, number>()
  let words = 0
  countWords(env.readTextFile(path)).addSink(update => {
    counts.set(update.word, update.count)
    words++
  })
  const { durationMs } = await env.execute('word count')
  const byCount = [...counts].sort(([wordA, a], [wordB, b]) => b - a || (wordA < wordB ? -1 : 1))
  for (const [word, count] of byCount.slice(0, TOP_WORDS)) console.log(`${word} ${count}`)
  const rate = Math.round((words / Math.max(durationMs, 1)) * 1000)
  console.error(`\n${words} words, ${counts.size} different, in ${durationMs} ms: ${rate.toLocaleString('en')} words/s`)
  console.error(
    'Next: npm start -- FILE counts your own text; npm start -- --socket 9999 counts lines while they arrive',
  )
  console.error('(run `nc -lk 9999` first). The program is examples/word-count.ts; README.md shows how to write one.')
}

async function countSocket(port: number): Promise<void> {
  const env = environment()
  countWords(env.socketTextStream('localhost', port))
    .map(update => `${update.word} ${update.count}`)
    .print()
  const job = env.execute('word count of a socket')
  // The first Ctrl-C lets the counts under way be printed, the second ends the job at once.
  let signals = 0
  process.on('SIGINT', () => void (signals++ === 0 ? job.stop() : job.cancel()))
  const { status } = await job
  if (status !== 'finished') process.exitCode = 130
}

function portOf(text: string | undefined): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port
  throw new StreamError('OPTION_INVALID', `--socket ${text ?? ''}: give a port from 1 to 65535, such as --socket 9999`)
}

async function main(args: readonly string[]): Promise<void> {
  const [first, second] = args
  if (first === '--socket') await countSocket(portOf(second))
  else if (first?.startsWith('-') === true || args.length > 1) {
    throw new StreamError(
      'OPTION_INVALID',
      `unknown arguments ${args.join(' ')}; give a FILE, or --socket PORT, or nothing`,
    )
  } else await countFile(first === undefined ? SHIPPED_TEXT : resolve(process.env['INIT_CWD'] ?? '.', first))
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof StreamError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
