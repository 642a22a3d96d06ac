// The options of asynchronous calls: their defaults, and what is refused where it is written.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamError } from '../../base/errors.ts'
import type { AsyncSpec } from '../../model/async-spec.ts'
import { describeGraph } from '../../model/describe.ts'
import { asyncSpec } from './async-calls.ts'
import { StreamEnvironment } from './environment.ts'

const echo = async (n: number): Promise<number> => n

function specOf(options: Readonly<Record<string, unknown>>): AsyncSpec {
  return asyncSpec('mapAsync()', 'one', echo, options)
}

function refusal(options: unknown, fn: unknown = echo): string {
  try {
    asyncSpec('mapAsync()', 'one', fn as typeof echo, options as never)
  } catch (error) {
    assert.ok(error instanceof StreamError, String(error))
    assert.match(error.message, /\(\S*async-calls\.spec\.ts:\d+\)/)
    return error.message.replace(/ \(\S*async-calls\.spec\.ts:\d+\)/, '')
  }
  return assert.fail('nothing was thrown')
}

describe('asynchronous calls', () => {
  test('are ordered, 100 at once, of 60 s each, and fail at the first failure, unless told otherwise', () => {
    const { order, capacity, timeoutMs, onTimeout, retry } = specOf({})
    assert.deepEqual([order, capacity, timeoutMs, onTimeout, retry], ['ordered', 100, 60_000, undefined, undefined])
  })

  test('that are made again wait 100 ms, then twice as long each time up to 10 s, after any failure and no result', () => {
    const { retry } = specOf({ retry: { attempts: 3 } })
    assert.deepEqual(
      [
        retry?.attempts,
        retry?.delayMs,
        retry?.backoffFactor,
        retry?.delayMsMax,
        retry?.onError(1),
        retry?.onResult(1 as never),
      ],
      [3, 100, 2, 10_000, true, false],
    )
  })

  test('show in the graph', () => {
    const env = new StreamEnvironment({
      defaultParallelism: 2,
      launch: () => assert.fail('nothing may run'),
      explain: graph => ({ text: describeGraph(graph), json: undefined }),
    })
    env
      .fromElements(1)
      .mapAsync(echo)
      .flatMapAsync(async n => [n], { order: 'unordered', timeoutMs: Infinity })
      .print()
    const lines = env.explain().text.split('\n')
    assert.match(lines[1] as string, /"map-async" async ordered, capacity 100, timeout 60000 ms parallelism=2/)
    assert.match(lines[2] as string, /"flat-map-async" async unordered, capacity 100, no timeout parallelism=2/)
    assert.deepEqual(lines.slice(4), ['0 -> 1:0 rebalance', '1 -> 2:0 forward', '2 -> 3:0 forward'])
  })
})

describe('an option of asynchronous calls', () => {
  for (const [options, message] of [
    [{ order: 'random' }, `order is "random"; give 'ordered' or 'unordered'`],
    [{ capacity: 0 }, 'capacity is 0; give a whole number from 1'],
    [{ capacity: Infinity }, 'capacity is Infinity; give a whole number from 1'],
    [{ timeoutMs: 0 }, 'timeoutMs is 0; give milliseconds above 0'],
    [{ timeoutMs: Number.NaN }, 'timeoutMs is NaN; give milliseconds above 0'],
    [{ onTimeout: 'drop' }, `onTimeout is "drop"; give 'fail' or a function of the record`],
    [{ retry: {} }, 'attempts of retry is undefined; give a whole number from 1'],
    [{ retry: { attempts: 2, delayMs: -1 } }, 'delayMs of retry is -1; give milliseconds from 0'],
    [{ retry: { attempts: 2, delayMsMax: '1' } }, 'delayMsMax of retry is "1"; give milliseconds from 0'],
    [{ retry: { attempts: 2, backoffFactor: 0.5 } }, 'backoffFactor of retry is 0.5; give a number from 1'],
    [{ timeout: 5 }, 'there is no option timeout; there are order, capacity, timeoutMs, onTimeout, retry'],
    [5, 'expected an object of options, got 5'],
  ] as const) {
    test(`is refused: ${message}`, () => assert.equal(refusal(options), `OPTION_INVALID: mapAsync(): ${message}`))
  }

  test('of retry must be known, and its predicates functions that do not wait', () => {
    assert.match(refusal({ retry: { attempts: 2, delay: 1 } }), /mapAsync\(\): retry: there is no option delay/)
    assert.match(refusal({ retry: { attempts: 2, onError: 1 } }), /onError of retry: expected a function, got 1/)
    assert.match(
      refusal({ retry: { attempts: 2, onResult: async () => true } }),
      /^USER_FUNCTION_ASYNC: .*onResult of retry/,
    )
    assert.match(refusal({ onTimeout: async () => 1 }), /^USER_FUNCTION_ASYNC: mapAsync\(\): onTimeout/)
  })

  test('does not make up for a function', () => {
    assert.equal(refusal({}, 5), 'OPTION_INVALID: mapAsync(): expected a function, got 5')
  })
})
