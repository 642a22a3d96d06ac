// Tests the launcher's parts on planted folders: which Node it accepts, when it installs, its lock, its children.
// That it makes a bare machine ready is shown by .ci/run, which starts from a clean clone.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import ts from 'typescript'
import { run, signalExitCode } from '../../scripts/launcher/child.mjs'
import { isInstalled } from '../../scripts/launcher/install.mjs'
import { withLock } from '../../scripts/launcher/lock.mjs'
import { npmCommand } from '../../scripts/launcher/npm.mjs'
import { environmentOf, isSupportedNode, nodeProgram } from '../../scripts/launcher/toolchain.mjs'
import { ROOT, temporaryFolder } from '../support/project.ts'

/** A copy of the launcher in a folder whose `npm start` runs the given program. */
function plantProject(t: TestContext, program: string): string {
  const folder = temporaryFolder(t)
  cpSync(join(ROOT, 'scripts'), join(folder, 'scripts'), { recursive: true })
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  write('package.json', '{ "type": "module" }')
  write('package-lock.json', '{ "packages": { "": {} } }')
  write('node_modules/.package-lock.json', '{ "packages": {} }')
  // A compiler that copies shows when a build happens, and makes this test independent of the real one.
  write(
    'node_modules/typescript/bin/tsc',
    `const { cpSync } = require('node:fs'); cpSync('src', process.argv.at(-1), { recursive: true })`,
  )
  write('node_modules/typescript/package.json', '{ "type": "commonjs" }')
  for (const file of ['tsconfig.json', 'tsconfig.build.json']) write(file, '{}')
  write('src/index.ts', 'export {}\n')
  write('examples/word-count.ts', program)
  return folder
}

function launch(folder: string, ...args: string[]) {
  return run(process.execPath, [join(folder, 'scripts', 'launch.mjs'), ...args], { cwd: folder, quiet: true })
}

test('the supported lines of Node are 22.22 and later, 24, and 26 and later', () => {
  for (const version of ['22.22.0', '22.23.3', '24.0.0', '24.21.0', '26.10.0', '27.0.0', '28.1.0']) {
    assert.ok(isSupportedNode(version), version)
  }
  for (const version of ['18.20.0', '20.20.2', '21.7.0', '22.21.9', '23.11.0', '25.9.0']) {
    assert.ok(!isSupportedNode(version), version)
  }
})

test('what runs before the switch is plain JavaScript of 2022 without dependencies', () => {
  const folder = join(ROOT, 'scripts', 'launcher')
  const files = [join(ROOT, 'scripts', 'launch.mjs'), ...readdirSync(folder).map(name => join(folder, name))]
  assert.ok(files.length > 1)
  for (const file of files) {
    const text = readFileSync(file, 'utf8')
    const { importedFiles } = ts.preProcessFile(text)
    for (const { fileName } of importedFiles) assert.match(fileName, /^(node:|\.)/, `${file} imports ${fileName}`)
    // Newer syntax would be lowered, and the text then differ by more than its layout.
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, removeComments: true }
    const newest = { ...compilerOptions, target: ts.ScriptTarget.ESNext }
    const lowered = ts.transpileModule(text, { compilerOptions }).outputText
    assert.equal(lowered, ts.transpileModule(text, { compilerOptions: newest }).outputText, file)
  }
})

test('dependencies are installed when npm recorded what the lock file asks for', t => {
  const folder = temporaryFolder(t)
  const locked = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '1.0.0', optional: true },
  }
  const record = (packages: object) =>
    writeFileSync(join(folder, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }))
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: locked }))
  assert.equal(isInstalled(folder), false, 'no node_modules')
  mkdirSync(join(folder, 'node_modules'))
  assert.equal(isInstalled(folder), false, 'an interrupted installation')
  record({ 'node_modules/a': { version: '1.0.0' } })
  assert.equal(isInstalled(folder), true, 'an optional package of another platform is absent')
  record({ 'node_modules/a': { version: '0.9.0' } })
  assert.equal(isInstalled(folder), false, 'an older version')
  record({ 'node_modules/b': { version: '1.0.0' } })
  assert.equal(isInstalled(folder), false, 'a package is missing')
  record({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/c': { version: '1.0.0' } })
  assert.equal(isInstalled(folder), false, 'a package too many')
})

test('of two holders of a lock one waits for the other', async t => {
  const folder = temporaryFolder(t)
  let inside = 0
  const hold = () =>
    withLock(folder, 'x', async () => {
      assert.equal(++inside, 1)
      for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
      inside--
    })
  await Promise.all([hold(), hold(), hold()])
  assert.deepEqual(readdirSync(folder), [])
})

