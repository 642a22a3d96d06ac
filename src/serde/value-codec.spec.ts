import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ByteReader, BytesCorruptError } from '../base/byte-reader.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import { readValue, writeValue } from './value-codec.ts'

function bytesOf(value: unknown): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter()
  writeValue(out, value)
  return out.copy()
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Nested so many times in an array. */
function nested(levels: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = [value]
  return value
}

const bare = Object.assign(Object.create(null) as object, { a: 1 })
const long = 'x'.repeat(32)

// The format of snapshots: a line may be added, never changed.
const GOLDEN: readonly (readonly [value: unknown, bytes: string])[] = [
  [undefined, '01'],
  [null, '02'],
  [false, '03'],
  [true, '04'],
  [-16, '80'],
  [0, '90'],
  [111, 'ff'],
  [112, '0570'],
  [300, '05ac02'],
  [2 ** 53 - 1, '05ffffffffffffff0f'],
  [-17, '0610'],
  [-(2 ** 53) + 1, '06feffffffffffff0f'],
  [2 ** 53, '070000000000004043'],
  [-0, '070000000000000080'],
  [1.5, '07000000000000f83f'],
  [Number.NaN, '07000000000000f87f'],
  [Number.POSITIVE_INFINITY, '07000000000000f07f'],
  [Number.NEGATIVE_INFINITY, '07000000000000f0ff'],
  [0n, '080100'],
  [258n, '08020201'],
  [-1n, '090100'],
  [-257n, '09020001'],
  ['', '20'],
  ['aé', '2261e9'],
  [long, `0a20${'78'.repeat(32)}`],
  ['a€', '0b026100ac20'],
  ['\ud83d', '0b013dd8'],
  [new Date(1), '0c000000000000f03f'],
  [new Date(Number.NaN), '0c000000000000f87f'],
  [new Uint8Array([1, 2]), '0d020102'],
  [new Int8Array([-1]), '0e0001ff'],
  [new Uint8ClampedArray([255]), '0e0101ff'],
  [new Int16Array([-2]), '0e0201feff'],
  [new Uint16Array([258]), '0e03010201'],
  [new Int32Array([-2]), '0e0401feffffff'],
  [new Uint32Array([258]), '0e050102010000'],
  [new Float32Array([1]), '0e06010000803f'],
  [new Float64Array([1]), '0e0701000000000000f03f'],
  [new BigInt64Array([-2n]), '0e0801feffffffffffffff'],
  [new BigUint64Array([258n]), '0e09010201000000000000'],
  [new Uint8Array([7]).buffer, '0f0107'],
  [[], '40'],
  [[1, 'a'], '42912161'],
  [new Array(16).fill(0), `1010${'90'.repeat(16)}`],
  [{}, '50'],
  [{ b: 1, a: null }, '522162912161 02'.replace(' ', '')],
  [
    Object.fromEntries(Array.from({ length: 16 }, (_, i) => [String.fromCharCode(97 + i), 0])),
    `1110${Array.from({ length: 16 }, (_, i) => `21${(97 + i).toString(16)}90`).join('')}`,
  ],
  [bare, '1201216191'],
  [new Map([[1, 'a']]), '1301912161'],
  [new Set([true]), '140104'],
]

/** All kinds, nested, with the fields, lengths and texts that have a form of their own. */
function values(): fc.Arbitrary<unknown> {
  const text = fc.oneof(
    fc.string({ maxLength: 40, size: 'max' }),
    fc.string({ unit: fc.constantFrom('a', 'é', '€', '\ud83d', '\udc00', '😀'), maxLength: 6 }),
    fc.constant('__proto__'),
  )
  const leaf = fc.oneof(
    fc.constantFrom<unknown>(undefined, null, true, false, -0, 2 ** 53, -(2 ** 53)),
    fc.integer({ min: -300, max: 300 }),
    fc.maxSafeInteger(),
    fc.double(),
    fc.bigInt(),
    text,
    fc.date({ noInvalidDate: false }),
    fc.uint8Array(),
    fc.int16Array(),
    fc.float64Array(),
    fc.bigUint64Array(),
    fc.uint8Array().map(bytes => bytes.slice().buffer),
  )
  return fc.letrec<{ value: unknown }>(tie => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { maxLength: 20 }),
      fc.array(fc.tuple(text, tie('value')), { maxLength: 20 }).map(Object.fromEntries),
      fc.array(fc.tuple(text, tie('value')), { maxLength: 3 }).map(bareObject),
      fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 5 }).map(entries => new Map(entries)),
      fc.array(tie('value'), { maxLength: 5 }).map(elements => new Set(elements)),
    ),
  })).value
}

function bareObject(fields: readonly (readonly [string, unknown])[]): object {
  const object = Object.create(null) as Record<string, unknown>
  for (const [name, value] of fields) object[name] = value
  return object
}

