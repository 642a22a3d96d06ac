// Random cases for the window operator: a windowing, and a script of what happens to it. Chosen so that records come late, sessions merge
// and results are taken back in many of them.
import * as fc from 'fast-check'
import type { TriggerSpec } from '../../../src/model/trigger-spec.ts'
import type { AssignerSpec, WindowSpec } from '../../../src/model/window-spec.ts'
import {
  active,
  end,
  idle,
  processingTime,
  record,
  type ScriptStep,
  stop,
  watermark,
} from '../../../src/testing/operator-script.ts'
import type { CaseRecord } from './window-model.ts'

/** What is computed in a case. `newest` is an aggregate that has no result without records. */
export type CaseFunction = 'sum' | 'subtractable-sum' | 'list' | 'newest' | 'process'

/** One thing that happens; what it means in times follows from those before. */
export type Move =
  | {
      readonly kind: 'record'
      readonly channel: number
      readonly key: string
      readonly offsetMs: number
      readonly amount: number
      readonly gapMs: number
    }
  | { readonly kind: 'watermark'; readonly channel: number; readonly advanceMs: number }
  | { readonly kind: 'idle'; readonly channel: number }
  | { readonly kind: 'time'; readonly advanceMs: number }

/** A windowing and what happens to it. */
export interface WindowCase {
  readonly spec: Omit<WindowSpec, 'function'>
  readonly function: CaseFunction
  readonly channels: number
  readonly moves: readonly Move[]
  readonly ending: 'finish' | 'stop' | 'none'
}

/** The id of the side output for late records as they are. */
export const LATE_TAG = 'late'
/** The id of the side output for late records with their window. */
export const LATE_DETAILS_TAG = 'late-details'

const CHANNELS_MAX = 3

const sizes = fc.integer({ min: 4, max: 20 })

/** Keys in test programs are functions of records; this one is known to the printer of cases. */
function gapOf(caseRecord: CaseRecord): number {
  return caseRecord.gapMs
}

function amountDelta(from: CaseRecord, to: CaseRecord): number {
  return Math.abs(to.amount - from.amount)
}

const sessions: fc.Arbitrary<AssignerSpec> = fc.record({
  kind: fc.constant('session'),
  gapMs: fc.oneof(fc.integer({ min: 2, max: 9 }), fc.constant(gapOf)),
  touching: fc.constantFrom('merge', 'separate'),
  end: fc.constant('after-gap'),
})

const tumblings: fc.Arbitrary<AssignerSpec> = sizes.chain(sizeMs =>
  fc.record({ kind: fc.constant('tumbling'), sizeMs: fc.constant(sizeMs), offsetMs: fc.nat({ max: sizeMs - 1 }) }),
)

const slidings: fc.Arbitrary<AssignerSpec> = sizes.chain(sizeMs =>
  fc.integer({ min: 2, max: sizeMs }).chain(slideMs =>
    fc.record({
      kind: fc.constant('sliding'),
      sizeMs: fc.constant(sizeMs),
      slideMs: fc.constant(slideMs),
      offsetMs: fc.nat({ max: slideMs - 1 }),
    }),
  ),
)

const globals: fc.Arbitrary<AssignerSpec> = fc.record({ kind: fc.constant('global'), restarts: fc.boolean() })

const assigners = fc.oneof(
  { weight: 13, arbitrary: sessions },
  { weight: 3, arbitrary: tumblings },
  { weight: 4, arbitrary: slidings },
  { weight: 1, arbitrary: globals },
)

const onWindowEnd: fc.Arbitrary<TriggerSpec> = fc.constant({ kind: 'on-window-end' })
const counts: fc.Arbitrary<TriggerSpec> = fc.integer({ min: 1, max: 3 }).map(count => ({ kind: 'after-count', count }))
const delays: fc.Arbitrary<TriggerSpec> = fc.record(
  {
    kind: fc.constant('after-processing-time'),
    delayMs: fc.integer({ min: 1, max: 20 }),
    alignMs: fc.integer({ min: 2, max: 9 }),
  },
  { requiredKeys: ['kind', 'delayMs'] },
)
const continuous: fc.Arbitrary<TriggerSpec> = fc.record({
  kind: fc.constantFrom('continuous-event-time', 'continuous-event-time', 'continuous-processing-time'),
  intervalMs: fc.integer({ min: 2, max: 12 }),
})
const never: fc.Arbitrary<TriggerSpec> = fc.constant({ kind: 'never' })
const deltas: fc.Arbitrary<TriggerSpec> = fc
  .integer({ min: 1, max: 5 })
  .map(threshold => ({ kind: 'delta', threshold, delta: amountDelta }))

