// The files of one write-ahead log: its segments by number, and the file that says whose it is. Which of them are needed is decided elsewhere.
import { hashText } from '../../base/hash.ts'
import type { Files } from '../../base/storage.ts'
import { systemCode, takenOverError } from './log-errors.ts'
import { HEADER } from './log-format.ts'

/** Where a log is. */
export interface LogFolderInit {
  /** The source, in words, for messages. */
  readonly description: string
  readonly files: Files
  /** The path of the directory in the file system. */
  readonly directory: string
  /** The split whose records it holds; several may share a directory. */
  readonly splitId: string
}

/** A file of the log. */
export interface Segment {
  /** From 1. */
  readonly number: number
  readonly bytes: number
}

/** A place between two records, as snapshots hold it: what is before it was emitted. */
export interface LogPosition {
  readonly segment: number
  readonly offset: number
}

const DIGITS = 10
const SETTLED = 'settled'

/**
 * The files of a log, for one reader at a time. Who claims the folder takes it over: the reader before, if it still runs, finds out before it
 * emits anything that the new one has not seen. Calls reject with what the file system does.
 */
export class LogFolder {
  readonly description: string
  readonly files: Files
  /** In ascending order. */
  segments: readonly Segment[] = []
  /** Up to here everything is in a complete snapshot, as far as was noted. */
  settled: LogPosition | undefined
  private readonly directory: string
  private readonly prefix: string
  private ownerPath = ''
  private areParentsSynced = false

  constructor({ description, files, directory, splitId }: LogFolderInit) {
    this.description = description
    this.files = files
    this.directory = directory
    this.prefix = hashText(splitId).toString(16).padStart(8, '0')
  }

  get totalBytes(): number {
    return this.segments.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Makes the folder this reader's, and looks what is in it. */
  async claim(): Promise<void> {
    const { files } = this
    const owners = await this.numbered('owner')
    this.ownerPath = this.path((owners.at(-1)?.number ?? 0) + 1, 'owner')
    try {
      await (await files.open(this.ownerPath, 'create')).close()
    } catch (error) {
      throw systemCode(error) === 'EEXIST' ? takenOverError(this.description, this.directory) : error
    }
    // From here on the reader before fails at its next write; what it made durable before is in sight.
    for (const { number } of owners) await files.remove(this.path(number, 'owner'))
    await files.remove(this.rewritePath)
    this.segments = await this.numbered('wal')
    this.settled = await this.readSettled()
  }

  /** Notes a position that is in a complete snapshot: a job that starts at the beginning is not given again what is before it. */
  async settle({ segment, offset }: LogPosition): Promise<void> {
    const { settled, files } = this
    if (settled?.segment === segment && settled.offset === offset) return
    // Whoever has taken the log over notes positions of its own.
    await this.requireOwned()
    const path = this.settledPath({ segment, offset })
    await (await files.open(path, 'create')).close()
    await this.syncNames()
    this.settled = { segment, offset }
    if (settled !== undefined) await files.remove(this.settledPath(settled))
  }

  /** Throws SOURCE_FAILED where another reader has claimed the folder since. */
  async requireOwned(): Promise<void> {
    try {
      await this.files.readAt(this.ownerPath, 0, 1)
    } catch (error) {
      throw systemCode(error) === 'ENOENT' ? takenOverError(this.description, this.directory) : error
    }
  }

  /** The path of a segment. */
  pathOf(number: number): string {
    return this.path(number, 'wal')
  }

  /** Where a segment is written anew. */
  get rewritePath(): string {
    return join(this.directory, `${this.prefix}.rewrite`)
  }

  /** A segment has so many bytes now. */
  note(segment: Segment): void {
    this.segments = [...this.segments.filter(({ number }) => number !== segment.number), segment]
  }

  /** Removes the segments below a number; those that cannot be removed stay known. */
  async removeBelow(number: number): Promise<void> {
    for (const segment of this.segments.filter(candidate => candidate.number < number)) {
      await this.files.remove(this.pathOf(segment.number))
      this.segments = this.segments.filter(candidate => candidate.number !== segment.number)
    }
  }

  /** Resolves when a new name survives a crash, with the directories that were made for it. */
  async syncNames(): Promise<void> {
    await this.files.syncDirectory(this.directory)
    if (this.areParentsSynced) return
    for (let path = this.directory; path !== ''; ) {
      path = path.slice(0, Math.max(path.lastIndexOf('/'), 0))
      await this.syncParent(path)
    }
    this.areParentsSynced = true
  }

  private async syncParent(path: string): Promise<void> {
    try {
      await this.files.syncDirectory(path)
    } catch (error) {
      // Who may not read a directory did not make another in it.
      if (!['EACCES', 'EPERM'].includes(systemCode(error))) throw error
    }
  }

  // A crash may leave the note before beside the newest.
  private async readSettled(): Promise<LogPosition | undefined> {
    const start = join(this.directory, `${this.prefix}-`)
    const notes = (await this.files.list(this.directory))
      .filter(({ path }) => path.startsWith(start) && path.endsWith(`.${SETTLED}`))
      .map(({ path }): LogPosition => {
        const [segment, offset] = path.slice(start.length, -SETTLED.length - 1).split('-')
        return { segment: Number(segment), offset: Number(offset) }
      })
      .filter(({ segment, offset }) => Number.isSafeInteger(segment) && Number.isSafeInteger(offset))
      .sort((a, b) => a.segment - b.segment || a.offset - b.offset)
    // The newest may not be durable yet, and without any a log could begin to count its segments anew.
    if (notes.length > 1) await this.syncNames()
    for (const old of notes.slice(0, -1)) await this.files.remove(this.settledPath(old))
    return notes.at(-1)
  }

  private settledPath({ segment, offset }: LogPosition): string {
    const number = String(segment).padStart(DIGITS, '0')
    return join(this.directory, `${this.prefix}-${number}-${offset}.${SETTLED}`)
  }

  private async numbered(suffix: 'wal' | 'owner'): Promise<readonly Segment[]> {
    const start = join(this.directory, `${this.prefix}-`)
    return (await this.files.list(this.directory))
      .filter(({ path }) => path.startsWith(start) && path.endsWith(`.${suffix}`))
      .map(({ path, bytes }) => ({ number: Number(path.slice(start.length, start.length + DIGITS)), bytes }))
      .filter(({ number }) => Number.isSafeInteger(number))
      .sort((a, b) => a.number - b.number)
  }

  private path(number: number, suffix: 'wal' | 'owner'): string {
    return join(this.directory, `${this.prefix}-${String(number).padStart(DIGITS, '0')}.${suffix}`)
  }
}

/** Where the first frame of a segment is. */
export const FIRST_OFFSET = HEADER.length

function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}
