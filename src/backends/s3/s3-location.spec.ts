import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { s3Location } from './s3-location.ts'

describe('a place in S3', () => {
  test('is a bucket with or without a prefix', () => {
    assert.deepEqual(s3Location('s3://my-bucket'), { bucket: 'my-bucket', prefix: '' })
    assert.deepEqual(s3Location('s3://my-bucket/'), { bucket: 'my-bucket', prefix: '' })
    assert.deepEqual(s3Location('s3://my.bucket/jobs/word count/'), { bucket: 'my.bucket', prefix: 'jobs/word count' })
  })

  test('is refused when it is anything else, saying what was found and expected', () => {
    for (const url of [
      '',
      's3:/b',
      'http://bucket/x',
      's3://',
      's3:///x',
      's3://Up',
      's3://ab',
      's3://a_b_c',
      '/data/s3',
    ]) {
      assert.throws(() => s3Location(url), { code: 'OPTION_INVALID', message: /expected/ }, url)
    }
  })
})
