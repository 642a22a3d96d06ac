// Windows of every kind restored between any two records, from every kind of snapshot: what follows is what the run without a restore sends.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamError } from '../../base/errors.ts'
import type { TimeWindow } from '../../model/functions.ts'
import { fieldSelector } from '../../model/key.ts'
import type { OperatorSpec } from '../../model/operator-spec.ts'
import { list, value } from '../../model/state.ts'
import type { Trigger, TriggerSpec } from '../../model/trigger-spec.ts'
import type { WindowProcessFunction } from '../../model/window-functions.ts'
import {
  type AssignerSpec,
  WINDOW_DEFAULTS,
  type WindowFunctionSpec,
  type WindowSpec,
} from '../../model/window-spec.ts'
import { processingTime, record, watermark } from '../../testing/operator-script.ts'
import { restoreParts, snapshotParts } from '../../testing/snapshot-operator.ts'
import { SnapshotRun } from '../../testing/snapshot-run.ts'
import { randomScript, verifySnapshots } from '../../testing/verify-snapshots.ts'

interface Numbered {
  readonly k: string
  readonly n: number
}

const keySelectors = [fieldSelector('k')]

const tumbling: AssignerSpec = { kind: 'tumbling', sizeMs: 10, offsetMs: 0 }
const sliding: AssignerSpec = { kind: 'sliding', sizeMs: 12, slideMs: 5, offsetMs: 1 }
const session: AssignerSpec = { kind: 'session', gapMs: 7, touching: 'merge', end: 'after-gap' }
const global: AssignerSpec = { kind: 'global', restarts: false }
const restarting: AssignerSpec = { kind: 'global', restarts: true }

/** Says key, window, pane, numbers, how many are new and which left: `a [0, 10) on-time 0/0: 1 2 +1 -0`. */
const apply: WindowFunctionSpec = {
  kind: 'process',
  function: {
    acceptsRetractions: true,
    onWindow(elements: readonly Numbered[], ctx, collector) {
      const { timing, index, nonSpeculativeIndex, isLast } = ctx.pane
      const numbers = elements.map(({ n }) => n).join(' ')
      const pane = `${timing} ${index}/${nonSpeculativeIndex}${isLast ? ' last' : ''}`
      const changes = `+${ctx.added.length} -${ctx.expired.map(({ n }) => n).join(' ')}`
      collector.collect(`${ctx.key} [${ctx.window.start}, ${ctx.window.end}) ${pane}: ${numbers} ${changes}`)
    },
  } satisfies WindowProcessFunction<string, Numbered, string> & { acceptsRetractions: true } as never,
}

/** Says the same of the sum of the numbers. */
const sum: WindowFunctionSpec = {
  kind: 'aggregate',
  aggregate: {
    create: () => ({ n: 0 }),
    add: (total: Numbered, { n }: Numbered) => ({ n: total.n + n }),
    merge: (a: Numbered, b: Numbered) => ({ n: a.n + b.n }),
    result: (total: Numbered) => total,
  } as never,
  project: ((total: Numbered, { key, window, pane }: { key: string; window: TimeWindow; pane: { index: number } }) =>
    `${key} [${window.start}, ${window.end}) ${pane.index}: ${total.n}`) as never,
}

function windows(assigner: AssignerSpec, rest: Partial<WindowSpec> = {}): OperatorSpec {
  const window: WindowSpec = { ...WINDOW_DEFAULTS, timeDomain: 'event-time', assigner, function: apply, ...rest }
  return { kind: 'window', window }
}

const SEEDS = [1, 2, 3, 4, 5, 6]

/** Restores between any two lines of several scripts; returns what was sent. */
function verify(operator: OperatorSpec, options: { isRescaled?: boolean; seeds?: readonly number[] } = {}): number {
  let sent = 0
  for (const seed of options.seeds ?? SEEDS) {
    try {
      const run = verifySnapshots({
        operator,
        keySelectors,
        script: randomScript(seed),
        sideOutputTags: ['late'],
        ...options,
      })
      sent += run.sent.filter(element => 'value' in element).length
    } catch (error) {
      throw new Error(`randomScript(${seed}): ${(error as Error).message}`, { cause: error })
    }
  }
  assert.ok(sent > 20, `only ${sent} results were compared`)
  return sent
}

const early: TriggerSpec = {
  kind: 'after-watermark',
  early: { kind: 'after-count', count: 2 },
  late: { kind: 'after-count', count: 1 },
}

