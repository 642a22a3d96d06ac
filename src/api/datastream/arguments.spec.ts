// What is refused where it is written: each message names the call, its place in this file, the value found and what was expected.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamError } from '../../base/errors.ts'
import { outputTag } from '../../model/output-tag.ts'
import { StreamEnvironment } from './environment.ts'
import type { DataStream, KeyedStream } from './streams.ts'

/** The API as a caller without types sees it: any method with any arguments. */
interface Untyped {
  readonly [method: string]: (...args: readonly unknown[]) => Untyped
}

function newEnvironment(): StreamEnvironment {
  return new StreamEnvironment({
    defaultParallelism: 1,
    launch: () => assert.fail('nothing may run'),
    explain: () => assert.fail('nothing is explained'),
  })
}

/** The message of what the call throws, with the place checked and taken out. */
function refusal(call: (stream: Untyped, keyed: Untyped, env: Untyped) => unknown): string {
  const env = newEnvironment()
  const stream: DataStream<{ word: string; n: number }> = env.fromElements({ word: 'be', n: 1 })
  const keyed: KeyedStream<{ word: string; n: number }, string> = stream.keyBy('word')
  try {
    call(stream as unknown as Untyped, keyed as unknown as Untyped, env as unknown as Untyped)
  } catch (error) {
    assert.ok(error instanceof StreamError, String(error))
    assert.match(error.message, /\(\S*arguments\.spec\.ts:\d+\)/)
    return error.message.replace(/ \(\S*arguments\.spec\.ts:\d+\)/, '')
  }
  return assert.fail('nothing was thrown')
}

describe('functions', () => {
  test('must be functions', () => {
    assert.equal(
      refusal(s => s.map(5)),
      'OPTION_INVALID: map(): expected a function, got 5',
    )
    assert.equal(
      refusal(s => s.flatMap()),
      'OPTION_INVALID: flatMap(): expected a function, got undefined',
    )
    assert.match(
      refusal(s => s.filter('x')),
      /^OPTION_INVALID: filter\(\)/,
    )
    assert.match(
      refusal((_, k) => k.reduce({})),
      /^OPTION_INVALID: reduce\(\)/,
    )
    assert.match(
      refusal((_, k) => k.timeWindow(1).apply(1)),
      /^OPTION_INVALID: apply\(\)/,
    )
    assert.match(
      refusal(s => s.connect(s).coMap(String)),
      /^OPTION_INVALID: coMap\(\) second/,
    )
    assert.match(
      refusal(s => s.partitionCustom('word', 'word')),
      /^OPTION_INVALID: partitionCustom\(\)/,
    )
    assert.match(
      refusal((_s, _k, env) => env.generate(1)),
      /^OPTION_INVALID: generate\(\)/,
    )
  })

  test('must not be async on the record path', () => {
    assert.match(
      refusal(s => s.map(async () => 1)),
      /^USER_FUNCTION_ASYNC: map\(\): its function is async/,
    )
    assert.match(
      refusal(s => s.flatMap(async function* () {})),
      /^USER_FUNCTION_ASYNC: flatMap\(\)/,
    )
    assert.match(
      refusal(s => s.process({ async onRecord() {} })),
      /^USER_FUNCTION_ASYNC: process\(\): onRecord/,
    )
    assert.match(
      refusal((_, k) => k.process({ onRecord() {}, async onTimer() {} })),
      /process\(\): onTimer/,
    )
  })

  test('come in objects with all the methods asked for', () => {
    assert.equal(
      refusal(s => s.process(() => {})),
      'OPTION_INVALID: process(): expected an object with onRecord; got function (anonymous)',
    )
    assert.match(
      refusal((_, k) => k.aggregate({ create() {}, add() {}, merge() {} })),
      /aggregate\(\): result: expected a function/,
    )
    assert.match(
      refusal(s => s.connect(s).coProcess({ onFirst() {} })),
      /coProcess\(\): onSecond: expected a function/,
    )
    assert.match(
      refusal(s => s.addSink({})),
      /addSink\(\): open: expected a function, got undefined/,
    )
    assert.match(
      refusal((_s, _k, env) => env.addSource({ open() {} }, { isBounded: true })),
      /addSource\(\): splits/,
    )
    assert.match(
      refusal(s => s.assignTimestampsAndWatermarks({})),
      /generator: expected a function/,
    )
  })
})

