// Locks between real processes: this one, and children that take a lock and keep it until they are told or killed.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before, describe } from 'node:test'
import { StreamError } from '../../base/errors.ts'
import { type Logger, silentLogger } from '../../base/logger.ts'
import { lockDirectory } from './directory-lock.ts'
import { isRunning, ownIdentity } from './process-identity.ts'

let root = ''
let folders = 0

before(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-lock-')))
})
after(() => rmSync(root, { recursive: true, force: true }))

function folder(): string {
  const path = join(root, String(folders++))
  return mkdtempSync(`${path}-`)
}

/** Says `ready`, waits for a line, tries to lock, says how that went, and keeps the lock until its input ends. */
const CONTENDER = `
  import { once } from 'node:events'
  import { lockDirectory } from ${JSON.stringify(new URL('./directory-lock.ts', import.meta.url).href)}
  process.stdin.resume()
  const ended = once(process.stdin, 'end')
  const go = once(process.stdin, 'data')
  process.stdout.write('ready\\n')
  await go
  try {
    const lock = await lockDirectory(process.argv[1], { log: (level, message) => process.stdout.write(level + ' ' + message + '\\n') })
    process.stdout.write('locked\\n')
    await ended
    await lock.release()
    process.stdout.write('released\\n')
  } catch (error) {
    process.stdout.write(error.message + '\\n')
  }
`

class Contender {
  readonly child: ChildProcess
  private text = ''
  private readonly exited: Promise<unknown>

  constructor(directory: string) {
    const args = ['--input-type=module', '-e', CONTENDER, directory]
    this.child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.child.stdout?.on('data', piece => (this.text += String(piece)))
    this.exited = once(this.child, 'close')
  }

  /** Resolves when what it said matches. */
  async said(expected: RegExp): Promise<string> {
    while (!expected.test(this.text)) await once(this.child.stdout as NodeJS.ReadableStream, 'data')
    return this.text
  }

  go(): void {
    this.child.stdin?.write('go\n')
  }

  async locked(): Promise<this> {
    await this.said(/ready/)
    this.go()
    await this.said(/locked/)
    return this
  }

  async end(): Promise<string> {
    this.child.stdin?.end()
    await this.exited
    return this.text
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }
}

async function refusal(directory: string): Promise<string> {
  try {
    await lockDirectory(directory, silentLogger)
  } catch (error) {
    assert.ok(error instanceof StreamError, String(error))
    assert.equal(error.code, 'DIRECTORY_LOCKED')
    return error.message
  }
  return assert.fail('it was locked twice')
}

describe('lockDirectory', () => {
  test('refuses a second process and names the first by its pid', async () => {
    const directory = folder()
    const first = await new Contender(directory).locked()
    assert.match(await refusal(directory), new RegExp(`in use by process ${first.child.pid}; end it`))
    assert.match(await first.end(), /released/)
    const lock = await lockDirectory(directory, silentLogger)
    await lock.release()
    assert.deepEqual(readdirSync(directory), [])
  })

  test('refuses a second lock of the same process', async () => {
    const directory = folder()
    const lock = await lockDirectory(directory, silentLogger)
    assert.match(await refusal(directory), new RegExp(`in use by this very process \\(${process.pid}\\)`))
    await lock.release()
    await (await lockDirectory(directory, silentLogger)).release()
  })

  test('takes over from a process that was killed, and says so', async () => {
    const directory = folder()
    const first = await new Contender(directory).locked()
    await first.kill()
    const lines: unknown[] = []
    const logger: Logger = { log: (level, message, fields) => lines.push([level, message, fields?.['pid']]) }
    const lock = await lockDirectory(directory, logger)
    assert.deepEqual(lines, [['warn', 'the lock of a process that is gone was taken over', first.child.pid]])
    assert.deepEqual(readdirSync(directory), ['lock'])
    await lock.release()
  })

  test('takes over when the number of the process belongs to another one by now', {
    skip: ownIdentity().startTime === undefined && 'start times are not known here',
  }, async () => {
    const directory = folder()
    const stale = { pid: process.pid, startTime: 'boot/1', host: hostname(), token: 'a' }
    writeFileSync(join(directory, 'lock'), JSON.stringify(stale))
    await (await lockDirectory(directory, silentLogger)).release()
  })

  test('takes over a lock that nobody can have written whole', async () => {
    for (const text of ['', '{', 'null', '{"pid":"1"}']) {
      const directory = folder()
      writeFileSync(join(directory, 'lock'), text)
      await (await lockDirectory(directory, silentLogger)).release()
    }
  })

  test('does not judge a process of another host', async () => {
    const directory = folder()
    writeFileSync(join(directory, 'lock'), JSON.stringify({ pid: 1, host: 'elsewhere', token: 'a' }))
    assert.match(
      await refusal(directory),
      /process 1 on host elsewhere; end it there; if it is gone for good, remove .*lock/,
    )
  })

  test('leaves a lock alone that is not its own any more', async () => {
    const directory = folder()
    const lock = await lockDirectory(directory, silentLogger)
    writeFileSync(join(directory, 'lock'), JSON.stringify({ pid: 1, host: hostname(), token: 'other' }))
    await lock.release()
    assert.match(readFileSync(join(directory, 'lock'), 'utf8'), /other/)
  })

  test('succeeds who died between its choice as successor and the end of the take-over', async () => {
    const directory = folder()
    const dead = (token: string): string => JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), token })
    writeFileSync(join(directory, 'lock'), dead('a'))
    writeFileSync(join(directory, 'lock.after-a'), dead('b'))
    writeFileSync(join(directory, 'lock.after-b'), dead('c'))
    const lock = await lockDirectory(directory, silentLogger)
    assert.deepEqual(readdirSync(directory), ['lock'])
    await lock.release()
  })

  test('lets one of many win a take-over, in this process', async () => {
    for (let round = 0; round < 50; round++) {
      const directory = folder()
      writeFileSync(join(directory, 'lock'), JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), token: 'stale' }))
      const tries = Array.from({ length: 8 }, () => lockDirectory(directory, silentLogger))
      const won = (await Promise.allSettled(tries)).filter(({ status }) => status === 'fulfilled')
      assert.equal(won.length, 1, `round ${round}`)
      assert.deepEqual(readdirSync(directory), ['lock'])
    }
  })

  test('lets one of many processes win a take-over', async () => {
    const directory = folder()
    const contenders = Array.from({ length: 6 }, () => new Contender(directory))
    await Promise.all(contenders.map(contender => contender.said(/ready/)))
    writeFileSync(join(directory, 'lock'), JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), token: 'stale' }))
    for (const contender of contenders) contender.go()
    await Promise.all(contenders.map(contender => contender.said(/locked|DIRECTORY_LOCKED/)))
    const texts = await Promise.all(contenders.map(contender => contender.end()))
    assert.equal(texts.filter(text => /^locked$/m.test(text)).length, 1, texts.join('\n'))
    assert.deepEqual(readdirSync(directory), [])
  })
})

describe('a process', () => {
  test('runs, has been, or never was', async () => {
    assert.equal(isRunning(ownIdentity()), true)
    assert.equal(isRunning({ pid: 0, startTime: undefined }), false)
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'close')
    assert.equal(isRunning({ pid: child.pid as number, startTime: undefined }), false)
  })
})
