import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { hashBytes } from '../base/hash.ts'
import { encodeKey, encodeKeyText, hashKey } from './key-encoding.ts'

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

// These bytes and hashes decide where keyed state lives: they may never change, whatever the code looks like.
const GOLDEN: readonly (readonly [label: string, key: unknown, bytes: string, hash: number])[] = [
  ['null', null, '01', 90457223],
  ['false', false, '02', 3689677661],
  ['true', true, '03', 893644233],
  ['0', 0, '048000000000000000', 3515154360],
  ['-0', -0, '048000000000000000', 3515154360],
  ['1', 1, '04bff0000000000000', 3157505942],
  ['-1', -1, '04400fffffffffffff', 2748010562],
  ['42', 42, '04c045000000000000', 799325460],
  ['1.5', 1.5, '04bff8000000000000', 1064695682],
  ['-1.5', -1.5, '044007ffffffffffff', 2979519896],
  ['0.1', 0.1, '04bfb999999999999a', 1457865503],
  ['the largest safe integer', Number.MAX_SAFE_INTEGER, '04c33fffffffffffff', 1772735517],
  ['the smallest number', Number.MIN_VALUE, '048000000000000001', 344458043],
  ['Infinity', Infinity, '04fff0000000000000', 3013930587],
  ['-Infinity', -Infinity, '04000fffffffffffff', 724807958],
  ['NaN', NaN, '04ffffffffffffffff', 3456442080],
  ['0n', 0n, '0501', 2017085113],
  ['1n', 1n, '05020000000101', 3980930625],
  ['-1n', -1n, '0500fffffffefe', 1298822083],
  ['255n', 255n, '050200000001ff', 3405930557],
  ['256n', 256n, '0502000000020100', 989587524],
  ['-256n', -256n, '0500fffffffdfeff', 29371266],
  ['2n ** 64n', 2n ** 64n, '050200000009010000000000000000', 631341711],
  ['-(2n ** 64n)', -(2n ** 64n), '0500fffffff6feffffffffffffffff', 2240481944],
  ['the empty string', '', '0600', 1590885265],
  ['a', 'a', '066100', 1818528732],
  ['storm', 'storm', '0673746f726d00', 3689445486],
  ['NUL', '\0', '06010100', 3879083016],
  ['NUL inside', 'a\0b', '066101016200', 1931322924],
  ['umlauts', 'Zürich', '065ac3bc7269636800', 4229045300],
  ['three-byte characters', '日本', '06e697a5e69cac00', 1496032817],
  ['emoji', '😀', '06f09f988000', 596690371],
  ['a lone high surrogate', '\ud83d', '06eda0bd00', 3325943442],
  ['a lone low surrogate', '\ude00', '06edb88000', 1192024682],
  ['U+FFFF', '\uffff', '06efbfbf00', 1634627812],
  ['no bytes', new Uint8Array([]), '0700', 1323222873],
  ['bytes', new Uint8Array([0, 1, 255]), '0701010102ff00', 2154898521],
  ['the empty tuple', [], '0800', 2540064853],
  ['a tuple', [1, 'a'], '0804bff000000000000006610000', 1003475782],
  ['nested tuples', [[], [null]], '08080008010000', 958768628],
  ['a tuple of a string that ends in NUL', ['a\0', true], '0806610101000300', 4186277697],
  ['the empty object', {}, '0900', 4162406785],
  ['an object', { a: 'x', b: 1 }, '0906610006780006620004bff000000000000000', 2932414938],
  ['an object, other field order', { b: 1, a: 'x' }, '0906610006780006620004bff000000000000000', 2932414938],
  [
    'an object without prototype',
    withoutPrototype({ a: 'x', b: 1 }),
    '0906610006780006620004bff000000000000000',
    2932414938,
  ],
  ['text of the bytes that are escaped', '\u0001\u0002', '0601020200', 3644102256],
  [
    'an object whose fields go by code point',
    { '\u{1f600}': 1, '\uffff': 2 },
    '0906efbfbf0004c00000000000000006f09f98800004bff000000000000000',
    2706908350,
  ],
  ['a nested object', { nested: { id: 7n } }, '09066e6573746564000906696400050200000001070000', 1673563987],
]

function withoutPrototype(fields: object): object {
  return Object.assign(Object.create(null) as object, fields)
}

const RANKS = ['null', 'false', 'true', 'number', 'bigint', 'string', 'bytes', 'tuple', 'object'] as const

function rank(key: unknown): number {
  if (key === null) return RANKS.indexOf('null')
  if (typeof key === 'boolean') return RANKS.indexOf(key ? 'true' : 'false')
  if (key instanceof Uint8Array) return RANKS.indexOf('bytes')
  if (Array.isArray(key)) return RANKS.indexOf('tuple')
  return RANKS.indexOf(typeof key as 'number' | 'bigint' | 'string' | 'object')
}

