// Requests over a real socket, in folders of the test.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before, describe } from 'node:test'
import type { ErrorCode } from '../../base/error-codes.ts'
import { StreamError } from '../../base/errors.ts'
import { askJob } from './ask-job.ts'
import { LineReader } from './control-lines.ts'
import { type ControlHandler, type ControlRequest, controlAddress, serveControl } from './control-socket.ts'

let root = ''
let folders = 0

before(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-control-')))
})
after(() => rmSync(root, { recursive: true, force: true }))

function folder(name = ''): string {
  const path = join(root, `${folders++}${name}`)
  mkdirSync(path, { recursive: true })
  return path
}

async function refusal(asked: Promise<unknown>, code: ErrorCode): Promise<string> {
  try {
    await asked
  } catch (error) {
    assert.ok(error instanceof StreamError, String(error))
    assert.equal(error.code, code, error.message)
    return error.message
  }
  return assert.fail('it was answered')
}

/** Everything that comes back for bytes sent by hand. */
async function raw(directory: string, text: string): Promise<string> {
  const socket = createConnection(await controlAddress(directory))
  let answer = ''
  socket.on('data', piece => (answer += String(piece)))
  socket.end(text)
  await once(socket, 'close')
  return answer
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>(done => {
    resolve = done
  })
  return { promise, resolve }
}

const echo: ControlHandler = async request => ({ asked: request })

describe('a control socket', () => {
  test('answers what its handler gives, and hands on the fields of the request', async () => {
    const directory = folder()
    const server = await serveControl(directory, echo)
    const request: ControlRequest = { command: 'savepoint', directory: '/a b/ü' }
    assert.deepEqual(await askJob(directory, request), { asked: request })
    const both = await Promise.all([askJob(directory, { command: 'status' }), askJob(directory, { command: 'stop' })])
    assert.deepEqual(both, [{ asked: { command: 'status' } }, { asked: { command: 'stop' } }])
    await server.close()
    await server.close()
    assert.equal(existsSync(join(directory, 'control')), false)
  })

  test('sends failures with their code', async () => {
    const directory = folder()
    const failures = [new StreamError('CHECKPOINT_FAILED', 'the job has ended; start it'), new TypeError('a bug')]
    const server = await serveControl(directory, async () => Promise.reject(failures.shift()))
    const message = await refusal(askJob(directory, { command: 'savepoint' }), 'CHECKPOINT_FAILED')
    assert.equal(message, 'CHECKPOINT_FAILED: the job has ended; start it')
    assert.match(await refusal(askJob(directory, { command: 'savepoint' }), 'INTERNAL_ERROR'), /a bug/)
    await server.close()
  })

  test('is for the user alone', { skip: process.platform === 'win32' && 'pipes have no mode' }, async () => {
    const directory = folder()
    const server = await serveControl(directory, echo)
    assert.equal(statSync(join(directory, 'control')).mode & 0o777, 0o600)
    await server.close()
  })

  test('is elsewhere where its path would be too long', {
    skip: process.platform === 'win32' && 'pipes are not paths',
  }, async () => {
    const directory = folder('x'.repeat(100))
    const server = await serveControl(directory, echo)
    const address = readFileSync(join(directory, 'control.path'), 'utf8').trim()
    assert.ok(Buffer.byteLength(address) <= 100)
    assert.equal(statSync(join(address, '..')).mode & 0o777, 0o700)
    assert.deepEqual(await askJob(directory, { command: 'status' }), { asked: { command: 'status' } })
    await server.close()
    assert.deepEqual([existsSync(address), existsSync(join(directory, 'control.path'))], [false, false])
  })

  test('takes the place of what a killed process left', async () => {
    const directory = folder()
    writeFileSync(join(directory, 'control'), '')
    writeFileSync(join(directory, 'control.path'), join(root, 'gone'))
    const server = await serveControl(directory, echo)
    assert.deepEqual(await askJob(directory, { command: 'status' }), { asked: { command: 'status' } })
    await server.close()
  })

  test('refuses what is no request, and goes on', async () => {
    const directory = folder()
    const server = await serveControl(directory, echo)
    const answers = await raw(directory, 'hello\n{"command":"format"}\n[]\nnull\n\n{"command":"status"}\n')
    const parsed = answers
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { ok: boolean; code?: string })
    assert.deepEqual(
      parsed.map(({ ok, code }) => [ok, code]),
      [...Array.from({ length: 4 }, () => [false, 'OPTION_INVALID']), [true, undefined]],
    )
    await server.close()
  })

  test('reads no line without a bound', async () => {
    const directory = folder()
    const server = await serveControl(directory, echo)
    assert.match(await raw(directory, 'x'.repeat(70_000)), /OPTION_INVALID.*at most 65536 bytes/)
    await server.close()
  })

  test('answers what is under way after it was closed, as a stop that waits for the end needs', async () => {
    const directory = folder()
    const ended = deferred<string>()
    const begun = deferred<void>()
    const server = await serveControl(directory, request => {
      begun.resolve()
      return request.command === 'stop' ? ended.promise : Promise.resolve('ok')
    })
    const stopped = askJob(directory, { command: 'stop' })
    await begun.promise
    await server.close()
    assert.match(await refusal(askJob(directory, { command: 'status' }), 'JOB_UNREACHABLE'), /millrace run --dir/)
    ended.resolve('stopped')
    assert.equal(await stopped, 'stopped')
  })

  test('tells that nobody answers: no directory, no job, a job that went away', async () => {
    await refusal(askJob(join(root, 'nowhere'), { command: 'stop' }), 'JOB_UNREACHABLE')
    const directory = folder()
    writeFileSync(join(directory, 'control'), '')
    assert.match(await refusal(askJob(directory, { command: 'stop' }), 'JOB_UNREACHABLE'), /no job answers in/)
  })
})

describe('LineReader', () => {
  test('puts lines together from any pieces, also in the middle of a character', () => {
    const bytes = Buffer.from('für\n\n{"a":1}\nrest')
    for (let size = 1; size <= bytes.length; size++) {
      const reader = new LineReader()
      const lines: string[] = []
      for (let from = 0; from < bytes.length; from += size)
        lines.push(...(reader.read(bytes.subarray(from, from + size)) ?? []))
      assert.deepEqual(lines, ['für', '{"a":1}'])
    }
  })

  test('refuses a line that is too long, finished or not', () => {
    assert.equal(new LineReader(4).read(Buffer.from('12345')), undefined)
    assert.equal(new LineReader(4).read(Buffer.from('12345\n')), undefined)
    assert.deepEqual(new LineReader(4).read(Buffer.from('1234\n1234')), ['1234'])
  })
})
