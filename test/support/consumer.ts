// A user's folder: made as the README says, with the packed package installed from its tarball. Tests run programs in
// it and see what a user sees, not the sources.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { npmCommand } from '../../scripts/launcher/npm.mjs'
import { type AfterHook, ROOT, temporaryFolder } from './project.ts'

/** How a process ended and what it printed. */
export interface ProcessResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** How to start a process; `timeoutMs` ends one that hangs (a minute unless given). */
export interface ProcessOptions {
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 60_000

/** Runs a program to its end. Its environment has none of what npm hands to the scripts of this project. */
export function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env = {}, input = '', timeoutMs = TIMEOUT_MS }: ProcessOptions,
): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...plainEnvironment(), ...env },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', chunk => {
      stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', chunk => {
      stderr += chunk
    })
    // A program that ends without reading its input is no mistake here.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

/** A user's shell: neither npm's settings for this project nor those of the test runner. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|MILLRACE_|NODE_TEST|INIT_CWD$|NODE_OPTIONS$)/i.test(name) || name === 'npm_config_cache',
  )
  return Object.fromEntries(kept)
}

async function npm(args: readonly string[], cwd: string): Promise<string> {
  const { command, args: first } = npmCommand()
  // Under Node 20's configuration or any other, a warning of npm's own is no failure: the exit code decides.
  const { code, stdout, stderr } = await runProgram(command, [...first, ...args], { cwd, timeoutMs: 120_000 })
  if (code !== 0) throw new Error(`npm ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
  return stdout
}

/** The packed package. */
export interface Tarball {
  readonly path: string
  /** The files in it, relative to the package's folder. */
  readonly files: readonly string[]
  readonly unpackedBytes: number
}

/** Packs the project as `npm publish` would, into a temporary folder. It packs dist as it is: build first. */
export async function packProject(scope: AfterHook): Promise<Tarball> {
  const folder = temporaryFolder(scope)
  const listing = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], ROOT)
  const [packed] = JSON.parse(listing) as [{ filename: string; unpackedSize: number; files: { path: string }[] }]
  return {
    path: join(folder, packed.filename),
    files: packed.files.map(file => file.path),
    unpackedBytes: packed.unpackedSize,
  }
}

/** A user's folder with the package installed. */
export class Consumer {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /** Writes a file of the user's. */
  write(file: string, text: string): void {
    const path = join(this.folder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }

  /** Runs `node` with the arguments; `node` is the one that runs the tests unless given. */
  node(
    args: readonly string[],
    options: Partial<ProcessOptions> & { readonly node?: string } = {},
  ): Promise<ProcessResult> {
    return runProgram(options.node ?? process.execPath, args, { ...options, cwd: options.cwd ?? this.folder })
  }

  /** Runs `millrace` with the arguments, through the file that its package names as the command. */
  millrace(
    args: readonly string[],
    options: Partial<ProcessOptions> & { readonly node?: string } = {},
  ): Promise<ProcessResult> {
    const installed = join(this.folder, 'node_modules', 'millrace')
    const { bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { bin: { millrace: string } }
    return this.node([join(installed, bin.millrace), ...args], options)
  }

  /** Runs `npx` with the arguments. It fetches nothing: what is not installed is an error. */
  npx(args: readonly string[]): Promise<ProcessResult> {
    const { command, args: first } = npmCommand()
    return runProgram(command, [...first, 'exec', '--no', '--', ...args], { cwd: this.folder })
  }
}

/** Makes a user's folder with `npm init -y` and `npm pkg set type=module`, and installs the tarball without scripts. */
export async function makeConsumer(
  scope: AfterHook,
  tarball: Tarball,
  options: { readonly omitOptional?: boolean } = {},
): Promise<Consumer> {
  // npm takes the folder's name as the package's, and a temporary one may not be a valid name.
  const folder = join(temporaryFolder(scope), 'consumer')
  mkdirSync(folder)
  await npm(['init', '-y'], folder)
  await npm(['pkg', 'set', 'type=module'], folder)
  const omit = options.omitOptional ? ['--omit=optional'] : []
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  await npm(['install', tarball.path, '--ignore-scripts', ...omit, ...quiet], folder)
  return new Consumer(folder)
}
