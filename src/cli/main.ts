#!/usr/bin/env node
// The command `millrace`: runs jobs and explains them. It does nothing that run() and explain() cannot do from a program.
import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { StreamError } from '../base/errors.ts'
import { millraceOf } from './millrace-of.ts'
import { runJob } from './run-job.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

function wholeNumber(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 1) return number
  throw new InvalidArgumentError(`${text} is not a whole number from 1.`)
}

const program = new Command('millrace')
  .description('A stream processor for TypeScript.')
  .version(version)
  .showHelpAfterError('(millrace --help shows the commands)')

program
  .command('run')
  .description('run a job until its input ends; Ctrl-C stops it gracefully, a second Ctrl-C at once')
  .argument('<job>', 'a .ts or .js file that exports job(env, args), or a script that executes what it builds')
  .argument('[args...]', 'arguments of the job, after --')
  .option('-p, --parallelism <n>', 'subtasks of steps that do not say their own', wholeNumber)
  .option('--no-progress', 'print nothing but what the job prints')
  .action(async (job: string, args: readonly string[], options: { parallelism?: number; progress: boolean }) => {
    process.exitCode = await runJob(job, args, options)
  })

program
  .command('explain')
  .description('show how a job would run, without running it')
  .argument('<job>', 'as for run')
  .argument('[args...]', 'arguments of the job, after --')
  .option('-p, --parallelism <n>', 'subtasks of steps that do not say their own', wholeNumber)
  .option('--json', 'as data instead of text')
  .action(async (job: string, args: readonly string[], options: { parallelism?: number; json?: boolean }) => {
    const { explain } = await millraceOf(job)
    process.argv = [process.execPath, job, ...args]
    const { text, json } = await explain(job, { args, parallelism: options.parallelism })
    console.log(options.json === true ? JSON.stringify(json, null, 2) : text)
  })

/** A StreamError of the job's own copy of millrace is not an instance of ours, but it has a code. */
function messageOf(error: unknown): string {
  const isCoded = error instanceof StreamError || (error instanceof Error && error.name === 'StreamError')
  if (isCoded) return (error as Error).message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
