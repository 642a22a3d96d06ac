// Makes the goldens of the present format, once: `node test/conformance/savepoints/make-golden.ts`. What is there is never written again.
// `make-golden.ts --unpack NAME DIRECTORY` lays out the files of one, to look into them.
import { SNAPSHOT_FORMAT } from '../../../src/recovery/snapshot/manifest.ts'
import { readSavepoint } from '../../../src/recovery/snapshot/savepoint.ts'
import { inspectSnapshot } from '../../../src/recovery/start/inspect.ts'
import { resultsDifference } from '../../../src/testing/simulation/compare-results.ts'
import { storageOnDisk } from '../../../src/testing/simulation/snapshot-on-disk.ts'
import { GOLDEN_JOB } from './format-1/job.ts'
import { unpackGolden, writeGolden } from './golden-files.ts'
import { type Capture, captureGolden, diskOf, type FileTree, runGolden, SNAPSHOT_DIRECTORY } from './golden-run.ts'

/**
 * The savepoint is full, and its barriers were aligned. The checkpoint has changes on top of full segments, and records in flight that its
 * barriers overtook. Which seeds and ids hit that was tried.
 */
const CAPTURES: Readonly<Record<string, Capture>> = {
  savepoint: { seed: 1, snapshotId: 3, kind: 'savepoint' },
  checkpoint: { seed: 18, snapshotId: 4, kind: 'checkpoint' },
}
const FORMAT_OF_JOB = 1

/** The parts without rows, which therefore prove nothing. */
async function emptyParts(files: FileTree): Promise<readonly string[]> {
  const savepoint = await readSavepoint(storageOnDisk(await diskOf(files), SNAPSHOT_DIRECTORY))
  const { operators } = await inspectSnapshot(savepoint)
  const parts = operators.flatMap(({ uid, parts }) => parts.map(part => ({ uid, ...part })))
  return parts.filter(({ rows, name }) => rows === 0 && name !== 'in-flight').map(({ uid, name }) => `${uid} ${name}`)
}

async function make(): Promise<void> {
  if (SNAPSHOT_FORMAT !== FORMAT_OF_JOB) throw new Error('the format is a new one: give it a folder, see README.md')
  const whole = await runGolden(GOLDEN_JOB, { seed: 1, parallelism: GOLDEN_JOB.parallelism })
  for (const [name, capture] of Object.entries(CAPTURES)) {
    const golden = await captureGolden(GOLDEN_JOB, capture)
    const after = await runGolden(GOLDEN_JOB, { seed: 2, parallelism: GOLDEN_JOB.parallelism, files: golden.files })
    const difference = resultsDifference([...golden.before, ...after], whole)
    if (difference !== undefined) throw new Error(`${name}: ${difference}`)
    writeGolden(SNAPSHOT_FORMAT, name, { ...golden, after })
    console.log(
      `${name}: ${golden.files.size} files; without rows: ${(await emptyParts(golden.files)).join(', ') || 'none'}`,
    )
  }
}

const [option, name, directory] = process.argv.slice(2)
if (option === '--unpack' && name !== undefined && directory !== undefined)
  unpackGolden(SNAPSHOT_FORMAT, name, directory)
else await make()
