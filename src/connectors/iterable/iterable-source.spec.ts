import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { deferred } from '../../../test/integration/connectors/support/deferred.ts'
import {
  ReaderDriver,
  RecordingOutput,
  readAll,
  sourceSpec,
} from '../../../test/integration/connectors/support/reader-driver.ts'
import type { Source, SplitReader } from '../../model/connector.ts'
import { iterableSource, PREFETCH_RECORDS_MAX } from './iterable-source.ts'

function source(options: Record<string, unknown>): Source<unknown, number> {
  return iterableSource(sourceSpec('iterable', options))
}

async function* asyncNumbers(count: number, trace: { produced: number; isReturned: boolean }) {
  try {
    for (let n = 0; n < count; n++) {
      trace.produced++
      yield n
    }
  } finally {
    trace.isReturned = true
  }
}

function newTrace(): { produced: number; isReturned: boolean } {
  return { produced: 0, isReturned: false }
}

async function open(options: Record<string, unknown>, driver: ReaderDriver): Promise<SplitReader<unknown, number>> {
  return source(options).open({ id: 'iterable', position: 0 }, driver)
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

describe('the source iterable', () => {
  it('reads a synchronous and an asynchronous iterable in order, also when the output is full each time', async () => {
    for (const roomPerRead of [1, 3, 1000]) {
      for (const factory of [() => numbers(600), () => asyncNumbers(600, newTrace())]) {
        const { records, emittedWhileFull } = await readAll(source({ factory }), { roomPerRead })
        assert.deepEqual(records, numbers(600))
        assert.equal(emittedWhileFull, 0)
      }
    }
  })

  it('reads a bare iterable and a bare async iterable', async () => {
    assert.deepEqual((await readAll(source({ iterable: new Set(['a', 'b']) }))).records, ['a', 'b'])
    assert.deepEqual((await readAll(source({ iterable: asyncNumbers(3, newTrace()) }))).records, [0, 1, 2])
  })

  it('takes undefined as a record', async () => {
    assert.deepEqual((await readAll(source({ iterable: [undefined, 1] }))).records, [undefined, 1])
    const factory = async function* () {
      yield undefined
    }
    assert.deepEqual((await readAll(source({ factory }))).records, [undefined])
  })

  it('is one split however many read it', async () => {
    assert.deepEqual(await source({ iterable: [] }).splits(3), [{ id: 'iterable', position: 0 }])
  })

  it('reads a bare iterator once, and a collection as often as one likes', async () => {
    for (const iterable of [numbers(2).values(), asyncNumbers(2, newTrace())]) {
      const once = source({ iterable })
      assert.deepEqual((await readAll(once)).records, [0, 1])
      await assert.rejects(
        readAll(once),
        /SOURCE_FAILED: .*can be read once, so its records cannot be replayed; pass a function, from\(\(\) => iterable\)/,
      )
    }
    const again = source({ iterable: [1, 2] })
    await readAll(again)
    assert.deepEqual((await readAll(again)).records, [1, 2])
  })

  it('knows a bare iterator or stream again that another source has begun, and says what is lost', async () => {
    const streams = [numbers(5).values(), Readable.from(numbers(5)), ReadableStream.from(numbers(5))]
    for (const iterable of streams) {
      const reader = await open({ iterable }, new ReaderDriver())
      await reader.close()
      await assert.rejects(
        async () => source({ iterable }).open({ id: 'iterable', position: 3 }, new ReaderDriver()),
        /SOURCE_FAILED: .*read before and can be read once, so its records after the first 3 cannot be replayed; pass/,
      )
    }
  })

  it('skips what was read before its position', async () => {
    for (const factory of [() => numbers(4), () => asyncNumbers(4, newTrace())]) {
      for (let position = 0; position <= 4; position++) {
        assert.deepEqual((await readAll(source({ factory }), { position })).records, numbers(4).slice(position))
      }
    }
  })

  it('has the number of records emitted as its position', async () => {
    for (const factory of [() => numbers(4), () => asyncNumbers(4, newTrace())]) {
      const driver = new ReaderDriver()
      const reader = await open({ factory }, driver)
      const output = new RecordingOutput<unknown>(1)
      await driver.readUntil(reader, output, () => output.records.length === 2)
      assert.equal(reader.position(), 2)
      await reader.close()
    }
  })

  it('reads ahead no more than its bound, and not before it is asked', async () => {
    const trace = newTrace()
    const driver = new ReaderDriver()
    const reader = await open({ iterable: asyncNumbers(10_000, trace) }, driver)
    await nextTurn()
    assert.equal(trace.produced, 0)
    assert.equal(reader.read(new RecordingOutput()), 'waiting')
    await nextTurn()
    assert.equal(trace.produced, PREFETCH_RECORDS_MAX)
    const output = new RecordingOutput<unknown>(1)
    assert.equal(reader.read(output), 'more')
    await nextTurn()
    assert.ok(trace.produced <= PREFETCH_RECORDS_MAX + 1)
    await driver.readUntil(reader, new RecordingOutput(1), () => trace.produced > PREFETCH_RECORDS_MAX + 1)
    await reader.close()
  })

  it('wakes once for a wait, not once for a record', async () => {
    const driver = new ReaderDriver()
    const reader = await open({ iterable: asyncNumbers(100, newTrace()) }, driver)
    assert.equal(reader.read(new RecordingOutput()), 'waiting')
    await nextTurn()
    assert.equal(driver.wakes, 1)
    await reader.close()
  })

  it('fails after the records before, with the cause and their number', async () => {
    const boom = new Error('boom')
    const sync = function* () {
      yield 1
      throw boom
    }
    const async = async function* () {
      yield 1
      throw boom
    }
    for (const factory of [sync, async]) {
      const driver = new ReaderDriver()
      const reader = await open({ factory }, driver)
      const output = new RecordingOutput<unknown>(1)
      await assert.rejects(driver.readUntil(reader, output), {
        message: 'SOURCE_FAILED: the iterable: the iterable failed after 1 records: boom',
        cause: boom,
      })
      assert.deepEqual(output.records, [1])
      await reader.close()
    }
  })

  it('returns the iterator when it is closed before the end, and only then', async () => {
    for (const [isAsync, count] of [
      [false, 5],
      [true, 5],
      [false, 1],
      [true, 1],
    ] as const) {
      let returns = 0
      let produced = 0
      const next = () => ({ done: produced >= count, value: produced++ })
      const iterator = isAsync
        ? { next: async () => next(), return: async () => ({ done: true, value: returns++ }) }
        : { next, return: () => ({ done: true, value: returns++ }) }
      const driver = new ReaderDriver()
      const iterable = { [isAsync ? Symbol.asyncIterator : Symbol.iterator]: () => iterator }
      const reader = await open({ iterable }, driver)
      const output = new RecordingOutput<unknown>(1)
      await driver.readUntil(reader, output, () => count === 5 && output.records.length === 2)
      await reader.close()
      await reader.close()
      assert.equal(returns, count === 5 ? 1 : 0)
    }
  })

  it('runs the cleanup of a generator that is not finished', async () => {
    const trace = newTrace()
    const driver = new ReaderDriver()
    const reader = await open({ iterable: asyncNumbers(10_000, trace) }, driver)
    const output = new RecordingOutput<unknown>(1)
    await driver.readUntil(reader, output, () => output.records.length === 1)
    await nextTurn()
    await reader.close()
    assert.equal(trace.isReturned, true)
  })

  it('closes at once although the iterable never answers, and wakes nobody after', async () => {
    const never = deferred()
    const factory = async function* () {
      yield 1
      await never.promise
      yield 2
    }
    const driver = new ReaderDriver()
    const reader = await open({ factory }, driver)
    const output = new RecordingOutput<unknown>()
    await driver.readUntil(reader, output, () => output.records.length === 1)
    reader.read(output)
    await reader.close()
    const { wakes } = driver
    never.resolve()
    await nextTurn()
    assert.equal(driver.wakes, wakes)
    assert.deepEqual(output.records, [1])
  })

  it('refuses what cannot be iterated', async () => {
    assert.throws(() => source({ iterable: 5 }), /OPTION_INVALID: .*option iterable is 5/)
    assert.throws(() => source({}), /OPTION_INVALID/)
    assert.throws(() => source({ iterable: [], factory: () => [] }), /OPTION_INVALID/)
    await assert.rejects(readAll(source({ factory: () => 5 })), /OPTION_INVALID: .*returns an iterable/)
    const failing = (): never => {
      throw new Error('no file')
    }
    await assert.rejects(readAll(source({ factory: failing })), /SOURCE_FAILED: .*after 0 records: no file/)
  })
})
