// How people talk to a running job: a socket in its directory that takes one request a line and answers each with a line, both JSON. Only
// the user that runs the job may connect.
import { createHash } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { errorText, StreamError } from '../../base/errors.ts'
import { CONTROL_LINE_BYTES_MAX, LineReader } from './control-lines.ts'

/** What can be asked of a job. Which fields a command takes besides is the business of who handles it. */
export interface ControlRequest {
  readonly command: ControlCommand
  readonly [field: string]: unknown
}

/** The commands, in one place for both sides. */
export const CONTROL_COMMANDS = ['savepoint', 'checkpoint', 'stop', 'drain', 'cancel', 'status'] as const

/** A command. */
export type ControlCommand = (typeof CONTROL_COMMANDS)[number]

/** Carries out a request; what it resolves with is sent as JSON, what it rejects with by its code and message. */
export type ControlHandler = (request: ControlRequest) => Promise<unknown>

/** A socket that takes requests. */
export interface ControlServer {
  /** Takes no more requests. Those under way are still answered: one may be waiting for the end of the job, which waits for this. */
  close(): Promise<void>
}

const SOCKET_FILE = 'control'
const PATH_FILE = 'control.path'
/** A socket's path has 108 bytes on Linux, 104 on macOS, with the zero at its end. */
const SOCKET_PATH_BYTES_MAX = 100

/**
 * Serves requests in a directory that this process has locked. It keeps no process alive by itself. Rejects with what the system says when
 * no socket can be made there.
 */
export async function serveControl(directory: string, handler: ControlHandler): Promise<ControlServer> {
  const place = await choosePlace(resolve(directory))
  const connections = new Set<Connection>()
  const server = createServer(socket => {
    const connection = new Connection(socket, handler)
    connections.add(connection)
    socket.once('close', () => connections.delete(connection))
  })
  await listen(server, place.address)
  if (!place.isPipe) await chmod(place.address, 0o600)
  server.unref()
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    server.close()
    for (const connection of connections) connection.endWhenAnswered()
    await Promise.all(place.files.map(file => rm(file, { recursive: true, force: true })))
  }
  return {
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

/** The address at which a job of the directory would listen. */
export async function controlAddress(directory: string): Promise<string> {
  const absolute = resolve(directory)
  if (process.platform === 'win32') return pipeName(absolute)
  try {
    return (await readFile(join(absolute, PATH_FILE), 'utf8')).trim()
  } catch {
    return join(absolute, SOCKET_FILE)
  }
}

interface Place {
  readonly address: string
  /** True for a named pipe, which is no file. */
  readonly isPipe: boolean
  /** What has to be removed at the end. */
  readonly files: readonly string[]
}

async function choosePlace(directory: string): Promise<Place> {
  if (process.platform === 'win32') return { address: pipeName(directory), isPipe: true, files: [] }
  const address = join(directory, SOCKET_FILE)
  const pathFile = join(directory, PATH_FILE)
  // A process that was killed leaves its socket behind, and nobody else may have one here.
  for (const file of [address, pathFile]) await rm(file, { force: true })
  if (Buffer.byteLength(address) <= SOCKET_PATH_BYTES_MAX) return { address, isPipe: false, files: [address] }
  // A folder that only the user may enter, under a name that nobody can have taken before.
  const folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  await writeFile(pathFile, `${join(folder, SOCKET_FILE)}\n`)
  return { address: join(folder, SOCKET_FILE), isPipe: false, files: [folder, pathFile] }
}

function pipeName(directory: string): string {
  const hash = createHash('sha256').update(directory.toLowerCase()).digest('hex').slice(0, 32)
  return `\\\\.\\pipe\\millrace-${hash}`
}

function listen(server: Server, address: string): Promise<void> {
  return new Promise((done, failed) => {
    server.once('error', failed)
    server.listen(address, () => {
      server.off('error', failed)
      // A later error of the listening socket must not end the job.
      server.on('error', () => {})
      done()
    })
  })
}

/** One connection: its requests are answered one after the other. */
class Connection {
  private readonly socket: Socket
  private readonly handler: ControlHandler
  private readonly lines: string[] = []
  private state: 'idle' | 'answering' | 'ending' = 'idle'
  private isLast = false

  constructor(socket: Socket, handler: ControlHandler) {
    this.socket = socket
    this.handler = handler
    const reader = new LineReader()
    // Who asked may be gone before the answer: that is no failure of the job.
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes: Buffer) => {
      const lines = reader.read(bytes)
      if (lines === undefined) this.refuse()
      else this.take(lines)
    })
  }

  /** Closes it after the answer that is due. */
  endWhenAnswered(): void {
    this.isLast = true
    this.lines.length = 0
    if (this.state !== 'answering') this.end()
  }

  private take(lines: readonly string[]): void {
    if (this.isLast || this.state === 'ending') return
    this.lines.push(...lines)
    if (this.state === 'idle') void this.answerAll()
  }

  private async answerAll(): Promise<void> {
    this.state = 'answering'
    for (let line = this.lines.shift(); line !== undefined; line = this.lines.shift()) {
      const answer = await this.answer(line)
      if (!this.socket.destroyed) this.socket.write(`${JSON.stringify(answer)}\n`)
    }
    this.state = 'idle'
    if (this.isLast) this.end()
  }

  private async answer(line: string): Promise<ControlAnswer> {
    try {
      return { ok: true, result: await this.handler(parseRequest(line)) }
    } catch (error) {
      return failureAnswer(error)
    }
  }

  private refuse(): void {
    const message = `a request has at most ${CONTROL_LINE_BYTES_MAX} bytes; send one JSON object a line`
    const answer = failureAnswer(new StreamError('OPTION_INVALID', message))
    this.socket.write(`${JSON.stringify(answer)}\n`)
    this.end()
  }

  private end(): void {
    this.state = 'ending'
    this.socket.end()
    this.socket.unref()
  }
}

/** What is sent back. */
export type ControlAnswer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string }

function failureAnswer(error: unknown): ControlAnswer {
  const code = error instanceof StreamError ? error.code : 'INTERNAL_ERROR'
  const text = errorText(error)
  return { ok: false, code, message: text.startsWith(`${code}: `) ? text.slice(code.length + 2) : text }
}

function parseRequest(line: string): ControlRequest {
  const request = parsed(line) as Partial<ControlRequest> | undefined
  if (CONTROL_COMMANDS.includes(request?.command as ControlCommand)) return request as ControlRequest
  const expected = `send an object with a command (${CONTROL_COMMANDS.join(', ')})`
  throw new StreamError('OPTION_INVALID', `${line.slice(0, 100)} is no request; ${expected}`)
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch {
    return undefined
  }
}