describe('restored windows send what they would have sent', () => {
  const everyKind: readonly (readonly [string, OperatorSpec])[] = [
    ['tumbling windows of elements', windows(tumbling)],
    ['tumbling windows of accumulators', windows(tumbling, { function: sum })],
    ['sliding windows', windows(sliding)],
    ['slices that sliding windows share', windows(sliding, { function: sum })],
    ['sessions', windows(session)],
    ['sessions of accumulators', windows(session, { function: sum })],
    ['sessions with lateness', windows(session, { allowedLatenessMs: 6, lateOutputTag: 'late' })],
    ['windows with lateness', windows(tumbling, { allowedLatenessMs: 9, lateOutputTag: 'late' })],
    ['windows that always have a last pane', windows(tumbling, { allowedLatenessMs: 10, finalPane: 'always' })],
    ['early and late panes', windows(tumbling, { trigger: early, allowedLatenessMs: 15 })],
    [
      'early and late panes that discard',
      windows(sliding, { trigger: early, allowedLatenessMs: 15, accumulation: 'discarding' }),
    ],
    ['early and late panes of sessions', windows(session, { trigger: early, allowedLatenessMs: 15 })],
    [
      'panes that take back those before',
      windows(tumbling, { trigger: early, allowedLatenessMs: 15, accumulation: 'retracting' }),
    ],
    [
      'sessions that take back what they joined',
      windows(session, { mergedPanes: 'retract', trigger: early, allowedLatenessMs: 9 }),
    ],
    [
      'results with the earliest timestamp, which hold the watermark',
      windows(tumbling, { timestampCombiner: 'earliest' }),
    ],
    [
      'the same with early panes',
      windows(session, { timestampCombiner: 'earliest', trigger: early, allowedLatenessMs: 5 }),
    ],
    ['results with the latest timestamp', windows(sliding, { timestampCombiner: 'latest' })],
    [
      'the newest elements of a window',
      windows(tumbling, { evictor: { kind: 'count', count: 2, after: false }, trigger: early }),
    ],
    [
      'what an evictor leaves for the next pane',
      windows(sliding, { evictor: { kind: 'time', keepMs: 4, after: true }, trigger: early }),
    ],
    [
      'a trigger that purges',
      windows(tumbling, {
        trigger: { kind: 'purging', trigger: { kind: 'repeatedly', trigger: { kind: 'after-count', count: 2 } } },
      }),
    ],
    ['a trigger that finishes', windows(tumbling, { trigger: { kind: 'after-count', count: 2 } })],
    ['a trigger at intervals', windows(tumbling, { trigger: { kind: 'continuous-event-time', intervalMs: 3 } })],
    [
      'a trigger at intervals in sessions',
      windows(session, { trigger: { kind: 'continuous-event-time', intervalMs: 3 } }),
    ],
    [
      'a trigger by processing time',
      windows(tumbling, { trigger: { kind: 'repeatedly', trigger: { kind: 'after-processing-time', delayMs: 4 } } }),
    ],
    [
      'a trigger by processing time in sessions',
      windows(session, { trigger: { kind: 'continuous-processing-time', intervalMs: 5 } }),
    ],
    [
      'the global window by count',
      windows(global, { trigger: { kind: 'repeatedly', trigger: { kind: 'after-count', count: 3 } } }),
    ],
    ['global windows that make room for the next', windows(restarting, { trigger: { kind: 'after-count', count: 3 } })],
    [
      'the global window by difference',
      windows(global, {
        trigger: { kind: 'delta', threshold: 2, delta: ((a: Numbered, b: Numbered) => b.n - a.n) as never },
      }),
    ],
    [
      'one trigger after the other',
      windows(tumbling, {
        trigger: { kind: 'after-each', triggers: [{ kind: 'after-count', count: 1 }, { kind: 'after-watermark' }] },
        allowedLatenessMs: 20,
      }),
    ],
    [
      'a trigger with an end',
      windows(sliding, {
        trigger: {
          kind: 'or-finally',
          trigger: { kind: 'repeatedly', trigger: { kind: 'after-count', count: 1 } },
          until: { kind: 'after-watermark' },
        },
      }),
    ],
    [
      'panes that are late although the watermark is held back',
      windows(tumbling, {
        timestampCombiner: 'earliest',
        trigger: { kind: 'repeatedly', trigger: { kind: 'after-count', count: 2 } },
        allowedLatenessMs: 20,
      }),
    ],
    [
      'one trigger after the other in sessions',
      windows(session, {
        trigger: {
          kind: 'after-each',
          triggers: [
            { kind: 'after-count', count: 1 },
            { kind: 'after-count', count: 2 },
            { kind: 'after-watermark', late: { kind: 'after-count', count: 1 } },
          ],
        },
        allowedLatenessMs: 20,
      }),
    ],
    [
      'windows of a custom assigner',
      windows({
        kind: 'custom',
        assigner: {
          assign: (_record: Numbered, timestampMs: number) => [
            { start: 0, end: timestampMs - (timestampMs % 8) + 8 },
            { start: timestampMs - (timestampMs % 8), end: timestampMs - (timestampMs % 8) + 8 },
          ],
        } as never,
      }),
    ],
  ]
  for (const [name, operator] of everyKind) test(name, () => void verify(operator))

  test('windows of stream time', () =>
    void verify(windows(tumbling, { timeDomain: 'stream-time' }), { isRescaled: false }))

  test('panes of stream time that processing time fires', () =>
    void verify(
      windows(tumbling, {
        timeDomain: 'stream-time',
        allowedLatenessMs: 30,
        trigger: { kind: 'repeatedly', trigger: { kind: 'after-processing-time', delayMs: 2 } },
      }),
      { isRescaled: false },
    ))

  test('sessions of stream time with grace', () =>
    void verify(windows(session, { timeDomain: 'stream-time', allowedLatenessMs: 5 }), { isRescaled: false }))

  test('slices of stream time', () =>
    void verify(windows(sliding, { timeDomain: 'stream-time', function: sum }), { isRescaled: false }))

  test('windows of processing time', () => void verify(windows(tumbling, { timeDomain: 'processing-time' })))

  test('sessions of processing time', () => void verify(windows(session, { timeDomain: 'processing-time' })))
})