/** The value, or undefined for bytes that were found to be damaged; any other error is thrown. */
function readOrRefuse(bytes: Uint8Array): unknown {
  try {
    return readValue(new ByteReader(bytes))
  } catch (error) {
    if (error instanceof BytesCorruptError) return undefined
    throw error
  }
}

describe('the tagged codec of values', () => {
  test('keeps its bytes for ever', () => {
    for (const [value, expected] of GOLDEN) assert.equal(hex(bytesOf(value)), expected)
  })

  test('reads its bytes for ever', () => {
    for (const [value, bytes] of GOLDEN) {
      const input = new ByteReader(Buffer.from(bytes, 'hex'))
      assert.deepStrictEqual(readValue(input), value)
      assert.ok(input.isAtEnd)
    }
  })

  test('gives back any value, its order and its kind', () => {
    fc.assert(
      fc.property(values(), value => {
        const bytes = bytesOf(value)
        const input = new ByteReader(bytes)
        const read = readValue(input)
        assert.deepStrictEqual(read, value)
        assert.ok(input.isAtEnd)
        // Equal bytes show the order of fields and entries too, of which deepStrictEqual knows nothing.
        assert.equal(hex(bytesOf(read)), hex(bytes))
      }),
      { numRuns: 1000 },
    )
  })

  test('gives back what fast-check calls anything', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      withSparseArray: false,
      stringUnit: 'binary',
    })
    fc.assert(
      fc.property(anything, value => {
        assert.deepStrictEqual(readValue(new ByteReader(bytesOf(value))), value)
      }),
      { numRuns: 1000 },
    )
  })

  test('reads values one after the other', () => {
    const out = new ByteWriter()
    for (const value of ['key', 7, { a: [1] }]) writeValue(out, value)
    const input = new ByteReader(out.view())
    assert.deepStrictEqual([readValue(input), readValue(input), readValue(input)], ['key', 7, { a: [1] }])
    assert.ok(input.isAtEnd)
  })

  test('takes texts of every length around its limits', () => {
    for (const length of [0, 31, 32, 63, 64, 65, 127, 128, 4095, 4096, 4097, 20_000]) {
      for (const text of ['é'.repeat(length), `${'a'.repeat(length)}€`]) {
        assert.equal(readValue(new ByteReader(bytesOf(text))), text)
      }
    }
  })

  test('makes undefined of the holes of an array', () => {
    // biome-ignore lint/suspicious/noSparseArray: it is what is tested
    assert.deepStrictEqual(readValue(new ByteReader(bytesOf([1, , 3]))), [1, undefined, 3])
  })

  test('a field named __proto__ stays a field', () => {
    const value: unknown = JSON.parse('{"__proto__":{"isAdmin":true},"a":1}')
    const read = readValue(new ByteReader(bytesOf(value))) as Readonly<Record<string, unknown>>
    assert.deepStrictEqual(Object.keys(read), ['__proto__', 'a'])
    assert.equal(read.isAdmin, undefined)
    assert.equal(Object.getPrototypeOf(read), Object.prototype)
  })

  test('writes an object reached twice twice, and reads two', () => {
    const shared = { a: 1 }
    const [first, second] = readValue(new ByteReader(bytesOf([shared, shared]))) as readonly unknown[]
    assert.deepStrictEqual([first, second], [shared, shared])
    assert.notEqual(first, second)
  })

  test('writes the part of a buffer that a typed array shows', () => {
    const all = new Uint16Array([1, 2, 3, 4])
    assert.deepStrictEqual(readValue(new ByteReader(bytesOf(all.subarray(1, 3)))), new Uint16Array([2, 3]))
  })

  test('what it reads shares no memory with the input, even where that is a Buffer', () => {
    const bytes = Buffer.from(bytesOf([new Uint8Array([1, 2, 3]), new Uint16Array([4])]))
    const [small, wide] = readValue(new ByteReader(bytes)) as readonly [Uint8Array, Uint16Array]
    bytes.fill(9)
    assert.deepStrictEqual([...small, ...wide], [1, 2, 3, 4])
    assert.equal(Object.getPrototypeOf(small), Uint8Array.prototype)
    assert.equal(small.buffer.byteLength, 3)
  })

  test('a small row takes few bytes', () => {
    assert.equal(bytesOf({ count: 12, sum: 40_000 }).length, 1 + 6 + 1 + 4 + 4)
  })
})

