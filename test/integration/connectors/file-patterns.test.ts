// The source `file-lines` over several files, over compressed ones, and over files that grow.
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { fileLinesSource } from '../../../src/connectors/file/file-lines.ts'
import type { Source, SplitReader } from '../../../src/model/connector.ts'
import { ManualClock, ReaderDriver, RecordingOutput, readAll, sourceSpec } from './support/reader-driver.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

function source(path: string, options: Record<string, unknown> = {}): Source<string, number> {
  return fileLinesSource(sourceSpec('file-lines', { path, ...options }))
}

describe('a pattern of files', () => {
  const folder = temporaryFolder()
  for (const name of [
    'b.log',
    'a.log',
    'c.txt',
    '.hidden.log',
    'deep/d.log',
    'deep/er/e.log',
    'deep/.f.log',
    'x[1].log',
    'x1.log',
  ]) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), `${name}\n`)
  }
  mkdirSync(join(folder, 'directory.log'))
  symlinkSync(join(folder, 'c.txt'), join(folder, 'link.log'))

  async function matches(pattern: string): Promise<string[]> {
    const splits = await source(join(folder, pattern)).splits(1)
    return splits.map(split => relative(folder, split.id))
  }

  it('matches files in order, neither directories nor hidden ones', async () => {
    assert.deepEqual(await matches('*.log'), ['a.log', 'b.log', 'link.log', 'x1.log', 'x[1].log'])
    assert.deepEqual(await matches('?.log'), ['a.log', 'b.log'])
    assert.deepEqual(await matches('[b-z].{log,txt}'), ['b.log', 'c.txt'])
    assert.deepEqual(await matches('{a,deep/d}.log'), ['a.log', 'deep/d.log'])
    assert.deepEqual(await matches('deep/**/*.log'), ['deep/d.log', 'deep/er/e.log'])
    assert.deepEqual(await matches('.h*.log'), ['.hidden.log'])
  })

  it('is a file of exactly that name where there is one', async () => {
    assert.deepEqual(await matches('x[1].log'), ['x[1].log'])
    assert.deepEqual(await matches('x[1-2].log'), ['x1.log'])
  })

  it('is one split for each file, whose id is the absolute path, also of a relative pattern', async () => {
    const splits = await source(join(relative(process.cwd(), folder), '[ab].log')).splits(1)
    assert.deepEqual(splits, [
      { id: join(folder, 'a.log'), position: 0 },
      { id: join(folder, 'b.log'), position: 0 },
    ])
    const files = source(join(folder, '*.log'))
    const { records } = await readAll({ ...files, splits: () => [{ id: join(folder, 'b.log'), position: 0 }] })
    assert.deepEqual(records, ['b.log'])
  })

  it('that matches nothing is refused, saying so', async () => {
    await assert.rejects(
      async () => source(join(folder, '*.csv')).splits(1),
      /FILE_NOT_FOUND: .*no file matches .*\*\.csv; correct/,
    )
  })

  it('finds files that are new since, and none when there are none', async () => {
    const files = source(join(folder, 'new-*.log'))
    assert.deepEqual(await files.newSplits?.(new Set()), [])
    const paths = ['new-1.log', 'new-2.log'].map(name => join(folder, name))
    writeFileSync(paths[0] as string, '1\n')
    const first = await files.splits(1)
    writeFileSync(paths[1] as string, '2\n')
    assert.deepEqual(await files.newSplits?.(new Set(first.map(split => split.id))), [{ id: paths[1], position: 0 }])
    assert.deepEqual(await files.newSplits?.(new Set(paths)), [])
  })

  it('is no pattern, and finds nothing new, where the path has no signs of one', () => {
    assert.equal(source(join(folder, 'a.log')).newSplits, undefined)
  })
})

describe('a gzip file', () => {
  const folder = temporaryFolder()
  const lines = Array.from({ length: 20_000 }, (_, index) => `zeile ${index} grün`)
  const path = join(folder, 'lines.gz')
  writeFileSync(path, gzipSync(`${lines.join('\n')}\n`))

  it('is read as its name or the option says', async () => {
    assert.deepEqual((await readAll(source(path), { roomPerRead: 777 })).records, lines)
    const misnamed = join(folder, 'misnamed.txt')
    writeFileSync(misnamed, gzipSync('a\nb'))
    assert.deepEqual((await readAll(source(misnamed, { compression: 'gzip' }))).records, ['a', 'b'])
    const plain = join(folder, 'plain.gz')
    writeFileSync(plain, 'a\nb\n')
    assert.deepEqual((await readAll(source(plain, { compression: 'none' }))).records, ['a', 'b'])
  })

  it('of several members is read to the end of the last', async () => {
    const members = join(folder, 'members.gz')
    writeFileSync(members, Buffer.concat([gzipSync('a\nb'), gzipSync('c\nd\n')]))
    assert.deepEqual((await readAll(source(members))).records, ['a', 'bc', 'd'])
  })

  it('is resumed at an offset of its text', async () => {
    const position = Buffer.byteLength(`${lines.slice(0, 12_345).join('\n')}\n`)
    const { records } = await readAll(source(path), { position })
    assert.deepEqual(records, lines.slice(12_345))
    const end = Buffer.byteLength(`${lines.join('\n')}\n`)
    assert.deepEqual((await readAll(source(path), { position: end })).records, [])
    await assert.rejects(
      readAll(source(path), { position: end + 1 }),
      new RegExp(`SOURCE_FAILED: .*has ${end} bytes when decompressed, but reading is to go on at byte ${end + 1};`),
    )
  })

  it('that is damaged, cut short or no gzip fails after the lines before', async () => {
    const whole = gzipSync(`${lines.join('\n')}\n`)
    const cut = join(folder, 'cut.gz')
    writeFileSync(cut, whole.subarray(0, whole.length - 20))
    await assert.rejects(
      readAll(source(cut)),
      /SOURCE_FAILED: .*cut\.gz is not a whole gzip file \(unexpected end of file after \d+ decompressed bytes\)/,
    )
    const flipped = join(folder, 'flipped.gz')
    const damaged = Buffer.from(whole)
    damaged[damaged.length - 6] = (damaged[damaged.length - 6] as number) ^ 1
    writeFileSync(flipped, damaged)
    await assert.rejects(readAll(source(flipped)), /SOURCE_FAILED: .*is not a whole gzip file \(incorrect/)
    const plain = join(folder, 'no.gz')
    writeFileSync(plain, 'plain text\n')
    await assert.rejects(
      readAll(source(plain)),
      /incorrect header check after 0 decompressed bytes\); .*set compression to 'none'/,
    )
    await assert.rejects(readAll(source(join(folder, 'missing.gz'))), /FILE_NOT_FOUND/)
  })

  it('can be closed before it was read to its end, and twice', async () => {
    const reader = await source(path).open({ id: path, position: 0 }, new ReaderDriver())
    await reader.close()
    await reader.close()
  })
})

