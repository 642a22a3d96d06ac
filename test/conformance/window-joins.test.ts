// Joins and co-groups within windows as whole jobs: random streams at several parallelisms and under many orders of steps must give what a
// naive join of the whole streams gives, window by window.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import type { KeyedStream } from '../../src/api/datastream/streams.ts'
import {
  sessionWindows,
  slidingWindows,
  tumblingWindows,
  type WindowAssigner,
} from '../../src/api/datastream/window-assigners.ts'
import type { JoinType } from '../../src/model/join-functions.ts'
import { type Event, events, keyed, outcomeOf, run } from './support/keyed-events.ts'

/** A side of a pair, which an outer join may lack. */
type Identified = { readonly id: unknown } | undefined

const GAP_MS = 8

type Windowing = 'tumbling' | 'sliding' | 'session'

const WINDOWS: Readonly<Record<Windowing, WindowAssigner<unknown>>> = {
  tumbling: tumblingWindows(15, { offsetMs: 4 }),
  sliding: slidingWindows(20, 6),
  session: sessionWindows(GAP_MS),
}

interface Bounds {
  readonly start: number
  readonly end: number
}

/** The windows of one key's times, written down without the engine. */
function windowsOf(windowing: Windowing, times: readonly number[]): Bounds[] {
  if (windowing === 'session') {
    const sessions: { start: number; end: number }[] = []
    for (const at of times.toSorted((a, b) => a - b)) {
      const last = sessions.at(-1)
      if (last !== undefined && at <= last.end) last.end = at + GAP_MS
      else sessions.push({ start: at, end: at + GAP_MS })
    }
    return sessions
  }
  const [size, slide, offset] = windowing === 'tumbling' ? [15, 15, 4] : [20, 6, 0]
  const starts = new Set<number>()
  for (const at of times) {
    for (let start = at - size + 1; start <= at; start++) if ((start - offset) % slide === 0) starts.add(start)
  }
  return [...starts].map(start => ({ start, end: start + size }))
}

type Group = readonly [key: number, window: Bounds, groups: readonly (readonly Event[])[]]

/** Every key and window that holds anything, with the events of each stream. */
function groupsOf(windowing: Windowing, streams: readonly (readonly Event[])[]): Group[] {
  const keys = [...new Set(streams.flat().map(({ key }) => key))]
  return keys.flatMap(key => {
    const own = streams.map(events => events.filter(event => event.key === key))
    const windows = windowsOf(
      windowing,
      own.flat().map(({ at }) => at),
    )
    return windows.map((window): Group => {
      const inside = ({ at }: Event): boolean => at >= window.start && at < window.end
      return [key, window, own.map(events => events.filter(inside))]
    })
  })
}

function place(key: number, { start, end }: Bounds): string {
  return `${key} [${start}, ${end})`
}

function naiveJoin(windowing: Windowing, lefts: readonly Event[], rights: readonly Event[], type: JoinType): string[] {
  const alone: readonly (Event | undefined)[] = [undefined]
  return groupsOf(windowing, [lefts, rights])
    .flatMap(([key, window, [ls = [], rs = []]]) => {
      const left = ls.length === 0 && (type === 'right' || type === 'full') ? alone : ls
      const right = rs.length === 0 && (type === 'left' || type === 'full') ? alone : rs
      return left.flatMap(l => right.map(r => `${place(key, window)} ${l?.id}-${r?.id}`))
    })
    .sort()
}

const windowings = fc.constantFrom<Windowing>('tumbling', 'sliding', 'session')

describe('a join within windows', () => {
  test('gives the pairs of a naive join, outer ones too, at any parallelism and order of steps', async () => {
    await fc.assert(
      fc.asyncProperty(
        events,
        events,
        windowings,
        fc.constantFrom<JoinType>('inner', 'left', 'right', 'full'),
        run,
        async (lefts, rights, windowing, type, options) => {
          const outcome = await outcomeOf(options, env =>
            keyed(env, lefts).join(keyed(env, rights), {
              window: WINDOWS[windowing],
              type,
              join: (left: Identified, right: Identified, ctx) =>
                `${place(ctx.key, ctx.window)} ${left?.id}-${right?.id}`,
            }),
          )
          assert.deepEqual(outcome, { results: naiveJoin(windowing, lefts, rights, type), late: 0, keysHeld: 0 })
        },
      ),
      { numRuns: 250 },
    )
  })
})

describe('a co-group within windows', () => {
  test('gives the elements of three streams, a list each, whatever the parallelism and order of steps', async () => {
    const ids = (group: readonly Event[]): string =>
      group
        .map(({ id }) => id)
        .sort((a, b) => a - b)
        .join(' ')
    await fc.assert(
      fc.asyncProperty(fc.tuple(events, events, events), windowings, run, async (streams, windowing, options) => {
        const outcome = await outcomeOf(options, env => {
          const [first, second, third] = streams.map(events => keyed(env, events)) as [
            KeyedStream<Event, number>,
            KeyedStream<Event, number>,
            KeyedStream<Event, number>,
          ]
          return first.coGroup([second, third], {
            window: WINDOWS[windowing],
            coGroup: (groups, ctx, out: { collect(text: string): void }) =>
              out.collect(`${place(ctx.key, ctx.window)} ${groups.map(ids).join(' | ')}`),
          })
        })
        const results = groupsOf(windowing, streams).map(
          ([key, window, groups]) => `${place(key, window)} ${groups.map(ids).join(' | ')}`,
        )
        assert.deepEqual(outcome, { results: results.sort(), late: 0, keysHeld: 0 })
      }),
      { numRuns: 150 },
    )
  })
})
