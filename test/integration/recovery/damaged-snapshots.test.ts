// Files of checkpoints that are missing, cut, overwritten or changed by a bit: the job goes on from a checkpoint that is whole, says which file it
// was, and counts everything once; or it ends with a code and leaves everything as it is.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { errorText, StreamError } from '../../../src/base/errors.ts'
import { fixedDelay } from '../../../src/model/restart-strategy.ts'
import { temporaryFolder } from '../connectors/support/temporary-folder.ts'
import {
  type CountingRun,
  checkpointsAt,
  countedBefore,
  finishCounting,
  startCounting,
} from './support/counting-job.ts'
import {
  CHECKPOINTS,
  DAMAGES,
  type Damage,
  doDamage,
  filesOfCheckpoints,
  replaceDirectory,
  snapshotFiles,
} from './support/stored-files.ts'

/** The records of each split at checkpoint 1, 2, 3 and 4, of which the newest three are kept. */
const LIMITS = [20, 40, 60, 80]
const NEWEST_ID = LIMITS.length

function checkpointOf(run: CountingRun): number | undefined {
  const perSplit = countedBefore(run.lines) / 2
  if (perSplit === 0) return undefined
  assert.ok(LIMITS.includes(perSplit), `no checkpoint is at ${perSplit}`)
  return LIMITS.indexOf(perSplit) + 1
}

function errorsOf({ log }: CountingRun): string {
  return log
    .filter(({ level }) => level === 'error')
    .map(({ message }) => message)
    .join('\n')
}

async function outcomeOf(directory: string): Promise<CountingRun | StreamError> {
  try {
    return await finishCounting(directory)
  } catch (error) {
    if (error instanceof StreamError) return error
    throw error
  }
}

