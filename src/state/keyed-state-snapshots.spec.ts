// Declared keyed state in snapshots: what is in one, and what later versions of a job make of it.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { ByteReader } from '../base/byte-reader.ts'
import type { AggregateFunction } from '../model/aggregate-function.ts'
import { type Codec, jsonCodec } from '../model/codec.ts'
import {
  aggregating,
  list,
  map,
  orderedList,
  reducing,
  type StateDescriptors,
  type StateHandles,
  value,
} from '../model/state.ts'
import type { StandardSchema } from '../model/state-options.ts'
import { readValue } from '../serde/value-codec.ts'
import { restoreParts, snapshotParts, type TakenSnapshot } from '../testing/snapshot-operator.ts'
import { KeyedState } from './keyed-state.ts'

const sum: AggregateFunction<number, { total: number }, number> = {
  create: () => ({ total: 0 }),
  add: (accumulator, n) => {
    accumulator.total += n
    return accumulator
  },
  merge: (a, b) => ({ total: a.total + b.total }),
  result: ({ total }) => total,
}

function declared<S extends StateDescriptors>(descriptors: S, clock = { ms: 0 }) {
  const state = new KeyedState(descriptors, 16, { isTracked: true, nowMs: () => clock.ms })
  const at = <R>(key: unknown, action: (handles: StateHandles<S>) => R): R => {
    state.select(key)
    try {
      return action(state.handles as StateHandles<S>)
    } finally {
      state.release()
    }
  }
  let id = 0
  const snapshot = (isFull = false): TakenSnapshot => snapshotParts([state.part], ++id, isFull)
  return { state, at, snapshot, restore: (...taken: TakenSnapshot[]) => restoreParts([state.part], taken) }
}

function rowCount({ parts }: TakenSnapshot): number {
  return parts.flatMap(({ sections }) => sections).reduce((rows, section) => rows + section.rows, 0)
}

const ALL_KINDS = {
  count: value(0),
  words: list<string>(),
  sizes: map<string, number>(),
  events: orderedList<string>(),
  longest: reducing<string>((a, b) => (b.length > a.length ? b : a)),
  total: aggregating(sum),
}

function fill(handles: StateHandles<typeof ALL_KINDS>): void {
  handles.count.set(7)
  handles.words.set(['one', 'two'])
  handles.sizes.set('s', 1)
  handles.sizes.set('m', 2)
  handles.events.add(20, 'second')
  handles.events.add(10, 'first')
  handles.longest.add('abc')
  handles.longest.add('ab')
  handles.total.add(3)
  handles.total.add(4)
}

function contents(handles: StateHandles<typeof ALL_KINDS>): unknown {
  const events: unknown[] = []
  handles.events.forEach((event, timeMs) => events.push([timeMs, event]))
  return {
    count: handles.count.get(),
    words: [...handles.words.get()],
    sizes: [...handles.sizes.entries()],
    events,
    longest: handles.longest.get(),
    total: handles.total.get(),
  }
}

const FILLED = {
  count: 7,
  words: ['one', 'two'],
  sizes: [
    ['s', 1],
    ['m', 2],
  ],
  events: [
    [10, 'first'],
    [20, 'second'],
  ],
  longest: 'abc',
  total: 7,
}

/** The same states with an option each. */
function withOptions(options: {
  readonly ttl?: { readonly durationMs: number }
  readonly codec?: Codec<never>
}): typeof ALL_KINDS {
  const given = options as object
  return {
    count: value(0, given),
    words: list<string>(given),
    sizes: map<string, number>(given),
    events: orderedList<string>(given),
    longest: reducing<string>((a, b) => (b.length > a.length ? b : a), given),
    total: aggregating(sum, given),
  }
}

