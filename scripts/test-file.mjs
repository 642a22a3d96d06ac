// @ts-check
// Runs one node:test file in a process of its own and turns its events into a verdict. A file that crashes, hangs,
// ends early or holds no test has failed, whatever its tests said.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** @typedef {{ name: string, file?: string, line?: number, detail: string }} Failure */
/** @typedef {{ name: string, line: number, reason: string }} Skip */
/** @typedef {{ passed: number, failures: Failure[], skips: Skip[], notes: string[], output: string }} FileResult */
/**
 * @typedef {{ type: 'test:dequeue' | 'test:pass' | 'test:fail' | 'test:diagnostic' | 'end', name: string, nesting: number,
 *   isSuite: boolean, file?: string, line: number, skip?: string | boolean, todo?: string | boolean,
 *   message?: string, error?: { failureType: string, text: string } }} TestEvent
 */
/** @typedef {{ code: number | null, signal: string | null, isTimeout: boolean, output: string }} Ending */
/** @typedef {{ cwd: string, scratch: string, timeoutMs: number, isCi: boolean }} FileOptions */

const REPORTER = new URL('./test-events.mjs', import.meta.url).href
/** A file that prints without end must not fill the memory of the runner. */
const OUTPUT_CHARS_MAX = 64 * 1024

/** @type {Set<number>} */
const running = new Set()
let fileCount = 0

/** Ends the test files that are running, with all the processes they started. */
export function killRunningFiles() {
  for (const pid of running) killGroup(pid)
}

/**
 * @param {string} file
 * @param {FileOptions} options
 * @returns {Promise<FileResult>}
 */
export async function runFile(file, options) {
  const eventsFile = join(options.scratch, `${fileCount++}.events`)
  const ending = await runToEnd(file, eventsFile, options)
  return judge(readEvents(eventsFile), ending, options)
}

/**
 * @param {string} file
 * @param {string} eventsFile
 * @param {FileOptions} options
 * @returns {Promise<Ending>}
 */
function runToEnd(file, eventsFile, { cwd, timeoutMs }) {
  return new Promise(resolve => {
    const args = ['--disable-warning=ExperimentalWarning', `--test-reporter=${REPORTER}`, file]
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, MILLRACE_TEST_EVENTS: eventsFile, NODE_TEST_CONTEXT: undefined },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what the file started ends with it.
      detached: process.platform !== 'win32',
    })
    const pid = child.pid || 0
    running.add(pid)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', chunk => (output = (output + chunk).slice(-OUTPUT_CHARS_MAX)))
    }
    let isTimeout = false
    const timer = setTimeout(() => {
      isTimeout = true
      killGroup(pid)
    }, timeoutMs)
    child.on('exit', () => {
      clearTimeout(timer)
      // A process left behind would hold the pipes, and the run, open.
      killGroup(pid)
    })
    child.on('close', (code, signal) => {
      running.delete(pid)
      resolve({ code, signal, isTimeout, output })
    })
  })
}

/** @param {number} pid */
function killGroup(pid) {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

/** @param {string} file @returns {TestEvent[]} */
function readEvents(file) {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line.endsWith('}'))
    .map(line => JSON.parse(line))
}

/**
 * @param {readonly TestEvent[]} events
 * @param {Ending} ending
 * @param {FileOptions} options
 * @returns {FileResult}
 */
export function judge(events, ending, options) {
  /** @type {FileResult} */
  const result = { passed: 0, failures: [], skips: [], notes: notesOf(events), output: ending.output }
  /** At each depth, whether a test one level deeper has been seen since: children are reported before their parent. */
  /** @type {boolean[]} */
  const hasChildren = []
  for (const event of events) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const isLeaf = !hasChildren[event.nesting + 1]
    hasChildren[event.nesting + 1] = false
    hasChildren[event.nesting] = true
    count(event, isLeaf, options.isCi, result)
  }
  const problem = fileProblem(events, ending, options, result)
  if (problem) result.failures.push({ name: '(the file)', detail: problem })
  return result
}

/** What the runner of a file says of it as a whole; the rest is what tests note by t.diagnostic(). */
const SUMMARY = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/

/** @param {readonly TestEvent[]} events */
function notesOf(events) {
  return events.flatMap(({ type, message }) =>
    type === 'test:diagnostic' && message !== undefined && !SUMMARY.test(message) ? [message] : [],
  )
}

/**
 * Counts leaves: a suite or a test with subtests is counted only for a failure of its own, such as that of a hook.
 * @param {TestEvent} event
 * @param {boolean} isLeaf
 * @param {boolean} isCi
 * @param {FileResult} result
 */
function count(event, isLeaf, isCi, result) {
  const { name, file, line } = event
  const fail = (/** @type {string} */ detail) => result.failures.push({ name, file, line, detail })
  if (event.todo !== undefined && event.todo !== false) {
    fail('is marked todo: write the test, or remove it')
  } else if (event.type === 'test:fail') {
    if (event.error?.failureType !== 'subtestsFailed') fail(event.error?.text ?? 'failed without an error')
  } else if (event.skip !== undefined && event.skip !== false) {
    if (typeof event.skip !== 'string' || event.skip === '') fail('is skipped without a reason: say why in skip')
    else if (isCi && event.skip.startsWith('needs ')) fail(`is skipped in CI, where it must run: ${event.skip}`)
    else result.skips.push({ name, line, reason: event.skip })
  } else if (isLeaf && !event.isSuite) {
    result.passed++
  }
}

/**
 * What is wrong with the file as a whole, if anything.
 * @param {readonly TestEvent[]} events
 * @param {Ending} ending
 * @param {FileOptions} options
 * @param {FileResult} result
 */
function fileProblem(events, ending, options, result) {
  if (ending.isTimeout) {
    const open = unfinished(events)
    const last = open.length > 0 ? `not finished: ${open.join(', ')}` : 'all its tests had finished: a handle is open'
    return `was ended after ${options.timeoutMs / 1000} s; ${last}`
  }
  if (ending.signal) return `was ended by ${ending.signal}`
  const isComplete = events.some(event => event.type === 'end')
  if (ending.code !== 0 && (result.failures.length === 0 || !isComplete)) return `crashed with exit code ${ending.code}`
  if (events.length === 0) return 'holds no test, or called process.exit before the first was reported'
  if (!isComplete)
    return `called process.exit before its tests had ended; not finished: ${unfinished(events).join(', ')}`
  if (result.passed + result.failures.length + result.skips.length === 0) return 'holds no test'
  return undefined
}

/** @param {readonly TestEvent[]} events */
function unfinished(events) {
  const ended = new Set(events.filter(event => event.type !== 'test:dequeue').map(identity))
  return events.filter(event => event.type === 'test:dequeue' && !ended.has(identity(event))).map(event => event.name)
}

/** @param {TestEvent} event */
function identity({ nesting, line, name }) {
  return `${nesting} ${line} ${name}`
}
