// Functions with declared state, restored between any two lines of a script in every way in which snapshots are taken.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { KeyedBroadcastProcessFunction } from '../model/broadcast-functions.ts'
import type {
  AggregateFunction,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  ProcessFunction,
} from '../model/functions.ts'
import { fieldSelector } from '../model/key.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { type OperatorStateDescriptors, operatorList } from '../model/operator-state.ts'
import {
  aggregating,
  list,
  map,
  orderedList,
  reducing,
  type StateDescriptors,
  type ValueDescriptor,
  value,
} from '../model/state.ts'
import { end, processingTime, record, type ScriptStep, watermark } from '../testing/operator-script.ts'
import { randomScript, verifySnapshots } from '../testing/verify-snapshots.ts'

interface Event {
  readonly k: string
  readonly n: number
}

const keySelectors = [fieldSelector('k')]

const count: AggregateFunction<unknown, { n: number }, number> = {
  create: () => ({ n: 0 }),
  add: accumulator => {
    accumulator.n++
    return accumulator
  },
  merge: (a, b) => ({ n: a.n + b.n }),
  result: ({ n }) => n,
}

function keyed<S extends StateDescriptors, P extends OperatorStateDescriptors>(
  user: KeyedProcessFunction<string, Event, unknown, S, P>,
): OperatorSpec {
  return { kind: 'keyed-process', function: user as never }
}

/** Uses every kind of state, and forgets a key now and then. */
const everyKind = keyed({
  state: {
    sum: value(0),
    seen: value(() => new Set<number>()),
    words: list<number>(),
    parities: map<string, { n: number }>(),
    timed: orderedList<number>(),
    highest: reducing<number>(Math.max),
    count: aggregating(count),
  },
  onRecord({ n }, { state, key }, out) {
    state.sum.set(state.sum.get() + n)
    state.seen.get().add(n)
    state.words.add(n)
    const parity = state.parities.get(String(n % 2)) ?? { n: 0 }
    parity.n++
    state.parities.set(String(n % 2), parity)
    state.timed.add(n % 5, n)
    if (state.timed.size > 3) state.timed.shift()
    state.highest.add(n)
    state.count.add(n)
    const timed: number[] = []
    state.timed.forEach(each => timed.push(each))
    const parities = [...state.parities.entries()].map(([name, each]) => `${name}:${each.n}`)
    const all = [state.sum.get(), [...state.seen.get()], state.words.get(), parities, timed, state.highest.get()]
    out.collect(`${key} ${JSON.stringify(all)} ${state.count.get()}`)
    if (n % 7 !== 6) return
    for (const handle of Object.values(state)) handle.clear()
  },
})

/** Registers timers in both kinds of time, moves and deletes some. */
const timers = keyed({
  state: { due: value(0) },
  onRecord({ n }, ctx) {
    const { timers, state } = ctx
    // Behind the watermark and the clock alike a timer fires at the next turn of either, which a restore is as well.
    const eventMs = Math.max(timers.currentWatermark(), 0) + 1 + (n % 9)
    timers.registerEventTimeTimer(eventMs)
    if (n % 3 === 0) timers.deleteEventTimeTimer(state.due.get())
    state.due.set(eventMs)
    timers.registerProcessingTimeTimer(ctx.currentProcessingTime() + 1 + (n % 12))
  },
  onTimer(timestampMs, { key, timeDomain, state, timers }, out) {
    out.collect(`${key} ${timeDomain} ${timestampMs} due ${state.due.get()}`)
    if (timestampMs % 4 === 0) state.due.clear()
    const eventMs = Math.max(timestampMs, timers.currentWatermark()) + 7
    if (timestampMs % 5 === 0 && eventMs < 1000) timers.registerEventTimeTimer(eventMs)
  },
})

/** Lets values expire. */
const expiring = keyed({
  state: {
    last: value('none', { ttl: { durationMs: 15 } }),
    recent: list<number>({ ttl: { durationMs: 10 } }),
    each: map<number, number>({ ttl: { durationMs: 12, updateOn: 'read' } }),
    first: orderedList<number>({ ttl: { durationMs: 9, updateOn: 'create' } }),
  },
  onRecord({ n }, { state, key }, out) {
    out.collect(
      `${key} ${state.last.get()} ${state.recent.get()} ${state.each.get(n % 2)} ${state.first.floor(Infinity)}`,
    )
    state.last.set(`at ${n}`)
    state.recent.add(n)
    state.each.set(n % 2, n)
    state.first.add(-n, n)
  },
})

