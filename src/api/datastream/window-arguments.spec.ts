// What assigners, triggers, evictors and options of windows refuse: the code, and the message with the call in it.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamError } from '../../base/errors.ts'
import { describeGraph } from '../../model/describe.ts'
import { outputTag } from '../../model/output-tag.ts'
import { forMonotonousTimestamps } from '../../time/watermark-strategies.ts'
import { StreamEnvironment } from './environment.ts'
import type { KeyedStream } from './streams.ts'
import * as assigners from './window-assigners.ts'
import * as evictors from './window-evictors.ts'
import * as triggers from './window-triggers.ts'

interface Event {
  readonly id: string
  readonly at: number
}

/** The API as a caller without types sees it. */
interface Untyped {
  readonly [name: string]: (...args: readonly unknown[]) => Untyped
}

const assign = assigners as unknown as Untyped
const fire = triggers as unknown as Untyped
const evict = evictors as unknown as Untyped

function newEnvironment(): StreamEnvironment {
  return new StreamEnvironment({
    defaultParallelism: 2,
    launch: () => assert.fail('nothing may run'),
    explain: graph => ({ text: describeGraph(graph), json: undefined }),
  })
}

function keyed(env: StreamEnvironment = newEnvironment()): KeyedStream<Event, string> {
  return env
    .fromElements<Event>({ id: 'a', at: 1 })
    .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: event => event.at }))
    .keyBy('id')
}

function stream(): Untyped {
  return keyed() as unknown as Untyped
}

function windowed(): Untyped {
  return keyed().window(assigners.tumblingWindows(10)) as unknown as Untyped
}

type Refusal = readonly [call: () => unknown, message: RegExp]

function refusals(cases: Readonly<Record<string, Refusal>>): void {
  for (const [name, [call, message]] of Object.entries(cases)) {
    test(name, () =>
      assert.throws(call, (error: unknown) => {
        assert.ok(error instanceof StreamError, String(error))
        assert.equal(error.code, 'OPTION_INVALID')
        assert.match(error.message, message)
        return true
      }),
    )
  }
}

describe('assigners refuse', () => {
  refusals({
    'a size of 0': [() => assign.tumblingWindows?.(0), /tumblingWindows\(0\).*the size in milliseconds.*0/],
    'a size that is not whole': [() => assign.tumblingWindows?.(1.5), /tumblingWindows\(1\.5\).*the size/],
    'a size that is no number': [() => assign.tumblingWindows?.('5s'), /tumblingWindows\(5s\).*the size.*5s/],
    'an offset of the size': [
      () => assign.tumblingWindows?.(10, { offsetMs: 10 }),
      /tumblingWindows\(10\).*offsetMs.*10/,
    ],
    'an offset of minus the size': [
      () => assign.tumblingWindows?.(10, { offsetMs: -10 }),
      /tumblingWindows\(10\).*offsetMs/,
    ],
    'a slide of 0': [() => assign.slidingWindows?.(10, 0), /slidingWindows\(10, 0\).*the slide/],
    'a slide above the size': [() => assign.slidingWindows?.(10, 11), /slidingWindows\(10, 11\).*the slide.*11/],
    'an offset of the slide': [
      () => assign.slidingWindows?.(10, 5, { offsetMs: 5 }),
      /slidingWindows\(10, 5\).*offsetMs.*5/,
    ],
    'a gap of 0': [() => assign.sessionWindows?.(0), /sessionWindows\(0\).*the gap in milliseconds.*0/],
    'a negative gap': [() => assign.sessionWindows?.(-1), /sessionWindows\(-1\).*the gap/],
    'a touching that is none': [
      () => assign.sessionWindows?.(5, { touching: 'join' }),
      /sessionWindows\(5\).*touching is join; give 'merge' or 'separate'/,
    ],
    'an end that is none': [
      () => assign.sessionWindows?.(5, { end: 'first-record' }),
      /sessionWindows\(5\).*end is first-record; give 'after-gap' or 'last-record'/,
    ],
    'sessions that end at their last record with a gap by record': [
      () => assign.sessionWindows?.(() => 5, { end: 'last-record' }),
      /sessionWindows\(\).*needs a gap that is the same for all records/,
    ],
    'a time that is none': [
      () => assign.globalWindows?.({ time: 'wall-clock' }),
      /global windows.*time is wall-clock; give 'event-time' or 'processing-time' or 'stream-time'/,
    ],
    'custom windows without assign': [() => assign.customWindows?.({}), /customWindows\(\).*assign/],
    'custom windows with a merge that is no function': [
      () => assign.customWindows?.({ assign: () => [], merge: 1 }),
      /customWindows\(\).*merge/,
    ],
    'what is no assigner, at window()': [
      () => stream().window?.(5000),
      /window\(\).*expected windows such as tumblingWindows\(seconds\(5\)\), got 5000/,
    ],
  })

  test('nothing of what is in range', () => {
    assert.deepEqual(assigners.tumblingWindows(10, { offsetMs: -9 }).spec, {
      kind: 'tumbling',
      sizeMs: 10,
      offsetMs: -9,
    })
    assert.deepEqual(assigners.slidingWindows(10, 10, { offsetMs: 9 }).spec, {
      kind: 'sliding',
      sizeMs: 10,
      slideMs: 10,
      offsetMs: 9,
    })
  })
})

