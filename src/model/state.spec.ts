import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { jsonCodec } from './codec.ts'
import { operatorList, operatorUnion } from './operator-state.ts'
import { outputTag } from './output-tag.ts'
import {
  aggregating,
  list,
  map,
  orderedList,
  reducing,
  type StateDescriptors,
  type StateHandles,
  value,
} from './state.ts'
import type { StateOptions } from './state-options.ts'

const mean = {
  create: () => ({ sum: 0, count: 0 }),
  add: (a: { sum: number; count: number }, n: number) => ({ sum: a.sum + n, count: a.count + 1 }),
  merge: (a: { sum: number; count: number }, b: { sum: number; count: number }) => ({
    sum: a.sum + b.sum,
    count: a.count + b.count,
  }),
  result: ({ sum, count }: { sum: number; count: number }) => `${sum / count}`,
}

describe('value', () => {
  it('gives its initial value, or makes it anew for each key', () => {
    assert.deepEqual([value(0).initial(), value('').initial(), value(null).initial()], [0, '', null])
    assert.equal(value().initial(), undefined)
    const made = value(() => ({ seen: 0 }))
    assert.deepEqual(made.initial(), { seen: 0 })
    assert.notEqual(made.initial(), made.initial())
  })

  it('refuses an object that all keys would share, and takes a frozen one', () => {
    const message =
      'OPTION_INVALID: value() was given an object, which all keys would share; give a function that makes it: value(() => ({ ... }))'
    for (const shared of [{}, [1], new Map()]) {
      assert.throws(() => value<object>(shared), { code: 'OPTION_INVALID', message })
    }
    const frozen = Object.freeze({ limit: 3 })
    assert.equal(value(frozen).initial(), frozen)
  })
})

describe('descriptors', () => {
  it('are frozen data that say their kind', () => {
    const descriptors = [
      value(0),
      list<number>(),
      map<string, number>(),
      orderedList<number>(),
      reducing<number>(Math.max),
      aggregating(mean),
      operatorList<number>(),
      operatorUnion<number>(),
    ]
    assert.deepEqual(
      descriptors.map(({ kind }) => kind),
      ['value', 'list', 'map', 'ordered-list', 'reducing', 'aggregating', 'operator-list', 'operator-union'],
    )
    for (const descriptor of descriptors) assert.ok(Object.isFrozen(descriptor))
  })

  it('take options, with their defaults', () => {
    const codec = jsonCodec<number>()
    const migrate = (from: number, old: unknown): number => from + Number(old)
    const given = list<number>({ codec, version: 2, migrate, ttl: { durationMs: 5 }, isImmutable: true })
    assert.deepEqual(given, {
      kind: 'list',
      codec,
      version: 2,
      migrate,
      ttl: { durationMs: 5, updateOn: 'write' },
      isImmutable: true,
    })
    assert.deepEqual(map<string, number>(), { kind: 'map', version: 0, isImmutable: false })
    assert.deepEqual(operatorList<number>(), { kind: 'operator-list', version: 0 })
  })

  it('give handles of the types that were declared', () => {
    const declared = {
      n: value(0),
      maybe: value<string>(undefined, { version: 1 }),
      words: list<string>({ isImmutable: true }),
      sizes: map<string, number>(),
      longest: reducing<string>((a, b) => (b.length > a.length ? b : a)),
      mean: aggregating(mean),
    } satisfies StateDescriptors
    // Checked by the compiler: it is never called.
    const use = ({ n, maybe, words, sizes, longest, mean: average }: StateHandles<typeof declared>): unknown => {
      n.set(n.get().valueOf() + 1)
      maybe.set(maybe.get()?.toUpperCase())
      sizes.set(words.get()[0]?.trim() ?? '', (sizes.get('a') ?? 0) + 1)
      longest.add(longest.get()?.trim() ?? '')
      average.add(1)
      // @ts-expect-error a number is no text
      longest.add(1)
      // @ts-expect-error what is added is a number
      average.add('1')
      return average.get()?.trim()
    }
    assert.equal(typeof use, 'function')
  })

  it('refuse options that cannot be, naming the call', () => {
    const refused = (options: object, message: RegExp): void =>
      assert.throws(() => list<number>(options as StateOptions<number>), { code: 'OPTION_INVALID', message })
    refused({ version: -1 }, /list\(\): version is -1; give a whole number from 0/)
    refused({ version: 1.5 }, /version is 1.5/)
    refused({ migrate: 5, version: 1 }, /migrate is 5; give a function/)
    refused({ migrate: () => 1 }, /migrate was given with version 0; there is nothing before version 0/)
    refused({ codec: { name: 'x' } }, /codec is .*; give an object with a name, encode\(\) and decode\(\)/)
    refused({ codec: { ...jsonCodec(), name: 'tagged' } }, /the name of codec is "tagged"; give it another/)
    refused({ schema: {} }, /schema is {}; give a schema that follows Standard Schema v1/)
    refused({ ttl: { durationMs: 0 } }, /ttl.durationMs is 0; give milliseconds above 0/)
    refused({ ttl: { durationMs: 1, updateOn: 'never' } }, /ttl.updateOn is "never"; give 'create', 'write' or 'read'/)
    refused({ isImmutable: 1 }, /isImmutable is 1; give true or false/)
    refused(
      { tll: { durationMs: 1 } },
      /has no option "tll"; it takes codec, schema, version, migrate, ttl, isImmutable/,
    )
    assert.throws(() => operatorList({ ttl: { durationMs: 1 } } as object), /operatorList\(\) has no option "ttl"/)
    assert.throws(() => reducing(5 as never), /reducing\(\) was given 5; give a function of two values/)
    assert.throws(() => aggregating({ create: () => 0 } as never), /without add\(\); give it one/)
  })
})

describe('outputTag', () => {
  it('is its id', () => {
    const tag = outputTag<string>('late')
    assert.deepEqual(tag, { id: 'late' })
    assert.ok(Object.isFrozen(tag))
  })
})
