// A job that counts records by key and writes each count, and that gets into trouble where it is told to. Threads import it.
import { existsSync, writeFileSync } from 'node:fs'
import { fixedDelay, type StreamEnvironment } from '../../../../src/entry/index.ts'

/** What happens at a record; all but `always` once, which a file notes. */
export type Trouble = 'none' | 'throw' | 'always' | 'exit' | 'spin' | 'allocate'

/** What the job is told. */
export interface TroubledSettings {
  readonly trouble: Trouble
  /** The number of the record that it happens at; records at the same place of later rounds of so many are next. */
  readonly at: number
  /** A file of each trouble that happened begins with it. */
  readonly flag: string
  readonly output: string
  readonly records: number
  /** 0: as fast as it goes. */
  readonly recordsPerSecond: number
  readonly intervalMs: number
  readonly isUnaligned: boolean
  readonly alignmentTimeoutMs: number
  /** Turns of an empty loop for each record behind the exchange, so that channels fill. */
  readonly slowness: number
  /** Characters in each record that make it large, so that rings fill. */
  readonly padding: number
}

/** The records have so many keys. */
export const KEYS = 37

/** Where nothing else is said. */
export const CALM: Omit<TroubledSettings, 'flag' | 'output'> = {
  trouble: 'none',
  at: -1,
  records: 3000,
  recordsPerSecond: 0,
  intervalMs: 30,
  isUnaligned: false,
  alignmentTimeoutMs: Infinity,
  slowness: 0,
  padding: 0,
}

/** The settings as the one argument of the job. */
export function argumentOf(settings: TroubledSettings): string {
  return JSON.stringify({ ...settings, alignmentTimeoutMs: String(settings.alignmentTimeoutMs) })
}

/** The lines that the job writes, whatever happens. */
export function expectedLines(records: number): readonly string[] {
  return Array.from({ length: records }, (_, index) => `${index % KEYS} ${Math.floor(index / KEYS) + 1}`).toSorted()
}

/** `args`: the settings as JSON. */
export function job(env: StreamEnvironment, args: readonly string[]): void {
  const settings = JSON.parse(args[0] ?? '') as TroubledSettings
  const { records, recordsPerSecond, intervalMs, isUnaligned, slowness, padding, output } = settings
  const alignmentTimeoutMs = Number(settings.alignmentTimeoutMs)
  env.enableCheckpointing(intervalMs, isUnaligned ? { isUnaligned } : { alignmentTimeoutMs })
  env.setRestartStrategy(fixedDelay({ attempts: 1000, delayMs: 1 }))
  const rate = recordsPerSecond > 0 ? { recordsPerSecond } : {}
  env
    .generate(index => ({ index, key: index % KEYS, count: 1, pad: 'x'.repeat(padding) }), { count: records, ...rate })
    .uid('numbers')
    .map(record => {
      if (record.index === settings.at) getIntoTrouble(settings)
      return record
    })
    .name('trouble')
    .keyBy('key')
    .sum('count')
    .uid('counts')
    .map(({ key, count }) => {
      work(slowness)
      return `${key} ${count}`
    })
    .writeToFiles(output)
    .uid('out')
}

function getIntoTrouble({ trouble, flag, at }: TroubledSettings): void {
  if (trouble === 'none') return
  if (trouble !== 'always') {
    if (existsSync(flag)) return
    writeFileSync(flag, `${trouble} at ${at}`)
  }
  switch (trouble) {
    case 'throw':
    case 'always':
      throw new Error('the trouble of a test')
    case 'exit':
      process.exit(7)
      break
    case 'spin':
      for (;;) work(1000)
    default:
      allocate()
  }
}

function allocate(): void {
  const all: unknown[] = []
  for (;;) all.push(Array.from({ length: 10_000 }, (_, n) => ({ n })))
}

function work(turns: number): void {
  let sum = 0
  for (let turn = 0; turn < turns; turn++) sum += turn
  if (sum < 0) throw new Error('a sum of whole numbers from 0 is below 0')
}
