// Standard input and standard output of real processes.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { QUEUED_BYTES_MAX } from '../../../src/connectors/chunk-queue.ts'
import { nodeConnectors } from '../../../src/connectors/node.ts'
import { stdinLinesSource } from '../../../src/connectors/stdin/stdin-lines.ts'
import { SimulatedFiles } from '../../../src/testing/simulated-files.ts'
import { ReaderDriver, RecordingOutput, readAll, sourceSpec } from './support/reader-driver.ts'

const SUPPORT = new URL('./support/', import.meta.url).href
const SRC = new URL('../../../src/', import.meta.url).href

interface Child {
  readonly stdin: NodeJS.WritableStream
  readonly stdout: Readable
  /** Resolves with the exit code and what it wrote on standard error. */
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string }>
}

function runProgram(program: string): Child {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'pipe' })
  let errors = ''
  child.stderr.on('data', chunk => {
    errors += chunk
  })
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, errors })),
  }
}

async function textOf(stream: Readable): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += chunk
  return text
}

function source(input: Readable, options: Record<string, unknown> = {}) {
  return stdinLinesSource(sourceSpec('stdin-lines', options), () => input)
}

describe('the source stdin-lines', () => {
  it('reads lines to the end, also when the output is full each time', async () => {
    for (const roomPerRead of [1, 100]) {
      const input = Readable.from([Buffer.from('grün\r\n漢'), Buffer.from('字\nlast')], { objectMode: false })
      const { records, emittedWhileFull } = await readAll(source(input), { roomPerRead })
      assert.deepEqual(records, ['grün', '漢字', 'last'])
      assert.equal(emittedWhileFull, 0)
    }
  })

  it('reads a stream on which an encoding was set', async () => {
    const input = Readable.from([Buffer.from('grün\n')], { objectMode: false })
    input.setEncoding('utf8')
    assert.deepEqual((await readAll(source(input))).records, ['grün'])
  })

  it('ends at once where the stream has ended before', async () => {
    const input = Readable.from([])
    input.resume()
    await once(input, 'end')
    assert.deepEqual((await readAll(source(input))).records, [])
  })

  it('holds its stream back while nobody reads', async () => {
    const input = new PassThrough()
    const driver = new ReaderDriver()
    const reader = await source(input).open({ id: 'stdin', position: 0 }, driver)
    const chunk = Buffer.from(`${'x'.repeat(16_383)}\n`)
    let sent = 0
    while (!input.isPaused() && sent < 100 * QUEUED_BYTES_MAX) {
      input.write(chunk)
      sent += chunk.length
      await new Promise<void>(resolve => void setImmediate(resolve))
    }
    assert.ok(sent <= 2 * QUEUED_BYTES_MAX, `${sent} bytes were taken`)
    input.end()
    const output = new RecordingOutput<string>(5)
    await driver.readUntil(reader, output)
    assert.equal(output.records.length, sent / chunk.length)
  })

  it('fails with the error of its stream, after the lines before it', async () => {
    const input = new PassThrough()
    const driver = new ReaderDriver()
    const reader = await source(input).open({ id: 'stdin', position: 0 }, driver)
    const output = new RecordingOutput<string>()
    input.write('a\n')
    await driver.readUntil(reader, output, () => output.records.length === 1)
    input.destroy(new Error('EIO: i/o error, read'))
    await assert.rejects(driver.readUntil(reader, output), {
      message: 'SOURCE_FAILED: the stdin-lines: EIO: i/o error, read',
    })
  })

  it('cannot be resumed', async () => {
    await assert.rejects(
      readAll(source(Readable.from([])), { position: 5 }),
      /SOURCE_FAILED: .*cannot be resumed at byte 5/,
    )
  })

  it('leaves to the next reader what it has not made lines of, at any place where it is closed', async () => {
    const text = 'first\nsecond line\r\nthird, grün\nfourth\n'
    for (let pieces = 1; pieces <= 7; pieces++) {
      for (let count = 0; count <= 4; count++) {
        const input = new PassThrough()
        const bytes = Buffer.from(text)
        const driver = new ReaderDriver()
        const reader = await source(input).open({ id: 'stdin', position: 0 }, driver)
        const output = new RecordingOutput<string>(1)
        for (let from = 0; from < bytes.length; from += pieces) input.write(bytes.subarray(from, from + pieces))
        await driver.readUntil(reader, output, () => output.records.length >= count)
        await reader.close()
        input.end('fifth')
        const rest = await readAll(source(input))
        assert.deepEqual(
          [...output.records, ...rest.records],
          ['first', 'second line', 'third, grün', 'fourth', 'fifth'],
        )
      }
    }
  })

  it('fails for a job that is restarted from its beginning in the same process, unless nothing is lost', async () => {
    const input = new PassThrough()
    const driver = new ReaderDriver()
    const spec = sourceSpec('stdin-lines')
    const { source: connector } = nodeConnectors({ text: { write() {} }, stdin: () => input })
    const open = async () => connector(spec).open({ id: 'stdin', position: 0 }, driver)
    // Nothing was read yet.
    await (await open()).close()
    const reader = await open()
    const output = new RecordingOutput<unknown>(1)
    input.write('one\ntwo\nthree\n')
    await driver.readUntil(reader, output, () => output.records.length >= 2)
    await reader.close()
    for (let attempt = 0; attempt < 2; attempt++) {
      await assert.rejects(open, {
        message:
          'SOURCE_FAILED: the stdin-lines: the job is restarted from its beginning, and the lines in the first 8 bytes of standard input were read before the failure: they are in no checkpoint and cannot be read again; read a file, or keep what comes in (writeAheadLog: true)',
      })
    }
    // Another job reads on.
    input.end()
    assert.deepEqual((await readAll(connector(sourceSpec('stdin-lines')))).records, ['three'])
  })

  it('goes on in the same process where a write-ahead log keeps what was read', async () => {
    const input = new PassThrough()
    const driver = new ReaderDriver()
    const spec = sourceSpec('stdin-lines', { writeAheadLog: { directory: 'log' } })
    const files = new SimulatedFiles()
    const { source: connector } = nodeConnectors({ text: { write() {} }, stdin: () => input, files })
    const open = async () => connector(spec).open({ id: 'stdin', position: null }, driver)
    const reader = await open()
    const output = new RecordingOutput<unknown>(1)
    input.write('one\ntwo\nthree\n')
    await driver.readUntil(reader, output, () => output.records.length >= 2)
    await reader.close()
    input.end('four')
    const again = await open()
    const rest = new RecordingOutput<unknown>()
    await driver.readUntil(again, rest)
    await again.close()
    assert.deepEqual(rest.records, ['one', 'two', 'three', 'four'])
  })

  it('lets the process end when it is closed while standard input is still open', async () => {
    const child = runProgram(`
      import { nodeConnectors } from '${SRC}connectors/node.ts'
      import { ReaderDriver, RecordingOutput, sourceSpec } from '${SUPPORT}reader-driver.ts'
      const driver = new ReaderDriver()
      const source = nodeConnectors({ text: { write() {} } }).source(sourceSpec('stdin-lines'))
      const reader = await source.open({ id: 'stdin', position: 0 }, driver)
      const output = new RecordingOutput()
      await driver.readUntil(reader, output, () => output.records.length === 2)
      await reader.close()
      process.stdout.write(JSON.stringify(output.records))
    `)
    child.stdin.write('one\ntwo\nthr')
    assert.equal(await textOf(child.stdout), '["one","two"]')
    assert.deepEqual(await child.ended, { code: 0, errors: '' })
  })
})

