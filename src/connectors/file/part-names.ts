// The names of the files of a transactional file sink. What is not finished is hidden (it begins with a dot), and its name says whose it is and
// which snapshot holds it: names are all that is left of a file whose writer died.
import { crc32 } from '../../base/crc32.ts'
import { encodeUtf8 } from '../../base/utf8.ts'
import type { WriterContext } from '../../model/connector.ts'

/** What is known of a file by its name. */
export interface PartName {
  readonly state: 'in-progress' | 'pending' | 'finished'
  readonly attempt: number
  readonly subtask: number
  /** Counts the files of a writer from 0. */
  readonly ordinal: number
  /** The snapshot that holds it; only of pending ones. */
  readonly snapshotId: number | undefined
}

/** What all files of a sink have in common. */
export interface PartNaming {
  readonly prefix: string
  readonly suffix: string
}

const HIDDEN_NAME = /^(\d+)-(\d+)-(\d+)\.(?:inprogress|(\d+(?:\.\d+)?)\.pending)$/
const FINISHED_NAME = /^(\d+)-(\d+)-(\d+)(?!\d)/

/** Makes and reads the names of the files of one writer, and reads those of the others of its sink. */
export class PartNames {
  private readonly stem: string
  private readonly suffix: string
  private readonly attempt: number
  private readonly subtask: number

  constructor({ prefix, suffix }: PartNaming, { jobName, uid, owner, attempt, subtaskIndex }: WriterContext) {
    // Other sinks may write into the same directory, also of other jobs, and of jobs of this name in other directories (forks).
    const identity = owner === undefined ? [jobName, uid] : [jobName, uid, owner]
    this.stem = `${prefix}-${crc32(encodeUtf8(JSON.stringify(identity)))
      .toString(16)
      .padStart(8, '0')}-`
    this.suffix = suffix
    this.attempt = attempt
    this.subtask = subtaskIndex
  }

  inProgress(ordinal: number): string {
    return `.${this.base(ordinal)}.inprogress`
  }

  pending(ordinal: number, snapshotId: number): string {
    return `.${this.base(ordinal)}.${snapshotId}.pending`
  }

  finished(ordinal: number): string {
    return `${this.base(ordinal)}${this.suffix}`
  }

  /** Undefined for files that are not of this sink, whichever writer of it. */
  parse(name: string): PartName | undefined {
    const isHidden = name.startsWith('.')
    const visible = isHidden ? name.slice(1) : name
    if (!visible.startsWith(this.stem)) return undefined
    const match = (isHidden ? HIDDEN_NAME : FINISHED_NAME).exec(visible.slice(this.stem.length))
    if (match === null) return undefined
    const [, subtask, attempt, ordinal, snapshotId] = match
    const place = { subtask: Number(subtask), attempt: Number(attempt), ordinal: Number(ordinal) }
    if (!isHidden) return { state: 'finished', ...place, snapshotId: undefined }
    if (snapshotId === undefined) return { state: 'in-progress', ...place, snapshotId: undefined }
    return { state: 'pending', ...place, snapshotId: Number(snapshotId) }
  }

  /** Whether a name is one that this writer could give, were it not taken. */
  isOwn({ attempt, subtask }: PartName): boolean {
    return attempt === this.attempt && subtask === this.subtask
  }

  /**
   * Whether a writer that recovers is to remove a file: one of an attempt before, unless a snapshot up to the one that the job starts from may
   * hold it, as its owner commits those. One with the writer's own attempt and subtask is of an earlier run of a job that takes no
   * checkpoints, since this writer has begun none yet. So no writer removes what another of its attempt writes or has still to commit.
   */
  isLeftover(part: PartName, startedFromId: number | undefined): boolean {
    if (part.state === 'finished') return false
    if (part.attempt >= this.attempt && !this.isOwn(part)) return false
    if (part.snapshotId === undefined || startedFromId === undefined) return true
    return part.snapshotId > startedFromId
  }

  private base(ordinal: number): string {
    return `${this.stem}${padded(this.subtask, 2)}-${padded(this.attempt, 4)}-${padded(ordinal, 6)}`
  }
}

// Padded so that a listing is in order for a long time; longer numbers are fine too.
function padded(number: number, digits: number): string {
  return String(number).padStart(digits, '0')
}