function compareLists<T>(a: readonly T[], b: readonly T[], compare: (a: T, b: T) => number): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compare(a[i] as T, b[i] as T)
    if (order !== 0) return order
  }
  return Math.sign(a.length - b.length)
}

const compareNumbers = (a: number, b: number): number => {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : a > b ? 1 : 0
}

const codePoints = (text: string): number[] => Array.from(text, character => character.codePointAt(0) as number)

const compareTexts = (a: string, b: string): number => compareLists(codePoints(a), codePoints(b), compareNumbers)

/** The order of keys by the rules in words, without any encoding: what the order of bytes must be. */
function compareKeys(a: unknown, b: unknown): number {
  if (rank(a) !== rank(b)) return Math.sign(rank(a) - rank(b))
  if (typeof a === 'number') return compareNumbers(a, b as number)
  if (typeof a === 'bigint') return a < (b as bigint) ? -1 : a > (b as bigint) ? 1 : 0
  if (typeof a === 'string') return compareTexts(a, b as string)
  if (a instanceof Uint8Array) return compareLists([...a], [...(b as Uint8Array)], compareNumbers)
  if (Array.isArray(a)) return compareLists(a, b as unknown[], compareKeys)
  if (typeof a === 'object' && a !== null) {
    const fields = (key: object): unknown[] =>
      Object.keys(key)
        .sort(compareTexts)
        .flatMap(name => [name, key[name as never]])
    return compareLists(fields(a), fields(b as object), compareKeys)
  }
  return 0
}

const compareBytes = (a: Uint8Array, b: Uint8Array): number => compareLists([...a], [...b], compareNumbers)

const text = fc
  .array(
    fc.oneof(fc.constantFrom(0, 1, 0x61, 0x7f, 0x80, 0x7ff, 0x800, 0xd83d, 0xde00, 0xe000, 0xffff), fc.nat(0xffff)),
    {
      maxLength: 6,
    },
  )
  .map(units => String.fromCharCode(...units))
const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 1, -1))
const bigint = fc.oneof(
  fc.bigInt(),
  fc.bigInt({ min: -300n, max: 300n }),
  fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }),
)
const bytes = fc
  .array(fc.oneof(fc.constantFrom(0, 1, 0xff), fc.nat(0xff)), { maxLength: 4 })
  .map(values => new Uint8Array(values))
const key: fc.Arbitrary<unknown> = fc.letrec(tie => ({
  key: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, false, 0, 'a'),
    number,
    bigint,
    text,
    bytes,
    fc.array(tie('key'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom('a', 'b', ''), text), tie('key'), { maxKeys: 3 }),
  ),
})).key

describe('encodeKey', () => {
  for (const [label, value, expected] of GOLDEN) {
    it(`keeps the bytes of ${label}`, () => {
      assert.equal(hex(encodeKey(value)), expected)
    })
  }

  it('gives bytes whose order is the order of keys, and equal bytes exactly for equal keys', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        assert.equal(compareBytes(encodeKey(a), encodeKey(b)), compareKeys(a, b))
      }),
      { numRuns: 3000 },
    )
  })

  for (const [label, kind] of [
    ['strings by code point', text],
    ['numbers', number],
    ['bigints', bigint],
    ['bytes', bytes],
    ['tuples of strings', fc.tuple(text, text)],
    ['tuples of different lengths', fc.array(fc.constantFrom('', '\0', 'a', 'a\0'), { maxLength: 3 })],
  ] as const) {
    it(`keeps the order of ${label}`, () => {
      fc.assert(
        fc.property(kind as fc.Arbitrary<unknown>, kind as fc.Arbitrary<unknown>, (a, b) => {
          assert.equal(compareBytes(encodeKey(a), encodeKey(b)), compareKeys(a, b))
        }),
        { numRuns: 1000 },
      )
    })
  }

  it('gives equal bytes for a copy of the key whose fields come in another order', () => {
    fc.assert(
      fc.property(key, original => {
        assert.deepEqual(encodeKey(reversedCopy(original)), encodeKey(original))
      }),
      { numRuns: 1000 },
    )
  })

  it('gives bytes that never begin those of another key, so that other bytes may follow', () => {
    const short = fc.array(fc.constantFrom(0, 1, 2, 0xff), { maxLength: 3 })
    const close = fc.oneof(
      short.map(units => String.fromCharCode(...units)),
      short.map(values => new Uint8Array(values)),
      fc.array(fc.constantFrom<unknown>('', '\0', null, [], 0n, 1n, -1n, NaN), { maxLength: 3 }),
    )
    fc.assert(
      fc.property(fc.oneof(close, key), fc.oneof(close, key), (a, b) => {
        const [first, second] = [hex(encodeKey(a)), hex(encodeKey(b))]
        assert.equal(second.startsWith(first), first === second)
      }),
      { numRuns: 5000 },
    )
  })

  it('gives bytes of its own, which a later call does not change', () => {
    const first = encodeKey('first')
    encodeKey('a longer second key')
    assert.equal(hex(first), '06666972737400')
  })

  it('encodes keys that are longer than any before', () => {
    const long = 'x'.repeat(10_000)
    assert.equal(encodeKey(long).length, 10_002)
    assert.equal(encodeKey(long)[9_999], 0x78)
  })

  it('takes subclasses of Uint8Array as the bytes they hold', () => {
    assert.deepEqual(encodeKey(Buffer.from([1, 0])), encodeKey(new Uint8Array([1, 0])))
  })

  it('keeps a field named __proto__', () => {
    const parsed: unknown = JSON.parse('{"__proto__": 1}')
    assert.equal(hex(encodeKey(parsed)), '09065f5f70726f746f5f5f0004bff000000000000000')
  })
})

