// One connection of a TCP client: the bytes it delivered, and how it stands. Connecting again is the reader's business.
import { connect, type Socket } from 'node:net'
import { errorText } from '../../base/errors.ts'
import { ChunkQueue } from '../chunk-queue.ts'

/** Where a connection stands; `ended` is a regular end by the other side, `broken` anything else. */
export type ConnectionState = 'connecting' | 'connected' | 'ended' | 'broken'

/** With whom to connect. */
export interface SocketAddress {
  readonly host: string
  readonly port: number
}

/** After this long without traffic the operating system asks whether the other side is still there. */
const KEEP_ALIVE_DELAY_MS = 60_000

/** A connection in the making or made; what it holds is bounded by its queue. */
export class SocketConnection {
  /** True once the connection was made, also when it broke since. */
  wasConnected = false
  /** True once bytes arrived. */
  hasDelivered = false
  private readonly socket: Socket
  private readonly queue: ChunkQueue
  private current: ConnectionState = 'connecting'
  private error: Error | undefined

  /** Begins to connect; `onChange` is called whenever there is something new to see. */
  constructor({ host, port }: SocketAddress, onChange: () => void) {
    this.socket = connect({ host, port, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS })
    this.queue = new ChunkQueue(this.socket)
    this.socket.on('connect', () => {
      this.wasConnected = true
      this.become('connected', onChange)
    })
    this.socket.on('data', chunk => {
      this.hasDelivered = true
      this.queue.push(chunk as Uint8Array)
      onChange()
    })
    this.socket.on('end', () => this.become('ended', onChange))
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error ??= error
      // Only who accepted a connection can reset it, even if that is noticed before the connection itself.
      if (error.code === 'ECONNRESET') this.wasConnected = true
      this.become('broken', onChange)
    })
    this.socket.on('close', () => this.become('broken', onChange))
  }

  get state(): ConnectionState {
    return this.current
  }

  get queuedBytes(): number {
    return this.queue.queuedBytes
  }

  /** The bytes in the order of arrival; undefined when none wait. */
  take(): Uint8Array | undefined {
    return this.queue.take()
  }

  /** Why it broke, in one line: `ECONNREFUSED 127.0.0.1:9999`. */
  reason(): string {
    return this.error === undefined ? 'the connection was closed' : errorReason(this.error)
  }

  /** The error that broke it. */
  cause(): Error | undefined {
    return this.error
  }

  /** Closes it at once; nothing is called after this. */
  destroy(): void {
    this.socket.removeAllListeners()
    // A late error of a socket that nobody watches would end the process.
    this.socket.on('error', () => {})
    this.socket.destroy()
    this.queue.clear()
  }

  private become(state: ConnectionState, onChange: () => void): void {
    if (this.current === 'ended' || this.current === 'broken') return
    this.current = state
    onChange()
  }
}

// A name with several addresses fails with one error that has no message of its own and one error inside per address.
function errorReason(error: Error): string {
  const inner = error instanceof AggregateError ? error.errors : []
  return inner.length > 0 ? inner.map(errorText).join(', ') : errorText(error)
}
