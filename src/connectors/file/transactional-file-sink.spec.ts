import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deferred } from '../../../test/integration/connectors/support/deferred.ts'
import { ManualClock, sinkSpec, writerContext } from '../../../test/integration/connectors/support/reader-driver.ts'
import {
  type AttemptPlan,
  DEATH_POINTS,
  RECORDS_PER_CHECKPOINT,
  SnapshotLife,
} from '../../../test/integration/connectors/support/snapshot-life.ts'
import { StreamError } from '../../base/errors.ts'
import { Prng } from '../../base/prng.ts'
import type { Sink, WriterContext } from '../../model/connector.ts'
import { SimulatedFiles } from '../../testing/simulated-files.ts'
import { transactionalFileSink } from './transactional-file-sink.ts'
import type { TransactionalFileWriter } from './transactional-file-writer.ts'

const DIRECTORY = 'data/out'

function sinkOn(files: SimulatedFiles, options: Readonly<Record<string, unknown>> = {}): Sink<unknown> {
  const spec = sinkSpec('file-directory', { directory: DIRECTORY, ...options })
  return transactionalFileSink(spec, { files, pathOf: directory => directory })
}

async function openWriter(
  files: SimulatedFiles,
  {
    options = {},
    context = {},
  }: { options?: Readonly<Record<string, unknown>>; context?: Partial<WriterContext> } = {},
): Promise<TransactionalFileWriter> {
  const writer = await sinkOn(files, options).open({ ...writerContext(), ...context })
  return writer as TransactionalFileWriter
}

function namesOf(files: SimulatedFiles): string[] {
  return [...files.snapshot().keys()].map(path => path.slice(path.lastIndexOf('/') + 1)).sort()
}

function isHidden(name: string): boolean {
  return name.startsWith('.')
}

/** What a reader of finished files sees, file by file. */
function finishedTexts(files: SimulatedFiles): string[] {
  return [...files.snapshot()]
    .filter(([path]) => !isHidden(path.slice(path.lastIndexOf('/') + 1)))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, bytes]) => new TextDecoder().decode(bytes))
}

function visibleRecords(files: SimulatedFiles): number[] {
  const lines = finishedTexts(files).flatMap(text => text.split('\n').slice(0, -1))
  return lines.map(Number).sort((a, b) => a - b)
}

function numbersBelow(end: number): number[] {
  return Array.from({ length: end }, (_, index) => index)
}

