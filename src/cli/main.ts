#!/usr/bin/env node
// The command `millrace`: runs jobs and explains them. It does nothing that run() and explain() cannot do from a program.
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { failureText } from '../entry/failure-text.ts'
import { parseParallelism } from '../entry/parallelism.ts'
import { explainJob } from './explain-job.ts'
import { runJob } from './run-job.ts'

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
Exit codes: 0 at the end of the input, 1 on failure, 130 after Ctrl-C, 143 after SIGTERM.

Examples:
  millrace run job.ts --parallelism 2
  millrace run job.ts -- input.txt
  millrace explain job.ts --json`,
  )

/** A command that takes a job with its arguments and a parallelism. */
function jobCommand(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .argument('<job>', 'a .ts or .js file that exports job(env, args), or a script that executes what it builds')
    .argument('[args...]', 'arguments of the job, after --')
    .option('-p, --parallelism <n>', 'subtasks of steps that do not say their own', text =>
      parseParallelism('--parallelism', text),
    )
}

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
  .option('--no-progress', 'print nothing but what the job prints')
  .action(async (job: string, args: readonly string[], options: JobOptions & { readonly progress: boolean }) => {
    await end(await runJob(job, args, options))
  })

jobCommand('explain', 'show how a job would run, without running it')
  .option('--json', 'as data instead of text')
  .action(async (job: string, args: readonly string[], options: JobOptions & { readonly json?: boolean }) => {
    await end(await explainJob(job, args, options))
  })

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`${failureText(error, 'the command line')}\n`)
  process.exitCode = 1
}
