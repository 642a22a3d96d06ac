// State that a function over windows declares, in snapshots: of every kind, and what later versions of a job make of it.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { jsonCodec } from '../../model/codec.ts'
import type { TimeWindow } from '../../model/functions.ts'
import { fieldSelector } from '../../model/key.ts'
import type { OperatorSpec } from '../../model/operator-spec.ts'
import {
  aggregating,
  list,
  map,
  type OrderedListState,
  orderedList,
  reducing,
  type StateDescriptors,
  type StateHandles,
  value,
} from '../../model/state.ts'
import type { TriggerSpec } from '../../model/trigger-spec.ts'
import type { WindowProcessFunction } from '../../model/window-functions.ts'
import { WINDOW_DEFAULTS, type WindowFunctionSpec } from '../../model/window-spec.ts'
import { record } from '../../testing/operator-script.ts'
import { restoreParts, snapshotParts } from '../../testing/snapshot-operator.ts'
import { SnapshotRun } from '../../testing/snapshot-run.ts'
import { randomScript, verifySnapshots } from '../../testing/verify-snapshots.ts'

interface Numbered {
  readonly k: string
  readonly n: number
}

const keySelectors = [fieldSelector('k')]

const early: TriggerSpec = {
  kind: 'after-watermark',
  early: { kind: 'after-count', count: 2 },
  late: { kind: 'after-count', count: 1 },
}

/** Restores between any two lines of some scripts. */
function verify(operator: OperatorSpec): void {
  for (const seed of [1, 2, 3]) {
    const run = verifySnapshots({ operator, keySelectors, script: randomScript(seed) })
    assert.ok(run.sent.filter(element => 'value' in element).length > 5, `randomScript(${seed}) sends next to nothing`)
  }
}

