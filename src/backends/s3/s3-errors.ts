// What S3 and its client say, in the words and codes of Millrace, with what to do about it.
import { errorText, StreamError } from '../../base/errors.ts'

interface ServiceError {
  readonly name?: unknown
  readonly code?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
}

/** The HTTP status of an answer; undefined when there was none. */
export function statusOf(error: unknown): number | undefined {
  return ((error ?? {}) as ServiceError).$metadata?.httpStatusCode
}

/** The name that S3 gave the failure (`NoSuchKey`), or the code of the system (`ECONNREFUSED`). */
export function nameOf(error: unknown): string {
  const { name, code } = (error ?? {}) as ServiceError
  if (statusOf(error) === undefined && typeof code === 'string') return code
  return typeof name === 'string' ? name : ''
}

/** Whether the object is not there, rather than the bucket. */
export function isNoObject(error: unknown): boolean {
  return nameOf(error) === 'NoSuchKey' || (statusOf(error) === 404 && nameOf(error) === 'NotFound')
}

/** The STORAGE_FAILED for what could not be done, with the status and the mend. */
export function s3Error(description: string, what: string, error: unknown): StreamError {
  if (error instanceof StreamError) return error
  const status = statusOf(error)
  const found = [nameOf(error), status === undefined ? 'no answer' : `status ${status}`, errorText(error)]
  const text = `${description}: ${what} (${found.filter(part => part !== '').join(', ')}); ${advice(nameOf(error), status)}`
  return new StreamError('STORAGE_FAILED', text, { cause: error })
}

function advice(name: string, status: number | undefined): string {
  switch (name) {
    case 'NoSuchBucket':
    case 'NotFound':
      return 'create the bucket, or correct its name'
    case 'CredentialsProviderError':
      return 'give credentials: the option credentials, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile'
    case 'RequestTimeTooSkewed':
      return 'set the clock of this machine'
    case 'ENOTFOUND':
    case 'ECONNREFUSED':
      return 'see that the service is up, and that the options endpoint and region are right'
    default:
      return adviceOn(status)
  }
}

function adviceOn(status: number | undefined): string {
  if (status === undefined) return 'see to the network between here and the service'
  if (status === 401 || status === 403)
    return 'check the credentials, and that they may read, write, list and delete in the bucket'
  if (status === 301 || status === 307 || status === 400) return 'check the options region, endpoint and forcePathStyle'
  if (status === 404) return 'create the bucket, or correct its name'
  if (status === 429 || status >= 500) return 'the service is overloaded or failing: the next checkpoint tries again'
  return 'see to what the service says'
}
