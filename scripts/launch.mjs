// @ts-check
// What stands behind the npm scripts. It makes a bare machine ready (a supported Node, the locked dependencies, a
// fresh build) and then runs the command asked for. Plain JavaScript without dependencies that Node 18 can parse.
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuild } from './launcher/build.mjs'
import { forwardSignals, run } from './launcher/child.mjs'
import { ensureModules } from './launcher/install.mjs'
import { environmentOf, fetchNode, isSupportedNode, LauncherError, nodeProgram } from './launcher/toolchain.mjs'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
/** Set for the run after the switch: a Node that is still not supported is then an error and not a loop. */
const SWITCHED = 'MILLRACE_NODE_SWITCHED'

/** @typedef {{ args: string[], beside?: boolean }} Step `beside` runs it together with the step before. */
/** @typedef {{ build: (args: string[]) => boolean, steps: (args: string[]) => Step[] }} Command */

const always = () => true
const never = () => false
const TSC = 'node_modules/typescript/bin/tsc'
const BIOME = 'node_modules/@biomejs/biome/bin/biome'
const TYPES = [{ args: [TSC, '-p', 'tsconfig.json'] }, { args: [TSC, '-p', 'tsconfig.pure.json'], beside: true }]
const LINT = [{ args: [BIOME, 'check', '--error-on-warnings', '.'] }]

/** @type {Record<string, Command>} */
const COMMANDS = {
  start: { build: always, steps: args => [{ args: ['examples/word-count.ts', ...args] }] },
  test: { build: needsBuild, steps: args => [{ args: ['scripts/test.mjs', ...args] }] },
  // The arrows and the tidy rules are in the architecture suite.
  check: { build: always, steps: args => [...TYPES, ...LINT, { args: ['scripts/test.mjs', ...args] }] },
  build: { build: always, steps: () => [] },
  types: { build: never, steps: () => TYPES },
  lint: { build: never, steps: () => LINT },
  arrows: { build: never, steps: () => [{ args: ['scripts/test.mjs', 'test/architecture/arrows.test.ts'] }] },
  tidy: { build: never, steps: () => [{ args: ['scripts/test.mjs', 'test/architecture/tidy.test.ts'] }] },
  format: { build: never, steps: () => [{ args: [BIOME, 'check', '--write', '.'] }] },
  sim: { build: never, steps: args => [{ args: ['test/simulation/main.ts', ...args] }] },
  kill: { build: always, steps: args => [{ args: ['test/integration/kill/main.ts', ...args] }] },
  soak: { build: never, steps: args => [{ args: ['--expose-gc', 'test/soak/main.ts', ...args] }] },
  bench: { build: always, steps: args => [{ args: ['bench/main.ts', ...args] }] },
}

/**
 * Unit and architecture tests read the sources; all others may use what npm ships.
 * @param {string[]} args
 */
function needsBuild(args) {
  const targets = args.filter(arg => !arg.startsWith('-'))
  const readsSourcesOnly = /^(unit|architecture)$|^(\.\/)?(src|test\/architecture)\//
  return targets.length === 0 || targets.some(target => !readsSourcesOnly.test(target))
}

/** Standard output belongs to the command; what the launcher does is told on standard error. */
function say(/** @type {string} */ line) {
  process.stderr.write(`millrace: ${line}\n`)
}

/** @param {string[]} args */
async function switchNode(args) {
  const present = process.versions.node
  if (process.env[SWITCHED]) throw new LauncherError(`Node ${present} was fetched and is not supported`)
  let told = false
  const tell = (/** @type {string} */ line) => {
    if (!told) say(`Node ${present} is not supported (22.22 and later, 24 and 26 are): ${line}`)
    told = true
  }
  const folder = await fetchNode(ROOT, { say: tell })
  const program = nodeProgram(folder)
  tell(`going on with ${relative(ROOT, program)}`)
  const env = { ...environmentOf(folder), [SWITCHED]: '1' }
  return (await run(program, [fileURLToPath(import.meta.url), ...args], { cwd: ROOT, env })).code
}

/** @param {string[]} argv */
async function main(argv) {
  const [name, ...args] = argv
  const command = Object.hasOwn(COMMANDS, name || '') ? COMMANDS[name] : undefined
  if (!command) throw new LauncherError(`unknown command ${name}; expected one of ${Object.keys(COMMANDS).join(', ')}`)
  if (!isSupportedNode(process.versions.node)) return switchNode(argv)
  delete process.env[SWITCHED]
  await ensureModules(ROOT, say)
  if (command.build(args)) await ensureBuild(ROOT, say)
  return runSteps(command.steps(args))
}

/** @param {Step[]} steps */
async function runSteps(steps) {
  /** @type {Step[][]} */
  const groups = []
  for (const step of steps) {
    if (step.beside) groups[groups.length - 1].push(step)
    else groups.push([step])
  }
  for (const group of groups) {
    const results = await Promise.all(group.map(step => run(process.execPath, step.args, { cwd: ROOT })))
    const failed = results.find(result => result.code !== 0)
    if (failed) return failed.code
  }
  return 0
}

// Children run in the project's folder; a relative file name is meant from where it was typed.
process.env.INIT_CWD = process.env.INIT_CWD || process.cwd()
forwardSignals()
main(process.argv.slice(2)).then(
  code => process.exit(code),
  error => {
    say(error instanceof LauncherError ? error.message.trimEnd() : error.stack)
    process.exit(1)
  },
)
