// Tests the test runner on planted files: what it must not let pass, what it counts, and its closing line.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { runSuites } from '../../scripts/test-runner.mjs'
import { SUITES } from '../../scripts/test-suites.mjs'
import { ROOT, temporaryFolder, trackedFiles } from '../support/project.ts'

const HEAD = `import test, { describe, before } from 'node:test'\nimport assert from 'node:assert/strict'\n`
const PASSING = `test('passes', () => {})\n`
/** Waits until the runner has on record what has happened so far: node:test hands events over in later turns. */
const REPORTED = `const { existsSync, readFileSync } = await import('node:fs')
  const { MILLRACE_TEST_EVENTS: file } = process.env
  while (!existsSync(file) || !readFileSync(file, 'utf8').includes('"last"')) await new Promise(setImmediate)`

interface Run {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly report: string
  readonly lastLine: string | undefined
}

/** Runs planted files, given by name, as the one suite `planted`. */
async function runPlanted(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: { readonly required?: boolean; readonly isCi?: boolean; readonly timeoutMs?: number } = {},
): Promise<Run> {
  const root = temporaryFolder(t)
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), HEAD + text)
  }
  const suite = { name: 'planted', folder: 'planted', ending: '.test.mjs', required: options.required ?? true }
  let report = ''
  const counts = await runSuites({
    root,
    suites: [suite],
    timeoutMs: options.timeoutMs,
    isCi: options.isCi,
    write: text => {
      report += text
    },
  })
  return { ...counts, report, lastLine: report.trimEnd().split('\n').at(-1) }
}

test('leaves are counted, neither suites nor tests with subtests nor files', async t => {
  const run = await runPlanted(t, {
    'planted/a.test.mjs': `describe('s', () => { describe('s', () => { test('1', () => {}); test('2', () => {}) }) })
      test('parent', async t => { await t.test('3', () => {}); await t.test('4', () => {}) })`,
    'planted/deep/b.test.mjs': PASSING,
    'planted/not-a-test.mjs': 'process.exit(1)',
  })
  assert.equal(run.lastLine, '5 passed, 0 failed')
  assert.match(run.report, /^planted {7}5 passed, 0 failed \(2 files, \d+\.\d s\)$/m)
})

test('a failing test is shown with its name, place and error', async t => {
  const run = await runPlanted(t, {
    'planted/a.test.mjs': `${PASSING}describe('s', () => {\n  test('adds', () => assert.equal(1 + 1, 3))\n})\n`,
  })
  assert.equal(run.lastLine, '1 passed, 1 failed')
  assert.match(run.report, /FAILED planted\/a\.test\.mjs:5 adds\n/)
  assert.match(run.report, /2 !== 3/)
})

test('a failing hook fails, though every test in its suite had passed', async t => {
  const run = await runPlanted(t, {
    'planted/a.test.mjs': `import { after } from 'node:test'
      describe('s', () => { after(() => { throw new Error('broken hook') }); test('passes', () => {}) })`,
  })
  assert.equal(run.lastLine, '1 passed, 1 failed')
  assert.match(run.report, /broken hook/)
})

test('a required suite without a file fails, one that is not required does not', async t => {
  const required = await runPlanted(t, {})
  assert.equal(required.lastLine, '0 passed, 1 failed')
  assert.match(required.report, /no test file found: planted\/\*\*\/\*\.test\.mjs/)
  const optional = await runPlanted(t, {}, { required: false })
  assert.equal(optional.lastLine, '0 passed, 0 failed')
})

test('a file without a test fails', async t => {
  const run = await runPlanted(t, { 'planted/a.test.mjs': '', 'planted/b.test.mjs': `describe('s', () => {})` })
  assert.equal(run.lastLine, '0 passed, 2 failed')
  assert.match(run.report, /holds no test/)
})

test('a crash fails the file and keeps what had passed', async t => {
  const run = await runPlanted(t, {
    'planted/throws.test.mjs': `${PASSING}throw new Error('at the top')`,
    'planted/killed.test.mjs': `${PASSING}test('last', async () => { ${REPORTED}; process.kill(process.pid, 'SIGKILL') })`,
  })
  assert.equal(run.passed, 1)
  assert.equal(run.failed, 2)
  assert.match(run.report, /was ended by SIGKILL/)
  assert.match(run.report, /at the top/)
})

test('a file that exits with success before its tests have ended fails', async t => {
  const run = await runPlanted(t, {
    'planted/a.test.mjs': `${PASSING}test('last', async () => { ${REPORTED}; process.exit(0) })`,
  })
  assert.equal(run.lastLine, '1 passed, 1 failed')
  assert.match(run.report, /called process\.exit before its tests had ended; not finished: last/)
})

