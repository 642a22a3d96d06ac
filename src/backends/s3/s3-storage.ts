// Whole objects in S3, or what speaks like it, over the optional package `@aws-sdk/client-s3`, which tries again what may be tried again. An
// object is there as a whole or not at all by the promise of S3 itself, and listings show every put that ended before them (since 2020).
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3'
import { loadOptionalPackage } from '../../base/optional-package.ts'
import type { Storage } from '../../base/storage.ts'
import { isNoObject, s3Error, statusOf } from './s3-errors.ts'
import { checkedBucket, trimmedPrefix } from './s3-location.ts'

/** Where and how to keep objects. What is not given, the client finds as all tools of AWS do: from the environment or the profile. */
export interface S3StorageOptions {
  readonly bucket: string
  /** What the names of all objects begin with, before a slash; several jobs may share a bucket by it. */
  readonly prefix?: string
  readonly region?: string
  /** The URL of a service other than that of AWS. */
  readonly endpoint?: string
  /** True for services that have no host name for each bucket. */
  readonly forcePathStyle?: boolean
  readonly credentials?: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
}

/** Larger objects go in parts: one request for all of it would begin anew at each hiccup, and S3 refuses more than 5 GB. */
const SINGLE_PUT_BYTES_MAX = 64 * 1024 * 1024
const PART_BYTES = 16 * 1024 * 1024
const PARTS_MAX = 10_000
const PARTS_AT_ONCE = 4
const CONNECT_TIMEOUT_MS = 10_000
/** How long a connection may be silent; a checkpoint has its own time-out beside it. */
const SILENCE_TIMEOUT_MS = 60_000

type Sdk = typeof import('@aws-sdk/client-s3')

/**
 * A storage in a bucket. Throws OPTION_INVALID for a bucket that cannot be. Its calls reject with STORAGE_FAILED, with the status of the
 * service and what to do, and with DEPENDENCY_MISSING without the package `@aws-sdk/client-s3`. A put replaces what has the name.
 */
export function s3Storage(options: S3StorageOptions): Storage {
  return new S3Storage({
    ...options,
    bucket: checkedBucket(options.bucket),
    prefix: trimmedPrefix(options.prefix ?? ''),
  })
}

/** The client and the commands it takes. */
interface Service {
  readonly sdk: Sdk
  readonly client: S3Client
}

class S3Storage implements Storage {
  readonly description: string
  private readonly options: S3StorageOptions
  private readonly bucket: string
  /** Empty, or with a slash at its end. */
  private readonly keyPrefix: string
  private loading: Promise<Service> | undefined

