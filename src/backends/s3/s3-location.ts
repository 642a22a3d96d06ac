// Where objects are kept in S3, as people write it: `s3://bucket/prefix`.
import { preview, StreamError } from '../../base/errors.ts'

/** A bucket, and what the names of all objects begin with; `prefix` is empty or ends without a slash. */
export interface S3Location {
  readonly bucket: string
  readonly prefix: string
}

/** Three to 63 characters, as S3 asks of the names of buckets. */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

/** Reads `s3://bucket/prefix`; throws OPTION_INVALID for anything else. */
export function s3Location(url: string): S3Location {
  const match = /^s3:\/\/([^/]*)(\/.*)?$/s.exec(url)
  const bucket = match?.[1]
  if (bucket === undefined) {
    throw new StreamError(
      'OPTION_INVALID',
      `${preview(url)} is no place in S3; expected s3://bucket or s3://bucket/prefix`,
    )
  }
  return { bucket: checkedBucket(bucket), prefix: trimmedPrefix(match?.[2] ?? '') }
}

/** The name of a bucket; throws OPTION_INVALID for what cannot be one. */
export function checkedBucket(bucket: unknown): string {
  if (typeof bucket === 'string' && BUCKET.test(bucket)) return bucket
  const expected = 'expected 3 to 63 small letters, digits, dots and hyphens'
  throw new StreamError('OPTION_INVALID', `the bucket of S3 is ${preview(bucket)}; ${expected}`)
}

/** A prefix without slashes around it. */
export function trimmedPrefix(prefix: string): string {
  return prefix.replace(/^\/+|\/+$/g, '')
}