test('a file that exits with success before anything was reported fails', async t => {
  const run = await runPlanted(t, { 'planted/a.test.mjs': `test('cut off', () => process.exit(0))` })
  assert.equal(run.lastLine, '0 passed, 1 failed')
})

test('a file that fails only by its exit code fails', async t => {
  const run = await runPlanted(t, {
    'planted/a.test.mjs': `${PASSING}process.on('exit', () => { process.exitCode = 3 })`,
  })
  assert.equal(run.lastLine, '1 passed, 1 failed')
  assert.match(run.report, /exit code 3/)
})

test('a hang is ended, with the names of the file and of the test', async t => {
  const run = await runPlanted(
    t,
    { 'planted/a.test.mjs': `${PASSING}test('waits', () => new Promise(() => setInterval(() => {}, 1000)))` },
    { timeoutMs: 1500 },
  )
  assert.ok(run.failed > 0)
  assert.match(run.report, /FAILED planted\/a\.test\.mjs \(the file\)\n {4}was ended after 1\.5 s; not finished: waits/)
})

test('a handle left open is ended, and told apart from a test that hangs', async t => {
  const run = await runPlanted(
    t,
    { 'planted/a.test.mjs': `${PASSING}setInterval(() => {}, 1000)` },
    { timeoutMs: 1500 },
  )
  assert.equal(run.lastLine, '1 passed, 1 failed')
  assert.match(run.report, /all its tests had finished: a handle is open/)
})

test('a skip is printed with its reason, and fails without one', async t => {
  const run = await runPlanted(t, {
    'planted/a.test.mjs': `${PASSING}test('s', { skip: 'only on Windows' }, () => {})\ntest.skip('silent', () => {})`,
  })
  assert.equal(run.lastLine, '1 passed, 1 failed, 1 skipped')
  assert.match(run.report, /skipped planted\/a\.test\.mjs:4 s: only on Windows/)
  assert.match(run.report, /FAILED planted\/a\.test\.mjs:5 silent\n {4}is skipped without a reason/)
})

test('a skip for want of something fails in CI, other skips do not', async t => {
  const files = {
    'planted/a.test.mjs': `test('s', { skip: 'needs a broker' }, () => {})\ntest('w', { skip: 'only on Windows' }, () => {})`,
  }
  assert.equal((await runPlanted(t, files)).lastLine, '0 passed, 0 failed, 2 skipped')
  const inCi = await runPlanted(t, files, { isCi: true })
  assert.equal(inCi.lastLine, '0 passed, 1 failed, 1 skipped')
  assert.match(inCi.report, /is skipped in CI, where it must run: needs a broker/)
})

test('a test that is only a plan fails', async t => {
  const planned = `test.todo('some day')` // planted text, not a test of ours: the runner must refuse it
  const run = await runPlanted(t, { 'planted/a.test.mjs': planned })
  assert.equal(run.lastLine, '0 passed, 1 failed')
})

test('every test file of the project belongs to exactly one suite', () => {
  const tests = trackedFiles().filter(file => /\.(spec|test)\.[mc]?[jt]s$/.test(file) && !file.includes('/fixtures/'))
  assert.ok(tests.length > 0)
  const suitesOf = (file: string) =>
    SUITES.filter(({ folder, ending }) => file.startsWith(`${folder}/`) && file.endsWith(ending))
  assert.deepEqual(
    tests.filter(file => suitesOf(file).length !== 1),
    [],
  )
})

test('the command exits with 1 on a failure, 0 on success, and ends with the closing line', t => {
  const folder = temporaryFolder(t)
  const passing = join(folder, 'passing.test.mjs')
  const failing = join(folder, 'failing.test.mjs')
  writeFileSync(passing, HEAD + PASSING)
  writeFileSync(failing, `${HEAD}test('fails', () => assert.fail())\n`)
  const command = (...targets: string[]) =>
    spawnSync(process.execPath, ['scripts/test.mjs', ...targets], { cwd: ROOT, encoding: 'utf8' })
  const good = command(passing)
  assert.equal(good.status, 0)
  assert.ok(good.stdout.endsWith('\n1 passed, 0 failed\n'))
  const bad = command(passing, failing)
  assert.equal(bad.status, 1)
  assert.ok(bad.stdout.endsWith('\n1 passed, 1 failed\n'))
  const missing = command('no-such-suite')
  assert.equal(missing.status, 1)
  assert.match(missing.stdout, /no test in no-such-suite/)
})
