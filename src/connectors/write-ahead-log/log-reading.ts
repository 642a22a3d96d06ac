// Reads the segments of a write-ahead log piece by piece, without holding one of them whole.
import { damagedError } from './log-errors.ts'
import { FIRST_OFFSET, type LogFolder, type Segment } from './log-folder.ts'
import { decodeFrames, type FrameScan, HEADER, headerKind, type LogEntry, scanFrames } from './log-format.ts'

/** What is read of a segment at once, but for records that are longer. */
const PIECE_BYTES = 1024 * 1024

/** Entries that stand together in a segment. */
export interface LogPiece {
  readonly segment: number
  /** Where its frames begin. */
  readonly offset: number
  readonly entries: readonly LogEntry[]
}

/** Whole frames of a segment. */
interface Frames {
  readonly bytes: Uint8Array
  readonly scan: FrameScan
}

/** Reads whole frames from an offset; none when the frame there is not whole. */
export async function readFrames(folder: LogFolder, { number, bytes: size }: Segment, offset: number): Promise<Frames> {
  const read = async (bytes: number): Promise<Frames> => {
    const piece = await folder.files.readAt(folder.pathOf(number), offset, bytes)
    const scan = scanFrames(piece)
    return { bytes: piece.subarray(0, scan.endBytes), scan }
  }
  const first = await read(Math.min(PIECE_BYTES, size - offset))
  const { endBytes, stop, neededBytes } = first.scan
  const isLongFrame = endBytes === 0 && stop === 'cut' && neededBytes <= size - offset
  return isLongFrame ? read(neededBytes) : first
}

/** True when a segment begins as one of this version does. Throws SOURCE_FAILED for one of another version. */
export async function hasHeader(folder: LogFolder, { number }: Segment): Promise<boolean> {
  const path = folder.pathOf(number)
  const kind = headerKind(await folder.files.readAt(path, 0, HEADER.length))
  if (kind === 'other') throw damagedError(folder.description, path, 'was written by another version of Millrace')
  return kind === 'this'
}

/** Replays segments, which must be whole, from a position. */
export class LogCursor {
  private readonly folder: LogFolder
  private readonly segments: readonly Segment[]
  private at = 0
  private offset: number

  /** The first segment is that of the position. */
  constructor(folder: LogFolder, segments: readonly Segment[], offset: number) {
    this.folder = folder
    this.segments = segments
    this.offset = offset
  }

  /** The next entries; undefined at the end. Rejects with SOURCE_FAILED for a segment that is damaged. */
  async next(): Promise<LogPiece | undefined> {
    for (;;) {
      const segment = this.segments[this.at]
      if (segment === undefined) return undefined
      const { offset } = this
      if (offset < segment.bytes) {
        const { bytes } = await readFrames(this.folder, segment, offset)
        if (bytes.length === 0) throw this.damaged(segment, `is damaged at byte ${offset}`)
        this.offset = offset + bytes.length
        return { segment: segment.number, offset, entries: decodeFrames(bytes) }
      }
      this.at++
      this.offset = FIRST_OFFSET
      await this.checkNext()
    }
  }

  private async checkNext(): Promise<void> {
    const segment = this.segments[this.at]
    if (segment !== undefined && !(await hasHeader(this.folder, segment)))
      throw this.damaged(segment, 'does not begin as a segment does')
  }

  private damaged({ number }: Segment, found: string): Error {
    return damagedError(this.folder.description, this.folder.pathOf(number), found)
  }
}
