// A source of lines from a TCP server, as a client. The end of the stream is the end of input; a broken connection is made again.
// Nothing can be resumed: what the server sent is gone from there.

import { StreamError } from '../../base/errors.ts'
import type { ReaderContext, ReadStatus, Source, SourceOutput, SourceSpec, SplitReader } from '../../model/connector.ts'
import { emitLines, LineCutter, type LineInput, logReplacements } from '../line-cutter.ts'
import { ConnectorOptions } from '../options.ts'
import { TEXT_OPTION_NAMES, textOptions } from '../text-options.ts'
import { type SocketAddress, SocketConnection } from './socket-connection.ts'

/** What a socket source does, with its options checked. */
interface SocketTextOptions extends SocketAddress {
  readonly retries: number
  readonly retryDelayMs: number
  readonly input: Omit<LineInput, 'logger'>
}

const OPTION_NAMES = ['host', 'port', 'retries', 'retryDelayMs', 'delimiter', ...TEXT_OPTION_NAMES] as const
const RETRIES_DEFAULT = 5
const RETRIES_MAX = 1_000_000
const RETRY_DELAY_MS_DEFAULT = 100
/** The back-off doubles up to this, or up to the first delay where that is longer. */
const RETRY_DELAY_MS_MAX = 10_000
/** A server that does not answer at all counts as unreachable after this. */
const CONNECT_TIMEOUT_MS = 30_000

/**
 * Makes the source `socket-text` of `host`, `port`, `retries`, `retryDelayMs`, `delimiter`, `lineBytesMax` and `encodingErrors`; throws
 * OPTION_INVALID.
 *
 * - The first connection fails at once with SOCKET_CONNECT_FAILED when it is refused, the name is unknown, or no answer comes in 30 s.
 * - When the server ends the stream, a last line without delimiter is a line, and the input is at its end.
 * - When a connection breaks, lines received before are emitted; the bytes of a half line are dropped and logged as a warning with their
 *   number, because the next connection begins anew. It is made again up to `retries` times, after `retryDelayMs` at first and then twice as
 *   long each time; data from a new connection starts the count anew. Then it is SOCKET_LOST.
 * - Not more than some 400 KiB wait unread in memory: beyond that the server is held back.
 */
export function socketTextSource(spec: SourceSpec): Source<string, null> {
  const options = new ConnectorOptions(spec, OPTION_NAMES)
  const checked: SocketTextOptions = {
    host: options.text('host'),
    port: options.wholeNumber('port', { min: 1, max: 65_535 }),
    retries: options.wholeNumber('retries', { min: 0, max: RETRIES_MAX, default: RETRIES_DEFAULT }),
    retryDelayMs: options.wholeNumber('retryDelayMs', { min: 0, max: 3_600_000, default: RETRY_DELAY_MS_DEFAULT }),
    input: { ...textOptions(options), description: spec.description, delimiter: options.text('delimiter', '\n') },
  }
  return {
    splits: () => [{ id: `${checked.host}:${checked.port}`, position: null }],
    // A job that is started again begins with what the server sends from then on.
    open: (_split, context) => new SocketReader(checked, context),
  }
}

/**
 * connecting: an attempt is under way; reading: connected, or broken with lines left to emit; backing-off: waiting for the next attempt;
 * failed: an error was thrown; ended; closed.
 */
type ReaderState = 'connecting' | 'reading' | 'backing-off' | 'failed' | 'ended' | 'closed'

class SocketReader implements SplitReader<string, null> {
  /** When to be read again: the next attempt while backing off, the timeout while connecting. */
  wakeAtMs: number | undefined
  private readonly options: SocketTextOptions
  private readonly context: ReaderContext
  private readonly input: LineInput
  private state: ReaderState = 'connecting'
  private connection: SocketConnection
  private cutter: LineCutter
  /** False until the first attempt succeeded. */
  private wasConnected = false
  /** Attempts since data arrived last. */
  private attempts = 0
  private failure: StreamError | undefined

