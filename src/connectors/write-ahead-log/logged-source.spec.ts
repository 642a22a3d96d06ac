import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  completeSnapshot,
  Feed,
  type OpenReader,
  openReader,
  SMALL_LOG,
} from '../../../test/integration/connectors/support/log-life.ts'
import {
  ReaderDriver,
  RecordingOutput,
  sourceSpec,
} from '../../../test/integration/connectors/support/reader-driver.ts'
import type { Source } from '../../model/connector.ts'
import { SimulatedFiles } from '../../testing/simulated-files.ts'
import type { LogPosition } from './log-folder.ts'
import { SNAPSHOTS_KEPT } from './logged-reader.ts'
import { loggable } from './logged-source.ts'

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

function segmentsOf(files: SimulatedFiles): string[] {
  return [...files.snapshot().keys()].filter(path => path.endsWith('.wal')).sort()
}

/** Reads so many records one by one, or to the end. */
async function take({ reader, driver }: OpenReader, count = Infinity): Promise<number[]> {
  const output = new RecordingOutput<number>(1)
  await driver.readUntil(reader, output, () => output.records.length >= count)
  return output.records
}

/** Lets what is under way come back: more turns than a call to the simulated disk takes. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await undefined
}

describe('a source with a write-ahead log', () => {
  test('goes on from every position in another process, with what the log holds and then with the source', async () => {
    for (let count = 0; count <= 40; count++) {
      const files = new SimulatedFiles()
      const feed = new Feed(40)
      const first = await openReader(feed, files)
      const before = await take(first, count)
      const position = JSON.parse(JSON.stringify(first.reader.position())) as LogPosition
      // It goes on for a while that no snapshot sees.
      const unseen = await take(first, 7)
      await first.reader.close()
      const rest = await take(await openReader(feed, files, { position }))
      assert.deepEqual([...before, ...rest], numbers(0, 40), `after ${count}`)
      assert.deepEqual(rest.slice(0, unseen.length), unseen)
    }
  })

  test('gives a job without a snapshot what the log still holds, and then reads on', async () => {
    const files = new SimulatedFiles()
    const feed = new Feed(30)
    const first = await openReader(feed, files)
    await take(first, 10)
    await first.reader.close()
    assert.deepEqual(await take(await openReader(feed, files)), numbers(0, 30))
    // The input is over, and a job that begins anew asks for more of it.
    assert.equal(feed.opened, 2)
    assert.deepEqual(await take(await openReader(feed, files)), numbers(0, 30))
    assert.equal(feed.opened, 3)
  })

  test('does not open the source again where the log holds the end of the input', async () => {
    const files = new SimulatedFiles()
    const feed = new Feed(20)
    const first = await openReader(feed, files)
    await take(first, 5)
    const position = first.reader.position()
    assert.deepEqual(await take(first), numbers(5, 20))
    await first.reader.close()
    const second = await openReader(feed, files, { position })
    assert.deepEqual(await take(second), numbers(5, 20))
    assert.equal(feed.opened, 1)
  })

  test('forgets the end of the input when a job begins anew, also for its snapshots', async () => {
    const files = new SimulatedFiles()
    const feed = new Feed(20)
    const first = await openReader(feed, files)
    await take(first)
    await first.reader.close()
    const second = await openReader(feed, files)
    await take(second, 5)
    const position = second.reader.position()
    await second.reader.close()
    assert.deepEqual(await take(await openReader(feed, files, { position })), numbers(5, 20))
    assert.equal(feed.opened, 3)
  })

  test('emits nothing before it is durable', async () => {
    let release = (): void => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    let isSlow = false
    const files = new SimulatedFiles({ delay: () => (isSlow ? gate : undefined) })
    const { reader, driver } = await openReader(new Feed(2), files)
    await settle()
    isSlow = true
    const output = new RecordingOutput<number>()
    for (let turn = 0; turn < 20; turn++) {
      reader.read(output)
      await settle()
    }
    assert.deepEqual(output.records, [], 'the disk has not answered')
    isSlow = false
    release()
    await driver.readUntil(reader, output)
    assert.deepEqual(output.records, [0, 1])
  })

  test('puts what it had taken into the log when it is closed', async () => {
    const files = new SimulatedFiles()
    const feed = new Feed(1000, 100)
    const { reader } = await openReader(feed, files)
    const output = new RecordingOutput<number>()
    reader.read(output)
    await settle()
    reader.read(output)
    await reader.close()
    assert.ok(feed.next > output.records.length, `${feed.next} taken, ${output.records.length} emitted`)
    const taken = feed.next
    assert.deepEqual(await take(await openReader(feed, files), taken), numbers(0, taken))
    assert.equal(files.openHandles, 0)
  })

  test('keeps what the newest complete snapshots need, and no more', async () => {
    const files = new SimulatedFiles()
    const feed = new Feed(2000)
    const open = await openReader(feed, files)
    const positions: LogPosition[] = []
    let segmentsMax = 0
    for (let count = 0; count < 1500; count += 10) {
      await take(open, 10)
      positions.push(completeSnapshot(open))
      await settle()
      segmentsMax = Math.max(segmentsMax, segmentsOf(files).length)
    }
    // 100 bytes are some 6 records of this kind, so 10 records are up to 3 segments; and what is read ahead.
    assert.ok(segmentsMax <= (SNAPSHOTS_KEPT + 2) * 3, `${segmentsMax} segments`)
    await open.reader.close()
    for (const back of [1, 2, SNAPSHOTS_KEPT]) {
      const rest = await take(await openReader(feed, files, { position: positions.at(-back) }), 100)
      assert.deepEqual(rest, numbers(1500 - 10 * (back - 1), 1500 - 10 * (back - 1) + 100))
    }
    // What is older was removed, and that is said.
    await assert.rejects(
      openReader(feed, files, { position: positions[10] }),
      /SOURCE_FAILED: the feed: the write-ahead log cannot be replayed: log\/of\/feed\/.*\.wal is not there, and the log has segments \d+ to \d+ .*start from a later snapshot/,
    )
  })

  test('keeps what the newest complete snapshot needs, however many fail after it', async () => {
    const files = new SimulatedFiles()
    const feed = new Feed(1000)
    const open = await openReader(feed, files)
    for (let snapshots = 0; snapshots < 5; snapshots++) {
      await take(open, 10)
      completeSnapshot(open)
      await settle()
    }
    const position = completeSnapshot(open)
    for (let snapshots = 0; snapshots < 90; snapshots++) {
      await take(open, 10)
      open.reader.position()
      await settle()
    }
    await open.reader.close()
    assert.deepEqual(await take(await openReader(feed, files, { position })), numbers(50, 1000))
  })

  test('gives a job that begins anew nothing that a complete snapshot has', async () => {
    for (const complete of [0, 1, 7, 20, 39, 40]) {
      const files = new SimulatedFiles()
      const feed = new Feed(40)
      const first = await openReader(feed, files)
      await take(first, complete)
      completeSnapshot(first)
      await take(first, 5)
      await first.reader.close()
      // Twice: the one that begins anew has no complete snapshot of its own.
      for (let time = 0; time < 2; time++) {
        const anew = await openReader(feed, files)
        assert.deepEqual(await take(anew), numbers(complete, 40), `after ${complete}`)
        await anew.reader.close()
      }
    }
  })

  test('replays nothing after a run that has finished, and keeps the numbers of its segments', async () => {
    const files = new SimulatedFiles()
    let from = 0
    const feeds = [new Feed(30), new Feed(30), new Feed(30)]
    const lasts: number[] = []
    for (const feed of feeds) {
      const open = await openReader(feed, files)
      assert.deepEqual(await take(open), numbers(0, 30), `run ${from++}`)
      lasts.push(completeSnapshot(open).segment)
      await open.reader.close()
    }
    assert.deepEqual(
      [...lasts].sort((a, b) => a - b),
      lasts,
    )
    assert.equal(new Set(lasts).size, 3)
    const bytes = [...files.snapshot().values()].reduce((sum, data) => sum + data.length, 0)
    assert.ok(bytes < 2000, `${bytes} bytes of runs that are over`)
  })

  test('does not mistake a later segment for one of a snapshot of an earlier run', async () => {
    const files = new SimulatedFiles()
    const first = await openReader(new Feed(30), files)
    await take(first, 5)
    const early = completeSnapshot(first)
    await take(first)
    completeSnapshot(first)
    await first.reader.close()
    const second = await openReader(new Feed(30), files)
    await take(second)
    completeSnapshot(second)
    await second.reader.close()
    await assert.rejects(openReader(new Feed(30), files, { position: early }), /SOURCE_FAILED: .*is not there/)
  })

  test('holds the source back when it is full, and drops nothing', async () => {
    const files = new SimulatedFiles()
    const feed = new Feed(500)
    const settings = { ...SMALL_LOG, bytesMax: 400 }
    const { reader, driver } = await openReader(feed, files, { settings })
    const output = new RecordingOutput<number>()
    let stood = 0
    while (output.records.length < 500) {
      const before = output.records.length
      for (let turn = 0; turn < 30; turn++) {
        reader.read(output)
        await settle()
      }
      const bytes = [...files.snapshot().values()].reduce((sum, data) => sum + data.length, 0)
      assert.ok(bytes <= 400 + 150, `${bytes} bytes`)
      if (output.records.length === before) stood++
      completeSnapshot({ reader })
      await settle()
    }
    assert.deepEqual(output.records, numbers(0, 500))
    assert.ok(stood > 10, `it stood still ${stood} times`)
    assert.match(
      driver.logger.entries.map(({ message }) => message).join(),
      /the write-ahead log is full: nothing is read until/,
    )
  })

  test('cuts off what a crash left half written', async () => {
    const files = new SimulatedFiles()
    const feed = new Feed(30)
    const settings = { ...SMALL_LOG, segmentBytes: 10_000 }
    const first = await openReader(feed, files, { settings })
    await take(first, 10)
    const position = first.reader.position()
    await first.reader.close()
    const [path = ''] = segmentsOf(files)
    const torn = await files.open(path, 'append')
    await torn.append(new Uint8Array([200, 0, 0, 0, 1, 2]))
    await torn.close()
    assert.deepEqual(await take(await openReader(feed, files, { position, settings })), numbers(10, 30))
  })

  test('refuses a log that is damaged, before what comes behind the damage', async () => {
    const files = new SimulatedFiles()
    const feed = new Feed(40)
    const first = await openReader(feed, files)
    await take(first, 30)
    await first.reader.close()
    const [, path = ''] = segmentsOf(files)
    ;(files.snapshot().get(path) as Uint8Array)[30] = 0xff
    const second = await openReader(feed, files)
    await assert.rejects(take(second), /SOURCE_FAILED: .*-0000000002\.wal is damaged at byte \d+; put the file back/)
  })

  test('refuses a log that ends before the snapshot', async () => {
    const files = new SimulatedFiles()
    const feed = new Feed(30)
    const settings = { ...SMALL_LOG, segmentBytes: 10_000 }
    const first = await openReader(feed, files, { settings })
    await take(first, 10)
    const position = first.reader.position()
    await first.reader.close()
    const [path = ''] = segmentsOf(files)
    await files.truncate(path, 40)
    await assert.rejects(
      openReader(feed, files, { position, settings }),
      /SOURCE_FAILED: .*ends at byte \d+, and the snapshot goes on from byte \d+/,
    )
  })

  test('warns where the log is gone, and goes on with the source', async () => {
    const feed = new Feed(30)
    const first = await openReader(feed, new SimulatedFiles())
    await take(first, 10)
    const position = { segment: 1, offset: 40 }
    await first.reader.close()
    const second = await openReader(feed, new SimulatedFiles(), { position })
    assert.equal((await take(second)).at(-1), 29)
    assert.match(second.driver.logger.entries[0]?.message ?? '', /the write-ahead log is not there any more/)
  })

  test('fails when another reader has opened its log, with nothing that the other has not seen', async () => {
    const files = new SimulatedFiles()
    const feed = new Feed(60)
    const first = await openReader(feed, files)
    const before = await take(first, 20)
    const position = first.reader.position()
    await settle()
    const second = await openReader(feed, files, { position })
    const output = new RecordingOutput<number>(1)
    await assert.rejects(
      first.driver.readUntil(first.reader, output),
      /SOURCE_FAILED: the feed: another reader has opened the write-ahead log in log\/of\/feed; two jobs cannot share a log/,
    )
    await first.reader.close()
    const rest = await take(second)
    for (const record of output.records) assert.ok(rest.includes(record), `${record} was emitted by the first alone`)
    assert.equal(before.length, 20)
  })

  test('starts from a snapshot of a time when the source had no log', async () => {
    for (const position of [null, 17]) {
      const open = await openReader(new Feed(5), new SimulatedFiles(), { position: position as never })
      assert.deepEqual(await take(open), numbers(0, 5))
    }
  })

  test('says when the inner source fails', async () => {
    const broken: Source<number> = {
      splits: () => [{ id: 'broken', position: null }],
      open: () => ({
        read: () => {
          throw new Error('the wire is cut')
        },
        position: () => null,
        close: () => {},
      }),
    }
    const port = { files: new SimulatedFiles(), pathOf: (path: string) => path }
    const source = loggable(() => broken, port)(sourceSpec('broken', { writeAheadLog: true }))
    const [split] = await source.splits(1)
    assert.ok(split !== undefined)
    const driver = new ReaderDriver()
    const reader = await source.open(split, driver)
    await assert.rejects(driver.readUntil(reader, new RecordingOutput()), /the wire is cut/)
  })
})

describe('the option writeAheadLog', () => {
  const make = (writeAheadLog: unknown, files = new SimulatedFiles()) =>
    loggable(() => new Feed(3).source(), { files, pathOf: path => path.replace('./', '') })(
      sourceSpec('feed', { writeAheadLog }),
    )

  test('is none unless given', async () => {
    for (const none of [undefined, false]) {
      const files = new SimulatedFiles()
      const source = make(none, files)
      const reader = await source.open({ id: 'feed', position: null }, new ReaderDriver())
      assert.equal(reader.position(), null)
      assert.equal(files.calls, 0)
    }
  })

  test('puts the log below the working directory unless told where', async () => {
    for (const [option, directory] of [
      [true, /^\.millrace\/wal\/job-[0-9a-f]{8}\//],
      [{ directory: 'logs/a' }, /^logs\/a\//],
    ] as const) {
      const files = new SimulatedFiles()
      const driver = new ReaderDriver()
      const reader = await make(option, files).open({ id: 'feed', position: null }, driver)
      await driver.readUntil(reader, new RecordingOutput())
      assert.ok(segmentsOf(files).length > 0)
      for (const path of files.snapshot().keys()) assert.match(path, directory)
    }
  })

  test('has a log of its own for each job, unless told where', async () => {
    const files = new SimulatedFiles()
    const directories = new Set<string>()
    for (const jobName of ['orders', 'or/ders', 'x'.repeat(300), '../..']) {
      const driver = Object.assign(new ReaderDriver(), { jobName })
      const reader = await make(true, files).open({ id: 'feed', position: null }, driver)
      const output = new RecordingOutput()
      await driver.readUntil(reader, output)
      assert.equal(output.records.length, 3)
      await reader.close()
      for (const path of files.snapshot().keys()) directories.add(path.slice(0, path.lastIndexOf('/')))
    }
    assert.equal(directories.size, 4)
    for (const directory of directories) assert.match(directory, /^\.millrace\/wal\/[A-Za-z0-9-]{1,40}-[0-9a-f]{8}$/)
  })

  test('is refused in a job that takes no checkpoints', async () => {
    const driver = Object.assign(new ReaderDriver(), { isCheckpointed: false })
    await assert.rejects(
      async () => make(true).open({ id: 'feed', position: null }, driver),
      /OPTION_INVALID: the feed: a write-ahead log needs checkpoints, .* enableCheckpointing\(\)/,
    )
  })

  test('is checked', () => {
    assert.throws(
      () => make('yes'),
      /OPTION_INVALID: the feed: option writeAheadLog is "yes"; expected true, or an object/,
    )
    assert.throws(
      () => make({ segmentBytes: 100 }),
      /OPTION_INVALID: .*segmentBytes is 100; expected a whole number from 4096/,
    )
    assert.throws(() => make({ bytesMax: 1.5 }), /OPTION_INVALID: .*bytesMax is 1\.5/)
    assert.throws(() => make({ directory: '' }), /OPTION_INVALID: .*directory is ""/)
    assert.throws(
      () => make({ folder: 'x' }),
      /OPTION_INVALID: .*has no option folder; it has directory, segmentBytes, bytesMax/,
    )
    assert.throws(
      () => loggable(() => new Feed(3).source(), undefined)(sourceSpec('feed', { writeAheadLog: true })),
      /OPTION_INVALID: .*there is no file system/,
    )
  })
})
