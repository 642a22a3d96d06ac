// The storage of snapshots in S3, against a server on the loopback.
import assert from 'node:assert/strict'
import test, { after, before, describe } from 'node:test'
import { type S3StorageOptions, s3Storage } from '../../../src/backends/s3/s3-storage.ts'
import type { Storage } from '../../../src/base/storage.ts'
import { S3_CREDENTIALS, type S3Server, startS3 } from '../../support/s3-server.ts'

const MIB = 1024 * 1024

describe('storage in S3', () => {
  let server: S3Server
  before(async () => {
    server = await startS3(['snapshots'])
  })
  after(() => server?.stop())

  const storageOf = (options: Partial<S3StorageOptions> = {}): Storage =>
    s3Storage({
      bucket: 'snapshots',
      region: 'us-east-1',
      endpoint: server.endpoint,
      forcePathStyle: true,
      credentials: S3_CREDENTIALS,
      ...options,
    })

  test('gives what was put, all of it or a part, and undefined for what is not there', async () => {
    const storage = storageOf({ prefix: '/jobs/one/' })
    const name = "chk-1/op's ü+&.seg"
    await storage.put(name, bytesOf(300))
    await storage.put('empty', new Uint8Array(0))
    assert.deepEqual(await storage.get(name), bytesOf(300))
    assert.deepEqual(await storage.get('empty'), new Uint8Array(0))
    assert.deepEqual(await storage.getRange(name, 10, 5), bytesOf(300).slice(10, 15))
    assert.deepEqual(await storage.getRange(name, 290, 50), bytesOf(300).slice(290))
    assert.deepEqual(await storage.getRange(name, 300, 5), new Uint8Array(0))
    assert.deepEqual(await storage.getRange(name, 7, 0), new Uint8Array(0))
    assert.equal(await storage.get('nothing'), undefined)
    assert.equal(await storage.getRange('nothing', 0, 5), undefined)
  })

  test('lists by prefix, sorted, beyond a page, and only what is its own', async () => {
    const storage = storageOf({ prefix: 'jobs/two' })
    await storageOf({ prefix: 'jobs/two-more' }).put('a/0', bytesOf(1))
    const names = Array.from({ length: 1005 }, (_, n) => `a/${String(n).padStart(4, '0')}`)
    for (let from = 0; from < names.length; from += 50)
      await Promise.all(names.slice(from, from + 50).map(name => storage.put(name, bytesOf(1))))
    await storage.put('ab', bytesOf(1))
    assert.deepEqual(await storage.list('a/'), names)
    assert.deepEqual(await storage.list('a/000'), names.slice(0, 10))
    assert.equal((await storage.list('')).length, 1006)
    assert.deepEqual(await storage.list('b'), [])
    assert.deepEqual(await storageOf({ prefix: 'jobs/two-more' }).list(''), ['a/0'])
  })

  test('removes an object, and one that is not there', async () => {
    const storage = storageOf({ prefix: 'jobs/three' })
    await storage.put('a', bytesOf(1))
    await storage.remove('a')
    await storage.remove('a')
    assert.equal(await storage.get('a'), undefined)
    assert.deepEqual(await storage.list(''), [])
  })

  test('stores what is larger than one request should be', async () => {
    const storage = storageOf({ prefix: 'jobs/four' })
    const bytes = new Uint8Array(65 * MIB + 3)
    for (let i = 0; i < bytes.length; i += 1021) bytes[i] = i % 251
    await storage.put('large', bytes)
    const found = await storage.get('large')
    assert.equal(Buffer.compare(found ?? new Uint8Array(0), bytes), 0)
    assert.deepEqual(await storage.getRange('large', 64 * MIB, 2 * MIB), bytes.slice(64 * MIB))
    assert.deepEqual(await storage.list(''), ['large'])
  })

  test('says what to do about a bucket that is not there, and about credentials', async () => {
    const nowhere = storageOf({ bucket: 'nowhere' })
    const noBucket = {
      code: 'STORAGE_FAILED',
      message: /s3:\/\/nowhere at .*NoSuchBucket, status 404.*create the bucket/,
    }
    await assert.rejects(nowhere.get('a'), noBucket)
    await assert.rejects(nowhere.put('a', bytesOf(1)), noBucket)
    await assert.rejects(nowhere.list('a'), noBucket)
    const stranger = storageOf({ credentials: { accessKeyId: 'OTHER', secretAccessKey: 'secret-of-mine' } })
    await assert.rejects(stranger.put('a', bytesOf(1)), (error: Error) => {
      assert.match(error.message, /^STORAGE_FAILED: .*a could not be stored.*status 403.*check the credentials/)
      assert.doesNotMatch(error.message, /secret-of-mine/)
      return true
    })
  })

  test('says so when nobody answers', async () => {
    const gone = await startS3(['snapshots'])
    const storage = storageOf({ endpoint: gone.endpoint })
    await storage.put('a', bytesOf(1))
    await gone.stop()
    await assert.rejects(storage.get('a'), {
      code: 'STORAGE_FAILED',
      message: /a could not be read \(E[A-Z]+, no answer.*see /,
    })
  })

  test('refuses a bucket that cannot be', () => {
    for (const bucket of ['', 'a', 'With-Capitals', 'a/b']) {
      assert.throws(() => s3Storage({ bucket }), { code: 'OPTION_INVALID', message: /expected 3 to 63/ })
    }
  })
})

function bytesOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 256)
}
