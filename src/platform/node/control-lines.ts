// Bytes from a socket into lines of a bounded length: the framing of requests and answers.
import { StringDecoder } from 'node:string_decoder'

/** A line that is longer is not read. */
export const CONTROL_LINE_BYTES_MAX = 64 * 1024

/** Collects bytes into lines, without their ends. */
export class LineReader {
  private readonly decoder = new StringDecoder('utf8')
  private readonly bytesMax: number
  private rest = ''
  private restBytes = 0

  constructor(bytesMax: number = CONTROL_LINE_BYTES_MAX) {
    this.bytesMax = bytesMax
  }

  /** The lines that the bytes complete; undefined, and no use any more, when a line is too long. */
  read(bytes: Buffer): string[] | undefined {
    const lines: string[] = []
    let from = 0
    for (let to = bytes.indexOf(10); to >= 0; to = bytes.indexOf(10, from)) {
      if (this.restBytes + to - from > this.bytesMax) return undefined
      lines.push(this.rest + this.decoder.write(bytes.subarray(from, to)) + this.decoder.end())
      this.rest = ''
      this.restBytes = 0
      from = to + 1
    }
    this.restBytes += bytes.length - from
    if (this.restBytes > this.bytesMax) return undefined
    this.rest += this.decoder.write(bytes.subarray(from))
    return lines.filter(line => line !== '')
  }
}
