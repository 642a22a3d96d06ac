// Reads segments from a storage, checking all that is read: what is missing, cut, changed or put in another's place is SNAPSHOT_DAMAGED.
import type { Storage } from '../../base/storage.ts'
import { checksumText, damagedError } from './damaged.ts'
import type { SegmentRef } from './manifest.ts'
import { noPause, type Pause, slicedChecksum } from './segment.ts'
import {
  decodeIndex,
  FOOTER_BYTES,
  HEADER_BYTES,
  type IndexedPart,
  type IndexedSection,
  readFooter,
} from './segment-index.ts'

/** Footer and index usually come with one read. */
const TAIL_BYTES = 64 * 1024
/** How many bytes of neighbouring sections are read at once, unless one section alone is larger. */
const RUN_BYTES = 4 * 1024 * 1024
/** Indexes kept: all parts of a task, and all tasks after a rescaling, read the same ones. */
const INDEXES_MAX = 256

/** What a manifest says of a segment, or of a part in it. */
export type SegmentPlace = Pick<SegmentRef, 'file' | 'bytes' | 'checksum'>

/** Reads and checks the segments in one storage. */
export class SegmentReader {
  private readonly storage: Storage
  private readonly pause: Pause
  private readonly indexes = new Map<string, readonly IndexedPart[]>()

  constructor(storage: Storage, pause: Pause = noPause) {
    this.storage = storage
    this.pause = pause
  }

  /** The index, read anew: checks that the segment is there with the size and index that the manifest says. Throws SNAPSHOT_DAMAGED, SNAPSHOT_VERSION. */
  async readIndex(segment: SegmentPlace): Promise<readonly IndexedPart[]> {
    const { file, bytes, checksum } = segment
    const tailBytes = Math.min(bytes, TAIL_BYTES)
    // One byte more shows a file that is too long.
    const tail = await this.read(file, bytes - tailBytes, tailBytes + 1)
    checkSize(segment, bytes - tailBytes + tail.length)
    const end = tailBytes - FOOTER_BYTES
    const footer = readFooter(tail.subarray(end), file, bytes)
    if (footer.checksum !== checksum) {
      throw damagedError({
        file,
        found: `a segment with checksum ${checksumText(footer.checksum)}`,
        expected: `${checksumText(checksum)}, the one of the manifest`,
      })
    }
    const header = tailBytes === bytes ? tail.subarray(0, HEADER_BYTES) : await this.readWhole(file, 0, HEADER_BYTES)
    const index =
      footer.length <= end
        ? tail.subarray(end - footer.length, end)
        : await this.readWhole(file, footer.offset, footer.length)
    return decodeIndex(index, header, file, checksum)
  }

  /**
   * Visits wanted sections of a part in the order of the file, neighbours read together. Throws SNAPSHOT_DAMAGED, SNAPSHOT_VERSION; what
   * was visited before was sound.
   */
  async readSections(
    ref: SegmentRef,
    isWanted: (keyGroup: number) => boolean,
    visit: (section: IndexedSection, bytes: Uint8Array) => void,
  ): Promise<void> {
    const part = await this.part(ref)
    for (const run of runsOf(part.sections.filter(section => isWanted(section.keyGroup)))) {
      const first = run[0] as IndexedSection
      const last = run.at(-1) as IndexedSection
      const bytes = await this.readWhole(ref.file, first.offset, last.offset + last.bytes - first.offset)
      for (const section of run) {
        const from = section.offset - first.offset
        const rows = bytes.subarray(from, from + section.bytes)
        await this.check(section, rows, ref.file)
        visit(section, rows)
      }
    }
  }

  /** Reads the whole segment and checks every section of it. Throws SNAPSHOT_DAMAGED, SNAPSHOT_VERSION. */
  async readAll(segment: SegmentPlace): Promise<Uint8Array> {
    const bytes = await this.storage.get(segment.file)
    if (bytes === undefined) throw missing(segment.file)
    checkSize(segment, bytes.length)
    for (const { sections } of await this.readIndex(segment)) {
      for (const section of sections)
        await this.check(section, bytes.subarray(section.offset, section.offset + section.bytes), segment.file)
    }
    return bytes
  }

  private async part(ref: SegmentRef): Promise<IndexedPart> {
    const key = `${ref.file} ${ref.checksum}`
    let index = this.indexes.get(key)
    if (index === undefined) {
      index = await this.readIndex(ref)
      if (this.indexes.size >= INDEXES_MAX) this.indexes.clear()
      this.indexes.set(key, index)
    }
    const part = index[ref.place]
    if (part === undefined || part.isFull !== ref.isFull) {
      throw damagedError({
        file: ref.file,
        found: part === undefined ? `${index.length} parts` : `part ${ref.place} of another kind`,
        expected: `${ref.isFull ? 'everything' : 'changes'} of a part at place ${ref.place}, as the manifest says`,
      })
    }
    return part
  }

  private async check(section: IndexedSection, bytes: Uint8Array, file: string): Promise<void> {
    await this.pause()
    const checksum = await slicedChecksum(bytes, this.pause)
    if (checksum === section.checksum) return
    throw damagedError({
      file,
      found: `checksum ${checksumText(checksum)} of the ${section.bytes} bytes at ${section.offset}`,
      expected: checksumText(section.checksum),
    })
  }

  private async read(file: string, offset: number, bytes: number): Promise<Uint8Array> {
    const found = await this.storage.getRange(file, offset, bytes)
    if (found === undefined) throw missing(file)
    return found
  }

  private async readWhole(file: string, offset: number, bytes: number): Promise<Uint8Array> {
    const found = await this.read(file, offset, bytes)
    if (found.length === bytes) return found
    throw damagedError({
      file,
      found: `the end of the file after ${offset + found.length} bytes`,
      expected: `${bytes} bytes at ${offset}`,
    })
  }
}

function checkSize({ file, bytes }: SegmentPlace, found: number): void {
  if (found === bytes) return
  throw damagedError({
    file,
    found: found < bytes ? `${found} bytes at most` : `more than ${bytes} bytes`,
    expected: `${bytes} bytes`,
  })
}

function missing(file: string): Error {
  return damagedError({ file, found: 'no such file', expected: 'a segment of the snapshot' })
}

function runsOf(sections: readonly IndexedSection[]): IndexedSection[][] {
  const runs: IndexedSection[][] = []
  for (const section of sections) {
    const run = runs.at(-1)
    const last = run?.at(-1)
    const isNext =
      run !== undefined &&
      last !== undefined &&
      last.offset + last.bytes === section.offset &&
      section.offset + section.bytes - (run[0] as IndexedSection).offset <= RUN_BYTES
    if (isNext) run.push(section)
    else runs.push([section])
  }
  return runs
}