describe('the sink file-directory', () => {
  it('shows records when their transaction is committed, and not before', async () => {
    const files = new SimulatedFiles()
    const writer = await openWriter(files)
    await writer.recover([], undefined)
    writer.begin()
    await writer.write('grün')
    await writer.write({ n: 1n })
    assert.deepEqual(namesOf(files), [], 'no file before there is something to write')
    const transaction = await writer.prepare(1)
    assert.ok(transaction !== undefined)
    assert.deepEqual(namesOf(files).map(isHidden), [true])
    writer.begin()
    await writer.commit({ snapshotId: 1, transaction })
    assert.deepEqual(finishedTexts(files), ['grün\n{"n":"1"}\n'])
    await writer.close()
    assert.equal(files.openHandles, 0)
  })

  it('makes no file for a transaction without records', async () => {
    const files = new SimulatedFiles()
    const writer = await openWriter(files)
    await writer.recover([], undefined)
    writer.begin()
    assert.equal(await writer.prepare(1), undefined)
    assert.deepEqual(namesOf(files), [])
    await writer.close()
  })

  it('commits again without harm, also in a later attempt', async () => {
    const files = new SimulatedFiles()
    const writer = await openWriter(files)
    await writer.recover([], undefined)
    writer.begin()
    await writer.write(1)
    const transaction = await writer.prepare(1)
    assert.ok(transaction !== undefined)
    await writer.commit({ snapshotId: 1, transaction })
    await writer.commit({ snapshotId: 1, transaction })
    await writer.close()
    const next = await openWriter(files, { context: { attempt: 2 } })
    await next.recover([{ snapshotId: 1, transaction: JSON.parse(JSON.stringify(transaction)) }], 1)
    assert.deepEqual(visibleRecords(files), [1])
  })

  it('says so when a file of a snapshot is gone', async () => {
    const files = new SimulatedFiles()
    const writer = await openWriter(files)
    await writer.recover([], undefined)
    writer.begin()
    await writer.write(1)
    const transaction = await writer.prepare(3)
    assert.ok(transaction !== undefined)
    await files.remove(`${DIRECTORY}/${namesOf(files)[0]}`)
    await assert.rejects(
      writer.commit({ snapshotId: 3, transaction }),
      /TRANSACTION_FAILED: the file-directory: of snapshot 3, there is neither \.part-.*\.3\.pending nor part-.*\.txt in data\/out, .*put the file back/,
    )
  })

  it('ends a file at its size, and finishes all files of the transaction', async () => {
    const files = new SimulatedFiles()
    const writer = await openWriter(files, { options: { rollBytes: 10, prefix: 'rows', suffix: '.log' } })
    await writer.recover([], undefined)
    writer.begin()
    for (const record of ['aaaa', 'bbbb', 'cccc', 'a record that is longer', 'd']) await writer.write(record)
    const transaction = await writer.prepare(1)
    assert.ok(transaction !== undefined)
    assert.equal(transaction.files.length, 3)
    await writer.commit({ snapshotId: 1, transaction })
    assert.deepEqual(finishedTexts(files), ['aaaa\nbbbb\n', 'cccc\na record that is longer\n', 'd\n'])
    for (const name of namesOf(files)) assert.match(name, /^rows-.*\.log$/)
  })

  it('ends a file at its age, counted from its first record', async () => {
    const files = new SimulatedFiles()
    const clock = new ManualClock()
    const writer = await openWriter(files, { options: { rollMs: 100 }, context: { clock } })
    await writer.recover([], undefined)
    writer.begin()
    clock.advance(1000)
    for (const [record, afterMs] of [
      ['a', 0],
      ['b', 99],
      ['c', 1],
      ['d', 99],
      ['e', 99],
    ] as const) {
      clock.advance(afterMs)
      await writer.write(record)
    }
    const transaction = await writer.prepare(1)
    assert.ok(transaction !== undefined)
    await writer.commit({ snapshotId: 1, transaction })
    assert.deepEqual(finishedTexts(files), ['a\nb\nc\n', 'd\ne\n'])
  })

  it('writes piece by piece, so that memory is bounded and most records wait for nothing', async () => {
    const files = new SimulatedFiles()
    const writer = await openWriter(files)
    await writer.recover([], undefined)
    writer.begin()
    let waits = 0
    const record = 'x'.repeat(99)
    for (let n = 0; n < 10_000; n++) {
      const written = writer.write(record)
      if (written === undefined) continue
      waits++
      await written
    }
    assert.equal(waits, Math.floor(1_000_000 / 65_600))
    const transaction = await writer.prepare(1)
    assert.ok(transaction !== undefined)
    await writer.commit({ snapshotId: 1, transaction })
    assert.deepEqual(finishedTexts(files), [`${record}\n`.repeat(10_000)])
  })

  it('writes JSON, and refuses what has no form in it', async () => {
    const files = new SimulatedFiles()
    const writer = await openWriter(files, { options: { encode: 'json' } })
    await writer.recover([], undefined)
    writer.begin()
    for (const record of ['a\nb', { n: 1 }, null]) await writer.write(record)
    for (const record of [undefined, { n: 1n }]) {
      assert.throws(() => writer.write(record), /SINK_FAILED: .*cannot be written as JSON: .*map\(\) it/)
    }
    const transaction = await writer.prepare(1)
    assert.ok(transaction !== undefined)
    await writer.commit({ snapshotId: 1, transaction })
    assert.deepEqual(finishedTexts(files), ['"a\\nb"\n{"n":1}\nnull\n'])
  })

  it('leaves other files alone, and those of directories below', async () => {
    const files = new SimulatedFiles()
    const leftover = await openWriter(files)
    await leftover.recover([], undefined)
    leftover.begin()
    await leftover.write('x'.repeat(70_000))
    await leftover.close()
    const [name] = namesOf(files) as [string]
    const others = [`${DIRECTORY}/notes.txt`, `${DIRECTORY}/.hidden`, `${DIRECTORY}/below/${name}`]
    for (const path of others) await (await files.open(path, 'create')).close()
    const writer = await openWriter(files, { context: { attempt: 2 } })
    await writer.recover([], undefined)
    assert.deepEqual([...files.snapshot().keys()].sort(), [...others].sort())
  })

  it('writes over nothing in a second life of the job, whose attempts count anew', async () => {
    const files = new SimulatedFiles()
    for (let life = 0; life < 3; life++) {
      const writer = await openWriter(files)
      await writer.recover([], undefined)
      writer.begin()
      await writer.write(life)
      const transaction = await writer.prepare(1)
      assert.ok(transaction !== undefined)
      // The middle life dies before its commit.
      if (life !== 1) await writer.commit({ snapshotId: 1, transaction })
      await writer.close()
    }
    assert.deepEqual(visibleRecords(files), [0, 2])
    assert.deepEqual(namesOf(files).filter(isHidden), [])
  })

  it('gives a file up after a failed sync: nothing of this writer succeeds any more', async () => {
    const files = new SimulatedFiles()
    const writer = await openWriter(files)
    await writer.recover([], undefined)
    writer.begin()
    await writer.write(1)
    files.failSync(1)
    await assert.rejects(
      writer.prepare(1),
      /STORAGE_FAILED: the file-directory: the files of snapshot 1 cannot be made durable/,
    )
    await assert.rejects(writer.prepare(2), /STORAGE_FAILED: .*snapshot 1/)
    assert.throws(() => writer.write(2), /STORAGE_FAILED/)
    await writer.close()
    assert.equal(files.openHandles, 0)
    assert.deepEqual(finishedTexts(files), [])
  })

  it('says when the directory may not be written, and when the disk is full', async () => {
    for (const [systemCode, expected] of [
      ['EACCES', /DIRECTORY_NOT_WRITABLE: .*no permission \(EACCES\); choose another place/],
      ['ENOSPC', /STORAGE_FAILED: .*no space left \(ENOSPC\); make room/],
    ] as const) {
      const files = new SimulatedFiles()
      const writer = await openWriter(files)
      await writer.recover([], undefined)
      writer.begin()
      await writer.write(1)
      files.failCall(1, systemCode)
      await assert.rejects(writer.prepare(1), expected)
      await writer.close()
    }
  })

  it('is closed only after the call that is under way, so that nothing of it happens later', async () => {
    let slow: Promise<void> | undefined
    const files = new SimulatedFiles({ delay: () => slow })
    const writer = await openWriter(files)
    await writer.recover([], undefined)
    writer.begin()
    await writer.write(1)
    const disk = deferred()
    slow = disk.promise
    const order: string[] = []
    const prepared = writer.prepare(1).then(() => order.push('prepared'))
    const closed = writer.close().then(() => order.push('closed'))
    disk.resolve()
    await Promise.all([prepared, closed])
    assert.deepEqual(order, ['prepared', 'closed'])
    assert.equal(files.openHandles, 0)
  })

  it('refuses options that make no sense', () => {
    for (const options of [
      { directory: '' },
      { prefix: '.hidden' },
      { prefix: 'a/b' },
      { suffix: '/x' },
      { rollBytes: 0 },
      { rollMs: 0.5 },
      { encode: 'xml' },
      { rollbytes: 1 },
    ]) {
      assert.throws(() => sinkOn(new SimulatedFiles(), options), /OPTION_INVALID: the file-directory/)
    }
  })
})

