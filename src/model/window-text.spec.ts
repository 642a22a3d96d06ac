import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WINDOW_DEFAULTS, type WindowSpec } from './window-spec.ts'
import { windowText } from './window-text.ts'

const WINDOW: WindowSpec = {
  ...WINDOW_DEFAULTS,
  timeDomain: 'event-time',
  assigner: { kind: 'tumbling', sizeMs: 5000, offsetMs: 0 },
  function: { kind: 'aggregate', aggregate: { create: () => 0, add: () => 0, merge: () => 0, result: () => 0 } },
}

describe('windowText', () => {
  const global = { kind: 'global', restarts: false } as const
  const count3 = { kind: 'after-count', count: 3 } as const
  for (const [text, change] of [
    ['tumbling window 5000 ms of processing time', { timeDomain: 'processing-time' }],
    ['tumbling window 5000 ms of event time, allowed lateness 100 ms', { allowedLatenessMs: 100 }],
    ['tumbling window 10 ms of event time, offset -2 ms', { assigner: { kind: 'tumbling', sizeMs: 10, offsetMs: -2 } }],
    [
      'sliding window 10 ms every 5 ms of event time, offset 2 ms, allowed lateness 1 ms',
      { assigner: { kind: 'sliding', sizeMs: 10, slideMs: 5, offsetMs: 2 }, allowedLatenessMs: 1 },
    ],
    ['count window 3', { assigner: { ...global, restarts: true }, trigger: count3 }],
    [
      'count window 10 every 3',
      {
        assigner: global,
        trigger: { kind: 'repeatedly', trigger: count3 },
        evictor: { kind: 'count', count: 10, after: false },
      },
    ],
    ['global window', { assigner: global }],
    ['global window, after count 3', { assigner: global, trigger: count3 }],
    [
      'session window gap 5 ms of event time, discarding',
      { assigner: { kind: 'session', gapMs: 5, touching: 'merge', end: 'after-gap' }, accumulation: 'discarding' },
    ],
    [
      'tumbling window 5000 ms of event time, after watermark early (after count 3) late (never)',
      { trigger: { kind: 'after-watermark', early: count3, late: { kind: 'never' } } },
    ],
  ] as const satisfies readonly (readonly [string, Partial<WindowSpec>])[]) {
    it(`says "${text}"`, () => assert.equal(windowText({ ...WINDOW, ...change }), text))
  }
})