describe('encodeKeyText', () => {
  it('holds one character per byte of the encoding', () => {
    for (const [, value, expected] of GOLDEN) {
      const characters = encodeKeyText(value)
      assert.equal(hex(Uint8Array.from(characters, character => character.charCodeAt(0))), expected)
    }
  })
})

describe('hashKey', () => {
  for (const [label, value, , expected] of GOLDEN) {
    it(`keeps the hash of ${label}`, () => {
      assert.equal(hashKey(value), expected)
    })
  }

  it('is the hash of the encoded bytes, by the short ways for strings and numbers too', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.string(), number, key), value => {
        assert.equal(hashKey(value), hashBytes(encodeKey(value)))
      }),
      { numRuns: 3000 },
    )
  })

  it('spreads consecutive numbers and words over 128 key groups within a fifth of even', () => {
    const keyCount = 128_000
    for (const make of [(i: number): unknown => i, (i: number): unknown => `user-${i}`]) {
      const groups = new Array<number>(128).fill(0)
      for (let i = 0; i < keyCount; i++) groups[hashKey(make(i)) % 128]++
      assert.ok(Math.min(...groups) > 800, `the smallest group has ${Math.min(...groups)} of 1000 expected`)
      assert.ok(Math.max(...groups) < 1200, `the largest group has ${Math.max(...groups)} of 1000 expected`)
    }
  })
})

describe('what cannot be a key', () => {
  class Account {}
  const itself: unknown[] = []
  itself.push(itself)
  const allowed = 'use null, a string, number, boolean, bigint, Uint8Array, or a tuple or plain object of them'
  const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])
  for (const [label, value, message] of [
    ['undefined', undefined, `undefined cannot be a key; ${allowed}`],
    ['a function', function area() {}, `function area cannot be a key; ${allowed}`],
    ['a symbol', Symbol('s'), `Symbol(s) cannot be a key; ${allowed}`],
    ['undefined in a tuple', [1, undefined], `undefined cannot be a key; ${allowed}`],
    ['a hole in a tuple', new Array(1), `undefined cannot be a key; ${allowed}`],
    ['an undefined field', { a: undefined }, `undefined cannot be a key; ${allowed}`],
    [
      'a date',
      new Date(0),
      'an instance of Date cannot be a key; use a plain value of it, such as its id or getTime()',
    ],
    ['a map', new Map(), 'an instance of Map cannot be a key; use a plain value of it, such as its id or getTime()'],
    [
      'another typed array',
      new Int8Array(1),
      'an instance of Int8Array cannot be a key; use a plain value of it, such as its id or getTime()',
    ],
    [
      'a class instance',
      new Account(),
      'an instance of Account cannot be a key; use a plain value of it, such as its id or getTime()',
    ],
    [
      'an instance without constructor',
      Object.create(Object.create(null)),
      'an instance of a class cannot be a key; use a plain value of it, such as its id or getTime()',
    ],
    [
      'a tuple that contains itself',
      itself,
      'a key is nested deeper than 32 levels (or contains itself); use a flatter key',
    ],
    ['33 nested tuples', nested(33), 'a key is nested deeper than 32 levels (or contains itself); use a flatter key'],
  ] as const) {
    it(`is ${label}`, () => {
      const expected = { name: 'StreamError', code: 'KEY_INVALID', message: `KEY_INVALID: ${message}` }
      assert.throws(() => encodeKey(value), expected)
      assert.throws(() => encodeKeyText(value), expected)
      assert.throws(() => hashKey(value), expected)
    })
  }

  it('leaves the encoder usable', () => {
    assert.throws(() => encodeKey(['half', undefined]))
    assert.equal(hex(encodeKey('a')), '066100')
  })

  it('is not 32 nested tuples', () => {
    assert.equal(encodeKey(nested(32)).length, 32 + 9 + 32)
  })
})

function reversedCopy(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.slice()
  if (Array.isArray(value)) return value.map(reversedCopy)
  if (typeof value !== 'object' || value === null) return value
  const copy: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [name, field] of Object.entries(value).reverse()) copy[name] = reversedCopy(field)
  return copy
}
