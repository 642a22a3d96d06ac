// A growing byte buffer, reused between uses so that encoding a key allocates nothing in the steady state.

/** Appends bytes; `view` shows what was written since `reset` and is valid until the next write. */
export class ByteWriter {
  private bytes = new Uint8Array(64)
  private length = 0

  reset(): void {
    this.length = 0
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.grow(1)
    this.bytes[this.length++] = value
  }

  uint32BigEndian(value: number): void {
    this.byte((value >>> 24) & 0xff)
    this.byte((value >>> 16) & 0xff)
    this.byte((value >>> 8) & 0xff)
    this.byte(value & 0xff)
  }

  view(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  copy(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }

  private grow(by: number): void {
    const next = new Uint8Array(Math.max(this.bytes.length * 2, this.length + by))
    next.set(this.bytes)
    this.bytes = next
  }
}
