// Record path (bench/micro/record-codec.ts). The bytes of the frame that is being written: a buffer that grows, and is used again.

const FIRST_BYTES = 1 << 14
/** What is kept for the next frame; a larger one was an exception. */
const KEPT_BYTES_MAX = 1 << 20

/** Bytes with a position behind what was written. Whoever writes asks for room first, and takes `bytes` and `view` afterwards. */
export class FrameBuffer {
  bytes = new Uint8Array(FIRST_BYTES)
  view = new DataView(this.bytes.buffer)
  position = 0

  /** Begins anew; lets go of a buffer that is far larger than frames usually are. */
  reset(): void {
    this.position = 0
    if (this.bytes.length > KEPT_BYTES_MAX) this.replace(FIRST_BYTES)
  }

  /** Makes room for so many bytes behind the position. */
  reserve(bytes: number): void {
    const needed = this.position + bytes
    if (needed > this.bytes.length) this.replace(Math.max(this.bytes.length * 2, needed))
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.position++] = value
  }

  uint32(value: number): void {
    this.reserve(4)
    this.view.setUint32(this.position, value, true)
    this.position += 4
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.position)
    this.position += bytes.length
  }

  private replace(bytes: number): void {
    const next = new Uint8Array(bytes)
    next.set(this.bytes.subarray(0, this.position))
    this.bytes = next
    this.view = new DataView(next.buffer)
  }
}
