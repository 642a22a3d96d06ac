// @ts-check
// How npm is called: always with the Node that runs now, never with an older one that npm's own first line would pick.
import { run } from './child.mjs'

/**
 * The command that starts npm: under `npm start` and `npm test`, npm's own program with the present Node.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {{ command: string, args: string[], shell: boolean }}
 */
export function npmCommand(env = process.env) {
  const program = env.npm_execpath
  if (program && /npm-cli\.c?js$/.test(program)) return { command: process.execPath, args: [program], shell: false }
  return { command: 'npm', args: [], shell: process.platform === 'win32' }
}

/**
 * Runs npm quietly and returns its exit code and output.
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 */
export function npm(args, options) {
  const { command, args: first, shell } = npmCommand()
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']
  return run(command, [...first, ...args, ...quiet], { ...options, quiet: true, shell })
}
