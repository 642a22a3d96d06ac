// Readies a write-ahead log for a reader: finds what is to be replayed, cuts off what a crash left half written, and removes what no snapshot needs.
import type { Logger } from '../../base/logger.ts'
import { damagedError } from './log-errors.ts'
import { FIRST_OFFSET, type LogFolder, type Segment } from './log-folder.ts'
import { HEADER } from './log-format.ts'
import { hasHeader, LogCursor, type LogPosition, readFrames } from './log-reading.ts'

/** A log that is ready. */
export interface OpenLog {
  /** What is to be replayed. */
  readonly cursor: LogCursor
  /** The position before all that. */
  readonly start: LogPosition
  /** The number of the segment to be written next. */
  readonly nextNumber: number
  /** True when the log holds all of the input. */
  readonly isComplete: boolean
}

/** The position of a job that starts without a snapshot: everything that the log still holds. */
export const BEGINNING: LogPosition = Object.freeze({ segment: 0, offset: 0 })

/** Where the whole frames of the last segment end. */
interface Tail {
  readonly hasHeader: boolean
  readonly endOffset: number
  /** Where the mark of the end of the input is, if that comes last. */
  readonly endOfInputAt: number | undefined
}

/**
 * Opens a folder that is claimed. After it, all segments are whole and durable. Rejects with SOURCE_FAILED where the log does not hold what
 * comes after the position.
 */
export async function openLog(folder: LogFolder, position: LogPosition, logger: Logger): Promise<OpenLog> {
  const isAnew = position.segment === BEGINNING.segment
  const from = await firstSegment(folder, position, logger)
  await folder.removeBelow(from)
  const last = folder.segments.at(-1)
  const nextNumber = Math.max((last?.number ?? 0) + 1, from)
  const first = folder.segments[0]
  if (last === undefined || first === undefined)
    return {
      cursor: new LogCursor(folder, [], FIRST_OFFSET),
      start: { segment: nextNumber, offset: FIRST_OFFSET },
      nextNumber,
      isComplete: false,
    }
  const start = isAnew ? { segment: first.number, offset: FIRST_OFFSET } : position
  const tail = await tailOf(folder, last)
  if (start.segment === last.number && start.offset > tail.endOffset)
    throw damagedError(
      folder.description,
      folder.pathOf(last.number),
      `ends at byte ${tail.endOffset}, and the snapshot goes on from byte ${start.offset}`,
    )
  // A job that begins anew waits for more input behind what the runs before took in.
  const endOffset = isAnew ? (tail.endOfInputAt ?? tail.endOffset) : tail.endOffset
  const isWhole = tail.hasHeader && last.bytes === endOffset
  const isBehind = isWhole && start.segment === last.number && start.offset === endOffset
  if (!isBehind) await rewrite(folder, last, endOffset)
  if (!(await hasHeader(folder, first)))
    throw damagedError(folder.description, folder.pathOf(first.number), 'does not begin as a segment does')
  const isComplete = !isAnew && !isBehind && tail.endOfInputAt !== undefined
  if (!isBehind)
    logger.log('info', `${folder.description}: the write-ahead log is replayed`, {
      segment: start.segment,
      offset: start.offset,
      bytes: folder.totalBytes,
    })
  return { cursor: new LogCursor(folder, folder.segments, start.offset), start, nextNumber, isComplete }
}

/** The number of the first segment that is needed, which may be the one to be written next. */
async function firstSegment(folder: LogFolder, { segment, offset }: LogPosition, logger: Logger): Promise<number> {
  const numbers = folder.segments.map(({ number }) => number)
  const last = numbers.at(-1)
  // A crash may undo removals, and not all of them: what comes before a gap was not needed any more.
  let unbroken = last ?? 0
  while (numbers.includes(unbroken - 1)) unbroken--
  if (segment === BEGINNING.segment) return unbroken
  // Nothing was emitted of a segment that is not there: its name is durable before anything is.
  const isAtEnd = offset === FIRST_OFFSET && segment > (last ?? 0)
  if (isAtEnd) return segment
  if (last === undefined) {
    logger.log(
      'warn',
      `${folder.description}: the write-ahead log is not there any more; what it held behind the snapshot, if anything, is lost`,
      { segment, offset },
    )
    return segment + 1
  }
  if (segment >= unbroken && segment <= last) return segment
  throw damagedError(
    folder.description,
    folder.pathOf(segment),
    `is not there, and the log has segments ${unbroken} to ${last} (it keeps what the last snapshots need)`,
  )
}

async function tailOf(folder: LogFolder, last: Segment): Promise<Tail> {
  let endOffset = FIRST_OFFSET
  let endOfInputAt: number | undefined
  if (!(await hasHeader(folder, last))) return { hasHeader: false, endOffset, endOfInputAt }
  while (endOffset < last.bytes) {
    const { bytes, scan } = await readFrames(folder, last, endOffset)
    if (bytes.length === 0) break
    endOfInputAt = scan.endOfInputAt === undefined ? undefined : endOffset + scan.endOfInputAt
    endOffset += bytes.length
  }
  return { hasHeader: true, endOffset, endOfInputAt }
}

/**
 * Writes the last segment anew up to an offset. Cutting it would not do: what stands in it may be in the memory of the system alone, after
 * a sync that failed, and no later sync would save it.
 */
async function rewrite(folder: LogFolder, last: Segment, endOffset: number): Promise<void> {
  const { files, rewritePath } = folder
  const file = await files.open(rewritePath, 'create')
  try {
    await file.append(HEADER)
    for (let offset = FIRST_OFFSET; offset < endOffset; ) {
      const { bytes } = await readFrames(folder, { number: last.number, bytes: endOffset }, offset)
      if (bytes.length === 0)
        throw damagedError(folder.description, folder.pathOf(last.number), `has changed at byte ${offset}`)
      await file.append(bytes)
      offset += bytes.length
    }
    await file.sync()
  } finally {
    await file.close()
  }
  await files.rename(rewritePath, folder.pathOf(last.number))
  await folder.syncNames()
  folder.note({ number: last.number, bytes: endOffset })
}
