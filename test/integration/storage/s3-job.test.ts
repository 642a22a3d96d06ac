// A whole job whose snapshots are in a bucket: it goes on from there as it does from a directory.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before, describe } from 'node:test'
import { environment, fixedDelay } from '../../../src/entry/index.ts'
import { S3_CREDENTIALS, type S3Server, startS3 } from '../../support/s3-server.ts'

const RECORDS = 3000

describe('a job with its snapshots in S3', () => {
  let server: S3Server
  let folder: string
  before(async () => {
    server = await startS3(['jobs'])
    folder = await mkdtemp(join(tmpdir(), 'millrace-s3-'))
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: server.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: S3_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: S3_CREDENTIALS.secretAccessKey,
    })
  })
  after(async () => {
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('writes each result once over a failure and a stop', async () => {
    let failures = 0
    const build = () => {
      const env = environment({ parallelism: 2 })
      env.enableCheckpointing(50)
      env.setRestartStrategy(fixedDelay({ attempts: 3, delayMs: 10 }))
      env
        .generate(n => ({ key: n % 7, n }), { count: RECORDS, recordsPerSecond: 4000 })
        .map(record => {
          if (record.n === 1000 && failures++ === 0) throw new Error('once')
          return { key: record.key, count: 1 }
        })
        .keyBy('key')
        .sum('count')
        .map(({ key, count }) => `${key} ${count}`)
        .writeToFiles(join(folder, 'out'))
      return env.execute('in a bucket', { directory: join(folder, 'job'), storage: 's3://jobs/test' })
    }
    const first = build()
    await new Promise(resolve => setTimeout(resolve, 500))
    await first.stop()
    assert.equal((await first).status, 'stopped')
    assert.equal((await build()).status, 'finished')
    assert.equal(failures, 2)
    const names = (await readdir(join(folder, 'out'))).filter(name => !name.startsWith('.'))
    const texts = await Promise.all(names.map(name => readFile(join(folder, 'out', name), 'utf8')))
    const lines = texts.join('').split('\n').filter(Boolean)
    const expected = Array.from({ length: RECORDS }, (_, n) => `${n % 7} ${Math.floor(n / 7) + 1}`)
    assert.deepEqual(lines.sort(), expected.sort())
  })
})