describe('a job whose newest checkpoints are damaged', () => {
  const folder = temporaryFolder()
  const pristine = join(folder, 'pristine')
  const directory = join(folder, 'job')
  before(() => checkpointsAt(pristine, LIMITS))

  async function runDamaged(path: string, damage: Damage): Promise<void> {
    replaceDirectory(pristine, directory)
    const needed = filesOfCheckpoints(directory)
    const files = snapshotFiles(directory)
    const isOfKind = (other: string): boolean => other.split('/')[0] === path.split('/')[0] && other !== path
    const other = files.get([...files.keys()].find(isOfKind) as string) as Uint8Array
    doDamage(directory, path, damage, other)
    const harmed = snapshotFiles(directory)
    const what = `${path}: ${damage.name}`
    const outcome = await outcomeOf(directory)
    const whole = [...needed].filter(([, paths]) => !paths.has(path)).map(([id]) => id)
    if (outcome instanceof StreamError) {
      assert.equal(outcome.code, 'SNAPSHOT_DAMAGED', what)
      assert.ok(outcome.message.includes(path), `${what}: ${outcome.message}`)
      assert.deepEqual(whole, [], what)
      assert.deepEqual(snapshotFiles(directory), harmed, `${what}: nothing may be removed`)
      return
    }
    const used = checkpointOf(outcome) as number
    assert.ok(used >= Math.max(0, ...whole), `${what}: checkpoint ${used} was used`)
    // A manifest that is gone cannot be told from one that never was. Rows that newer changes replaced are read by nobody.
    if (used === NEWEST_ID) return
    if (damage.name === 'missing' && path.startsWith(CHECKPOINTS)) return
    const told = errorsOf(outcome)
    assert.ok(told.includes(path), `${what}: ${told}`)
    assert.match(told, new RegExp(`checkpoint ${NEWEST_ID} is damaged: .*checkpoint ${used} is used instead`), what)
  }

  for (const damage of DAMAGES) {
    test(`goes on from one that is whole, or stops: ${damage.name}`, async () => {
      for (const path of filesOfNewest(pristine)) await runDamaged(path, damage)
    })
  }

  test('holds changes on top of earlier segments, so that each case above is met', async () => {
    const needed = filesOfCheckpoints(pristine)
    const [oldest = new Set<string>(), ...newer] = [...needed.values()]
    assert.ok(
      [...oldest].some(path => newer.every(paths => paths.has(path))),
      'a segment that all of them need',
    )
    assert.ok(
      [...(newer.at(-1) ?? [])].some(path => !oldest.has(path)),
      'a segment of the newest alone',
    )
  })

  test('falls back over two that are damaged, and names both', async () => {
    replaceDirectory(pristine, directory)
    for (const id of [3, 4])
      doDamage(directory, `${CHECKPOINTS}/000000000${id}.manifest`, DAMAGES[3] as Damage, new Uint8Array(0))
    const run = await finishCounting(directory)
    assert.equal(checkpointOf(run), 2)
    for (const id of [3, 4])
      assert.match(errorsOf(run), new RegExp(`checkpoint ${id} is damaged: .*000000000${id}.manifest`))
  })

  test('ends with SNAPSHOT_DAMAGED when none is whole, tells of each, and removes nothing', async () => {
    replaceDirectory(pristine, directory)
    for (const [path, bytes] of snapshotFiles(directory)) {
      const shorter: Damage = { name: 'cut', harm: () => bytes.slice(0, 30) }
      if (!path.startsWith(CHECKPOINTS)) doDamage(directory, path, shorter, bytes)
    }
    const harmed = snapshotFiles(directory)
    for (let round = 0; round < 2; round++) {
      await assert.rejects(finishCounting(directory), error => {
        const text = errorText(error)
        assert.match(
          text,
          /^SNAPSHOT_DAMAGED: .*holds 3 checkpoints of job "counting", and none is whole; bring files back/,
        )
        for (const id of [2, 3, 4])
          assert.match(text, new RegExp(`checkpoint ${id} is damaged: SNAPSHOT_DAMAGED: segments/`))
        return true
      })
      assert.deepEqual(snapshotFiles(directory), harmed)
    }
    // With the files back it goes on as if nothing had been.
    replaceDirectory(pristine, directory)
    assert.equal(checkpointOf(await finishCounting(directory)), NEWEST_ID)
  })

  test('does not go back beyond the savepoint that it was started from, nor begin anew', async () => {
    replaceDirectory(pristine, directory)
    const savepoint = join(folder, 'savepoint')
    const first = startCounting(directory)
    await first.source.readUpTo(90)
    await first.handle.savepoint(savepoint)
    await first.handle.cancel()
    const second = startCounting(directory, { launch: { from: savepoint } })
    await second.source.readUpTo(90)
    await second.handle.cancel()
    const [adopted] = [...snapshotFiles(directory).keys()].filter(path => path.includes('-savepoint-'))
    doDamage(directory, adopted as string, DAMAGES[0] as Damage, new Uint8Array(0))
    await assert.rejects(finishCounting(directory), /SNAPSHOT_DAMAGED: .*holds 1 checkpoints of job "counting"/)
    assert.equal(countedBefore((await finishCounting(directory, { launch: { from: savepoint } })).lines), 180)
  })

  test('falls back in a restart too, when the damage was done while it ran', async () => {
    replaceDirectory(pristine, directory)
    let harm: (() => void) | undefined
    const run = startCounting(directory, {
      onLine: () => {
        const due = harm
        harm = undefined
        due?.()
      },
      launch: { restart: fixedDelay({ attempts: 3, delayMs: 1 }) },
    })
    await run.source.readUpTo(90)
    await run.handle.checkpoint()
    const newest = [...(filesOfCheckpoints(directory).get(NEWEST_ID + 1) ?? [])].filter(path =>
      path.includes('/0000000005-1-'),
    )
    assert.equal(newest.length, 2)
    const linesBefore = run.lines.length
    harm = () => {
      for (const path of newest) doDamage(directory, path, DAMAGES[8] as Damage, new Uint8Array(0))
      throw new Error('a failure that passes')
    }
    run.source.raise(100)
    await run.handle
    // It counts on from checkpoint 4, at 80 records of each split, and so does again what it had done up to 90.
    const again = run.lines.slice(linesBefore)
    assert.equal(countedBefore(again.slice(-40)), 160)
    assert.match(errorsOf(run), /checkpoint 5 is damaged: .*segments\/0000000005-1-.*checkpoint 4 is used instead/)
  })
})

/** The files that the newest checkpoint needs. */
function filesOfNewest(directory: string): readonly string[] {
  return [...(filesOfCheckpoints(directory).get(NEWEST_ID) ?? [])]
}
