// What the operating system says about files, in the words and codes of Millrace.
import { errorText, StreamError } from '../../base/errors.ts'

/** The error code of the operating system (`ENOENT`), or an empty text. */
export function systemCode(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : ''
}

/** The error for a file that cannot be opened for reading. */
export function readError(description: string, path: string, error: unknown): StreamError {
  const options = { cause: error }
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new StreamError('FILE_NOT_FOUND', `${description}: there is no file ${path}; correct the path`, options)
    case 'EACCES':
    case 'EPERM':
      return new StreamError(
        'FILE_NOT_READABLE',
        `${description}: no permission to read ${path}; change its permissions, or run the job as a user that may read it`,
        options,
      )
    case 'EISDIR':
      return new StreamError('FILE_NOT_READABLE', `${description}: ${path} is a directory; name a file in it`, options)
    default:
      return new StreamError('SOURCE_FAILED', `${description}: cannot read ${path}: ${errorText(error)}`, options)
  }
}

/** The error for a file that cannot be opened for writing, or written to. */
export function writeError(description: string, path: string, error: unknown): StreamError {
  return new StreamError('SINK_FAILED', `${description}: cannot write ${path}: ${writeReason(error)}`, { cause: error })
}

/** Why a file cannot be written, and what to do about it. */
export function writeReason(error: unknown): string {
  switch (systemCode(error)) {
    case 'ENOENT':
      return 'its directory does not exist; create the directory first'
    case 'EISDIR':
      return 'it is a directory; name a file in it'
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `no permission (${systemCode(error)}); choose another place, or run the job as a user that may write there`
    case 'ENOSPC':
    case 'EDQUOT':
      return `no space left (${systemCode(error)}); make room and run the job again`
    default:
      return errorText(error)
  }
}