describe('triggers refuse', () => {
  const nested = (depth: number): triggers.WindowTrigger =>
    depth === 0 ? triggers.afterCount(1) : triggers.repeatedly(nested(depth - 1))

  refusals({
    'a count of 0': [() => fire.afterCount?.(0), /afterCount\(0\).*the count/],
    'a negative delay': [() => fire.afterProcessingTime?.({ delayMs: -1 }), /afterProcessingTime\(\).*delayMs/],
    'an alignment of 0': [() => fire.afterProcessingTime?.({ alignMs: 0 }), /afterProcessingTime\(\).*alignMs/],
    'an interval of 0 in event time': [() => fire.continuousEventTime?.(0), /continuousEventTime\(0\).*the interval/],
    'an interval of 0 by the clock': [
      () => fire.continuousProcessingTime?.(0),
      /continuousProcessingTime\(0\).*interval/,
    ],
    'a threshold that is no number': [() => fire.afterDelta?.(Number.NaN, () => 0), /afterDelta\(\).*the threshold/],
    'a delta that is no function': [() => fire.afterDelta?.(1, 'abs'), /afterDelta\(\).*function/],
    'a composite of none': [() => fire.afterEach?.(), /afterEach\(\).*it has no trigger inside; give one at least/],
    'a composite of what is no trigger': [
      () => fire.afterAll?.(triggers.afterCount(1), 5),
      /afterAll\(\).*expected a trigger such as afterCount\(100\), got 5/,
    ],
    'an early part that is no trigger': [
      () => fire.afterWatermark?.({ early: 'soon' }),
      /afterWatermark\(\): early.*expected a trigger.*soon/,
    ],
    'a trigger of your own without onRecord': [() => fire.customTrigger?.({}), /customTrigger\(\).*onRecord/],
    'a callback of your own that is no function': [
      () => fire.customTrigger?.({ onRecord: () => 'fire', onEventTime: 1 }),
      /customTrigger\(\).*onEventTime/,
    ],
    'too many parts': [
      () => windowed().trigger?.(nested(30)),
      /trigger\(\).*the trigger has 31 parts, 30 at most; write it with customTrigger\(\)/,
    ],
    'what is no trigger, at trigger()': [() => windowed().trigger?.({}), /trigger\(\).*expected a trigger/],
    'what is no trigger, among the options': [
      () => stream().window?.(assigners.tumblingWindows(5), { trigger: 3 }),
      /window\(\): trigger.*expected a trigger.*got 3/,
    ],
  })

  test('nothing of 30 parts', () => {
    assert.ok(keyed().window(assigners.tumblingWindows(10)).trigger(nested(29)))
  })
})

describe('evictors refuse', () => {
  refusals({
    'a count of 0': [() => evict.countEvictor?.(0), /countEvictor\(0\).*the count/],
    'a time of 0': [() => evict.timeEvictor?.(0), /timeEvictor\(0\).*the time in milliseconds/],
    'a threshold that is no number': [() => evict.deltaEvictor?.('1', () => 0), /deltaEvictor\(\).*the threshold/],
    'a delta that is no function': [() => evict.deltaEvictor?.(1), /deltaEvictor\(\).*function/],
    'one of your own without before and after': [
      () => evict.customEvictor?.({}),
      /customEvictor\(\).*it has neither before nor after; give one of them/,
    ],
    'one of your own with a before that is no function': [
      () => evict.customEvictor?.({ before: 1 }),
      /customEvictor\(\).*before/,
    ],
    'what is no evictor, at evictor()': [
      () => windowed().evictor?.(100),
      /evictor\(\).*expected an evictor such as countEvictor\(100\), got 100/,
    ],
  })
})

describe('options of windows refuse', () => {
  const late = outputTag<never>('late')
  const withOption = (options: object) => () => stream().window?.(assigners.tumblingWindows(10), options)

  refusals({
    'a negative lateness': [withOption({ allowedLatenessMs: -1 }), /window\(\).*allowedLatenessMs/],
    'one tag for late records both ways': [
      withOption({ lateOutput: late, lateDetails: outputTag('late') }),
      /window\(\).*lateOutput and lateDetails have the same id "late"; give each its own tag/,
    ],
    'a late output that is no tag': [withOption({ lateOutput: {} }), /window\(\).*the id of lateOutput/],
    'an accumulation that is none': [
      withOption({ accumulation: 'adding' }),
      /window\(\).*accumulation is adding; give 'discarding' or 'accumulating' or 'retracting'/,
    ],
    'an on-time pane that is none': [withOption({ onTimePane: 'never' }), /window\(\).*onTimePane is never/],
    'a final pane that is none': [withOption({ finalPane: 'maybe' }), /window\(\).*finalPane is maybe/],
    'a timestamp that is none': [
      withOption({ timestampCombiner: 'middle' }),
      /window\(\).*timestampCombiner is middle/,
    ],
    'a fate of late records that is none': [withOption({ lateRecords: 'keep' }), /window\(\).*lateRecords is keep/],
    'slices that are none': [withOption({ slices: 'thin' }), /window\(\).*slices is thin; give 'shared' or 'separate'/],
    'merged panes that are none': [withOption({ mergedPanes: 'go' }), /window\(\).*mergedPanes is go/],
    'a lateness of windows without end': [
      () => (keyed().window(assigners.globalWindows()) as unknown as Untyped).allowedLateness?.(5),
      /allowedLateness\(\).*a window without end in time has no late records/,
    ],
    'a second function of aggregate() that is none': [
      () => windowed().reduce?.((a: unknown) => a, 'project'),
      /reduce\(\): the second argument.*function/,
    ],
  })

  test('one tag for late records both ways, said in two calls', () =>
    assert.throws(() => windowed().sideOutputLateData?.(late)?.sideOutputLateDetails?.(outputTag('late')), {
      code: 'OPTION_INVALID',
      message: /sideOutputLateDetails\(\).*same id "late"/,
    }))
})