describe('watermark strategies', () => {
  const generator = () => ({ onRecord: () => {}, current: () => 0 })

  test('are checked in every call of a source, and where a step gets one', () => {
    const watermarks = { generator: 5 }
    for (const [call, message] of [
      ['from', refusal((_s, _k, env) => env.from([1], { watermarks }))],
      ['generate', refusal((_s, _k, env) => env.generate(() => 1, { watermarks }))],
      ['readTextFile', refusal((_s, _k, env) => env.readTextFile('a.txt', { watermarks }))],
      ['readStdin', refusal((_s, _k, env) => env.readStdin({ watermarks }))],
      ['socketTextStream', refusal((_s, _k, env) => env.socketTextStream('localhost', 9999, { watermarks }))],
      [
        'addSource',
        refusal((_s, _k, env) => env.addSource({ splits() {}, open() {} }, { isBounded: true, watermarks })),
      ],
    ] as const) {
      assert.equal(message, `OPTION_INVALID: ${call}(): watermarks: generator: expected a function, got 5`)
    }
  })

  test('of your own are checked as those that are made', () => {
    assert.equal(
      refusal(s => s.assignTimestampsAndWatermarks({ generator, emit: 'sometimes' })),
      `OPTION_INVALID: assignTimestampsAndWatermarks(): emit is "sometimes"; give 'per-batch', 'per-record', or { everyMs } with milliseconds above 0`,
    )
    assert.match(
      refusal((_s, _k, env) => env.from([1], { watermarks: { generator, alignment: { group: 'g' } } })),
      /from\(\): watermarks: alignment.maxDriftMs is undefined; give milliseconds from 0/,
    )
  })
})

describe('keys', () => {
  test('must be named, listed or selected', () => {
    assert.equal(
      refusal(s => s.keyBy([])),
      'OPTION_INVALID: keyBy(): the list of fields is empty; name at least one field',
    )
    assert.match(
      refusal(s => s.keyBy()),
      /keyBy\(\): the field of the key is undefined/,
    )
    assert.match(
      refusal(s => s.keyBy(['word', 2])),
      /a field of the key is 2/,
    )
    assert.match(
      refusal(s => s.partialKey('')),
      /partialKey\(\): the field of the key is ""/,
    )
  })

  test('are asked for by state and timers, in words', () => {
    assert.equal(
      refusal(s => s.process({ state: {}, onRecord() {} })),
      'OPTION_INVALID: process(): the function has state, which only a keyed stream offers; call keyBy() before process()',
    )
    assert.match(
      refusal(s => s.process({ onRecord() {}, onTimer() {} })),
      /has onTimer/,
    )
    assert.match(
      refusal((s, k) => k.connect(s).coProcess({ state: {}, onFirst() {}, onSecond() {} })),
      /keyBy\(\) on both/,
    )
  })

  test('come with declared state', () => {
    assert.equal(
      refusal((_, k) => k.process({ state: { count: 0 }, onRecord() {} })),
      'OPTION_INVALID: process(): state "count" is 0; declare it with value(), list(), map(), orderedList(), reducing() or aggregating()',
    )
  })
})

describe('windows', () => {
  test('must have whole sizes and slides above 0', () => {
    const mend = 'give a whole number from 1'
    assert.equal(
      refusal((_, k) => k.timeWindow(0)),
      `OPTION_INVALID: timeWindow(0): the size in milliseconds is 0; ${mend}`,
    )
    assert.match(
      refusal((_, k) => k.timeWindow(0.5)),
      /timeWindow\(0\.5\): the size/,
    )
    assert.match(
      refusal((_, k) => k.timeWindow(-5)),
      /timeWindow\(-5\): the size/,
    )
    assert.match(
      refusal((_, k) => k.timeWindow('5')),
      /the size in milliseconds is "5"/,
    )
    assert.match(
      refusal((_, k) => k.timeWindow(5, 0)),
      /timeWindow\(5, 0\): the slide/,
    )
    assert.match(
      refusal((_, k) => k.countWindow(Number.NaN)),
      /countWindow\(NaN\): the size in records is NaN/,
    )
    assert.match(
      refusal((_, k) => k.countWindow(4, 1.5)),
      /countWindow\(4, 1\.5\): the slide in records/,
    )
  })

  test('know lateness only in time', () => {
    assert.match(
      refusal((_, k) => k.timeWindow(5).allowedLateness(-1)),
      /the lateness in milliseconds is -1/,
    )
    assert.match(
      refusal((_, k) => k.countWindow(5).allowedLateness(1)),
      /without end in time has no late records/,
    )
    assert.match(
      refusal((_, k) => k.countWindow(5).sideOutputLateData(outputTag('late'))),
      /use it with windows of time/,
    )
  })
})

