// Of every source that says it can be replayed: a reader elsewhere, made by another process at another parallelism, goes on exactly where one
// stopped, given what a snapshot holds (id and position as plain data).
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ReaderDriver, RecordingOutput, sourceSpec } from '../../test/integration/connectors/support/reader-driver.ts'
import type { Source, Split } from '../model/connector.ts'
import { collectionSource } from './collection/collection-source.ts'
import { fileLinesSource } from './file/file-lines.ts'
import { generatorSource } from './generator/generator-source.ts'
import { iterableSource } from './iterable/iterable-source.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-replay-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const VALUES = Array.from({ length: 11 }, (_, index) => `grün ${index}`)
const TEXT = `${VALUES.join('\n')}\n`
writeFileSync(join(folder, 'a.txt'), TEXT)
writeFileSync(join(folder, 'b.txt'), TEXT)
writeFileSync(join(folder, 'c.txt.gz'), gzipSync(TEXT))

/** A source as one process makes it; each call is another process. */
type MakeSource = () => Source<unknown, unknown>

const SOURCES: Readonly<Record<string, MakeSource>> = {
  collection: () => collectionSource(sourceSpec('collection', { values: VALUES })),
  'generator with a count': () =>
    generatorSource(sourceSpec('generator', { generate: (n: number) => `grün ${n}`, count: 23 })),
  'iterable made by a function': () => iterableSource(sourceSpec('iterable', { factory: () => VALUES.values() })),
  'async iterable made by a function': () => iterableSource(sourceSpec('iterable', { factory: asyncValues })),
  file: () =>
    fileLinesSource(sourceSpec('file-lines', { path: join(folder, 'a.txt'), chunkBytes: 16 })) as Source<unknown>,
  'files of a pattern, of which one is compressed': () =>
    fileLinesSource(sourceSpec('file-lines', { path: join(folder, '*.txt*'), chunkBytes: 16 })) as Source<unknown>,
}

async function* asyncValues(): AsyncGenerator<string> {
  yield* VALUES
}

/** Reads a split up to a number of records, and gives what a snapshot would hold of it. */
async function readSome(
  source: Source<unknown>,
  split: Split,
  count: number,
): Promise<{ records: unknown[]; split: Split }> {
  const driver = new ReaderDriver()
  const output = new RecordingOutput<unknown>(1)
  const reader = await source.open(split, driver)
  await driver.readUntil(reader, output, () => output.records.length >= count)
  const snapshot = JSON.parse(JSON.stringify({ id: split.id, position: reader.position() })) as Split
  await reader.close()
  return { records: output.records, split: snapshot }
}

describe('a source that can be replayed', () => {
  for (const [name, make] of Object.entries(SOURCES)) {
    it(`goes on elsewhere from every position: ${name}`, async () => {
      for (const parallelism of [1, 2, 3]) {
        for (const split of await make().splits(parallelism)) {
          const { records: all } = await readSome(make(), split, Infinity)
          assert.ok(all.length >= 7, `${all.length} records in split ${split.id}`)
          for (let count = 0; count <= all.length; count++) {
            const before = await readSome(make(), split, count)
            // Whoever asked this one for splits of its own got others.
            const elsewhere = make()
            await elsewhere.splits(parallelism + 1)
            const rest = await readSome(elsewhere, before.split, Infinity)
            assert.deepEqual([...before.records, ...rest.records], all, `split ${split.id} after ${count}`)
          }
        }
      }
    })
  }

  it('goes on elsewhere from every position: generator without end', async () => {
    const make: MakeSource = () => generatorSource(sourceSpec('generator', { generate: (n: number) => n }))
    for (const split of await make().splits(3)) {
      const { records: all } = await readSome(make(), split, 12)
      for (let count = 0; count <= 12; count++) {
        const before = await readSome(make(), split, count)
        const rest = await readSome(make(), before.split, 12 - count)
        assert.deepEqual([...before.records, ...rest.records].slice(0, 12), all.slice(0, 12))
      }
    }
  })
})
