// Bytes that a stream has delivered and nobody has read yet. It pauses the stream while it holds enough: the bound of a text source's memory.
import { Deque } from '../base/deque.ts'

/** The part of a readable stream that is needed to hold it back. */
export interface PausableStream {
  pause(): unknown
  resume(): unknown
}

/** A stream is paused when this much waits; one more chunk of it may still be on its way. */
export const QUEUED_BYTES_MAX = 256 * 1024

/** A queue of chunks that holds its stream back. */
export class ChunkQueue {
  private readonly stream: PausableStream
  private readonly chunks = new Deque<Uint8Array>()
  private queued = 0
  private isPaused = false

  constructor(stream: PausableStream) {
    this.stream = stream
  }

  get queuedBytes(): number {
    return this.queued
  }

  push(chunk: Uint8Array): void {
    this.chunks.push(chunk)
    this.queued += chunk.length
    if (this.isPaused || this.queued < QUEUED_BYTES_MAX) return
    this.isPaused = true
    this.stream.pause()
  }

  /** The oldest chunk, or undefined. When half of what is allowed has been taken, the stream goes on. */
  take(): Uint8Array | undefined {
    const chunk = this.chunks.shift()
    if (chunk !== undefined) this.queued -= chunk.length
    if (this.isPaused && this.queued <= QUEUED_BYTES_MAX / 2) {
      this.isPaused = false
      this.stream.resume()
    }
    return chunk
  }

  clear(): void {
    this.chunks.clear()
    this.queued = 0
  }
}
