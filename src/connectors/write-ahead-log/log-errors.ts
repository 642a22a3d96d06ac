// What goes wrong with a write-ahead log, in the words and codes of Millrace.
import { errorText, StreamError } from '../../base/errors.ts'

/** The error code of the operating system (`ENOENT`), or an empty text. */
export function systemCode(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : ''
}

/** STORAGE_FAILED, or DIRECTORY_NOT_WRITABLE, of a call to the file system; what is a StreamError already stays as it is. */
export function logError(description: string, what: string, error: unknown): StreamError {
  if (error instanceof StreamError) return error
  const isForbidden = ['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error))
  return new StreamError(
    isForbidden ? 'DIRECTORY_NOT_WRITABLE' : 'STORAGE_FAILED',
    `${description}: the write-ahead log ${what}: ${reason(error)}`,
    { cause: error },
  )
}

/** The SOURCE_FAILED of a log that another reader has taken over. */
export function takenOverError(description: string, directory: string): StreamError {
  return new StreamError(
    'SOURCE_FAILED',
    `${description}: another reader has opened the write-ahead log in ${directory}; two jobs cannot share a log, so give each its own with writeAheadLog: { directory }`,
  )
}

/** The SOURCE_FAILED of a log that is not what was written, or lacks what the snapshot builds on. */
export function damagedError(description: string, path: string, found: string): StreamError {
  return new StreamError(
    'SOURCE_FAILED',
    `${description}: the write-ahead log cannot be replayed: ${path} ${found}; put the file back, or start from a later snapshot; to go on without the records of the log, remove all of its files`,
  )
}

function reason(error: unknown): string {
  switch (systemCode(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `no permission (${systemCode(error)}); choose another directory, or run the job as a user that may write there`
    case 'ENOSPC':
    case 'EDQUOT':
      return `no space left (${systemCode(error)}); make room and run the job again`
    default:
      return errorText(error)
  }
}