describe('a snapshot of keyed state', () => {
  for (const [name, descriptors] of [
    ['plain', ALL_KINDS],
    ['with a codec', withOptions({ codec: jsonCodec() })],
    ['with a ttl', withOptions({ ttl: { durationMs: 100 } })],
    ['with both', withOptions({ ttl: { durationMs: 100 }, codec: jsonCodec() })],
  ] as const) {
    test(`holds state of every kind, ${name}`, () => {
      const before = declared(descriptors)
      before.at('ann', fill)
      before.at({ composite: 1n }, handles => handles.total.add(5))
      const taken = before.snapshot()
      const after = declared(descriptors)
      after.restore(taken)
      assert.deepEqual(after.at('ann', contents), FILLED)
      assert.equal(
        after.at({ composite: 1n }, ({ total }) => total.get()),
        5,
      )
      assert.equal(after.state.table.size, 2)
      after.at('ann', ({ total }) => total.add(1))
      const delta = after.snapshot()
      assert.deepEqual([delta.parts[0]?.isFull, rowCount(delta)], [false, 1])
      const again = declared(descriptors)
      again.restore(taken, delta)
      assert.deepEqual(again.at('ann', contents), { ...FILLED, total: 8 })
    })
  }

  test('names its states, and has their values behind their positions', () => {
    const { at, snapshot } = declared({ unused: value(0), n: value(0), words: list<string>() })
    at('k', ({ n, words }) => {
      n.set(9)
      words.add('x')
    })
    const [part] = snapshot().parts
    assert.deepEqual(part?.schema, {
      layout: 'slots',
      states: [
        { name: 'unused', kind: 'value', codec: 'tagged', version: 0 },
        { name: 'n', kind: 'value', codec: 'tagged', version: 0 },
        { name: 'words', kind: 'list', codec: 'tagged', version: 0 },
      ],
    })
    const input = new ByteReader(part?.sections[0]?.bytes as Uint8Array)
    assert.equal(readValue(input.part(input.varint())), 'k')
    const payload = input.part(input.varint() - 1)
    const values: unknown[] = []
    while (!payload.isAtEnd) values.push(readValue(payload))
    assert.deepEqual(values, [1, 9, 2, ['x'], -1])
  })

  test('holds an object that was changed in place, unless it is declared immutable', () => {
    const make = (isImmutable: boolean) => {
      const subject = declared({ seen: value(() => ({ n: 0 }), { isImmutable }) })
      subject.at('k', ({ seen }) => seen.set({ n: 1 }))
      subject.snapshot()
      subject.at('k', ({ seen }) => {
        seen.get().n++
      })
      return rowCount(subject.snapshot())
    }
    assert.deepEqual([make(false), make(true)], [1, 0])
  })

  test('keeps an object as it was at the barrier, however it is reached afterwards', () => {
    const subject = declared({
      one: value(() => ({ n: 1 })),
      many: list<{ n: number }>(),
      named: map<string, { n: number }>(),
      timed: orderedList<{ n: number }>(),
    })
    const keys = ['get', 'list', 'map', 'entries', 'floor', 'forEach', 'visit']
    for (const key of keys) {
      subject.at(key, ({ one, many, named, timed }) => {
        one.get()
        many.add({ n: 1 })
        named.set('a', { n: 1 })
        timed.add(1, { n: 1 })
      })
    }
    const { part } = subject.state
    part.begin(50, true)
    const change = (object: { n: number } | undefined): void => {
      if (object !== undefined) object.n = 99
    }
    subject.at('get', ({ one }) => change(one.get()))
    subject.at('list', ({ many }) => change(many.get()[0]))
    subject.at('map', ({ named }) => change(named.get('a')))
    subject.at('entries', ({ named }) => {
      for (const [, object] of named.entries()) change(object)
    })
    subject.at('floor', ({ timed }) => change(timed.floor(5)))
    subject.at('forEach', ({ timed }) => timed.forEach(change))
    subject.state.visit('one', (key, handle) => {
      if (key === 'visit') change((handle as { get(): { n: number } }).get())
    })
    while (!part.advance(2));
    const after = declared({
      one: value(() => ({ n: 1 })),
      many: list<{ n: number }>(),
      named: map<string, { n: number }>(),
      timed: orderedList<{ n: number }>(),
    })
    after.restore({ parts: [part.take()] })
    for (const key of keys) {
      const found = after.at(key, ({ one, many, named, timed }) => [
        one.get(),
        many.get()[0],
        named.get('a'),
        timed.floor(1),
      ])
      assert.deepEqual(found, [{ n: 1 }, { n: 1 }, { n: 1 }, { n: 1 }], key)
    }
  })

  test('holds nothing of keys that were only looked at', () => {
    const subject = declared(ALL_KINDS)
    for (const key of ['a', 'b']) subject.at(key, fill)
    subject.snapshot()
    subject.at('a', ({ count, sizes, longest, words }) => [
      count.get(),
      sizes.get('s'),
      sizes.has('m'),
      longest.get(),
      words,
    ])
    subject.at('none', ({ count, words }) => [count.get(), words.get()])
    assert.equal(rowCount(subject.snapshot()), 0)
  })

  test('tells that a key is gone', () => {
    const subject = declared({ count: value(0) })
    subject.at('a', ({ count }) => count.set(1))
    subject.at('b', ({ count }) => count.set(1))
    const base = subject.snapshot()
    subject.at('a', ({ count }) => count.clear())
    const delta = subject.snapshot()
    assert.equal(rowCount(delta), 1)
    const after = declared({ count: value(0) })
    after.restore(base, delta)
    assert.deepEqual(
      [...after.state.table.entries()].map(({ key }) => key),
      ['b'],
    )
  })

  test('names the state, the key and the way to what cannot be written', () => {
    const { at, snapshot } = declared({ fine: value(0), jobs: list<unknown>() })
    at('ann', ({ jobs }) => jobs.add({ run: () => 1 }))
    assert.throws(() => snapshot(), {
      code: 'STATE_NOT_SERIALIZABLE',
      message: /^STATE_NOT_SERIALIZABLE: state "jobs" of key "ann": \[0\]\.run is function run; store plain data/,
    })
  })

  test('says so when a codec fails, or returns no bytes', () => {
    for (const [encode, message] of [
      [() => 'text', /state "n": encode\(\) of codec odd returned "text", which is no Uint8Array/],
      [() => assert.fail('oh no'), /state "n": encode\(\) of codec odd failed for 1 \(oh no\)/],
    ] as const) {
      const odd = { name: 'odd', encode, decode: () => 0 } as unknown as Codec<number>
      const { at, snapshot } = declared({ n: value(0, { codec: odd }) })
      at('k', ({ n }) => n.set(1))
      assert.throws(() => snapshot(), { code: 'STATE_NOT_SERIALIZABLE', message })
    }
  })
})