describe('state that a function over windows declares', () => {
  /** A function that says what its states hold, for the window and for the key, after it has put the new elements into them. */
  function keeping<S extends StateDescriptors>(
    declared: S,
    act: (states: StateHandles<S>, added: readonly Numbered[]) => unknown,
  ): OperatorSpec {
    const definition: WindowProcessFunction<string, Numbered, string, TimeWindow, S, S> = {
      state: declared,
      globalState: declared,
      onWindow(_elements, ctx, collector) {
        const texts = [ctx.state, ctx.globalState].map(states => JSON.stringify(act(states, ctx.added)))
        collector.collect(`${ctx.key} ${ctx.window.start}: ${texts.join(' ')}`)
      },
    }
    const spec: WindowFunctionSpec = { kind: 'process', function: definition as never }
    return {
      kind: 'window',
      window: {
        ...WINDOW_DEFAULTS,
        timeDomain: 'event-time',
        assigner: { kind: 'tumbling', sizeMs: 10, offsetMs: 0 },
        function: spec,
        trigger: early,
        allowedLatenessMs: 15,
      },
    }
  }

  /** Two records of one window, which fire it; a snapshot by one job, and what two more come to in another, `waitMs` later. */
  function passedOn(written: OperatorSpec, read: OperatorSpec, waitMs = 0): readonly unknown[] {
    const give = (run: SnapshotRun, numbers: readonly number[]): readonly unknown[] => {
      for (const n of numbers) run.run(record({ k: 'a', n }, { timestamp: n }))
      return run.sent.splice(0).map(element => ('value' in element ? element.value : element))
    }
    const before = new SnapshotRun({ operator: written, keySelectors })
    before.open()
    const sentBefore = give(before, [1, 2])
    const snapshot = snapshotParts(before.parts, 1)
    const after = new SnapshotRun({ operator: read, keySelectors }, waitMs)
    restoreParts(after.parts, [snapshot])
    after.open()
    return [...sentBefore, ...give(after, [3, 4])]
  }

  const numbersIn = (states: OrderedListState<number>): readonly number[] => {
    const numbers: number[] = []
    states.forEach(n => numbers.push(n))
    return numbers
  }

  test('may be an ordered list', () => {
    const operator = keeping({ byTime: orderedList<number>() }, ({ byTime }, added) => {
      for (const { n } of added) byTime.add(-n, n)
      return numbersIn(byTime)
    })
    verify(operator)
    assert.deepEqual(passedOn(operator, operator), ['a 0: [2,1] [2,1]', 'a 0: [4,3,2,1] [4,3,2,1]'])
  })

  test('may be of every other kind, with a codec or without', () => {
    for (const options of [{}, { codec: jsonCodec<never>() }]) {
      const states = {
        sum: reducing<number>((a, b) => a + b, options),
        sizes: map<string, number>(options),
        total: aggregating(
          {
            create: () => ({ n: 0 }),
            add: ({ n }: { n: number }, more: number) => ({ n: n + more }),
            merge: (a, b) => ({ n: a.n + b.n }),
            result: ({ n }) => n,
          },
          options,
        ),
      }
      verify(
        keeping(states, ({ sum: joined, sizes, total }, added) => {
          for (const { k, n } of added) {
            joined.add(n)
            total.add(n)
            sizes.set(k, n)
          }
          return [joined.get(), total.get(), [...sizes.entries()]]
        }),
      )
    }
  })

  test('is migrated to the version of the job', () => {
    const one = keeping({ seen: list<number>() }, ({ seen }, added) => {
      for (const { n } of added) seen.add(n)
      return seen.get()
    })
    const options = {
      version: 1,
      migrate: (fromVersion: number, n: unknown) => ({
        n: n as number,
        fromVersion: fromVersion as number | undefined,
      }),
    }
    const two = keeping(
      { seen: list<{ readonly n: number; readonly fromVersion?: number | undefined }>(options) },
      ({ seen }, added) => {
        for (const { n } of added) seen.add({ n })
        return seen.get().map(({ n, fromVersion }) => `${n}${fromVersion === undefined ? '' : ` of ${fromVersion}`}`)
      },
    )
    const migrated = '["1 of 0","2 of 0","3","4"]'
    assert.deepEqual(passedOn(one, two), ['a 0: [1,2] [1,2]', `a 0: ${migrated} ${migrated}`])
    const message = /state "seen" has version 0 in the snapshot and is declared version 1; declare migrate/
    const unable = keeping({ seen: list<number>({ version: 1 }) }, () => 0)
    assert.throws(() => passedOn(one, unable), { code: 'STATE_INCOMPATIBLE', message })
    const newer = /state "seen" has version 1 in the snapshot: it was written by a newer version of the job/
    assert.throws(() => passedOn(two, one), { code: 'STATE_INCOMPATIBLE', message: newer })
  })

  test('expires, also while the job is down', () => {
    const operator = keeping({ seen: list<number>({ ttl: { durationMs: 100 } }) }, ({ seen }, added) => {
      for (const { n } of added) seen.add(n)
      return seen.get()
    })
    verify(operator)
    assert.equal(passedOn(operator, operator, 99)[1], 'a 0: [1,2,3,4] [1,2,3,4]')
    assert.equal(passedOn(operator, operator, 100)[1], 'a 0: [3,4] [3,4]')
  })

  test('is found by its name, beside states that were added and without those that were dropped', () => {
    const count = (name: string) =>
      keeping({ [`${name}1`]: value(0), shared: value(0) }, (states, added) => {
        for (const state of Object.values(states)) state.set(state.get() + added.length)
        return Object.values(states).map(state => state.get())
      })
    assert.deepEqual(passedOn(count('x'), count('y')), ['a 0: [2,2] [2,2]', 'a 0: [2,4] [2,4]'])
  })

  test('of a kind that snapshots cannot hold is named when they are taken', () => {
    const operator = keeping({ odd: value<unknown>() }, ({ odd }) => odd.set(() => 0))
    const message = /state "odd" of key "a"/
    assert.throws(() => passedOn(operator, operator), { code: 'STATE_NOT_SERIALIZABLE', message })
  })
})