test('a pane is late when one on time was sent, although the watermark is held back', () => {
  const trigger: TriggerSpec = { kind: 'repeatedly', trigger: { kind: 'after-count', count: 2 } }
  const operator = windows(tumbling, { timestampCombiner: 'earliest', trigger, allowedLatenessMs: 20 })
  const at = (timestamp: number, k = 'a') => record({ k, n: timestamp }, { timestamp })
  const script = [at(2, 'b'), at(3), at(4), watermark(15), at(5), at(6), at(7), at(8)]
  const { sent } = verifySnapshots({ operator, keySelectors, script })
  assert.deepEqual(
    sent.map(element => ('value' in element ? element.value : element)),
    [
      'a [0, 10) early 0/-1: 3 4 +2 -',
      { watermark: 1 },
      'a [0, 10) on-time 1/0: 3 4 5 6 +2 -',
      'a [0, 10) late 2/1: 3 4 5 6 7 8 +2 -',
    ],
  )
})

/** Fires 4 ms after each record, and when it has seen three; purges with every second firing. */
const custom: Trigger<Numbered, { seen: number; fired: number }> = {
  create: () => ({ seen: 0, fired: 0 }),
  onRecord(_record, timestampMs, ctx) {
    ctx.registerEventTimeTimer(timestampMs + 4)
    ctx.registerProcessingTimeTimer(ctx.currentProcessingTime() + 9)
    ctx.setState({ ...ctx.state, seen: ctx.state.seen + 1 })
    return ctx.state.seen % 3 === 0 ? 'fire' : 'continue'
  },
  onEventTime(_timestampMs, ctx) {
    const fired = ctx.state.fired + 1
    ctx.setState({ ...ctx.state, fired })
    return fired % 2 === 0 ? 'fire-and-purge' : 'fire'
  },
  onProcessingTime: () => 'fire',
  merge: (a, b) => ({ seen: a.seen + b.seen, fired: a.fired + b.fired }),
}

describe('a custom trigger goes on with its state and its timers', () => {
  const trigger: TriggerSpec = { kind: 'custom', trigger: custom as never }
  test('in the global window', () => void verify(windows(global, { trigger })))
  test('in sliding windows', () => void verify(windows(sliding, { trigger })))
  test('in sessions', () => void verify(windows(session, { trigger, allowedLatenessMs: 4 })))
})

