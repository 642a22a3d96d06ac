// Broadcast state as calls on streams: the graph that they build, and what is refused where it is written.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamError } from '../../base/errors.ts'
import { describeGraph } from '../../model/describe.ts'
import type { Collector } from '../../model/functions.ts'
import { list, map, value } from '../../model/state.ts'
import { StreamEnvironment } from './environment.ts'

function newEnvironment(): StreamEnvironment {
  return new StreamEnvironment({
    defaultParallelism: 2,
    launch: () => assert.fail('nothing may run'),
    explain: graph => ({ text: describeGraph(graph), json: undefined }),
  })
}

/** The API as a caller without types sees it: any method with any arguments. */
interface Untyped {
  readonly [method: string]: (...args: readonly unknown[]) => Untyped
}

function refusal(call: (stream: Untyped) => unknown): string {
  try {
    call(newEnvironment().fromElements({ word: 'be' }) as unknown as Untyped)
  } catch (error) {
    assert.ok(error instanceof StreamError, String(error))
    assert.match(error.message, /\(\S*broadcast-streams\.spec\.ts:\d+\)/)
    return error.message.replace(/ \(\S*broadcast-streams\.spec\.ts:\d+\)/, '')
  }
  return assert.fail('nothing was thrown')
}

describe('a broadcast stream', () => {
  test('is the second input, in every subtask, of a step without key and of a keyed one', () => {
    const env = newEnvironment()
    const rules = env.fromElements('a').broadcastState({ rules: map<string, number>() })
    const words = env.fromElements({ word: 'be' })
    words
      .connect(rules)
      .process({ onRecord: (word, _ctx, out: Collector<unknown>) => out.collect(word), onBroadcast() {} })
      .print()
    words
      .keyBy('word')
      .connect(rules)
      .process({ state: { count: value(0) }, onRecord() {}, onBroadcast() {}, onTimer() {} })
      .print()
    const lines = env.explain().text.split('\n')
    assert.match(lines[2] as string, /^2 broadcast-process-\S+ "broadcast-process" broadcast-process parallelism=2/)
    assert.match(
      lines[4] as string,
      /^4 keyed-broadcast-process-word-\S+ "broadcast-process" keyed-broadcast-process key=word parallelism=2/,
    )
    assert.deepEqual(
      lines.slice(6).filter(line => !line.endsWith('forward')),
      ['1 -> 2:0 rebalance', '0 -> 2:1 broadcast', '1 -> 4:0 hash(word)', '0 -> 4:1 broadcast'],
    )
  })

  test('declares maps, at least one', () => {
    assert.equal(
      refusal(s => s.broadcastState({ rules: value(0) })),
      'OPTION_INVALID: broadcastState(): state "rules" is {"version":0,"isImmutable":false,"kind":"value"}; broadcast state is declared with map()',
    )
    assert.match(
      refusal(s => s.broadcastState({ rules: list() })),
      /declared with map\(\)/,
    )
    assert.match(
      refusal(s => s.broadcastState({})),
      /expected an object that declares maps, got \{\}/,
    )
    assert.match(
      refusal(s => s.broadcastState()),
      /got undefined; write \{ rules: map\(\) \}/,
    )
  })

  test('needs a function of both streams', () => {
    const rules = { rules: map() }
    assert.match(
      refusal(s => s.connect(s.broadcastState(rules)).process({ onRecord() {} })),
      /process\(\): onBroadcast: expected a function/,
    )
    assert.match(
      refusal(s =>
        s
          .keyBy('word')
          .connect(s.broadcastState(rules))
          .process({ onBroadcast() {} }),
      ),
      /process\(\): onRecord: expected a function/,
    )
    assert.match(
      refusal(s => s.connect(s.broadcastState(rules)).process({ onRecord() {}, async onBroadcast() {} })),
      /^USER_FUNCTION_ASYNC: process\(\): onBroadcast: its function is async.*mapAsync\(\)/,
    )
    assert.equal(
      refusal(s => s.connect(s.broadcastState(rules)).process({ state: {}, onRecord() {}, onBroadcast() {} })),
      'OPTION_INVALID: process(): the function has state, which only a keyed stream offers; call keyBy() before connect()',
    )
    assert.match(
      refusal(s =>
        s
          .keyBy('word')
          .connect(s.broadcastState(rules))
          .process({ state: { n: 1 }, onRecord() {}, onBroadcast() {} }),
      ),
      /state "n" is 1; declare it/,
    )
  })

  test('must be of the same environment', () => {
    const other = newEnvironment().fromElements(1).broadcastState({ rules: map() })
    assert.match(
      refusal(s => s.connect(other)),
      /connect\(\): the other stream belongs to another environment/,
    )
    assert.match(
      refusal(s => s.keyBy('word').connect(other)),
      /connect\(\): the other stream belongs to another environment/,
    )
  })
})
