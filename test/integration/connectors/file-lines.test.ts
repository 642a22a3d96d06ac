// The source `file-lines` on real files.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { readError } from '../../../src/connectors/file/file-errors.ts'
import { fileLinesSource } from '../../../src/connectors/file/file-lines.ts'
import type { SplitReader } from '../../../src/model/connector.ts'
import { ReaderDriver, RecordingOutput, readAll, sourceSpec } from './support/reader-driver.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const TEXT = '\uFEFFgrün\r\n漢字\n\n😀 done\nlast ü'
const LINES = ['grün', '漢字', '', '😀 done', 'last ü']

describe('the source file-lines', () => {
  const folder = temporaryFolder()
  let files = 0

  function fileOf(content: string | Uint8Array): string {
    const path = join(folder, `input-${files++}.txt`)
    writeFileSync(path, content)
    return path
  }

  function source(path: string, options: Record<string, unknown> = {}) {
    return fileLinesSource(sourceSpec('file-lines', { path, ...options }))
  }

  async function open(path: string, driver: ReaderDriver, position = 0): Promise<SplitReader<string, number>> {
    return source(path).open({ id: path, position }, driver)
  }

  it('reads the same lines whatever the size of its chunks and the room of the output', async () => {
    const path = fileOf(TEXT)
    for (let chunkBytes = 1; chunkBytes <= Buffer.byteLength(TEXT) + 1; chunkBytes++) {
      for (const roomPerRead of [1, 100]) {
        const { records, emittedWhileFull } = await readAll(source(path, { chunkBytes }), { roomPerRead })
        assert.deepEqual(records, LINES, `chunks of ${chunkBytes} bytes`)
        assert.equal(emittedWhileFull, 0)
      }
    }
  })

  it('resumes at every position it told', async () => {
    const path = fileOf(TEXT)
    const driver = new ReaderDriver()
    const reader = await open(path, driver)
    const output = new RecordingOutput<string>(1)
    const positions = [reader.position()]
    for (let read = 1; read <= LINES.length; read++) {
      await driver.readUntil(reader, output, () => output.records.length >= read)
      positions.push(reader.position())
    }
    await reader.close()
    assert.equal(positions.at(-1), Buffer.byteLength(TEXT))
    for (const [index, position] of positions.entries()) {
      assert.deepEqual((await readAll(source(path), { position })).records, LINES.slice(index))
    }
  })

  it('reads an empty file, one of a line end, and one without', async () => {
    assert.deepEqual((await readAll(source(fileOf('')))).records, [])
    assert.deepEqual((await readAll(source(fileOf('\n')))).records, [''])
    assert.deepEqual((await readAll(source(fileOf('a')))).records, ['a'])
  })

  it('reads more than its buffers hold, in order', async () => {
    const lines = Array.from(
      { length: 100_000 },
      (_, index) => `line ${index} of a file that is larger than two chunks`,
    )
    const path = fileOf(`${lines.join('\n')}\n`)
    assert.deepEqual((await readAll(source(path), { roomPerRead: 1000 })).records, lines)
  })

  it('takes a path relative to the working directory', async () => {
    const path = relative(process.cwd(), fileOf('a\n'))
    assert.deepEqual((await readAll(source(path))).records, ['a'])
  })

  it('reads a named pipe from its beginning', {
    skip: process.platform === 'win32' && 'Windows has no mkfifo',
  }, async () => {
    const path = join(folder, 'pipe')
    execFileSync('mkfifo', [path])
    const writing = import('node:fs/promises').then(fs => fs.writeFile(path, 'a\nb'))
    assert.deepEqual((await readAll(source(path))).records, ['a', 'b'])
    await writing
  })

  it('fails for a file that does not exist, naming the full path', async () => {
    const path = join(folder, 'missing.txt')
    await assert.rejects(readAll(source(path)), {
      message: `FILE_NOT_FOUND: the file-lines: there is no file ${path}; correct the path`,
    })
    await assert.rejects(readAll(source(join(fileOf('x'), 'below-a-file'))), /FILE_NOT_FOUND/)
  })

  it('fails for a directory', async () => {
    mkdirSync(join(folder, 'directory'))
    await assert.rejects(
      readAll(source(join(folder, 'directory'))),
      /FILE_NOT_READABLE: .*is a directory; name a file in it/,
    )
  })

  it('says so when the system gives no permission', () => {
    const error = readError('the file-lines', '/data/in.txt', Object.assign(new Error('EACCES'), { code: 'EACCES' }))
    assert.match(error.message, /^FILE_NOT_READABLE: the file-lines: no permission to read \/data\/in\.txt; /)
  })

  it('fails for a file without permission to read', {
    skip: (process.getuid?.() ?? 0) === 0 && 'root may read every file, and Windows has no such permission',
  }, async () => {
    const path = fileOf('secret')
    chmodSync(path, 0o000)
    await assert.rejects(readAll(source(path)), /FILE_NOT_READABLE: .*no permission/)
  })

  it('fails at a line of 100 MB without holding it in memory', async () => {
    const path = fileOf('first\n')
    const file = openSync(path, 'r+')
    ftruncateSync(file, 100_000_000)
    closeSync(file)
    const driver = new ReaderDriver()
    const reader = await open(path, driver)
    const output = new RecordingOutput<string>()
    const before = process.memoryUsage().arrayBuffers
    await assert.rejects(
      driver.readUntil(reader, output),
      /LINE_TOO_LONG: .*byte offset 6 is longer than 16777216 bytes/,
    )
    const held = process.memoryUsage().arrayBuffers - before
    await reader.close()
    assert.deepEqual(output.records, ['first'])
    assert.ok(held < 64 * 1024 * 1024, `${held} bytes were held`)
  })

  it('reads a long line where the limit is raised', async () => {
    const path = fileOf(`${'x'.repeat(2_000_000)}\nb`)
    await assert.rejects(readAll(source(path, { lineBytesMax: 1_999_999 })), /LINE_TOO_LONG/)
    const { records } = await readAll(source(path, { lineBytesMax: 2_000_000 }))
    assert.deepEqual(
      records.map(line => line.length),
      [2_000_000, 1],
    )
  })

  it('replaces invalid UTF-8 with a warning, or fails at its byte offset', async () => {
    const path = fileOf(Buffer.from('ok\ncaf\xe9\n\xff\n', 'latin1'))
    const driver = new ReaderDriver()
    const { records } = await readAll(source(path), { driver })
    assert.deepEqual(records, ['ok', 'caf\uFFFD', '\uFFFD'])
    assert.deepEqual(
      driver.logger.entries.map(entry => [entry.level, entry.fields]),
      [
        ['warn', { byteOffset: 6 }],
        ['warn', { places: 2 }],
      ],
    )
    await assert.rejects(readAll(source(path, { encodingErrors: 'fail' })), /TEXT_INVALID: .*byte offset 6 /)
  })

  it('refuses to resume behind the end of a file', async () => {
    const path = fileOf('short\n')
    await assert.rejects(
      readAll(source(path), { position: 7 }),
      /SOURCE_FAILED: .*has 6 bytes, but reading is to go on at byte 7/,
    )
    assert.deepEqual((await readAll(source(path), { position: 6 })).records, [])
  })

  it('can be closed before it was read, and twice', async () => {
    const reader = await open(fileOf(TEXT), new ReaderDriver())
    await reader.close()
    await reader.close()
  })

  it('refuses options that make no sense', () => {
    for (const options of [
      { path: '' },
      { chunkBytes: 0 },
      { lineBytesMax: 0 },
      { encodingErrors: 'ignore' },
      { encoding: 'x' },
    ]) {
      assert.throws(() => source('in.txt', options), /OPTION_INVALID: the file-lines/)
    }
  })
})
