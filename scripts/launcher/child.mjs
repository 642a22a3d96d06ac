// @ts-check
// Child processes of the launcher: output passed through or kept for the case of failure, signals passed on,
// exit codes as a shell reports them. It decides nothing about what is run.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

const FORWARDED = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])
/** One Ctrl-C reaches this process from the terminal and once more from npm, within a few ms; the child gets one. */
const SAME_SIGNAL_MS = 300

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set()
/** @type {Map<string, number>} */
const lastSignalAt = new Map()

/**
 * The exit code a shell reports for a process that a signal ended.
 * @param {NodeJS.Signals} signal
 */
export function signalExitCode(signal) {
  return 128 + (constants.signals[signal] || 0)
}

/** Passes the signals that end a program on to the running children; with none running, the process ends at once. */
export function forwardSignals() {
  process.on('exit', () => {
    for (const child of children) child.kill()
  })
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      if (children.size === 0) process.exit(signalExitCode(signal))
      const now = Date.now()
      const isRepeat = now - (lastSignalAt.get(signal) || 0) < SAME_SIGNAL_MS
      lastSignalAt.set(signal, now)
      // A Windows console delivers Ctrl-C to every process itself, and kill() there is never graceful.
      if (isRepeat || process.platform === 'win32') return
      for (const child of children) child.kill(signal)
    })
  }
}

/**
 * Runs a command to its end.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, quiet?: boolean, shell?: boolean }} options
 *   `quiet` keeps the output back and returns it, for the caller to show on failure.
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(command, args, options) {
  return new Promise(resolve => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env || process.env,
      shell: options.shell || false,
      stdio: options.quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      // A terminal sends Ctrl-C to a whole group. In a group of its own the child gets only what is passed on: a program
      // that stops gracefully at the first signal, and at once at the second, must not get two.
      detached: process.platform !== 'win32',
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) stream.on('data', chunk => (output += chunk))
    }
    children.add(child)
    child.on('error', error => {
      children.delete(child)
      resolve({ code: 127, output: `${command}: ${error.message}\n` })
    })
    child.on('close', (code, signal) => {
      children.delete(child)
      resolve({ code: signal ? signalExitCode(signal) : (code ?? 1), output })
    })
  })
}
