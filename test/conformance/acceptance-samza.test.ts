// Samza's windows: the scenarios of its TestWindowOperator (samza-core/src/test/java/org/apache/samza/operators/impl), same numbers. Windows go
// by a clock that the test moves by hand, from 1 ms on as Samza's TestClock. A pane id is the start of the window.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import { sessionWindows, tumblingWindows } from '../../src/api/datastream/window-assigners.ts'
import type { WindowOptions } from '../../src/api/datastream/window-options.ts'
import {
  afterCount,
  afterEach,
  afterFirst,
  afterProcessingTime,
  afterWatermark,
  never,
  orFinally,
  repeatedly,
  type WindowTrigger,
} from '../../src/api/datastream/window-triggers.ts'
import { fieldSelector } from '../../src/model/key.ts'
import type { WindowFunctionSpec } from '../../src/model/window-spec.ts'
import { verifyOperator } from '../../src/testing/operator-harness.ts'
import {
  end,
  type OutputElement,
  out,
  processingTime,
  record,
  type ScriptStep,
  stop,
  watermarkOut,
} from '../../src/testing/operator-script.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'
import { countOf, valuesOf, windowStep } from './support/window-step.ts'

const SESSIONS = sessionWindows(500, { time: 'processing-time' })
const SECONDS = tumblingWindows(1000, { time: 'processing-time' })

/** `1@0 early: 2 record(s)`: the key, the pane id, the firing type (Samza's DEFAULT is ours on time), and the size of the message. */
const panes = valuesOf<number>(
  (values, { key, window, pane }) => `${key}@${window.start} ${pane.timing}: ${values.length}`,
)

/** Records with the keys given. */
function keys(...list: readonly number[]): ScriptStep[] {
  return list.map(key => record({ key: String(key), value: key }))
}

/** The panes of windows of a second, with Samza's early trigger. */
async function verify(
  windowing: typeof SECONDS,
  options: WindowOptions<never>,
  script: readonly ScriptStep[],
  expected: readonly string[],
  fn: WindowFunctionSpec = panes,
): Promise<void> {
  const sizeMs = windowing === SECONDS ? 1000 : 500
  const output: OutputElement[] = expected.map(text => out(text, Number(/@(\d+)/.exec(text)?.[1]) + sizeMs - 1))
  if (script.at(-1) === end) output.push(watermarkOut(Infinity))
  await verifyOperator({
    operator: windowStep(windowing, options, fn),
    keySelectors: [fieldSelector('key')],
    startMs: 1,
    script,
    expect: { output },
  })
}

/** Samza's early triggers fire before the window's own end, once unless repeated; its windows always fire at their end. */
function earlyOnce(trigger: WindowTrigger): WindowTrigger {
  return orFinally(afterEach(trigger, never()), afterWatermark())
}

const integers = keys(1, 2, 1, 2, 1, 2, 1, 2, 3)
const every2 = afterWatermark({ early: repeatedly(afterCount(2)) })

describe('tumbling windows of a second that fire early every 2 records', () => {
  const script = [...integers, processingTime(1001), stop]
  const early = ['1@0 early: 2', '2@0 early: 2']

  test('discarding: 5 panes', () =>
    verify(SECONDS, { trigger: every2, accumulation: 'discarding' }, script, [...early, ...early, '3@0 on-time: 1']))

  test('discarding, as a number that is kept: 2 2 2 2 1', () =>
    verify(
      SECONDS,
      { trigger: every2, accumulation: 'discarding' },
      script,
      [...early, ...early, '3@0 on-time: 1'],
      countOf((count, { key, window, pane }) => `${key}@${window.start} ${pane.timing}: ${count}`),
    ))

  test('accumulating: 7 panes', () =>
    verify(SECONDS, { trigger: every2, accumulation: 'accumulating' }, script, [
      ...early,
      '1@0 early: 4',
      '2@0 early: 4',
      '1@0 on-time: 4',
      '2@0 on-time: 4',
      '3@0 on-time: 1',
    ]))

  test('without keys, and an early firing that is not reached: one pane of 9', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const env = new StreamEnvironment(new SimulatedLauncher(2, { seed }))
      const trigger = afterWatermark({ early: repeatedly(afterCount(1000)) })
      const sizes = await env
        .fromElements(1, 2, 1, 2, 1, 2, 1, 2, 3)
        .windowAll(SECONDS, { trigger, accumulation: 'discarding' })
        .process<number>({ onWindow: (elements, _ctx, collector) => collector.collect(elements.length) })
        .executeAndCollect()
      assert.deepEqual(sizes, [9], `seed ${seed}`)
    }
  })
})

