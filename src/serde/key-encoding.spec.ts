// The goldens of this file pin where keyed state lives and how it is ordered. They may be added to, never changed.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { hashBytes } from '../base/hash.ts'
import { encodeKey, encodeKeyText, hashKey } from './key-encoding.ts'

const NAN_WITH_PAYLOAD = new Float64Array(new BigUint64Array([0xfff8_0000_0000_0001n]).buffer)[0] as number

/** A key, its bytes in hexadecimal, and its hash. */
type Golden = readonly [key: unknown, bytes: string, hash: number]

const SINGLE: readonly Golden[] = [
  [null, '01', 0x05644487],
  [false, '02', 0xdbec035d],
  [true, '03', 0x3543edc9],
]

const NUMBERS: readonly Golden[] = [
  [Number.NEGATIVE_INFINITY, '04000fffffffffffff', 0x2b33b116],
  [-Number.MAX_VALUE, '040010000000000000', 0x35e7caad],
  [Number.MIN_SAFE_INTEGER, '043cc0000000000000', 0x0962992c],
  [-(2 ** 31), '043e1fffffffffffff', 0x2bcd15ab],
  [-42, '043fbaffffffffffff', 0x773639c8],
  [-1.5, '044007ffffffffffff', 0xb197dd98],
  [-1, '04400fffffffffffff', 0xa3cb5042],
  [-Number.MIN_VALUE, '047ffffffffffffffe', 0x5a8c3260],
  [-0, '048000000000000000', 0xd184ffb8],
  [0, '048000000000000000', 0xd184ffb8],
  [Number.MIN_VALUE, '048000000000000001', 0x1488033b],
  [0.1, '04bfb999999999999a', 0x56e5431f],
  [1, '04bff0000000000000', 0xbc33b796],
  [1.5, '04bff8000000000000', 0x3f75f782],
  [2, '04c000000000000000', 0xc8d657fe],
  [42, '04c045000000000000', 0x2fa4bd14],
  [255, '04c06fe00000000000', 0x7b55386f],
  [256, '04c070000000000000', 0xf4d145f6],
  [65536, '04c0f0000000000000', 0x75f52363],
  [2 ** 32, '04c1f0000000000000', 0xa794a624],
  [1_700_000_000_000, '04c278bcfe56800000', 0xe7739df2],
  [Number.MAX_SAFE_INTEGER, '04c33fffffffffffff', 0x69a9cc1d],
  [Number.MAX_VALUE, '04ffefffffffffffff', 0xfedc3a63],
  [Number.POSITIVE_INFINITY, '04fff0000000000000', 0xb3a4ee5b],
  [Number.NaN, '04ffffffffffffffff', 0xce051ee0],
  [NAN_WITH_PAYLOAD, '04ffffffffffffffff', 0xce051ee0],
]

const BIGINTS: readonly Golden[] = [
  [-(2n ** 64n), '0500fffffff6feffffffffffffffff', 0x858b0a98],
  [-65536n, '0500fffffffcfeffff', 0x50272796],
  [-256n, '0500fffffffdfeff', 0x01c02b82],
  [-255n, '0500fffffffe00', 0x929cd580],
  [-1n, '0500fffffffefe', 0x4d6a73c3],
  [0n, '0501', 0x783a46b9],
  [1n, '05020000000101', 0xed482e41],
  [15n, '0502000000010f', 0x6471005d],
  [255n, '050200000001ff', 0xcb02603d],
  [256n, '0502000000020100', 0x3afbe844],
  [65536n, '050200000003010000', 0x922eb47f],
  [2n ** 63n - 1n, '0502000000087fffffffffffffff', 0x5be0ba20],
  [2n ** 64n, '050200000009010000000000000000', 0x25a1828f],
  [123456789012345678901234567890n, '05020000000d018ee90ff6c373e0ee4e3f0ad2', 0x44610a69],
]