describe('the sink file-directory over failures', () => {
  it('shows each record once, wherever an attempt dies and at whatever parallelism the next one runs', async () => {
    for (const [before, after] of [
      [1, 1],
      [2, 1],
      [1, 2],
      [2, 3],
      [3, 2],
    ] as const) {
      for (const diesAt of DEATH_POINTS) {
        const files = new SimulatedFiles()
        const life = new SnapshotLife(sinkOn(files))
        await life.attempt({ parallelism: before, checkpoints: 2, diesAt })
        await life.attempt({ parallelism: after, checkpoints: 0, diesAt: 'records-written' })
        const durable =
          RECORDS_PER_CHECKPOINT * (DEATH_POINTS.indexOf(diesAt) >= DEATH_POINTS.indexOf('snapshot-complete') ? 3 : 2)
        assert.equal(life.durablePosition, durable)
        assert.deepEqual(visibleRecords(files), numbersBelow(durable), `${before} to ${after}, dies at ${diesAt}`)
        await life.attempt({ parallelism: after, checkpoints: 1 })
        assert.deepEqual(visibleRecords(files), numbersBelow(durable + RECORDS_PER_CHECKPOINT))
        assert.deepEqual(namesOf(files).filter(isHidden), [], `${before} to ${after}, dies at ${diesAt}`)
      }
    }
  })

  it('shows each record once when the power fails and disks lose what was not synced (seeds 0 to 299)', async () => {
    for (let seed = 0; seed < 300; seed++) {
      const prng = new Prng(seed)
      const files = new SimulatedFiles()
      const life = new SnapshotLife(sinkOn(files, prng.below(2) === 0 ? {} : { rollBytes: 6 }))
      for (let attempt = 0; attempt < 5; attempt++) {
        await life.attempt(randomPlan(prng))
        files.crash(prng)
        assertNoWrongRecord(files, life, seed)
      }
      await endWell(files, life, `seed ${seed}`)
    }
  })

  it('keeps what it finished although no later file made the directory durable (seeds 0 to 49)', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const files = new SimulatedFiles()
      const writer = await openWriter(files)
      await writer.recover([], undefined)
      writer.begin()
      await writer.write(1)
      const transaction = await writer.prepare(1)
      assert.ok(transaction !== undefined)
      writer.begin()
      await writer.commit({ snapshotId: 1, transaction })
      // A snapshot that need not know of the transaction any more.
      assert.equal(await writer.prepare(2), undefined)
      files.crash(new Prng(seed))
      const next = await openWriter(files, { context: { attempt: 2 } })
      await next.recover([], 2)
      assert.deepEqual(visibleRecords(files), [1], `seed ${seed}`)
    }
  })

  it('does not let a leftover that it removed come back (seeds 0 to 49)', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const files = new SimulatedFiles()
      const dead = await openWriter(files)
      await dead.recover([], undefined)
      dead.begin()
      await dead.write(1)
      await dead.prepare(1)
      await (await openWriter(files, { context: { attempt: 2 } })).recover([], undefined)
      files.crash(new Prng(seed))
      await (await openWriter(files, { context: { attempt: 3 } })).recover([], 5)
      assert.deepEqual(namesOf(files), [], `seed ${seed}`)
    }
  })

  it('shows each record once when any call to the file system fails', async () => {
    const plan: AttemptPlan = { parallelism: 2, checkpoints: 3 }
    let failed = 0
    for (const code of ['EIO', 'ENOSPC', 'EACCES']) {
      for (let call = 1; ; call++) {
        const files = new SimulatedFiles()
        const life = new SnapshotLife(sinkOn(files, { rollBytes: 6 }))
        await life.attempt({ parallelism: 2, checkpoints: 1, diesAt: 'one-committed' })
        files.failCall(call, code)
        const hasFailed = await fails(() => life.attempt(plan))
        assertNoWrongRecord(files, life, call)
        // There are fewer calls than that.
        if (!hasFailed) break
        failed++
        files.crash(new Prng(call))
        await endWell(files, life, `${code} at call ${call}`)
      }
    }
    assert.ok(failed > 3 * 40, `${failed} calls failed`)
  })
})

