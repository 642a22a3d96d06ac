// Readies a write-ahead log for a reader: finds what is to be replayed, cuts off what a crash left half written, and removes what no snapshot needs.
import type { Logger } from '../../base/logger.ts'
import { damagedError } from './log-errors.ts'
import { FIRST_OFFSET, type LogFolder, type LogPosition, type Segment } from './log-folder.ts'
import { HEADER } from './log-format.ts'
import { hasHeader, LogCursor, readFrames } from './log-reading.ts'

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

/** The position of a job that starts without a snapshot: everything that the log still holds and no complete snapshot has. */
export const BEGINNING: LogPosition = Object.freeze({ segment: 0, offset: 0 })

/** Where the whole frames of the last segment end. */
interface Tail {
  readonly hasHeader: boolean
  readonly endOffset: number
  /** Where the mark of the end of the input is, if that comes last. */
  readonly endOfInputAt: number | undefined
}

/**
 * Opens a folder that is claimed. After it, all segments that are replayed are whole and durable. Rejects with SOURCE_FAILED where the log
 * does not hold what comes after the position.
 */
export async function openLog(folder: LogFolder, position: LogPosition, logger: Logger): Promise<OpenLog> {
  const isAnew = position.segment === BEGINNING.segment
  const unbroken = firstUnbroken(folder)
  const start = isAnew ? beginningOf(folder, unbroken) : restartOf(folder, { position, unbroken, logger })
  // A job that starts at the beginning goes back to nothing before. Others may, if their newest snapshot is damaged.
  await folder.removeBelow(isAnew ? start.segment : unbroken)
  const nextNumber = Math.max((folder.segments.at(-1)?.number ?? 0) + 1, start.segment)
  const segments = segmentsFrom(folder, start)
  const [first] = segments
  const last = segments.at(-1)
  if (first === undefined || last === undefined) return emptyLog(folder, nextNumber)
  const tail = await tailOf(folder, last)
  // A job that begins anew waits for more input behind what the runs before took in.
  const endOffset = isAnew ? (tail.endOfInputAt ?? tail.endOffset) : tail.endOffset
  const isAtLast = start.segment === last.number
  if (isAnew && isAtLast && start.offset >= endOffset && tail.hasHeader) {
    if (!isDurable(last, start)) await rewrite(folder, last, Math.min(start.offset, tail.endOffset))
    return emptyLog(folder, nextNumber)
  }
  if (isAtLast && start.offset > tail.endOffset) throw cutError(folder, { last, tail, start })
  const isBehind = tail.hasHeader && isAtLast && start.offset === endOffset && isDurable(last, start)
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
  return { cursor: new LogCursor(folder, segmentsFrom(folder, start), start.offset), start, nextNumber, isComplete }
}

// What was emitted was durable before, with all that is in front of it. Of a segment of which nothing was, not even the header need be.
function isDurable({ bytes }: Segment, { offset }: LogPosition): boolean {
  return bytes === offset && offset > FIRST_OFFSET
}

function emptyLog(folder: LogFolder, nextNumber: number): OpenLog {
  return {
    cursor: new LogCursor(folder, [], FIRST_OFFSET),
    start: { segment: nextNumber, offset: FIRST_OFFSET },
    nextNumber,
    isComplete: false,
  }
}

function segmentsFrom(folder: LogFolder, { segment }: LogPosition): readonly Segment[] {
  return folder.segments.filter(({ number }) => number >= segment)
}

// A crash may undo removals, and not all of them: what comes before a gap was not needed any more.
function firstUnbroken({ segments }: LogFolder): number {
  const numbers = segments.map(({ number }) => number)
  let unbroken = numbers.at(-1) ?? 0
  while (numbers.includes(unbroken - 1)) unbroken--
  return unbroken
}

/** Where a job begins that starts from nothing: behind what is in a complete snapshot, since that was read and is not lost. */
function beginningOf({ settled, segments }: LogFolder, unbroken: number): LogPosition {
  const first = { segment: unbroken, offset: FIRST_OFFSET }
  if (settled === undefined || settled.segment < unbroken) return first
  const isThere = segments.some(({ number }) => number === settled.segment)
  // The number of a segment that is gone is not given again: an older snapshot may mean the one before.
  const isPassed = !isThere && settled.offset > FIRST_OFFSET
  return isPassed ? { segment: settled.segment + 1, offset: FIRST_OFFSET } : settled
}

/** Where a job goes on that starts from a snapshot, which may be in the segment to be written next. */
function restartOf(
  folder: LogFolder,
  {
    position,
    unbroken,
    logger,
  }: { readonly position: LogPosition; readonly unbroken: number; readonly logger: Logger },
): LogPosition {
  const { segment, offset } = position
  const last = folder.segments.at(-1)?.number
  // Nothing was emitted of a segment that is not there: its name is durable before anything is.
  const isAtEnd = offset === FIRST_OFFSET && segment > (last ?? 0)
  if (isAtEnd) return position
  if (last === undefined) {
    logger.log(
      'warn',
      `${folder.description}: the write-ahead log is not there any more; what it held behind the snapshot, if anything, is lost`,
      { segment, offset },
    )
    return { segment: segment + 1, offset: FIRST_OFFSET }
  }
  if (segment >= unbroken && segment <= last) return position
  throw damagedError(
    folder.description,
    folder.pathOf(segment),
    `is not there, and the log has segments ${unbroken} to ${last} (it keeps what the newest complete snapshots need)`,
  )
}

function cutError(
  folder: LogFolder,
  { last, tail, start }: { readonly last: Segment; readonly tail: Tail; readonly start: LogPosition },
): Error {
  return damagedError(
    folder.description,
    folder.pathOf(last.number),
    `ends at byte ${tail.endOffset}, and the snapshot goes on from byte ${start.offset}`,
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