const STRINGS: readonly Golden[] = [
  ['', '0600', 0x5ed2fb91],
  ['\0', '06010100', 0xe7361c08],
  ['\0\0', '060101010100', 0x78f0389d],
  ['\0a', '0601016100', 0xc278a4a6],
  ['\x01', '06010200', 0x36e42a53],
  ['\x02', '060200', 0x1ff69d48],
  [' ', '062000', 0x2f1a982a],
  ['0', '063000', 0xc83dbeb1],
  ['A', '064100', 0x8a788b91],
  ['Flink', '06466c696e6b00', 0x1b4661d7],
  ['a', '066100', 0x6c648bdc],
  ['a\0', '0661010100', 0x98701458],
  ['a\0b', '066101016200', 0x731da62c],
  ['a\x01b', '066101026200', 0x9d2870cd],
  ['aa', '06616100', 0x92f54710],
  ['flink', '06666c696e6b00', 0x23c0145b],
  ['größe', '066772c3b6c39f6500', 0xc571eb39],
  ['storm', '0673746f726d00', 0xdbe8786e],
  ['streaming', '0673747265616d696e6700', 0xd511f4c2],
  ['user-4711', '06757365722d3437313100', 0x68135a2b],
  ['\x7f', '067f00', 0x5dbf5513],
  ['\x80', '06c28000', 0x6dfc42a1],
  ['Ärger', '06c3847267657200', 0xf3180e5d],
  ['\u07ff', '06dfbf00', 0xcf5304bc],
  ['\u0800', '06e0a08000', 0x3cc62b27],
  ['語', '06e8aa9e00', 0x8516b147],
  ['\ud7ff', '06ed9fbf00', 0xc2b7840b],
  ['\ud800', '06eda08000', 0xc3c6830e],
  ['\ud83d', '06eda0bd00', 0xc63dde92],
  ['\udc00a', '06edb0806100', 0x41af42ce],
  ['\udfff', '06edbfbf00', 0xac7181e2],
  ['\ue000', '06ee808000', 0xfe1eb2fd],
  ['\uffff', '06efbfbf00', 0x616e70e4],
  ['\u{10000}', '06f090808000', 0x2945a46c],
  ['😀', '06f09f988000', 0x2390c5c3],
  ['\u{10ffff}', '06f48fbfbf00', 0x6e15d490],
]

const BYTES: readonly Golden[] = [
  [new Uint8Array(), '0700', 0x4edec759],
  [Uint8Array.of(0), '07010100', 0xada0c3b4],
  [Uint8Array.of(0, 0), '070101010100', 0x336a8be8],
  [Uint8Array.of(0, 255), '070101ff00', 0x6b036cdb],
  [Uint8Array.of(1), '07010200', 0xbdca000b],
  [Uint8Array.of(1, 2, 3), '070102020300', 0x862c84dd],
  [Uint8Array.of(2), '070200', 0xa2eec1e1],
  [Uint8Array.of(127, 128, 255), '077f80ff00', 0xf4cbf6e0],
]

const TUPLES: readonly Golden[] = [
  [[], '0800', 0x97665055],
  [[null], '080100', 0x4458bc43],
  [[1, 'a'], '0804bff000000000000006610000', 0x3bcfd346],
  [[1, 'a', true], '0804bff00000000000000661000300', 0xdb382a94],
  [['a'], '0806610000', 0x2973a3b4],
  [['a', ''], '08066100060000', 0x3922ba15],
  [['a', 1], '0806610004bff000000000000000', 0x6b656303],
  [['a\0'], '08066101010000', 0x9eb952f8],
  [['dublin', 1n, Uint8Array.of(0)], '08066475626c696e00050200000001010701010000', 0xcb257a6e],
  [[[]], '08080000', 0xd19de093],
  [[[], []], '080800080000', 0xe965783d],
  [[['a'], 'b'], '08080661000006620000', 0xce6b6d65],
  [[['a', 'b']], '08080661000662000000', 0x699dbe59],
  [[{}], '08090000', 0x90b80b8b],
]

const OBJECTS: readonly Golden[] = [
  [{}, '0900', 0xf8194981],
  [{ '': null }, '0906000100', 0xfa996c41],
  [{ a: 1 }, '0906610004bff000000000000000', 0x64c08b76],
  [{ a: 1, b: 2 }, '0906610004bff000000000000006620004c00000000000000000', 0x2c070460],
  [{ b: 2, a: 1 }, '0906610004bff000000000000006620004c00000000000000000', 0x2c070460],
  [{ a: 'b' }, '0906610006620000', 0xb9ce5c39],
  [
    { city: 'Köln', day: 3, tags: ['x', { deep: null }] },
    '09066369747900064bc3b66c6e00066461790004c008000000000000067461677300080678000906646565700001000000',
    0x0af2da53,
  ],
  [{ '\uffff': 1, '\u{10000}': 2 }, '0906efbfbf0004bff000000000000006f09080800004c00000000000000000', 0xebb8240a],
]

