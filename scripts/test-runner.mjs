// @ts-check
// Runs suites of node:test files, one process a file, and reports. A suite is a folder and a file name ending.
// It does not know which suites the project has: that table is in test.mjs.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { runFile } from './test-file.mjs'

/** @typedef {{ name: string, folder: string, ending: string, required: boolean, showsNotes?: boolean }} Suite */
/** @typedef {import('./test-file.mjs').FileResult} FileResult */
/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */
/**
 * @typedef {object} RunnerOptions
 * @property {string} root the folder that suites and file names are relative to
 * @property {readonly Suite[]} suites
 * @property {readonly string[]} [targets] names of suites, or files, to run only those
 * @property {number} [timeoutMs] how long one file may take
 * @property {boolean} [isCi] whether a test that lacks what it needs counts as failed
 * @property {(text: string) => void} [write]
 */

const FILE_TIMEOUT_MS = 180_000

/**
 * Runs the suites, writes the report, and returns the counts. The last line is exactly `N passed, N failed`, followed
 * by `, N skipped` where any were.
 * @param {RunnerOptions} options
 * @returns {Promise<Counts>}
 */
export async function runSuites(options) {
  const write = options.write || (text => process.stdout.write(text))
  const startedAt = performance.now()
  /** @type {Counts} */
  const total = { passed: 0, failed: 0, skipped: 0 }
  /** @type {string[]} */
  const failures = []
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-tests-'))
  const removeScratch = () => rmSync(scratch, { recursive: true, force: true })
  process.once('exit', removeScratch)
  try {
    for (const { suite, files, problem } of select(options)) {
      const counts = await runSuite({ suite, files, problem, scratch, options, write, failures })
      total.passed += counts.passed
      total.failed += counts.failed
      total.skipped += counts.skipped
    }
  } finally {
    removeScratch()
    process.removeListener('exit', removeScratch)
  }
  if (failures.length > 0) write(`\nfailed:\n${failures.map(line => `  ${line}\n`).join('')}`)
  write(`\n${seconds(startedAt)} s in all\n${closingLine(total)}\n`)
  return total
}

/** @param {Counts} counts */
export function closingLine(counts) {
  const line = `${counts.passed} passed, ${counts.failed} failed`
  return counts.skipped > 0 ? `${line}, ${counts.skipped} skipped` : line
}

/**
 * @param {{ suite: Suite, files: string[], problem?: string, scratch: string, options: RunnerOptions,
 *   write: (text: string) => void, failures: string[] }} job
 * @returns {Promise<Counts>}
 */
async function runSuite({ suite, files, problem, scratch, options, write, failures }) {
  const startedAt = performance.now()
  const counts = { passed: 0, failed: 0, skipped: 0 }
  /** @param {string} title @param {string} detail */
  const fail = (title, detail) => {
    counts.failed++
    failures.push(title)
    write(`\nFAILED ${title}\n${indent(detail)}\n`)
  }
  if (problem) fail(suite.name, problem)
  await forEachInParallel(files, availableParallelism(), async file => {
    const result = await runFile(file, {
      cwd: options.root,
      scratch,
      timeoutMs: options.timeoutMs || FILE_TIMEOUT_MS,
      isCi: options.isCi || false,
    })
    const shown = relative(options.root, file)
    counts.passed += result.passed
    counts.skipped += result.skips.length
    for (const skip of result.skips) write(`skipped ${shown}:${skip.line} ${skip.name}: ${skip.reason}\n`)
    if (suite.showsNotes) for (const note of result.notes) write(`${shown}: ${note}\n`)
    for (const failure of result.failures) {
      const place = failure.file ? `${relative(options.root, failure.file)}:${failure.line}` : shown
      fail(`${place} ${failure.name}`, failure.detail)
    }
    if (result.failures.length > 0 && result.output) write(`  what ${shown} printed:\n${indent(result.output)}\n`)
  })
  const size = `${files.length} ${files.length === 1 ? 'file' : 'files'}, ${seconds(startedAt)} s`
  write(`${suite.name.padEnd(14)}${closingLine(counts)} (${size})\n`)
  return counts
}

/**
 * Which files to run. A required suite without files, and a target that names nothing, are problems: a test that is
 * not found must not look like one that passes.
 * @param {RunnerOptions} options
 * @returns {{ suite: Suite, files: string[], problem?: string }[]}
 */
function select({ root, suites, targets = [] }) {
  if (targets.length === 0) return suites.map(suite => collect(root, suite)).filter(isWorthALine)
  const named = suites.filter(suite => targets.includes(suite.name)).map(suite => collect(root, suite, true))
  const paths = targets.filter(target => !suites.some(suite => suite.name === target))
  return paths.length === 0 ? named : [...named, collectPaths(root, suites, paths)]
}

/**
 * Files and folders that the user named, as a suite of their own.
 * @param {string} root
 * @param {readonly Suite[]} suites
 * @param {readonly string[]} paths
 */
function collectPaths(root, suites, paths) {
  const suite = { name: 'files', folder: '', ending: '', required: true }
  /** @type {string[]} */
  const files = []
  /** @type {string[]} */
  const empty = []
  for (const path of paths) {
    const target = resolve(root, path)
    const isFile = statSync(target, { throwIfNoEntry: false })?.isFile()
    const found = isFile ? [target] : walk(target).filter(file => /\.(test|spec)\.ts$/.test(file))
    files.push(...found)
    if (found.length === 0) empty.push(path)
  }
  if (empty.length === 0) return { suite, files }
  const names = suites.map(({ name }) => name).join(', ')
  return { suite, files, problem: `no test in ${empty.join(', ')}: expected a suite (${names}), a file or a folder` }
}

/** @param {{ files: string[], problem?: string }} selected */
function isWorthALine({ files, problem }) {
  return files.length > 0 || problem !== undefined
}

/** @param {string} root @param {Suite} suite @param {boolean} [isAsked] */
function collect(root, suite, isAsked = false) {
  const files = walk(resolve(root, suite.folder)).filter(file => file.endsWith(suite.ending))
  if (files.length > 0 || !(suite.required || isAsked)) return { suite, files }
  return { suite, files, problem: `no test file found: ${suite.folder}/**/*${suite.ending}` }
}

/** @param {string} folder @returns {string[]} */
function walk(folder) {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return []
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return entry.name === 'fixtures' || entry.name === 'node_modules' ? [] : walk(path)
      return [path]
    })
}

/**
 * @template T
 * @param {readonly T[]} items
 * @param {number} parallelism
 * @param {(item: T) => Promise<void>} action
 */
async function forEachInParallel(items, parallelism, action) {
  let next = 0
  const worker = async () => {
    while (next < items.length) await action(items[next++])
  }
  await Promise.all(Array.from({ length: Math.min(parallelism, items.length) }, worker))
}

/** @param {string} text */
function indent(text) {
  return text.trimEnd().replace(/^/gm, '    ')
}

/** @param {number} startedAt */
function seconds(startedAt) {
  return ((performance.now() - startedAt) / 1000).toFixed(1)
}
