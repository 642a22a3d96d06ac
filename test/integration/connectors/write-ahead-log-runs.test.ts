// Runs of a job with a write-ahead log, one after the other: what a run that has finished read does not come again, and a job without
// checkpoints does not begin.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { environment } from '../../../src/entry/index.ts'

const folder = await mkdtemp(join(tmpdir(), 'millrace-log-runs-'))
after(() => rm(folder, { recursive: true }))

/** Gives each connection the next texts, and ends it. */
async function serve(texts: string[]): Promise<number> {
  const server = createServer(socket => void socket.end(texts.shift() ?? ''))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close())
  return (server.address() as AddressInfo).port
}

async function run(
  port: number,
  { directory, log }: { directory: string | undefined; log: string },
): Promise<string[]> {
  const env = environment()
  if (directory !== undefined) env.enableCheckpointing(600_000)
  const seen: string[] = []
  env.socketTextStream('127.0.0.1', port, { writeAheadLog: { directory: log } }).addSink(line => void seen.push(line))
  await env.execute('lines', directory === undefined ? {} : { directory })
  return seen
}

describe('a job with a write-ahead log', () => {
  test('that is started again after it has finished gets what is new, and no line twice', async () => {
    const port = await serve(['one\ntwo\n', 'three\n', '', 'four\nfive'])
    const where = { directory: join(folder, 'state'), log: join(folder, 'log') }
    assert.deepEqual(await run(port, where), ['one', 'two'])
    assert.deepEqual(await run(port, where), ['three'])
    assert.deepEqual(await run(port, where), [])
    assert.deepEqual(await run(port, where), ['four', 'five'])
    const segments = (await readdir(where.log)).filter(name => name.endsWith('.wal'))
    assert.ok(segments.length <= 2, `${segments}`)
  })

  test('and without checkpoints is refused before it reads anything', async () => {
    const port = await serve(['one\n'])
    await assert.rejects(
      run(port, { directory: undefined, log: join(folder, 'other') }),
      /OPTION_INVALID: .*socket 127\.0\.0\.1:\d+: a write-ahead log needs checkpoints/,
    )
    await assert.rejects(readdir(join(folder, 'other')), /ENOENT/)
  })
})