const ALL = [...SINGLE, ...NUMBERS, ...BIGINTS, ...STRINGS, ...BYTES, ...TUPLES, ...OBJECTS]

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function compareBytes(a: unknown, b: unknown): number {
  return Math.sign(Buffer.compare(encodeKey(a), encodeKey(b)))
}

/** Any key, composed of few values so that equal ones and prefixes of one another are frequent. */
const anyKey: fc.Arbitrary<unknown> = fc.letrec<{ key: unknown }>(tie => ({
  key: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(null, true, false, 0, -0, 1, -1, Number.NaN, 0n, 1n, -1n, 256n),
    fc.constantFrom('', '\0', '\x01', '\x02', 'a', 'a\0', 'a\x01', 'b', '\uffff', '😀', '\ud83d'),
    fc.uint8Array({ maxLength: 2, max: 3 }),
    fc.array(tie('key'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('', '\0', 'a', 'b', '\uffff', '😀'), tie('key'), { maxKeys: 3 }),
  ),
})).key

/** The value of a key as a text that is made another way than its bytes: equal keys, and only they, have equal texts. */
function identity(key: unknown): string {
  if (typeof key === 'number') return `number ${key}`
  if (typeof key === 'bigint') return `bigint ${key}`
  if (key instanceof Uint8Array) return `bytes ${JSON.stringify([...key])}`
  if (Array.isArray(key)) return JSON.stringify(['tuple', ...key.map(identity)])
  if (typeof key !== 'object' || key === null) return JSON.stringify(key)
  return JSON.stringify([
    'object',
    ...Object.entries(key)
      .map(([name, value]) => [name, identity(value)])
      .sort(byName),
  ])
}

function byName([a = '']: readonly string[], [b = '']: readonly string[]): number {
  return a < b ? -1 : 1
}

/** Strings by code point, as the specification of the order says it; a lone surrogate is its own code point. */
function compareCodePoints(a: string, b: string): number {
  const [pointsA, pointsB] = [a, b].map(text => Array.from(text, character => character.codePointAt(0) as number))
  return compareLists(pointsA as number[], pointsB as number[], (x, y) => x - y)
}

function compareLists<T>(a: readonly T[], b: readonly T[], compare: (x: T, y: T) => number): number {
  for (const [i, element] of a.entries()) {
    if (i === b.length) return 1
    const order = compare(element, b[i] as T)
    if (order !== 0) return Math.sign(order)
  }
  return a.length === b.length ? 0 : -1
}