  constructor(options: SocketTextOptions, context: ReaderContext) {
    this.options = options
    this.context = context
    this.input = { ...options.input, logger: context.logger }
    this.cutter = new LineCutter(this.input)
    this.connection = this.connect()
  }

  read(output: SourceOutput<string>): ReadStatus {
    for (;;) {
      switch (this.state) {
        case 'connecting':
          if (!this.checkConnected()) return 'waiting'
          break
        case 'reading': {
          const status = this.readLines(output)
          if (status !== 'broken') return status
          break
        }
        case 'backing-off':
          if (this.wakeAtMs !== undefined && this.context.clock.now() < this.wakeAtMs) return 'waiting'
          this.connection = this.connect()
          break
        case 'failed':
          throw this.failure
        case 'ended':
        case 'closed':
          return 'end'
      }
    }
  }

  /** There is no position to resume from. */
  position(): null {
    return null
  }

  close(): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    logReplacements(this.cutter, this.input)
    this.connection.destroy()
  }

  private connect(): SocketConnection {
    this.state = 'connecting'
    this.wakeAtMs = this.context.clock.now() + CONNECT_TIMEOUT_MS
    return new SocketConnection(this.options, () => this.context.wake())
  }

  // True when the state changed.
  private checkConnected(): boolean {
    const { connection, context } = this
    if (connection.state === 'connecting') {
      if (this.wakeAtMs === undefined || context.clock.now() < this.wakeAtMs) return false
      this.onAttemptFailed(`no answer in ${CONNECT_TIMEOUT_MS / 1000} s`)
      return true
    }
    // An attempt may have been made and broken between two looks at it: bytes tell that it was made.
    if (connection.state === 'broken' && !connection.wasConnected) {
      this.onAttemptFailed(connection.reason())
      return true
    }
    this.wasConnected = true
    this.wakeAtMs = undefined
    this.state = 'reading'
    return true
  }

  private readLines(output: SourceOutput<string>): ReadStatus | 'broken' {
    const { connection, cutter } = this
    if (connection.hasDelivered) this.attempts = 0
    if (emitLines(cutter, () => connection.take(), output) === 'full') return 'more'
    if (connection.state === 'connected') return 'waiting'
    if (connection.state === 'broken') {
      this.onBroken()
      return 'broken'
    }
    const last = cutter.finish()
    if (last !== undefined) output.emit(last)
    this.state = 'ended'
    return 'end'
  }

  private onBroken(): void {
    const { connection, cutter, input } = this
    const bytes = cutter.unfinishedBytes()
    if (bytes > 0) {
      input.logger.log('warn', `${input.description}: the connection broke within a line, which is dropped`, { bytes })
    }
    logReplacements(cutter, input)
    this.cutter = new LineCutter(input)
    this.onAttemptFailed(connection.reason())
  }

  private onAttemptFailed(reason: string): void {
    const { host, port, retries, retryDelayMs } = this.options
    const { clock, logger } = this.context
    const { description } = this.input
    this.connection.destroy()
    if (!this.wasConnected) {
      this.fail(
        'SOCKET_CONNECT_FAILED',
        `could not connect to ${host}:${port} (${reason}); start the server first, for instance nc -lk ${port}`,
      )
    }
    if (this.attempts >= retries) {
      this.fail(
        'SOCKET_LOST',
        `the connection to ${host}:${port} was lost (${reason}) and ${retries} attempts to make it again failed; check the server, or raise retries`,
      )
    }
    const delayMs = Math.min(retryDelayMs * 2 ** this.attempts, Math.max(retryDelayMs, RETRY_DELAY_MS_MAX))
    this.attempts++
    this.state = 'backing-off'
    this.wakeAtMs = clock.now() + delayMs
    logger.log('warn', `${description}: the connection broke; connecting again`, {
      reason,
      attempt: this.attempts,
      retries,
      delayMs,
    })
  }

  private fail(code: 'SOCKET_CONNECT_FAILED' | 'SOCKET_LOST', message: string): never {
    this.state = 'failed'
    this.failure = new StreamError(code, `${this.input.description}: ${message}`, { cause: this.connection.cause() })
    throw this.failure
  }
}