describe('what the tagged codec refuses', () => {
  class Moment {
    readonly at = 1
  }
  class Money extends Map<string, number> {}
  const ring: Record<string, unknown> = { a: { b: [] } }
  ;(ring.a as { b: unknown[] }).b.push(ring)
  const MEND = 'store plain data, or declare the state with a codec'
  const refused: readonly (readonly [what: string, value: unknown, message: string])[] = [
    [
      'an instance of a class',
      { items: [0, 1, 2, { when: new Moment() }] },
      `.items[3].when is an instance of Moment; ${MEND}`,
    ],
    ['an instance of a class on its own', new Moment(), `the value is an instance of Moment; ${MEND}`],
    ['what extends a Map', [new Money()], `[0] is an instance of Money; ${MEND}`],
    ['a function', { each: function add() {} }, `.each is function add; ${MEND}`],
    ['a symbol', new Map([['odd', Symbol('s')]]), `.get("odd") is Symbol(s); ${MEND}`],
    ['an error', [new TypeError('x')], `[0] is an instance of TypeError; ${MEND}`],
    ['a regular expression', new Set([1, /x/]), `.values()[1] is an instance of RegExp; ${MEND}`],
    [
      'a key of a map',
      new Map<unknown, number>([
        [1, 2],
        [() => 1, 2],
      ]),
      `.keys()[1] is function (anonymous); ${MEND}`,
    ],
    ['a field with an odd name', { 'a b': new WeakMap() }, `["a b"] is an instance of WeakMap; ${MEND}`],
    ['a promise', { later: Promise.resolve(1) }, '.later is a promise; await it first, and store what it gives'],
    [
      'a Buffer',
      [Buffer.from('x')],
      '[0] is an instance of Buffer; store new Uint8Array(bytes), or declare the state with a codec',
    ],
    ['a cycle', ring, `.a.b[0] leads back to a value around it; ${MEND}`],
    ['201 levels', nested(201), `${'[0]'.repeat(40)}... is nested deeper than 200 levels; ${MEND}`],
  ]
  for (const [what, value, message] of refused) {
    test(`is ${what}`, () => {
      assert.throws(() => bytesOf(value), {
        name: 'StreamError',
        code: 'STATE_NOT_SERIALIZABLE',
        message: `STATE_NOT_SERIALIZABLE: ${message}`,
      })
    })
  }

  test('is not 200 levels', () => {
    assert.deepStrictEqual(readValue(new ByteReader(bytesOf(nested(200)))), nested(200))
  })

  test('leaves nothing behind in what was written before', () => {
    const out = new ByteWriter()
    writeValue(out, 'before')
    assert.throws(() => writeValue(out, ['half', () => 1]), { code: 'STATE_NOT_SERIALIZABLE' })
    writeValue(out, 'after')
    assert.equal(hex(out.view()), `26${Buffer.from('before').toString('hex')}25${Buffer.from('after').toString('hex')}`)
  })

  test('does not hide what a getter throws', () => {
    const mistake = new RangeError('mine')
    const value = Object.defineProperty({}, 'a', {
      enumerable: true,
      get: () => {
        throw mistake
      },
    })
    assert.throws(
      () => bytesOf(value),
      (error: unknown) => error === mistake,
    )
  })
})

describe('damaged bytes of a value', () => {
  const damaged: readonly (readonly [what: string, bytes: string])[] = [
    ['no bytes', ''],
    ['no tag: zeros', '00'],
    ['an unknown tag', '15'],
    ['an unknown tag behind the objects', '60'],
    ['a length beyond the input', '0aff7f61'],
    ['a short text cut off', '236161'],
    ['a UTF-16 text with half a unit', '0b0261'],
    ['bytes of a petabyte', '0dffffffffffff0f00'],
    ['a typed array of a petabyte', '0e07ffffffffffff0f00'],
    ['a typed array of no type', '0e0a00'],
    ['an array of a petabyte', '10ffffffffffff0f90'],
    ['an object of more fields than bytes', '11ffff7f216190'],
    ['a map of more entries than bytes', '1302 9090 90'],
    ['a set of more elements than bytes', '1404 909090'],
    ['a field whose name is a number', '519090'],
    ['a field whose name is an array', '514090'],
    ['a varint that never ends', `05${'ff'.repeat(20)}`],
    ['201 levels', `${'41'.repeat(201)}90`],
    ['a million levels', '41'.repeat(1_000_000)],
  ]
  for (const [what, bytes] of damaged) {
    test(`are found: ${what}`, () => {
      const input = new ByteReader(Buffer.from(bytes.replaceAll(' ', ''), 'hex'))
      assert.throws(() => readValue(input), BytesCorruptError)
    })
  }

  test('are found when a value is cut short at any byte', () => {
    fc.assert(
      fc.property(values(), value => {
        const bytes = bytesOf(value)
        const step = Math.ceil(bytes.length / 200)
        for (let length = 0; length < bytes.length; length += step) {
          assert.throws(() => readValue(new ByteReader(bytes, 0, length)), BytesCorruptError)
        }
      }),
    )
  })

  test('are found or are another value when a byte is flipped', () => {
    fc.assert(
      fc.property(values(), fc.nat(), fc.integer({ min: 1, max: 255 }), (value, position, flip) => {
        const bytes = bytesOf(value)
        bytes[position % bytes.length] = (bytes[position % bytes.length] as number) ^ flip
        readOrRefuse(bytes)
      }),
      { numRuns: 2000 },
    )
  })

  test('are found or are a value when they are random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60, size: 'max' }), bytes => {
        const value = readOrRefuse(bytes)
        // What is read can be written: nothing else comes out of bytes.
        bytesOf(value)
      }),
      { numRuns: 5000 },
    )
  })
})