describe('standard output', () => {
  const printing = `
    import { nodeConnectors } from '${SRC}connectors/node.ts'
    import { nodePlatform } from '${SRC}platform/node/node-platform.ts'
    import { sinkSpec, writerContext } from '${SUPPORT}reader-driver.ts'
    const writer = await nodeConnectors({ text: nodePlatform().text }).sink(sinkSpec('print')).open(writerContext())
  `

  it('takes all that print was given', async () => {
    const child = runProgram(`${printing}
      for (let n = 0; n < 50_000; n++) await writer.write('record ' + n)
      await writer.close()
    `)
    const expected = Array.from({ length: 50_000 }, (_, n) => `record ${n}\n`).join('')
    assert.equal(await textOf(child.stdout), expected)
    assert.deepEqual(await child.ended, { code: 0, errors: '' })
  })

  it('ends an endless print with one clear error when its reader goes away', async () => {
    const child = runProgram(`${printing}
      try {
        for (;;) await writer.write('x'.repeat(99))
      } catch (error) {
        await writer.close()
        process.stderr.write(error.message)
        process.exitCode = 3
      }
    `)
    await once(child.stdout, 'data')
    child.stdout.destroy()
    assert.deepEqual(await child.ended, { code: 3, errors: 'SINK_FAILED: the reader of standard output is gone' })
  })
})