describe('a function over windows goes on with its state', () => {
  const state = { fired: value(0), seen: list<number>() }
  const globalState = { total: value(0) }
  const counting: WindowProcessFunction<string, Numbered, string, TimeWindow, typeof state, typeof globalState> = {
    state,
    globalState,
    onWindow(elements, ctx, collector) {
      ctx.state.fired.set(ctx.state.fired.get() + 1)
      for (const { n } of ctx.added as readonly Numbered[]) ctx.state.seen.add(n)
      ctx.globalState.total.set(ctx.globalState.total.get() + elements.length)
      const seen = ctx.state.seen.get().join(' ')
      collector.collect(
        `${ctx.key} ${ctx.window.start}: ${ctx.state.fired.get()}, ${seen}, ${ctx.globalState.total.get()}`,
      )
    },
  }
  const definition: WindowFunctionSpec = { kind: 'process', function: counting as never }

  test('per key and window, and per key', () =>
    void verify(windows(tumbling, { function: definition, trigger: early, allowedLatenessMs: 15 })))

  test('in sliding windows', () => void verify(windows(sliding, { function: definition })))
})

describe('windows of processing time', () => {
  test('that became due while the job was down fire at once, once', () => {
    const operator = windows(tumbling, { timeDomain: 'processing-time' })
    const before = new SnapshotRun({ operator, keySelectors }, 1003)
    before.open()
    before.run(record({ k: 'a', n: 1 }))
    before.run(record({ k: 'b', n: 2 }))
    const snapshot = snapshotParts(before.parts, 1)
    const after = new SnapshotRun({ operator, keySelectors }, 5000)
    restoreParts(after.parts, [snapshot])
    after.open()
    after.run(processingTime(5000))
    after.run(processingTime(6000))
    const values = after.sent.map(element => ('value' in element ? element.value : element)).sort()
    assert.deepEqual(values, ['a [1000, 1010) on-time 0/0 last: 1 +1 -', 'b [1000, 1010) on-time 0/0 last: 2 +1 -'])
  })
})

describe('snapshots of windows', () => {
  function runOf(operator: OperatorSpec): SnapshotRun {
    const run = new SnapshotRun({ operator, keySelectors })
    run.open()
    return run
  }
  const rowsOf = (snapshot: ReturnType<typeof snapshotParts>): number =>
    (snapshot.parts.find(({ part }) => part === 'windows')?.sections ?? []).reduce(
      (rows, section) => rows + section.rows,
      0,
    )

  test('hold what changed since the one before, and say what is gone', () => {
    const run = runOf(windows(tumbling, { function: sum }))
    for (let key = 0; key < 100; key++) run.run(record({ k: `k${key}`, n: 1 }, { timestamp: 5 }))
    assert.equal(rowsOf(snapshotParts(run.parts, 1)), 100)
    run.run(record({ k: 'k7', n: 1 }, { timestamp: 6 }))
    run.run(record({ k: 'k8', n: 1 }, { timestamp: 16 }))
    assert.equal(rowsOf(snapshotParts(run.parts, 2)), 2)
    run.run(watermark(9))
    const gone = snapshotParts(run.parts, 3)
    assert.equal(rowsOf(gone), 100)
    assert.equal(rowsOf(snapshotParts(run.parts, 4)), 0)
    assert.equal(rowsOf(snapshotParts(run.parts, 5, true)), 1)
  })

  test('hold the sessions of a key in one row, which goes with its last one', () => {
    const run = runOf(windows(session))
    run.run(record({ k: 'a', n: 1 }, { timestamp: 0 }))
    run.run(record({ k: 'a', n: 2 }, { timestamp: 50 }))
    assert.equal(rowsOf(snapshotParts(run.parts, 1)), 1)
    run.run(watermark(20))
    assert.equal(rowsOf(snapshotParts(run.parts, 2)), 1)
    run.run(watermark(80))
    assert.equal(rowsOf(snapshotParts(run.parts, 3)), 1)
    assert.equal(rowsOf(snapshotParts(run.parts, 4, true)), 0)
  })

  test('of another kind of windows are refused with what to do', () => {
    const run = runOf(windows(session))
    run.run(record({ k: 'a', n: 1 }, { timestamp: 0 }))
    const snapshot = snapshotParts(run.parts, 1)
    for (const other of [windows(tumbling), windows(session, { function: sum }), windows(sliding, { function: sum })]) {
      assert.throws(
        () => restoreParts(runOf(other).parts, [snapshot]),
        (error: unknown) =>
          error instanceof StreamError &&
          error.code === 'STATE_INCOMPATIBLE' &&
          /holds session-elements, the step now keeps \S+; .*another uid/.test(error.message),
      )
    }
  })
})
