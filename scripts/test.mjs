// @ts-check
// The project's tests: `node scripts/test.mjs [--timeout-s N] [SUITE or FILE ...]`, all suites without arguments.
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { killRunningFiles } from './test-file.mjs'
import { runSuites } from './test-runner.mjs'
import { SUITES } from './test-suites.mjs'

/** @param {readonly string[]} args */
function parse(args) {
  const targets = [...args]
  const at = targets.indexOf('--timeout-s')
  const timeoutMs = at < 0 ? undefined : 1000 * Number(targets.splice(at, 2)[1])
  const unknown = targets.find(target => target.startsWith('-'))
  if (unknown || Number.isNaN(timeoutMs)) {
    process.stderr.write('usage: node scripts/test.mjs [--timeout-s N] [SUITE or FILE ...]\n')
    process.exit(2)
  }
  return { targets, timeoutMs }
}

for (const [signal, code] of /** @type {const} */ ([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
])) {
  process.on(signal, () => {
    killRunningFiles()
    process.exit(code)
  })
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
// npm changes to the project's folder and leaves in INIT_CWD where the user typed a file name.
const typedIn = process.env.INIT_CWD || process.cwd()
const { targets, timeoutMs } = parse(process.argv.slice(2))
const located = targets.map(target => {
  if (isAbsolute(target) || SUITES.some(suite => suite.name === target)) return target
  return relative(root, resolve(typedIn, target)) || '.'
})
const isCi = process.env.CI === 'true'
const counts = await runSuites({ root, suites: SUITES, targets: located, timeoutMs, isCi })
process.exitCode = counts.failed > 0 ? 1 : 0