function randomPlan(prng: Prng): AttemptPlan {
  return {
    parallelism: 1 + prng.below(3),
    checkpoints: prng.below(3),
    diesAt: DEATH_POINTS[prng.below(DEATH_POINTS.length)] ?? 'one-prepared',
  }
}

/** Before recovery some may be missing; none is there twice, and none that could be written again. */
function assertNoWrongRecord(files: SimulatedFiles, life: SnapshotLife, seed: number): void {
  const seen = visibleRecords(files)
  assert.equal(new Set(seen).size, seen.length, `seed ${seed}: twice`)
  for (const record of seen) assert.ok(record < life.durablePosition, `seed ${seed}: ${record} is seen too early`)
}

async function endWell(files: SimulatedFiles, life: SnapshotLife, what: string): Promise<void> {
  await life.attempt({ parallelism: 2, checkpoints: 1 })
  assert.deepEqual(visibleRecords(files), numbersBelow(life.durablePosition), what)
  assert.deepEqual(namesOf(files).filter(isHidden), [], what)
  assert.equal(files.openHandles, 0, what)
}

async function fails(action: () => Promise<void>): Promise<boolean> {
  try {
    await action()
    return false
  } catch (error) {
    assert.ok(error instanceof StreamError, String(error))
    return true
  }
}