describe('settings', () => {
  test('need one step to apply to', () => {
    assert.match(
      refusal(s => s.union(s).name('x')),
      /^OPTION_INVALID: name\(\): a union is no step of its own/,
    )
    assert.match(
      refusal((_, k) => k.setParallelism(2)),
      /setParallelism\(\): keyBy\(\) is no step of its own/,
    )
    assert.match(
      refusal(s => s.rebalance().uid('x')),
      /uid\(\): the partitioning call \(rebalance\) is no step/,
    )
    assert.match(
      refusal(s => s.sideOutput(outputTag('late')).disableChaining()),
      /a side output is no step/,
    )
    assert.match(
      refusal(s => s.union(s).sideOutput(outputTag('late'))),
      /sideOutput\(\): a union is no step/,
    )
  })

  test('must be within their limits', () => {
    assert.equal(
      refusal(s => s.setParallelism(0)),
      'OPTION_INVALID: setParallelism(): the parallelism is 0; give a whole number from 1 to 32768',
    )
    assert.match(
      refusal(s => s.setMaxParallelism(32_769)),
      /maxParallelism is 32769; give a whole number from 1 to 32768/,
    )
    assert.match(
      refusal(s => s.name('')),
      /the name is ""; give a text that is not empty/,
    )
    assert.match(
      refusal(s => s.print().uid(5)),
      /the uid is 5/,
    )
    assert.match(
      refusal((_s, _k, env) => env.setParallelism(1.5)),
      /the parallelism is 1\.5/,
    )
  })
})

describe('streams', () => {
  test('must be of the same environment', () => {
    const other = newEnvironment().fromElements(1)
    const mend = 'the other stream belongs to another environment; build both with the same environment()'
    assert.equal(
      refusal(s => s.union(other)),
      `OPTION_INVALID: union(): ${mend}`,
    )
    assert.equal(
      refusal(s => s.connect(other)),
      `OPTION_INVALID: connect(): ${mend}`,
    )
    assert.equal(
      refusal((_, k) => k.connect(other.keyBy(Number))),
      `OPTION_INVALID: connect(): ${mend}`,
    )
    assert.match(
      refusal(s => s.iterate(() => ({ feedback: other, output: s }))),
      /iterate\(\) feedback: the other stream/,
    )
  })

  test('must be streams', () => {
    assert.equal(
      refusal(s => s.union([1])),
      'OPTION_INVALID: union(): expected a stream, got [1]',
    )
    assert.match(
      refusal(s => s.iterate(() => ({}))),
      /iterate\(\) feedback: expected a stream, got undefined/,
    )
    assert.match(
      refusal(s => s.iterate(() => {})),
      /iterate\(\) feedback: expected a stream, got undefined/,
    )
  })

  test('that go round must come from the loop', () => {
    assert.match(
      refusal(s => s.iterate((loop: unknown) => ({ feedback: s, output: loop }))),
      /not made of the loop/,
    )
    assert.match(
      refusal(s => s.iterate((loop: unknown) => ({ feedback: loop, output: loop }), { queuedRecordsMax: 0 })),
      /queuedRecordsMax is 0/,
    )
  })
})

describe('sources', () => {
  test('must say what can be read', () => {
    assert.match(
      refusal((_s, _k, env) => env.socketTextStream('localhost', 0)),
      /the port is 0; give a whole number from 1 to 65535/,
    )
    assert.match(
      refusal((_s, _k, env) => env.socketTextStream('', 1)),
      /the host is ""/,
    )
    assert.match(
      refusal((_s, _k, env) => env.readTextFile()),
      /readTextFile\(\): the path is undefined/,
    )
    assert.match(
      refusal((_s, _k, env) => env.from(5)),
      /from\(\): expected an iterable, an async iterable, or a function/,
    )
    assert.match(
      refusal((_s, _k, env) => env.generate(String, { count: -1 })),
      /the count is -1/,
    )
    assert.match(
      refusal((_s, _k, env) => env.generate(String, { recordsPerSecond: 0 })),
      /recordsPerSecond is 0/,
    )
    assert.match(
      refusal((_s, _k, env) => env.addSource({ splits() {}, open() {} })),
      /isBounded: true/,
    )
  })
})