/** Triggers of windows; a merging one has no delta. */
function triggers(isMerging: boolean): fc.Arbitrary<TriggerSpec> {
  const leaf = fc.oneof(
    { weight: 2, arbitrary: onWindowEnd },
    { weight: 4, arbitrary: counts },
    { weight: 2, arbitrary: delays },
    { weight: 2, arbitrary: continuous },
    { weight: 1, arbitrary: isMerging ? never : deltas },
  )
  const repeated: fc.Arbitrary<TriggerSpec> = fc
    .oneof({ weight: 3, arbitrary: counts }, { weight: 1, arbitrary: delays })
    .map(trigger => ({ kind: 'repeatedly', trigger }))
  const afterWatermark: fc.Arbitrary<TriggerSpec> = fc.record(
    { kind: fc.constant('after-watermark'), early: leaf, late: leaf },
    { requiredKeys: ['kind'] },
  )
  const simple = fc.oneof(
    { weight: 3, arbitrary: leaf },
    { weight: 2, arbitrary: repeated },
    { weight: 3, arbitrary: afterWatermark },
  )
  // What comes later in the row fires for records or not at all: how often an empty window is asked decides nothing then.
  const row = fc.tuple(
    fc.oneof(counts, delays, afterWatermark),
    fc.oneof(counts, delays, onWindowEnd, continuous, repeated),
  )
  const pair = fc.array(simple, { minLength: 2, maxLength: 3 })
  const composed: fc.Arbitrary<TriggerSpec> = fc.oneof(
    simple.map((trigger): TriggerSpec => ({ kind: 'purging', trigger })),
    row.map((inner): TriggerSpec => ({ kind: 'after-each', triggers: inner })),
    pair.map((inner): TriggerSpec => ({ kind: 'after-all', triggers: inner })),
    pair.map((inner): TriggerSpec => ({ kind: 'after-first', triggers: inner })),
    fc.tuple(simple, leaf).map(([trigger, until]): TriggerSpec => ({ kind: 'or-finally', trigger, until })),
  )
  return fc.oneof(
    { weight: 4, arbitrary: onWindowEnd },
    { weight: 5, arbitrary: afterWatermark },
    { weight: 4, arbitrary: repeated },
    { weight: 2, arbitrary: leaf },
    { weight: 3, arbitrary: composed },
    { weight: 1, arbitrary: composed.map((trigger): TriggerSpec => ({ kind: 'repeatedly', trigger })) },
    { weight: 1, arbitrary: never },
  )
}

const specs: fc.Arbitrary<Omit<WindowSpec, 'function'>> = fc
  .tuple(
    assigners,
    fc.oneof(
      { weight: 8, arbitrary: fc.constant('event-time' as const) },
      { weight: 1, arbitrary: fc.constant('processing-time' as const) },
    ),
  )
  .chain(([assigner, timeDomain]) =>
    fc.record(
      {
        timeDomain: fc.constant(timeDomain),
        assigner: fc.constant(assigner),
        trigger: triggers(assigner.kind === 'session'),
        accumulation: fc.constantFrom(
          'discarding',
          'accumulating',
          'retracting',
          'retracting',
          'retracting',
          'retracting',
        ),
        allowedLatenessMs: fc.oneof(
          { weight: 1, arbitrary: fc.constant(0) },
          { weight: 2, arbitrary: fc.integer({ min: 1, max: 40 }) },
        ),
        onTimePane: fc.constantFrom('always', 'if-not-empty'),
        finalPane: fc.constantFrom('if-not-empty', 'always', 'never'),
        timestampCombiner:
          timeDomain === 'processing-time'
            ? fc.constant('end-of-window')
            : fc.constantFrom('end-of-window', 'end-of-window', 'earliest', 'latest'),
        lateRecords: fc.constant('drop'),
        lateOutputTag: fc.constant(LATE_TAG),
        lateDetailsTag: fc.constant(LATE_DETAILS_TAG),
        slices: fc.constantFrom('shared', 'separate'),
        mergedPanes: fc.constant('stay'),
        inputs: fc.constant(1),
      },
      {
        requiredKeys: [
          'timeDomain',
          'assigner',
          'trigger',
          'accumulation',
          'allowedLatenessMs',
          'onTimePane',
          'finalPane',
          'timestampCombiner',
          'lateRecords',
          'slices',
          'mergedPanes',
          'inputs',
        ],
      },
    ),
  )