test('the lock of a process that has died is taken over', async t => {
  const folder = temporaryFolder(t)
  const owner = spawn(process.execPath, ['-e', ''])
  await once(owner, 'exit')
  mkdirSync(join(folder, 'x.lock'))
  writeFileSync(join(folder, 'x.lock', 'pid'), String(owner.pid))
  assert.equal(await withLock(folder, 'x', async () => 'held'), 'held')
  assert.deepEqual(readdirSync(folder), [])
})

test('npm runs with the present Node when npm started the command, else as the command npm', () => {
  assert.deepEqual(npmCommand({ npm_execpath: '/n/npm-cli.js' }), {
    command: process.execPath,
    args: ['/n/npm-cli.js'],
    shell: false,
  })
  assert.equal(npmCommand({}).command, 'npm')
  assert.equal(npmCommand({ npm_execpath: '/n/yarn.js' }).command, 'npm')
})

test('after the switch the fetched Node is first on the path and its headers are the ones used', () => {
  const environment = environmentOf('/fetched', { PATH: '/usr/bin', npm_config_nodedir: '/usr' })
  assert.ok(environment.PATH?.startsWith(dirname(nodeProgram('/fetched'))))
  assert.ok(environment.PATH?.endsWith('/usr/bin'))
  assert.equal(environment.npm_config_nodedir, '/fetched')
})

test('a child reports its exit code, the code of its signal, or that there is no such command', async () => {
  const node = (script: string) => run(process.execPath, ['-e', script], { cwd: ROOT, quiet: true })
  assert.deepEqual(await node('process.stdout.write("a"); process.exit(3)'), { code: 3, output: 'a' })
  assert.equal((await node('process.kill(process.pid, "SIGKILL")')).code, signalExitCode('SIGKILL'))
  assert.equal((await run('no-such-command-anywhere', [], { cwd: ROOT, quiet: true })).code, 127)
})

test('start builds once, passes arguments and INIT_CWD on, and returns the exit code', async t => {
  const program = `console.log(process.argv.slice(2).join(), process.env.INIT_CWD)\nprocess.exit(7)\n`
  const folder = plantProject(t, program)
  t.after(() => delete process.env.INIT_CWD)
  process.env.INIT_CWD = '/elsewhere'
  const first = await launch(folder, 'start', 'some.txt', '--socket', '1')
  assert.deepEqual(first, { code: 7, output: 'millrace: building dist\nsome.txt,--socket,1 /elsewhere\n' })
  const second = await launch(folder, 'start')
  assert.deepEqual(second, { code: 7, output: ' /elsewhere\n' })
  writeFileSync(join(folder, 'src', 'index.spec.ts'), '// A spec is no reason to build.\n')
  assert.equal((await launch(folder, 'start')).output, ' /elsewhere\n')
  writeFileSync(join(folder, 'src', 'other.ts'), 'export {}\n')
  assert.match((await launch(folder, 'start')).output, /building dist/)
  assert.ok(existsSync(join(folder, 'dist', 'other.ts')))
})

test('without npm, a file name is meant from where the command was typed', async t => {
  const folder = plantProject(t, 'console.log(process.env.INIT_CWD)\n')
  const script = join(folder, 'scripts', 'launch.mjs')
  const env = { ...process.env, INIT_CWD: undefined }
  const cwd = join(folder, 'examples')
  const { output } = await run(process.execPath, [script, 'start'], { cwd, env, quiet: true })
  assert.equal(output, `millrace: building dist\n${cwd}\n`)
})

test('an unknown command is refused with the commands there are', async () => {
  const { code, output } = await launch(ROOT, 'toString')
  assert.equal(code, 1)
  assert.match(output, /^millrace: unknown command toString; expected one of start, test, check/)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  const skip = process.platform === 'win32' ? 'not on Windows: it has no signals' : false
  test(`${signal} reaches the program once, which ends in its own time and decides the exit code`, {
    skip,
  }, async t => {
    const program = `
      let count = 0
      process.on('${signal}', () => {
        count++
        setTimeout(() => { console.log('ended after', count); process.exit(42) }, 100)
      })
      setInterval(() => {}, 1000)
      console.log('ready')\n`
    const folder = plantProject(t, program)
    const script = join(folder, 'scripts', 'launch.mjs')
    // A group of its own, so that the signal can be sent as a terminal does: to all of the group.
    const launcher = spawn(process.execPath, [script, 'start'], { cwd: folder, detached: true })
    assert.ok(launcher.pid !== undefined)
    const { pid } = launcher
    let output = ''
    launcher.stdout.on('data', chunk => {
      output += chunk
      if (output !== 'ready\n') return
      process.kill(-pid, signal)
      process.kill(pid, signal)
    })
    const [code] = await once(launcher, 'exit')
    assert.equal(code, 42)
    assert.equal(output, 'ready\nended after 1\n')
  })
}