/** A snapshot of one key, read by other declarations. */
function reread<S extends StateDescriptors, T extends StateDescriptors>(
  written: S,
  write: (handles: StateHandles<S>) => void,
  read: T,
) {
  const before = declared(written)
  before.at('k', write)
  const taken = before.snapshot()
  const after = declared(read)
  after.restore(taken)
  return after
}

describe('a later version of the job', () => {
  test('finds its states by name, whatever their order, and new ones empty', () => {
    const { at } = reread(
      { a: value(''), b: value('') },
      ({ a, b }) => {
        a.set('A')
        b.set('B')
      },
      { fresh: value('new'), b: value(''), a: value('') },
    )
    assert.deepEqual(
      at('k', ({ a, b, fresh }) => [a.get(), b.get(), fresh.get()]),
      ['A', 'B', 'new'],
    )
  })

  test('passes over what it declares no more, for good', () => {
    const write = ({ gone, kept }: { gone: { set(n: number): void }; kept: { set(n: number): void } }): void => {
      gone.set(1)
      kept.set(2)
    }
    const after = reread({ gone: value(0), kept: value(0) }, write, { kept: value(0) })
    assert.equal(
      after.at('k', ({ kept }) => kept.get()),
      2,
    )
    const taken = after.snapshot()
    assert.equal(taken.parts[0]?.isFull, true, 'the old rows are not built upon')
    const { at } = declared({ gone: value(0), kept: value(0) })
    assert.equal(
      at('k', ({ gone }) => gone.get()),
      0,
    )
    const nothing = reread({ gone: value(0) }, ({ gone }) => gone.set(1), { kept: value(0) })
    assert.equal(nothing.state.table.size, 0)
  })

  test('migrates values, elements and entries', () => {
    const migrate = (from: number, old: unknown): string => `${from}:${String(old)}`
    const options = { version: 3, migrate }
    const { at, snapshot } = reread(
      {
        one: value(0, { version: 1, migrate: () => 0 }),
        many: list<number>(),
        named: map<string, number>(),
        timed: orderedList<number>(),
      },
      ({ one, many, named, timed }) => {
        one.set(1)
        many.set([1, 2])
        named.set('a', 1)
        timed.add(5, 1)
      },
      {
        one: value('', options),
        many: list<string>(options),
        named: map<string, string>(options),
        timed: orderedList<string>(options),
      },
    )
    const found = at('k', ({ one, many, named, timed }) => [one.get(), many.get(), named.get('a'), timed.floor(5)])
    assert.deepEqual(found, ['1:1', ['0:1', '0:2'], '0:1', '0:1'])
    assert.equal(snapshot().parts[0]?.schema.states[0]?.version, 3)
  })

  test('is refused with all that does not fit, each with its mend', () => {
    const codec = jsonCodec<number>()
    const refused = (): unknown =>
      reread(
        { a: value(0), b: value(0), c: value(0, { version: 2, migrate: () => 0 }), d: value(0) },
        ({ a }) => a.set(1),
        {
          a: list<number>(),
          b: value(0, { codec }),
          c: value(0, { version: 1, migrate: () => 0 }),
          d: value(0, { version: 1 }),
        },
      )
    assert.throws(refused, (error: Error & { code: string }) => {
      assert.equal(error.code, 'STATE_INCOMPATIBLE')
      const lines = error.message.split('\n')
      assert.match(lines[0] as string, /state "a" is value in the snapshot and declared list; declare it as it was, or/)
      assert.match(lines[1] as string, /state "b" was written with codec tagged and is declared with json/)
      assert.match(lines[2] as string, /state "c" has version 2 in the snapshot: it was written by a newer version/)
      assert.match(lines[3] as string, /state "d" has version 0 .* declared version 1; declare migrate\(/)
      assert.equal(lines.length, 4)
      return true
    })
  })

  test('checks values by their schema, without changing them', () => {
    const positive = (validate: (given: unknown) => object): StandardSchema<number> =>
      ({ '~standard': { version: 1, vendor: 'test', validate } }) as StandardSchema<number>
    const write = ({ n }: { n: { set(of: number): void } }): void => n.set(5)
    const fits = reread({ n: value(0) }, write, { n: value(0, { schema: positive(() => ({ value: 6 })) }) })
    assert.equal(
      fits.at('k', ({ n }) => n.get()),
      5,
    )
    const refusing = positive(() => ({ issues: [{ message: 'must be even' }] }))
    assert.throws(() => reread({ n: value(0) }, write, { n: value(0, { schema: refusing }) }), {
      code: 'STATE_INCOMPATIBLE',
      message: /state "n" holds 5, which its schema refuses: must be even; mend the declaration/,
    })
    const late = positive(() => Promise.resolve({}))
    assert.throws(() => reread({ n: value(0) }, write, { n: value(0, { schema: late }) }), /answers with a promise/)
  })

  test('says so when migrate or decode fail', () => {
    const write = ({ n }: { n: { set(of: number): void } }): void => n.set(5)
    const migrate = (): number => assert.fail('what is this')
    assert.throws(() => reread({ n: value(0) }, write, { n: value(0, { version: 1, migrate }) }), {
      code: 'STATE_INCOMPATIBLE',
      message: /state "n" 5 of version 0: migrate\(\) failed \(what is this\)/,
    })
    const codec = (decode: () => number): Codec<number> => ({ name: 'odd', encode: n => Uint8Array.of(n), decode })
    assert.throws(
      () =>
        reread({ n: value(0, { codec: codec(() => 0) }) }, write, {
          n: value(0, { codec: codec(() => assert.fail('no such thing')) }),
        }),
      { code: 'STATE_INCOMPATIBLE', message: /cannot be read by decode\(\) of codec odd \(no such thing\)/ },
    )
  })

  test('gives values a time-to-live from its start, or takes it away', () => {
    const clock = { ms: 1000 }
    const before = declared({ n: value(0) }, clock)
    before.at('k', ({ n }) => n.set(5))
    const dated = declared({ n: value(0, { ttl: { durationMs: 10 } }) }, clock)
    dated.restore(before.snapshot())
    clock.ms = 1009
    const taken = dated.snapshot(true)
    assert.equal(
      dated.at('k', ({ n }) => n.get()),
      5,
    )
    const endless = declared({ n: value(0) }, clock)
    endless.restore(taken)
    clock.ms = 1010
    assert.equal(
      dated.at('k', ({ n }) => n.get()),
      0,
    )
    assert.equal(
      endless.at('k', ({ n }) => n.get()),
      5,
    )
  })
})