describe('encodeKey', () => {
  for (const [type, goldens] of Object.entries({ SINGLE, NUMBERS, BIGINTS, STRINGS, BYTES, TUPLES, OBJECTS })) {
    it(`keeps the bytes of ${type.toLowerCase()} for ever`, () => {
      assert.deepEqual(
        goldens.map(([key]) => hex(encodeKey(key))),
        goldens.map(([, bytes]) => bytes),
      )
    })
  }

  it('takes an object without prototype, and a Buffer, for what they hold', () => {
    const bare = Object.assign(Object.create(null), { a: 1 })
    assert.deepEqual(encodeKey(bare), encodeKey({ a: 1 }))
    assert.deepEqual(encodeKey(Buffer.from([1, 2])), encodeKey(Uint8Array.of(1, 2)))
    assert.deepEqual(encodeKey(Uint8Array.of(9, 1, 2, 9).subarray(1, 3)), encodeKey(Uint8Array.of(1, 2)))
  })

  it('gives equal bytes for equal keys, and only for them', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        assert.equal(compareBytes(a, b) === 0, identity(a) === identity(b))
      }),
      { numRuns: 2000 },
    )
  })

  it('gives equal bytes whatever the order in which the fields were set', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anyKey), object => {
        const reversed = Object.fromEntries(Object.entries(object).reverse())
        assert.deepEqual(encodeKey(reversed), encodeKey(object))
      }),
    )
  })

  it('gives no bytes that begin those of another key, so that more may follow a key', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        const [shorter, longer] = [hex(encodeKey(a)), hex(encodeKey(b))].toSorted((x, y) => x.length - y.length)
        assert.ok(shorter === longer || !longer?.startsWith(shorter as string))
      }),
      { numRuns: 2000 },
    )
  })

  it('gives every golden key bytes of its own, but for the equal ones', () => {
    const byBytes = new Map<string, unknown[]>()
    for (const [key, bytes] of ALL) byBytes.set(bytes, [...(byBytes.get(bytes) ?? []), key])
    assert.deepEqual(
      [...byBytes.values()].filter(keys => keys.length > 1),
      [
        [-0, 0],
        [Number.NaN, NAN_WITH_PAYLOAD],
        [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
      ],
    )
  })

  it('orders keys by their type first', () => {
    const types = [null, false, true, Number.NaN, 10n ** 30n, '\u{10ffff}', Uint8Array.of(255), [{ z: 1 }], {}]
    for (const [i, lower] of types.entries()) {
      for (const higher of types.slice(i + 1)) assert.equal(compareBytes(lower, higher), -1)
    }
  })

  it('orders the goldens of each ordered type as they are written', () => {
    for (const goldens of [NUMBERS, BIGINTS, STRINGS, BYTES]) {
      for (const [i, [key]] of goldens.slice(1).entries()) {
        assert.ok(compareBytes(goldens[i]?.[0], key) <= 0, `golden ${i + 1}: ${String(key)}`)
      }
    }
  })

  it('orders numbers by size, NaN last', () => {
    fc.assert(
      fc.property(fc.double(), fc.double(), (a, b) => {
        const expected = Object.is(a + 0, b + 0) ? 0 : Number.isNaN(a) || a > b ? 1 : -1
        assert.equal(compareBytes(a, b), expected)
      }),
      { numRuns: 1000 },
    )
  })

  it('orders bigints by size', () => {
    const bigint = fc.oneof(fc.bigInt(), fc.bigInt({ min: -300n, max: 300n }))
    fc.assert(
      fc.property(bigint, bigint, (a, b) => {
        assert.equal(compareBytes(a, b), a === b ? 0 : a < b ? -1 : 1)
      }),
      { numRuns: 1000 },
    )
  })

  it('orders strings by code point', () => {
    const unit = fc.constantFrom(
      '\0',
      '\x01',
      '\x02',
      'a',
      '\x7f',
      '\x80',
      'ü',
      '\ud83d',
      '\udfff',
      '\ue000',
      '\uffff',
      '😀',
    )
    const text = fc.string({ unit, maxLength: 5 })
    fc.assert(
      fc.property(text, text, (a, b) => {
        assert.equal(compareBytes(a, b), compareCodePoints(a, b))
      }),
      { numRuns: 2000 },
    )
  })

  it('orders bytes by their values, a sequence after its beginning', () => {
    const bytes = fc.uint8Array({ maxLength: 4 })
    fc.assert(
      fc.property(fc.oneof(bytes, fc.uint8Array({ maxLength: 4, max: 2 })), bytes, (a, b) => {
        assert.equal(compareBytes(a, b), Math.sign(Buffer.compare(a, b)))
      }),
    )
  })

  it('orders tuples by their first elements that differ, a tuple after its beginning', () => {
    const tuple = fc.array(anyKey, { maxLength: 3 })
    fc.assert(
      fc.property(tuple, tuple, (a, b) => {
        assert.equal(compareBytes(a, b), compareLists(a, b, compareBytes))
      }),
    )
  })

  it('orders objects by their fields in order of name', () => {
    const object = fc.dictionary(fc.constantFrom('a', 'b', '\uffff', '😀'), fc.integer({ min: 0, max: 2 }))
    const fields = (key: object): unknown[] =>
      Object.entries(key)
        .sort(([a], [b]) => compareCodePoints(a, b))
        .flat()
    fc.assert(
      fc.property(object, object, (a, b) => {
        assert.equal(compareBytes(a, b), compareLists(fields(a), fields(b), compareBytes))
      }),
      { numRuns: 500 },
    )
  })

  it('gives bytes that a later call does not change', () => {
    const first = encodeKey('first')
    encodeKey('second')
    assert.deepEqual(first, encodeKey('first'))
  })

  it('takes a key of 32 levels', () => {
    let key: unknown = 'core'
    for (let level = 0; level < 32; level++) key = level % 2 === 0 ? [key] : { key }
    assert.equal(encodeKey(key)[0], 0x09)
    assert.throws(() => encodeKey([key]), { code: 'KEY_INVALID' })
  })
})

