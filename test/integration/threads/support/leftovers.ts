// A program that runs jobs in threads to each of their ends, and prints what is still open then. It must end by itself.
import { type JobHandle, run } from '../../../../src/entry/index.ts'

const JOBS_URL = new URL('./small-jobs.ts', import.meta.url)

function start(name: string, onStart: (handle: JobHandle) => void = () => {}): Promise<unknown> {
  return run(JOBS_URL, { args: [name], threads: 2, parallelism: 2, onStart }).then(
    ({ status }) => status,
    (error: { readonly code?: string }) => error.code,
  )
}

const endings = [
  await start('several regions'),
  await start('a region fails at once'),
  await start('another graph in each thread'),
  await start('a module that fails elsewhere'),
  await start('endless', handle => void handle.cancel()),
  await start('timers left behind'),
]
const open = process.getActiveResourcesInfo().filter(name => !/^(TTYWrap|PipeWrap|FSReqPromise)$/.test(name))
process.stdout.write(`${JSON.stringify({ endings, open })}\n`)