  constructor(options: S3StorageOptions) {
    const { bucket, prefix = '', endpoint } = options
    this.options = options
    this.bucket = bucket
    this.keyPrefix = prefix === '' ? '' : `${prefix}/`
    this.description = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}${endpoint === undefined ? '' : ` at ${endpoint}`}`
  }

  put(name: string, bytes: Uint8Array): Promise<void> {
    return this.attempt(`${name} could not be stored`, async ({ sdk, client }) => {
      const object = { Bucket: this.bucket, Key: this.keyPrefix + name }
      if (bytes.length > SINGLE_PUT_BYTES_MAX) await putInParts(sdk, client, object, bytes)
      else await client.send(new sdk.PutObjectCommand({ ...object, Body: bytes }))
    })
  }

  get(name: string): Promise<Uint8Array | undefined> {
    return this.read(name, undefined)
  }

  async getRange(name: string, offset: number, bytes: number): Promise<Uint8Array | undefined> {
    // A range has at least one byte; more than was asked for is left out here.
    const found = await this.read(name, `bytes=${offset}-${offset + Math.max(bytes, 1) - 1}`)
    return found === undefined || found.length <= bytes ? found : found.subarray(0, bytes)
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.attempt('its objects could not be listed', async ({ sdk, client }) => {
      const names: string[] = []
      let token: string | undefined
      do {
        const request = { Bucket: this.bucket, Prefix: this.keyPrefix + prefix, ContinuationToken: token }
        const page = await client.send(new sdk.ListObjectsV2Command(request))
        for (const { Key = '' } of page.Contents ?? []) names.push(Key.slice(this.keyPrefix.length))
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined
      } while (token !== undefined)
      // S3 sorts by bytes of UTF-8, which is another order for characters beyond U+FFFF.
      return names.sort()
    })
  }

  remove(name: string): Promise<void> {
    return this.attempt(`${name} could not be removed`, async ({ sdk, client }) => {
      try {
        await client.send(new sdk.DeleteObjectCommand({ Bucket: this.bucket, Key: this.keyPrefix + name }))
      } catch (error) {
        if (!isNoObject(error)) throw error
      }
    })
  }

  private read(name: string, range: string | undefined): Promise<Uint8Array | undefined> {
    return this.attempt(`${name} could not be read`, async ({ sdk, client }) => {
      try {
        const request = { Bucket: this.bucket, Key: this.keyPrefix + name, Range: range }
        const { Body } = await client.send(new sdk.GetObjectCommand(request))
        return (await Body?.transformToByteArray()) ?? new Uint8Array(0)
      } catch (error) {
        if (isNoObject(error)) return undefined
        // The object ends before the range begins.
        if (range !== undefined && statusOf(error) === 416) return new Uint8Array(0)
        throw error
      }
    })
  }

  private async attempt<R>(what: string, action: (service: Service) => Promise<R>): Promise<R> {
    try {
      this.loading ??= this.load()
      return await action(await this.loading)
    } catch (error) {
      throw s3Error(this.description, what, error)
    }
  }

  private async load(): Promise<Service> {
    const sdk = await loadOptionalPackage('@aws-sdk/client-s3', this.description, () => import('@aws-sdk/client-s3'))
    const { region, endpoint, forcePathStyle, credentials } = this.options
    const given = Object.entries({ region, endpoint, forcePathStyle, credentials }).filter(
      each => each[1] !== undefined,
    )
    const requestHandler = { connectionTimeout: CONNECT_TIMEOUT_MS, socketTimeout: SILENCE_TIMEOUT_MS }
    return { sdk, client: new sdk.S3Client({ ...Object.fromEntries(given), requestHandler }) }
  }
}

type ObjectName = Pick<PutObjectCommandInput, 'Bucket' | 'Key'>

async function putInParts(sdk: Sdk, client: S3Client, object: ObjectName, bytes: Uint8Array): Promise<void> {
  const upload = await client.send(new sdk.CreateMultipartUploadCommand(object))
  const target = { ...object, UploadId: upload.UploadId }
  try {
    const Parts = await putParts(sdk, client, target, bytes)
    await client.send(new sdk.CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts } }))
  } catch (error) {
    // What is not aborted is kept, and paid for. The first error counts.
    await client.send(new sdk.AbortMultipartUploadCommand(target)).catch(() => {})
    throw error
  }
}

async function putParts(
  sdk: Sdk,
  client: S3Client,
  target: ObjectName & { readonly UploadId: string | undefined },
  bytes: Uint8Array,
): Promise<{ PartNumber: number; ETag: string | undefined }[]> {
  const partBytes = Math.max(PART_BYTES, Math.ceil(bytes.length / PARTS_MAX))
  const parts: { PartNumber: number; ETag: string | undefined }[] = []
  let next = 0
  const putNext = async (): Promise<void> => {
    while (next * partBytes < bytes.length) {
      const place = next++
      const Body = bytes.subarray(place * partBytes, (place + 1) * partBytes)
      const { ETag } = await client.send(new sdk.UploadPartCommand({ ...target, PartNumber: place + 1, Body }))
      parts[place] = { PartNumber: place + 1, ETag }
    }
  }
  // All are waited for: a part that arrives after the abort would be kept.
  const ends = await Promise.allSettled(Array.from({ length: PARTS_AT_ONCE }, putNext))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return parts
}