describe('a keyed function goes on from a snapshot as if nothing had happened', () => {
  for (const [name, operator] of [
    ['with state of every kind', everyKind],
    ['with timers', timers],
    ['with state that expires', expiring],
  ] as const) {
    test(name, () => {
      let restores = 0
      let sent = 0
      for (let seed = 1; seed <= 12; seed++) {
        const run = verifySnapshots({ operator, keySelectors, script: randomScript(seed) })
        restores += run.restores
        sent += run.sent.length
      }
      assert.equal(restores, 12 * 20 * 5)
      assert.ok(sent > 100, `${sent} records were compared`)
    })
  }

  test('over two inputs', () => {
    const user: KeyedCoProcessFunction<string, Event, Event, string, { pending: ReturnType<typeof list<number>> }> = {
      state: { pending: list<number>() },
      onFirst: ({ n }, { state }) => state.pending.add(n),
      onSecond({ k, n }, { state }, out) {
        for (const each of state.pending.get()) out.collect(`${k} ${each}+${n}`)
        state.pending.clear()
      },
    }
    const script = [1, 2, 3, 4, 5, 6].map(n => record({ k: 'ab'[n % 2], n }, { input: n % 3 === 0 ? 1 : 0 }))
    const run = verifySnapshots({
      operator: { kind: 'keyed-co-process', function: user as never },
      keySelectors: [fieldSelector('k'), fieldSelector('k')],
      script: [...script, end],
    })
    assert.deepEqual(
      run.sent.flatMap(element => ('value' in element ? [element.value] : [])),
      ['b 1+3', 'a 2+6', 'a 4+6'],
    )
  })

  test('with broadcast state beside its own', () => {
    const user: KeyedBroadcastProcessFunction<
      string,
      Event,
      { readonly name: string; readonly factor: number },
      string,
      { factors: ReturnType<typeof map<string, { factor: number }>> },
      { sum: ValueDescriptor<number> }
    > = {
      state: { sum: value(0) },
      onRecord({ k, n }, { state, broadcast }, out) {
        state.sum.set(state.sum.get() + n * (broadcast.factors.get('x')?.factor ?? 1))
        out.collect(`${k} ${state.sum.get()}`)
      },
      onBroadcast({ factor }, ctx) {
        // Changed in place: what is handed out counts as changed.
        const found = ctx.broadcast.factors.get('x')
        if (found === undefined) ctx.broadcast.factors.set('x', { factor })
        else found.factor = factor
        if (factor === 4) ctx.applyToKeyedState('sum', (_key, sum) => sum.set(sum.get() + 1000))
      },
    }
    const script: ScriptStep[] = []
    for (let n = 1; n <= 8; n++) {
      script.push(record({ k: 'ab'[n % 2], n }))
      if (n % 2 === 0) script.push(record({ name: 'x', factor: n }, { input: 1 }))
    }
    const operator: OperatorSpec = {
      kind: 'keyed-broadcast-process',
      function: user as never,
      broadcast: { factors: map<string, { factor: number }>() },
    }
    // The kit gives a broadcast record to one subtask alone.
    const run = verifySnapshots({ operator, keySelectors, script: [...script, end], isRescaled: false })
    assert.deepEqual(
      run.sent.flatMap(element => ('value' in element ? [element.value] : [])).at(-1),
      `a ${2 + 4 * 2 + 1000 + 6 * 4 + 8 * 6}`,
    )
  })
})

test('a function without key goes on with its operator state', () => {
  const user: ProcessFunction<Event, string, { seen: ReturnType<typeof operatorList<number>> }> = {
    operatorState: { seen: operatorList<number>() },
    onRecord({ n }, { operatorState }, out) {
      operatorState.seen.add(n)
      if (operatorState.seen.get().length > 3) operatorState.seen.set(operatorState.seen.get().slice(1))
      out.collect(`all ${operatorState.seen.get()}`)
    },
  }
  const operator: OperatorSpec = { kind: 'process', function: user as never }
  const script = [1, 2, 3, 4, 5].flatMap(n => [record({ k: 'a', n }), watermark(n), processingTime(n)])
  const run = verifySnapshots({ operator, keySelectors, script: [...script, end], isRescaled: false })
  assert.deepEqual(run.sent.flatMap(element => ('value' in element ? [element.value] : [])).at(-1), 'all 3,4,5')
})
