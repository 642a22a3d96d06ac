// One object for each task and snapshot: header, sections (the rows of a part and key group), index, footer. Copying and checksumming go in
// slices, so that a large snapshot does not keep other tasks waiting.
import { crc32 } from '../../base/crc32.ts'
import type { PartSection, PartSnapshot } from '../../state/state-part.ts'
import type { TaskSnapshot } from './manifest.ts'
import { encodeIndex, HEADER_BYTES, type IndexedPart, type IndexedSection, segmentHeader } from './segment-index.ts'

/** How many bytes are copied and checksummed at once: less than 2 ms of work. */
const SLICE_BYTES = 512 * 1024

/** Gives the turn to others. */
export type Pause = () => Promise<void>

/** Goes on in the same turn of the event loop; for tests and for who has nobody to give a turn to. */
export const noPause: Pause = () => Promise.resolve()

/** A part in a segment that is written. */
export interface EncodedPart {
  readonly uid: string
  readonly snapshot: PartSnapshot
  /** Which part of the segment it is, from 0. */
  readonly place: number
}

/** A segment, ready to be stored. */
export interface EncodedSegment {
  readonly bytes: Uint8Array
  /** Of header and index, which in turn hold the checksums of the sections. */
  readonly checksum: number
  readonly parts: readonly EncodedPart[]
}

/** Encodes what a task handed in. Copies the rows, so that their buffers may be used again afterwards. */
export async function encodeSegment(snapshot: TaskSnapshot, pause: Pause = noPause): Promise<EncodedSegment> {
  const parts = snapshot.operators
    .flatMap(({ uid, parts }) => parts.map(part => ({ uid, snapshot: part })))
    .map((part, place): EncodedPart => ({ ...part, place }))
  const header = segmentHeader()
  const copier = new SliceCopier(parts, pause)
  copier.bytes.set(header)
  const indexed: IndexedPart[] = []
  for (const { uid, snapshot } of parts) {
    const sections: IndexedSection[] = []
    for (const section of snapshot.sections) sections.push(await copier.copy(section))
    indexed.push({ uid, part: snapshot.part, kind: snapshot.kind, isFull: snapshot.isFull, sections })
  }
  const index = encodeIndex(indexed, header, copier.offset)
  const bytes = await copier.withTail(index.bytes)
  return { bytes, checksum: index.checksum, parts }
}

/** The checksum of bytes, in slices. */
export async function slicedChecksum(bytes: Uint8Array, pause: Pause): Promise<number> {
  let checksum = 0
  for (let from = 0; from < bytes.length; from += SLICE_BYTES) {
    if (from > 0) await pause()
    checksum = crc32(bytes.subarray(from, from + SLICE_BYTES), checksum)
  }
  return checksum
}

/** Lays sections one behind the other. */
class SliceCopier {
  readonly bytes: Uint8Array
  offset = HEADER_BYTES
  private sliceLeft = SLICE_BYTES
  private readonly pause: Pause

  constructor(parts: readonly EncodedPart[], pause: Pause) {
    this.pause = pause
    let size = HEADER_BYTES
    // Room for an index of usual size, so that the sections are not copied again to put it behind them.
    let indexSize = 1024
    for (const { uid, snapshot } of parts) {
      indexSize += 3 * (uid.length + snapshot.part.length) + 32
      for (const section of snapshot.sections) {
        size += section.bytes.length
        indexSize += 40
      }
    }
    this.bytes = new Uint8Array(size + indexSize)
  }

  async copy({ keyGroup, rows, bytes }: PartSection): Promise<IndexedSection> {
    const { offset } = this
    let checksum = 0
    for (let from = 0; from < bytes.length; ) {
      if (this.sliceLeft === 0) {
        await this.pause()
        this.sliceLeft = SLICE_BYTES
      }
      const slice = bytes.subarray(from, from + this.sliceLeft)
      this.bytes.set(slice, this.offset)
      checksum = crc32(slice, checksum)
      this.offset += slice.length
      this.sliceLeft -= slice.length
      from += slice.length
    }
    return { keyGroup, offset, bytes: bytes.length, rows, checksum }
  }

  async withTail(tail: Uint8Array): Promise<Uint8Array> {
    await this.pause()
    this.bytes.set(tail, this.offset)
    return this.bytes.subarray(0, this.offset + tail.length)
  }
}
