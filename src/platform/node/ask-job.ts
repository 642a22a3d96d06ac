// The other end of a job's control socket: asks the job that runs in a directory, and waits for the answer.
import { createConnection } from 'node:net'
import { resolve } from 'node:path'
import { ERROR_CODES, type ErrorCode } from '../../base/error-codes.ts'
import { errorText, StreamError } from '../../base/errors.ts'
import { LineReader } from './control-lines.ts'
import { type ControlAnswer, type ControlRequest, controlAddress } from './control-socket.ts'

/** Answers may hold the metrics of a large job. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024

/**
 * Sends a request to the job that runs in a directory; resolves with its answer, however long that takes. Rejects with the job's own
 * failure, or JOB_UNREACHABLE when none runs there, or it ended before it answered.
 */
export async function askJob(directory: string, request: ControlRequest): Promise<unknown> {
  const absolute = resolve(directory)
  const answer = await exchange(absolute, await controlAddress(absolute), `${JSON.stringify(request)}\n`)
  if (answer.ok) return answer.result
  const code = Object.hasOwn(ERROR_CODES, answer.code) ? (answer.code as ErrorCode) : 'INTERNAL_ERROR'
  throw new StreamError(code, answer.message)
}

function exchange(directory: string, address: string, text: string): Promise<ControlAnswer> {
  return new Promise((done, failed) => {
    const reader = new LineReader(ANSWER_BYTES_MAX)
    const socket = createConnection(address, () => socket.write(text))
    socket.on('error', error => failed(unreachable(directory, error)))
    socket.on('close', () => failed(unreachable(directory, 'it ended before it answered')))
    socket.on('data', (bytes: Buffer) => {
      const lines = reader.read(bytes)
      const [line] = lines ?? []
      if (lines !== undefined && line === undefined) return
      try {
        done(JSON.parse(line ?? '') as ControlAnswer)
      } catch (error) {
        failed(unreachable(directory, error))
      }
      socket.destroy()
    })
  })
}

function unreachable(directory: string, cause: unknown): StreamError {
  const mend = 'give the name or the directory of a job that runs, and takes checkpoints (millrace run --dir DIR)'
  return new StreamError('JOB_UNREACHABLE', `no job answers in ${directory} (${errorText(cause)}); ${mend}`, { cause })
}