describe('sessions with a gap of 500 ms', () => {
  test('discarding: 4 panes with the ids 1, 1001, 1001, 2001', () =>
    verify(
      SESSIONS,
      { accumulation: 'discarding' },
      [
        ...keys(1, 1),
        processingTime(1001),
        ...keys(2, 2, 3, 3),
        processingTime(2001),
        ...keys(2, 2),
        processingTime(3001),
        stop,
      ],
      ['1@1 on-time: 2', '2@1001 on-time: 2', '3@1001 on-time: 2', '2@2001 on-time: 2'],
    ))

  for (const accumulation of ['discarding', 'accumulating'] as const) {
    test(`${accumulation}: 2 panes, of 2 and of 4`, () =>
      verify(
        SESSIONS,
        { accumulation },
        [...keys(1, 1), processingTime(1001), ...keys(2, 2, 2, 2), processingTime(2001), stop],
        ['1@1 on-time: 2', '2@1001 on-time: 4'],
      ))
  }
})

describe('sessions that fire early every 2 records', () => {
  const last = { discarding: ['1@1 early: 2', '1@1 on-time: 1'], accumulating: ['1@1 early: 4', '1@1 on-time: 5'] }
  for (const accumulation of ['discarding', 'accumulating'] as const) {
    test(accumulation, () =>
      verify(
        SESSIONS,
        { trigger: every2, accumulation },
        [...keys(1, 1, 1, 1, 1), processingTime(501), stop],
        ['1@1 early: 2', ...last[accumulation]],
      ),
    )
  }
})

describe('early triggers are cancelled by what fires before them', () => {
  const accumulation = 'accumulating'
  const any = afterFirst(afterCount(2), afterProcessingTime({ delayMs: 500 }))

  test('one that fires once does not fire again, and the window does at its end', () =>
    verify(
      SECONDS,
      { trigger: earlyOnce(afterCount(2)), accumulation },
      [...keys(1, 1, 1, 1, 1), processingTime(1001), ...keys(3), processingTime(2001), stop],
      ['1@0 early: 2', '1@0 on-time: 5', '3@1000 on-time: 1'],
    ))

  test('the first of count and time cancels the other one', () =>
    verify(
      SECONDS,
      { trigger: earlyOnce(any), accumulation },
      [
        ...keys(1, 1),
        processingTime(501),
        ...keys(1, 1, 1),
        processingTime(1001),
        ...keys(1),
        processingTime(1501),
        processingTime(2401),
        stop,
      ],
      ['1@0 early: 2', '1@0 on-time: 5', '1@1000 early: 1', '1@1000 on-time: 1'],
    ))

  test('repeated, both begin anew after each firing: 4 panes', () =>
    verify(
      SECONDS,
      { trigger: afterWatermark({ early: repeatedly(any) }), accumulation },
      [...keys(1, 1), ...keys(1), processingTime(501), ...keys(1, 1), ...keys(1), processingTime(1001), stop],
      ['1@0 early: 2', '1@0 early: 3', '1@0 early: 5', '1@0 on-time: 6'],
    ))

  test('the first of triggers of which one is itself the first of some', () =>
    verify(
      SECONDS,
      { trigger: afterWatermark({ early: afterFirst(any, afterCount(5)) }), accumulation: 'discarding' },
      [...keys(1, 1, 1, 1, 1), processingTime(501), processingTime(1001), stop],
      ['1@0 early: 2', '1@0 early: 2', '1@0 early: 1'],
    ))
})

describe('the end of the stream flushes what is open', () => {
  test('after early firings: 3 panes', () =>
    verify(
      SECONDS,
      { trigger: every2, accumulation: 'discarding' },
      [...[1, 2, 1, 2, 1].map(value => record({ key: 'all', value })), end],
      ['all@0 early: 2', 'all@0 early: 2', 'all@0 on-time: 1'],
    ))

  test('after firings at the end of windows: 2 panes of 2', () =>
    verify(
      SESSIONS,
      { accumulation: 'discarding' },
      [...keys(1, 1), processingTime(1001), ...keys(1, 1), end],
      ['1@1 on-time: 2', '1@1001 on-time: 2'],
    ))

  test('without any firing before: one pane of 4', () =>
    verify(SESSIONS, { accumulation: 'discarding' }, [...keys(1, 1, 1, 1), end], ['1@1 on-time: 4']))
})
