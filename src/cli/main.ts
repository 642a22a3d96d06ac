#!/usr/bin/env node
// The command `millrace`: runs jobs, explains them, and looks after their snapshots. What it does is done in entry; here is how it is said.
import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { failureText } from '../entry/failure-text.ts'
import { parseParallelism } from '../entry/parallelism.ts'
import { parseInterval } from './checkpoint-interval.ts'
import { explainJob } from './explain-job.ts'
import { type RunJobOptions, runJob } from './run-job.ts'
import {
  type DiffCommandOptions,
  diffCommand,
  type InspectCommandOptions,
  inspectCommand,
  type SavepointCommandOptions,
  savepointCommand,
  stopCommand,
} from './snapshot-commands.ts'

interface JobOptions {
  readonly parallelism?: number
}

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const program = new Command('millrace')
  .description('A stream processor for TypeScript.')
  .version(version)
  .showHelpAfterError('(millrace --help shows the commands)')
  .addHelpText(
    'after',
    `
Exit codes: 0 at the end of the input, 1 on failure, 130 after Ctrl-C, 143 after SIGTERM. diff: 1 if state would be lost.

Examples:
  millrace run job.ts --parallelism 2
  millrace run job.ts -- input.txt
  millrace explain job.ts --json
  millrace run job.ts --dir state --checkpoint-interval 10000
  millrace savepoint state --to before-upgrade --stop
  millrace diff before-upgrade job.ts
  millrace run job.ts --dir state --from before-upgrade
  millrace inspect before-upgrade --operator counts --key '"ann"'`,
  )

/** A command that takes a job with its arguments and a parallelism. */
function jobCommand(name: string, description: string): Command {
  return withJob(program.command(name).description(description))
}

function withJob(command: Command): Command {
  return command
    .argument('<job>', 'a .ts or .js file that exports job(env, args), or a script that executes what it builds')
    .argument('[args...]', 'arguments of the job, after --')
    .option('-p, --parallelism <n>', 'subtasks of steps that do not say their own', text =>
      parseParallelism('--parallelism', text),
    )
}

/** An option that may be given several times. */
function repeated(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

const RENAME = [
  '--rename <old=new>',
  'the uid of a step in the snapshot and in the job (repeatable)',
  repeated,
] as const
const JOB_PLACE = 'the directory of a running job, or its name if that is in ./.millrace'

/**
 * Ends with the code. After a failure or a signal that is at once, whatever the job left open: nobody waits for it any more. At the end of
 * the input the process ends by itself, as under plain node.
 */
async function end(exitCode: number): Promise<void> {
  process.exitCode = exitCode
  if (exitCode === 0) return
  for (const stream of [process.stdout, process.stderr]) await new Promise<void>(done => stream.write('', () => done()))
  process.exit()
}

jobCommand('run', 'run a job until its input ends; Ctrl-C stops it gracefully, a second Ctrl-C at once')
  .option('-t, --threads <n>', 'worker threads of a job that a module exports', text =>
    parseParallelism('--threads', text),
  )
  .option('--no-progress', 'print nothing but what the job prints')
  .option('--dir <directory>', 'keep checkpoints there (./.millrace/NAME for a job that takes some)')
  .option('--storage <url>', 'keep snapshots elsewhere than in the directory: s3://bucket/prefix')
  .option(
    '--from <savepoint>',
    'start from a savepoint, at the `beginning`, or from the `last` checkpoint even if the job finished with it',
  )
  .option('--allow-unmapped', 'drop state of the snapshot that the job has nothing for')
  .option(...RENAME)
  .option('--checkpoint-interval <ms>', 'take a checkpoint each so many milliseconds', parseInterval)
  .action(async (job: string, args: readonly string[], options: RunJobOptions) => {
    await end(await runJob(job, args, options))
  })

jobCommand('explain', 'show how a job would run, without running it')
  .option('--json', 'as data instead of text')
  .action(async (job: string, args: readonly string[], options: JobOptions & { readonly json?: boolean }) => {
    await end(await explainJob(job, args, options))
  })

program
  .command('savepoint')
  .description('take a savepoint of a running job: a snapshot to keep, and to start from')
  .argument('<job>', JOB_PLACE)
  .option('--to <directory>', 'where it goes (savepoints/<id> in the directory of the job)')
  .addOption(new Option('--stop', 'end the job with it; what pends is in the savepoint').conflicts('drain'))
  .option('--drain', 'end the job with it; what pends fires as at the end of the input')
  .action(async (job: string, options: SavepointCommandOptions) => {
    await end(await savepointCommand(job, options))
  })

program
  .command('stop')
  .description('end a running job; started again in its directory it goes on')
  .argument('<job>', JOB_PLACE)
  .option('--drain', 'what pends fires as at the end of the input')
  .action(async (job: string, options: { readonly drain?: boolean }) => {
    await end(await stopCommand(job, options))
  })

program
  .command('inspect')
  .description('show what a snapshot holds; with a step, a state or a key: its rows, as JSON lines')
  .argument(
    '<snapshot>',
    'the directory of a savepoint or of a job (its newest checkpoint), or a file checkpoints/<id>.manifest',
  )
  .option('--operator <uid>', 'rows of this step')
  .option('--state <name>', 'rows of this state')
  .option('--key <json>', 'what is kept for this key')
  .option('--export <file>', 'write the rows to a file')
  .option('--json', 'as data instead of text')
  .action(async (place: string, options: InspectCommandOptions) => {
    await end(await inspectCommand(place, options))
  })

withJob(
  program
    .command('diff')
    .description('show what becomes of the state of a snapshot in a job')
    .argument('<snapshot>', 'as for inspect'),
)
  .option(...RENAME)
  .option('--json', 'as data instead of text')
  .action(async (place: string, job: string, args: readonly string[], options: DiffCommandOptions) => {
    await end(await diffCommand(place, job, args, options))
  })

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`${failureText(error, 'the command line')}\n`)
  process.exitCode = 1
}
