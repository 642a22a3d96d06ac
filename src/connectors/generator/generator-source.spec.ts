import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ManualClock,
  ReaderDriver,
  RecordingOutput,
  readAll,
  sourceSpec,
} from '../../../test/integration/connectors/support/reader-driver.ts'
import { StreamError } from '../../base/errors.ts'
import type { Split, SplitReader } from '../../model/connector.ts'
import { generatorSource } from './generator-source.ts'

const square = (index: number): number => index * index

function open(
  options: Record<string, unknown>,
  split?: Split<number>,
  clock = new ManualClock(),
): SplitReader<unknown, number> {
  const source = generatorSource(sourceSpec('generator', { generate: square, ...options }))
  const [first] = source.splits(1) as Split<number>[]
  return source.open(split ?? first, new ReaderDriver(clock)) as SplitReader<unknown, number>
}

describe('the source generator', () => {
  it('emits the records of all indices below count, also when the output is full each time', async () => {
    const source = generatorSource(sourceSpec('generator', { generate: square, count: 5 }))
    for (const roomPerRead of [1, 3, 5, 100]) {
      const { records, timestamps, emittedWhileFull } = await readAll(source, { roomPerRead })
      assert.deepEqual(records, [0, 1, 4, 9, 16])
      assert.deepEqual(timestamps, new Array(5).fill(undefined))
      assert.equal(emittedWhileFull, 0)
    }
  })

  it('resumes at every position', async () => {
    const source = generatorSource(sourceSpec('generator', { generate: square, count: 5 }))
    for (let position = 0; position <= 5; position++) {
      const { records } = await readAll(source, { position })
      assert.deepEqual(records, [0, 1, 4, 9, 16].slice(position))
    }
  })

  it('cuts a count into contiguous ranges that cover it once', async () => {
    for (const [count, parallelism] of [
      [10, 3],
      [2, 4],
      [0, 2],
      [7, 1],
    ]) {
      const source = generatorSource(sourceSpec('generator', { generate: (index: number) => index, count }))
      const seen: unknown[] = []
      const sizes: number[] = []
      const splits = await source.splits(parallelism)
      for (const split of splits) {
        const driver = new ReaderDriver()
        const output = new RecordingOutput<unknown>()
        await driver.readUntil(await source.open(split, driver), output)
        seen.push(...output.records)
        sizes.push(output.records.length)
      }
      assert.equal(splits.length, parallelism)
      assert.deepEqual(
        seen,
        Array.from({ length: count }, (_, index) => index),
      )
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `${sizes} are even`)
    }
  })

  it('deals the indices of an endless generator out in turn', async () => {
    const source = generatorSource(sourceSpec('generator', { generate: (index: number) => index }))
    const taken: unknown[][] = []
    for (const split of await source.splits(3)) {
      const output = new RecordingOutput<unknown>(4)
      const reader = await source.open(split, new ReaderDriver())
      assert.equal(reader.read(output), 'more')
      taken.push(output.records)
    }
    assert.deepEqual(taken, [
      [0, 3, 6, 9],
      [1, 4, 7, 10],
      [2, 5, 8, 11],
    ])
  })

  it('resumes an endless split by its id and position', () => {
    const reader = open({}, { id: '1+3/3', position: 7 })
    const output = new RecordingOutput<unknown>(2)
    reader.read(output)
    assert.deepEqual(output.records, [49, 100])
    assert.equal(reader.position(), 13)
  })

  it('gives records the timestamps that the function tells', async () => {
    const timestamp = (record: number, index: number): number => record * 1000 + index
    const source = generatorSource(sourceSpec('generator', { generate: square, count: 3, timestamp }))
    assert.deepEqual((await readAll(source)).timestamps, [0, 1001, 4002])
    assert.deepEqual((await readAll(source, { roomPerRead: 1 })).timestamps, [0, 1001, 4002])
  })

  it('emits what is due since it was opened and says when the next record is', () => {
    const clock = new ManualClock()
    const reader = open({ recordsPerSecond: 8 }, undefined, clock)
    const output = new RecordingOutput<unknown>()
    const start = clock.now()
    assert.equal(reader.read(output), 'waiting')
    assert.equal(output.records.length, 1)
    assert.equal(reader.wakeAtMs, start + 125)
    clock.advance(124)
    assert.equal(reader.read(output), 'waiting')
    assert.equal(output.records.length, 1)
    clock.advance(1)
    assert.equal(reader.read(output), 'waiting')
    assert.equal(output.records.length, 2)
    clock.advance(1000)
    assert.equal(reader.read(output), 'waiting')
    assert.equal(output.records.length, 10)
    assert.equal(reader.wakeAtMs, start + 1250)
  })

  it('emits late records at once, still in portions that the output takes', () => {
    const clock = new ManualClock()
    const reader = open({ recordsPerSecond: 1000, count: 50 }, undefined, clock)
    clock.advance(29)
    const output = new RecordingOutput<unknown>(7)
    const statuses: string[] = []
    for (let read = 0; read < 5; read++) {
      output.startRead()
      statuses.push(reader.read(output))
    }
    assert.equal(output.records.length, 30)
    assert.deepEqual(statuses, ['more', 'more', 'more', 'more', 'waiting'])
    clock.advance(1000)
    assert.equal(reader.read(new RecordingOutput<unknown>()), 'end')
  })

  it('shares its rate evenly between its splits', async () => {
    const clock = new ManualClock()
    const source = generatorSource(sourceSpec('generator', { generate: square, recordsPerSecond: 100 }))
    const readers = await Promise.all(
      (await source.splits(4)).map(split => source.open(split, new ReaderDriver(clock))),
    )
    const output = new RecordingOutput<unknown>()
    clock.advance(1000)
    for (const reader of readers) reader.read(output)
    assert.equal(output.records.length, 4 * 26)
  })

  it('always asks to be woken later than now, at rates that milliseconds cannot tell', () => {
    const clock = new ManualClock()
    const reader = open({ recordsPerSecond: 3333.3 }, undefined, clock)
    const output = new RecordingOutput<unknown>()
    for (let read = 0; read < 200; read++) {
      assert.equal(reader.read(output), 'waiting')
      assert.ok((reader.wakeAtMs as number) > clock.now())
      clock.advance((reader.wakeAtMs as number) - clock.now())
    }
    assert.equal(output.records.length, 1 + Math.floor(199 * 3.3333))
  })

  it('names the record for which the function threw, and keeps its error', () => {
    const boom = new Error('boom')
    const generate = (index: number): number => {
      if (index === 2) throw boom
      return index
    }
    for (const timestamp of [undefined, () => 0]) {
      const reader = open({ generate, timestamp })
      const output = new RecordingOutput<unknown>()
      assert.throws(
        () => reader.read(output),
        (error: unknown) =>
          error instanceof StreamError &&
          error.message === 'USER_FUNCTION_FAILED: the generator: generate() of record 2 threw: boom' &&
          error.cause === boom,
      )
      assert.deepEqual(output.records, [0, 1])
      assert.equal(reader.position(), 2)
    }
  })

  it('names the first record too', () => {
    const generate = (): never => {
      throw new Error('boom')
    }
    assert.throws(() => open({ generate }).read(new RecordingOutput()), /USER_FUNCTION_FAILED: .*record 0 threw/)
  })

  it('leaves an error of the steps behind it alone', () => {
    const downstream = new TypeError('not of the generator')
    for (const timestamp of [undefined, () => 0]) {
      const reader = open({ timestamp })
      let taken = 0
      const emit = (): boolean => {
        if (++taken === 3) throw downstream
        return true
      }
      assert.throws(
        () => reader.read({ emit }),
        error => error === downstream,
      )
      assert.equal(reader.position(), 3)
    }
  })

  it('refuses promises as records and timestamps that are not finite', () => {
    assert.throws(() => open({ generate: async () => 1 }).read(new RecordingOutput()), /USER_FUNCTION_ASYNC: .*promise/)
    const timestamp = (_: unknown, index: number): number => (index === 0 ? 0 : Number.NaN)
    assert.throws(() => open({ timestamp }).read(new RecordingOutput()), /TIMESTAMP_INVALID: .*record 1 returned NaN/)
    assert.throws(
      () => open({ timestamp: () => 'now' }).read(new RecordingOutput()),
      /TIMESTAMP_INVALID: .*record 0 returned "now"/,
    )
  })

  it('refuses options that make no sense', () => {
    for (const options of [
      { generate: 1 },
      { count: -1 },
      { count: 1.5 },
      { recordsPerSecond: 0 },
      { recordsPerSecond: Number.NaN },
      { timestamp: 5 },
    ]) {
      assert.throws(() => open(options), /OPTION_INVALID: the generator/)
    }
  })
})