describe('encodeKeyText', () => {
  it('holds the bytes as characters', () => {
    fc.assert(
      fc.property(anyKey, key => {
        assert.deepEqual(Buffer.from(encodeKeyText(key), 'latin1'), Buffer.from(encodeKey(key)))
      }),
    )
  })
})

describe('hashKey', () => {
  it('keeps the hashes of the golden keys for ever', () => {
    assert.deepEqual(
      ALL.map(([key]) => hashKey(key)),
      ALL.map(([, , hash]) => hash),
    )
  })

  it('is the hash of the bytes, also where it takes a shorter way', () => {
    const unit = fc.constantFrom('\0', '\x01', '\x02', 'a', '\x7f', '\x80', 'ü', '\ud83d', '😀')
    fc.assert(
      fc.property(fc.oneof(anyKey, fc.double(), fc.integer(), fc.string(), fc.string({ unit })), key => {
        assert.equal(hashKey(key), hashBytes(encodeKey(key)))
      }),
      { numRuns: 1000 },
    )
  })

  it('spreads keys evenly over 128 key groups', () => {
    const families: Readonly<Record<string, (i: number) => unknown>> = {
      integers: i => i,
      multiples: i => i * 1024,
      fractions: i => i / 8,
      bigints: BigInt,
      texts: i => `user-${i}`,
      tuples: i => [i % 100, `x${Math.floor(i / 100)}`],
      objects: i => ({ shop: i % 100, item: Math.floor(i / 100) }),
    }
    for (const [family, keyOf] of Object.entries(families)) {
      const counts = new Array<number>(128).fill(0)
      for (let i = 0; i < 12_800; i++) counts[hashKey(keyOf(i)) % 128]++
      const chiSquare = counts.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0)
      // 127 degrees of freedom: chance exceeds 190 once in 3,000 times, and these keys are always the same.
      assert.ok(chiSquare < 190, `${family}: ${chiSquare}`)
    }
  })
})

describe('what cannot be a key', () => {
  class Account {}
  const ring: unknown[] = []
  ring.push(ring)
  const HINT = 'use null, a string, number, boolean, bigint, Uint8Array, or a tuple or plain object of them'
  const PLAIN = 'use a plain value of it, such as its id or getTime()'
  const DEEP = 'a key is nested deeper than 32 levels (or contains itself); use a flatter key'
  const refused: readonly (readonly [what: string, key: unknown, message: string])[] = [
    ['undefined', undefined, `undefined cannot be a key; ${HINT}`],
    ['a function', function select() {}, `function select cannot be a key; ${HINT}`],
    ['a symbol', Symbol('s'), `Symbol(s) cannot be a key; ${HINT}`],
    ['undefined in a tuple', ['a', undefined], `undefined cannot be a key; ${HINT}`],
    ['a hole in a tuple', new Array(1), `undefined cannot be a key; ${HINT}`],
    ['undefined in an object', { a: undefined }, `undefined cannot be a key; ${HINT}`],
    ['an instance of a class', new Account(), `an instance of Account cannot be a key; ${PLAIN}`],
    ['an instance of a class without a name', new (class {})(), `an instance of a class cannot be a key; ${PLAIN}`],
    ['an object made from another', Object.create({}), `an instance of Object cannot be a key; ${PLAIN}`],
    ['a Date', new Date(0), `an instance of Date cannot be a key; ${PLAIN}`],
    ['a Map', new Map(), `an instance of Map cannot be a key; ${PLAIN}`],
    ['other typed arrays', new Uint16Array(1), `an instance of Uint16Array cannot be a key; ${PLAIN}`],
    [
      'a promise',
      Promise.resolve(1),
      'an instance of Promise cannot be a key; let the key selector return the value itself, not a promise',
    ],
    ['what contains itself', ring, DEEP],
  ]
  for (const [what, key, message] of refused) {
    it(`is ${what}`, () => {
      for (const use of [encodeKey, encodeKeyText, hashKey]) {
        assert.throws(() => use(key), { name: 'StreamError', code: 'KEY_INVALID', message: `KEY_INVALID: ${message}` })
      }
    })
  }

  it('leaves nothing behind for the next key', () => {
    assert.throws(() => encodeKey(['half', undefined]), { code: 'KEY_INVALID' })
    assert.equal(hex(encodeKey('a')), '066100')
  })
})
