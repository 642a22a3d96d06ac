// The error for a file of a snapshot that is not what was written.
import { StreamError } from '../../base/errors.ts'

/** What is wrong with a file of a snapshot. */
export interface Damage {
  /** The object, as its storage names it. */
  readonly file: string
  readonly found: string
  readonly expected: string
  readonly cause?: unknown
}

/** SNAPSHOT_DAMAGED, naming the file, what was found and what was expected. */
export function damagedError({ file, found, expected, cause }: Damage): StreamError {
  return new StreamError(
    'SNAPSHOT_DAMAGED',
    `${file}: found ${found}, expected ${expected}; bring the file back from a copy, or start from another snapshot`,
    cause === undefined ? undefined : { cause },
  )
}

/** True for the error that says that a file of a snapshot is damaged. */
export function isDamage(error: unknown): error is StreamError {
  return error instanceof StreamError && error.code === 'SNAPSHOT_DAMAGED'
}

/** A checksum as people compare it. */
export function checksumText(checksum: number): string {
  return checksum.toString(16).padStart(8, '0')
}