describe('a file that is followed', () => {
  const folder = temporaryFolder()
  const EVERY_MS = 50
  let files = 0

  /** A reader of a new file, and what drives it by hand. */
  async function follow(content: string) {
    const path = join(folder, `followed-${files++}.log`)
    writeFileSync(path, content)
    const clock = new ManualClock()
    const driver = new ReaderDriver(clock)
    const output = new RecordingOutput<string>()
    const reader = await source(path, { follow: { everyMs: EVERY_MS } }).open({ id: path, position: 0 }, driver)
    return { path, clock, driver, output, reader }
  }

  /** Reads until the reader waits for its time; I/O that is under way ends by a wake. */
  async function settle(reader: SplitReader<string, number>, driver: ReaderDriver, output: RecordingOutput<string>) {
    do {
      await driver.woken()
      assert.notEqual(reader.read(output), 'end')
    } while (reader.wakeAtMs === undefined)
  }

  it('gives lines when their ends are there, and looks again only when it is time', async () => {
    const { path, clock, driver, output, reader } = await follow('a\nhal')
    await settle(reader, driver, output)
    assert.deepEqual(output.records, ['a'])
    assert.equal(reader.position(), 2)
    assert.equal(reader.wakeAtMs, clock.now() + EVERY_MS)
    appendFileSync(path, 'f\nb\nc')
    clock.advance(EVERY_MS - 1)
    assert.equal(reader.read(output), 'waiting')
    assert.deepEqual(output.records, ['a'])
    clock.advance(1)
    assert.equal(reader.read(output), 'waiting')
    await settle(reader, driver, output)
    assert.deepEqual(output.records, ['a', 'half', 'b'])
    clock.advance(EVERY_MS)
    reader.read(output)
    await settle(reader, driver, output)
    assert.deepEqual(output.records, ['a', 'half', 'b'], 'nothing came')
    await reader.close()
  })

  it('goes on elsewhere at its position, with the half line', async () => {
    const first = await follow('a\nhal')
    await settle(first.reader, first.driver, first.output)
    await first.reader.close()
    appendFileSync(first.path, 'f\n')
    const driver = new ReaderDriver(new ManualClock())
    const output = new RecordingOutput<string>()
    const split = { id: first.path, position: first.reader.position() }
    const reader = await source(first.path, { follow: true }).open(split, driver)
    await settle(reader, driver, output)
    assert.deepEqual(output.records, ['half'])
    await reader.close()
  })

  it('fails when it shrinks, is replaced, or goes, with what to do', async () => {
    const changes: readonly [(path: string) => void, RegExp][] = [
      [
        path => truncateSync(path, 1),
        /SOURCE_FAILED: .*shrank from 4 to 1 bytes while it was followed; follow files that only grow/,
      ],
      [path => rmSync(path), /was removed or renamed while/],
      [
        path => {
          renameSync(path, `${path}.1`)
          writeFileSync(path, 'a\nb\nc\n')
        },
        /was replaced by another file while/,
      ],
    ]
    for (const [change, expected] of changes) {
      const { path, clock, driver, output, reader } = await follow('a\nb\n')
      await settle(reader, driver, output)
      change(path)
      clock.advance(EVERY_MS)
      reader.read(output)
      await assert.rejects(settle(reader, driver, output), expected)
      await reader.close()
      assert.deepEqual(output.records, ['a', 'b'])
    }
  })

  it('is read to its end where its name says that it is compressed', async () => {
    const path = join(folder, 'old.log.gz')
    writeFileSync(path, gzipSync('a\n'))
    assert.deepEqual((await readAll(source(path, { follow: true }))).records, ['a'])
  })

  it('is refused with options that do not go together', () => {
    for (const options of [
      { follow: true, compression: 'gzip' },
      { follow: 5 },
      { follow: null },
      { follow: { everyMs: 0 } },
      { compression: 'zip' },
    ]) {
      assert.throws(() => source('in.txt', options), /OPTION_INVALID: the file-lines: option (follow|compression)/)
    }
  })
})
