// The sink `file-directory` on real files, as Node's entry has it.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { fileDirectorySpec } from '../../../src/api/datastream/file-options.ts'
import { nodeConnectors } from '../../../src/connectors/node.ts'
import type { Sink } from '../../../src/model/connector.ts'
import { nodeFiles } from '../../../src/platform/node/node-files.ts'
import { RecordingText } from './support/reader-driver.ts'
import { DEATH_POINTS, SnapshotLife } from './support/snapshot-life.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

describe('the sink file-directory on real files', () => {
  const folder = temporaryFolder()
  const sinkIn = (directory: string): Sink<unknown> =>
    nodeConnectors({ text: new RecordingText(), files: nodeFiles('/') }).sink(fileDirectorySpec(directory))

  it('shows each record once over deaths and rescaling, in directories that it makes', async () => {
    const directory = join(folder, 'made', 'for', 'it')
    const life = new SnapshotLife(sinkIn(relative(process.cwd(), directory)))
    for (const [index, diesAt] of DEATH_POINTS.entries())
      await life.attempt({ parallelism: 1 + (index % 3), checkpoints: 1, diesAt })
    await life.attempt({ parallelism: 2, checkpoints: 1 })
    const names = readdirSync(directory)
    const records = names.flatMap(name => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1))
    assert.deepEqual(
      records.map(Number).sort((a, b) => a - b),
      Array.from({ length: life.durablePosition }, (_, n) => n),
    )
    for (const name of names) assert.match(name, /^part-[0-9a-f]{8}-\d+-\d+-\d+\.txt$/)
  })

  it('says so when the directory is a file', async () => {
    const path = join(folder, 'a-file')
    writeFileSync(path, '')
    const life = new SnapshotLife(sinkIn(path))
    await assert.rejects(
      life.attempt({ parallelism: 1, checkpoints: 1 }),
      /STORAGE_FAILED: files in .*a-file: .*E(NOTDIR|EXIST)/,
    )
  })

  it('says so when the directory may not be written', {
    skip: (process.getuid?.() ?? 0) === 0 && 'root may write everywhere, and Windows has no such permission',
  }, async () => {
    const path = join(folder, 'read-only')
    mkdirSync(path)
    chmodSync(path, 0o500)
    const life = new SnapshotLife(sinkIn(path))
    await assert.rejects(life.attempt({ parallelism: 1, checkpoints: 1 }), /DIRECTORY_NOT_WRITABLE: .*no permission/)
  })
})