function movesOn(channels: number): fc.Arbitrary<Move[]> {
  const channel = fc.nat({ max: channels - 1 })
  const records: fc.Arbitrary<Move> = fc.record({
    kind: fc.constant('record'),
    channel,
    key: fc.constantFrom('a', 'a', 'a', 'b'),
    // Far behind, near the watermark, and ahead.
    offsetMs: fc.oneof(
      { weight: 1, arbitrary: fc.integer({ min: -60, max: -10 }) },
      { weight: 3, arbitrary: fc.integer({ min: -12, max: 20 }) },
      { weight: 2, arbitrary: fc.integer({ min: 0, max: 50 }) },
    ),
    amount: fc.integer({ min: 1, max: 9 }),
    gapMs: fc.integer({ min: 1, max: 12 }),
  })
  const watermarks: fc.Arbitrary<Move> = fc.record({
    kind: fc.constant('watermark'),
    channel,
    advanceMs: fc.integer({ min: 0, max: 18 }),
  })
  const times: fc.Arbitrary<Move> = fc.record({ kind: fc.constant('time'), advanceMs: fc.integer({ min: 1, max: 15 }) })
  const idles: fc.Arbitrary<Move> = fc.record({ kind: fc.constant('idle'), channel })
  const move = fc.oneof(
    { weight: 12, arbitrary: records },
    { weight: 2 + channels, arbitrary: watermarks },
    { weight: 2, arbitrary: times },
    { weight: channels > 1 ? 2 : 1, arbitrary: idles },
  )
  // Several lists are rarely short together, and each can still shrink to nothing.
  const some = fc.array(move, { maxLength: 16, size: 'max' })
  return fc.tuple(some, some, some, some).map(lists => lists.flat())
}

/** The cases. */
export const windowCases: fc.Arbitrary<WindowCase> = fc.integer({ min: 1, max: CHANNELS_MAX }).chain(channels =>
  fc.record({
    spec: specs,
    function: fc.constantFrom('sum', 'subtractable-sum', 'list', 'list', 'newest', 'process'),
    channels: fc.constant(channels),
    moves: movesOn(channels),
    ending: fc.constantFrom('finish', 'finish', 'finish', 'finish', 'finish', 'finish', 'stop', 'none'),
  }),
)

/** The script of a case. What belongs to different channels is worked off in the order written, so that it means one thing. */
export function scriptOf({ moves, channels, ending }: WindowCase): ScriptStep[] {
  const script: ScriptStep[] = []
  const senders = Array.from({ length: channels }, () => ({ watermarkMs: -Infinity, isIdle: false }))
  let nowMs = 0
  let newest: number | undefined
  const onChannel = (channel: number, ...steps: readonly ScriptStep[]): void => {
    if (newest !== undefined && newest !== channel) script.push(processingTime(nowMs))
    newest = channel
    script.push(...steps)
  }
  for (const [id, move] of moves.entries()) {
    if (move.kind === 'time') {
      nowMs += move.advanceMs
      script.push(processingTime(nowMs))
      continue
    }
    const { channel: input } = move
    const sender = senders[input] as (typeof senders)[number]
    const baseMs = Math.max(0, sender.watermarkMs)
    if (move.kind === 'record') {
      const { key, amount, gapMs } = move
      // Senders say that they are active before they send.
      if (sender.isIdle) onChannel(input, active(input))
      sender.isIdle = false
      const value: CaseRecord = { id, key, amount, gapMs }
      onChannel(input, record(value, { timestamp: baseMs + move.offsetMs, input }))
    } else if (move.kind === 'watermark') {
      sender.watermarkMs = baseMs + move.advanceMs
      sender.isIdle = false
      onChannel(input, watermark(sender.watermarkMs, { input }))
    } else {
      sender.isIdle = true
      onChannel(input, idle(input))
    }
  }
  if (ending === 'finish')
    for (let input = 0; input < channels; input++) onChannel(input, watermark(Infinity, { input }))
  if (ending !== 'none') script.push(processingTime(nowMs), ending === 'finish' ? end : stop)
  return script
}

/** The case in words, to be read in a failure. */
export function caseText(windowCase: WindowCase): string {
  const spec = JSON.stringify(windowCase.spec, (_, value) => (typeof value === 'function' ? `${value.name}()` : value))
  const script = scriptOf(windowCase).map(step => {
    switch (step.kind) {
      case 'record': {
        const { id, key, amount, gapMs } = step.value as CaseRecord
        return `record ${id} ${key} at ${step.timestamp}, amount ${amount}, gap ${gapMs}${onInput(step.input)}`
      }
      case 'watermark':
        return `watermark ${step.watermark}${onInput(step.input)}`
      case 'status':
        return `${step.isIdle ? 'idle' : 'active'}${onInput(step.input)}`
      case 'processing-time':
        return `processing time ${step.timeMs}`
      default:
        return step.mode
    }
  })
  return `${spec}\nfunction ${windowCase.function}, ${windowCase.channels} channel(s)\n  ${script.join('\n  ')}`

  function onInput(input: number | undefined): string {
    return windowCase.channels === 1 ? '' : ` on channel ${input}`
  }
}
