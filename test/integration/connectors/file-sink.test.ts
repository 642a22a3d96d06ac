// The sink `file` on real files.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { writeError } from '../../../src/connectors/file/file-errors.ts'
import { fileSink } from '../../../src/connectors/file/file-sink.ts'
import type { SinkWriter } from '../../../src/model/connector.ts'
import { sinkSpec, writerContext } from './support/reader-driver.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

describe('the sink file', () => {
  const folder = temporaryFolder()
  const open = async (path: string): Promise<SinkWriter<unknown>> =>
    fileSink(sinkSpec('file', { path })).open(writerContext())

  it('writes a line per record as print shows it, over what was there', async () => {
    const path = join(folder, 'out.txt')
    writeFileSync(path, 'older and much longer content\n')
    const writer = await open(path)
    for (const record of ['grün', { n: 1n }, 3]) await writer.write(record, undefined)
    await writer.close()
    await writer.close()
    assert.equal(readFileSync(path, 'utf8'), 'grün\n{"n":"1"}\n3\n')
  })

  it('makes records visible at flush', async () => {
    const path = join(folder, 'flushed.txt')
    const writer = await open(path)
    await writer.write('a', undefined)
    assert.equal(readFileSync(path, 'utf8'), '')
    await writer.flush?.()
    assert.equal(readFileSync(path, 'utf8'), 'a\n')
    await writer.close()
  })

  it('creates an empty file for an empty stream', async () => {
    const path = join(folder, 'empty.txt')
    await (await open(path)).close()
    assert.equal(readFileSync(path, 'utf8'), '')
  })

  it('holds the stream back piece by piece and loses nothing', async () => {
    const path = join(folder, 'large.txt')
    const writer = await open(path)
    let waits = 0
    for (let n = 0; n < 100_000; n++) {
      const written = writer.write(`record ${n}`, undefined)
      if (written === undefined) continue
      waits++
      await written
    }
    await writer.close()
    const expected = Array.from({ length: 100_000 }, (_, n) => `record ${n}\n`).join('')
    assert.equal(readFileSync(path, 'utf8'), expected)
    assert.ok(waits >= Math.floor(expected.length / 65_536) - 1 && waits < 100, `${waits} waits`)
  })

  it('fails where the file cannot be opened, naming the path and the mend', async () => {
    const path = join(folder, 'no-such-directory', 'out.txt')
    await assert.rejects(open(path), {
      message: `SINK_FAILED: the file: cannot write ${path}: its directory does not exist; create the directory first`,
    })
    mkdirSync(join(folder, 'directory'))
    await assert.rejects(open(join(folder, 'directory')), /SINK_FAILED: .*it is a directory/)
  })

  it('says so when the system gives no permission', () => {
    const error = writeError('the file', '/data/out.txt', Object.assign(new Error('EACCES'), { code: 'EACCES' }))
    assert.match(error.message, /^SINK_FAILED: the file: cannot write \/data\/out\.txt: no permission \(EACCES\); /)
  })

  it('fails when the disk is full', { skip: !existsSync('/dev/full') && 'this system has no /dev/full' }, async () => {
    const writer = await open('/dev/full')
    await writer.write('a', undefined)
    await assert.rejects(
      async () => writer.flush?.(),
      /SINK_FAILED: the file: cannot write \/dev\/full: no space left \(ENOSPC\)/,
    )
    await writer.close()
    const atClose = await open('/dev/full')
    await atClose.write('a', undefined)
    await assert.rejects(async () => atClose.close(), /SINK_FAILED: .*no space left/)
  })

  it('refuses to be written by several subtasks', async () => {
    const sink = fileSink(sinkSpec('file', { path: join(folder, 'parallel.txt') }))
    await assert.rejects(
      async () => sink.open(writerContext({ parallelism: 2 })),
      /OPTION_INVALID: .*setParallelism\(1\)/,
    )
  })
})
