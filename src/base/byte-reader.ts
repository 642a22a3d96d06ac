// Reads what a ByteWriter wrote. What ends too early, or cannot be, is a BytesCorruptError: whoever knows what the bytes are says so.

/** The bytes are not what was written: cut short, or changed. */
export class BytesCorruptError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'BytesCorruptError'
  }
}

/** A position in bytes that moves on with each read. Numbers are little-endian unless named otherwise. */
export class ByteReader {
  position: number
  readonly end: number
  private readonly bytes: Uint8Array
  private readonly data: DataView

  /** Reads the bytes from a position up to (not including) an end. */
  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes
    this.data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.position = position
    this.end = end
  }

  get isAtEnd(): boolean {
    return this.position >= this.end
  }

  byte(): number {
    return this.bytes[this.take(1)] as number
  }

  uint32(): number {
    return this.data.getUint32(this.take(4), true)
  }

  float64(): number {
    return this.data.getFloat64(this.take(8), true)
  }

  varint(): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    throw new BytesCorruptError('a number has too many bytes')
  }

  /** A view of the next bytes, not a copy. */
  raw(length: number): Uint8Array {
    const from = this.take(length)
    return this.bytes.subarray(from, from + length)
  }

  /** A reader of the next bytes alone. */
  part(length: number): ByteReader {
    const from = this.take(length)
    return new ByteReader(this.bytes, from, from + length)
  }

  private take(length: number): number {
    const from = this.position
    if (length > this.end - from)
      throw new BytesCorruptError(`${length} bytes are expected where ${this.end - from} are left`)
    this.position = from + length
    return from
  }
}
