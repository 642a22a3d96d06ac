// The job module of these tests, which threads import: one case by its name, with a sink of callbacks or of files.
import { inspect } from 'node:util'
import type { StreamEnvironment } from '../../../../src/entry/index.ts'
import { environment } from '../../../../src/entry/index.ts'
import { collected } from './collected.ts'
import type { ThreadedCase } from './events.ts'
import { KEYED_CASES } from './keyed-cases.ts'
import { BATCH_CASES, RECORD_CASES } from './record-cases.ts'
import { WINDOW_CASES } from './window-cases.ts'

/** All cases. */
export const CASES: readonly ThreadedCase[] = [...RECORD_CASES, ...KEYED_CASES, ...WINDOW_CASES]

/** How often checkpoints are taken in the runs that take them. */
const CHECKPOINT_INTERVAL_MS = 50

/** True for cases that run with `runtimeMode: 'batch'`. */
export function isBatch(name: string): boolean {
  return BATCH_CASES.has(name)
}

/** `args`: the name of the case; `callback`, or the directory that files are written to; whether checkpoints are taken. */
export function job(given: StreamEnvironment, args: readonly string[]): void {
  const isOwn = isBatch(args[0] ?? '')
  const env = isOwn ? environment({ runtimeMode: 'batch' }) : given
  build(env, args)
  if (isOwn) env.execute('case')
}

/** Builds the case on the environment. */
export function build(env: StreamEnvironment, args: readonly string[]): void {
  const [name = '', sink = 'callback', checkpoints = 'false'] = args
  const found = CASES.find(candidate => candidate.name === name)
  if (found === undefined) throw new Error(`there is no case "${name}"`)
  if (checkpoints === 'true') env.enableCheckpointing(CHECKPOINT_INTERVAL_MS)
  const texts = found
    .build(env)
    .map(value =>
      inspect(value, { depth: null, maxArrayLength: null, sorted: true, breakLength: Infinity, compact: true }),
    )
  if (sink === 'callback') texts.addSink(text => void collected.push(text)).setParallelism(1)
  else texts.writeToFiles(sink)
}
