import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { StreamError } from '../../base/errors.ts'
import type { RecordColumns } from './record-columns.ts'
import { RecordDecoder } from './record-decoder.ts'
import { RecordEncoder } from './record-encoder.ts'
import type { TextDecoding } from './text-areas.ts'

const NATIVE: TextDecoding = {
  latin1: (bytes, from, to) => Buffer.from(bytes.subarray(from, to)).toString('latin1'),
  utf16: (bytes, from, to) => Buffer.from(bytes.subarray(from, to)).toString('utf16le'),
}
const GENERATING = { generateAfterRows: 0 }
const NEVER_GENERATING = { generateAfterRows: Infinity }
const WORDS = ['to', 'be', 'or', 'not', 'question', 'slings', 'arrows']

function columnsOf(values: unknown[], more: Partial<RecordColumns> = {}): RecordColumns {
  return { values, timestamps: undefined, keys: undefined, retractions: undefined, ...more }
}

/** The encoders and decoders of an edge in all variants, which keep what they learn from frame to frame. */
class Edge {
  private readonly encoders = [GENERATING, NEVER_GENERATING, {}].map(options => new RecordEncoder('a -> b', options))
  private readonly decoders = [GENERATING, NEVER_GENERATING, { texts: NATIVE }].map(
    options => new RecordDecoder(options),
  )

  /** What comes out, the same for all variants; also for a decoder that saw no frame before. */
  through(batch: RecordColumns): RecordColumns {
    const frames = this.encoders.map(encoder => encoder.encode(batch).slice())
    const [frame] = frames as [Uint8Array<ArrayBuffer>]
    for (const other of frames) assert.deepEqual(other, frame)
    const [first, ...others] = [...this.decoders, new RecordDecoder()].map(decoder =>
      decoder.decode(inSharedMemory(frame)),
    )
    for (const other of others) assert.deepStrictEqual(other, first)
    return first as RecordColumns
  }

  assertSame(batch: RecordColumns): void {
    const read = this.through(batch)
    assert.deepStrictEqual(read, batch)
    // deepStrictEqual knows nothing of the order of fields.
    assert.deepStrictEqual(fieldOrders(read.values), fieldOrders(batch.values))
  }
}

/** At an odd position, and written over by whoever looks again. */
function inSharedMemory(frame: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(frame.length + 7), 3, frame.length)
  shared.set(frame)
  return shared
}

function fieldOrders(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return 0
  if (Array.isArray(value)) return value.map(fieldOrders)
  return Object.entries(value).map(([name, inner]) => [name, fieldOrders(inner)])
}

const rows = (count: number, row: (index: number) => unknown): unknown[] =>
  Array.from({ length: count }, (_, i) => row(i))

function errorOf(values: unknown[], keys?: unknown[]): StreamError {
  try {
    new RecordEncoder('edge "parse" -> "count"').encode(columnsOf(values, { keys }))
  } catch (error) {
    assert.ok(error instanceof StreamError)
    return error
  }
  throw new Error('nothing was thrown')
}

describe('records through a frame', () => {
  test('of one shape come out as they were, with times, keys and signs', () => {
    const edge = new Edge()
    for (const count of [0, 1, 2, 256, 1000]) {
      edge.assertSame({
        values: rows(count, i => ({ word: WORDS[i % 7], n: i, at: new Date(i), isNew: i % 2 === 0 })),
        timestamps: Array.from({ length: count }, (_, i) => (i === 3 ? -Infinity : 1.7e12 + i)),
        keys: rows(count, i => WORDS[i % 7]),
        retractions: Array.from({ length: count }, (_, i) => i % 3 === 0),
      })
    }
  })

  test('of plain values and tuples come out as they were', () => {
    const edge = new Edge()
    edge.assertSame(columnsOf([1, -2, 2 ** 31 - 1, -(2 ** 31), 0]))
    edge.assertSame(columnsOf([1, 2 ** 31, 0.5]))
    edge.assertSame(columnsOf([0, -0, Number.NaN, Infinity, -Infinity]))
    edge.assertSame(columnsOf(WORDS))
    edge.assertSame(columnsOf(rows(600, i => [WORDS[i % 7], i])))
    edge.assertSame(columnsOf([1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 2n ** 200n]))
    edge.assertSame(columnsOf([[], [], []]))
    edge.assertSame(columnsOf([{}, {}]))
    edge.assertSame(columnsOf([undefined, undefined, null, null]))
  })

  test('that deviate from the others come out in their places', () => {
    const edge = new Edge()
    for (let every = 1; every < 9; every++) {
      edge.assertSame(
        columnsOf(
          rows(100, i => (i % every === 0 ? { a: i, c: 'other' } : { a: i, b: i % 5 === 0 ? null : `text ${i}` })),
        ),
      )
    }
    edge.assertSame(columnsOf([{ a: 1, b: 2 }, { b: 2, a: 1 }, { a: 1 }, { a: 1, b: 2, c: 3 }, { a: undefined, b: 2 }]))
    edge.assertSame(columnsOf([{ a: 1 }, {}, { a: undefined }, { a: 1 }, { a: 1 }]))
  })

  test('keep nested objects apart from those that are missing', () => {
    const edge = new Edge()
    const person = (i: number) => ({ name: `p${i}`, address: { city: 'Oslo', lines: ['a', i] } })
    edge.assertSame(
      columnsOf(rows(300, i => ({ kind: i % 3, person: i % 3 === 0 ? person(i) : null, tags: new Set([i]) }))),
    )
  })

  test('keep strings of every length and alphabet', () => {
    const edge = new Edge()
    const lengths = [0, 1, 2, 12, 13, 14, 254, 255, 256, 5000]
    for (const letter of ['a', 'é', '€', '\ud83d', '😀']) {
      edge.assertSame(columnsOf(lengths.map(length => letter.repeat(length))))
      edge.assertSame(columnsOf(rows(50, i => ({ s: i === 40 ? letter.repeat(5) : `w${i}`, t: letter.repeat(i) }))))
    }
  })

  test('keep names that a literal or a program could misread', () => {
    const edge = new Edge()
    const names = [
      '"',
      '\\',
      '\n',
      '\u2028',
      '$' + '{x}',
      '`',
      "'",
      '7',
      '-1',
      'constructor',
      'toString',
      'c0',
      '\ud800',
      '',
    ]
    edge.assertSame(columnsOf(rows(20, i => Object.fromEntries(names.map(name => [name, i])))))
    const proto = () => JSON.parse('{"a":1,"__proto__":{"b":2}}') as unknown
    edge.assertSame(columnsOf([proto(), { a: 1 }, proto()]))
    assert.equal(({} as { b?: number }).b, undefined)
  })

  test('lose what the tagged codec loses: names that are symbols, and the holes of arrays', () => {
    const { values } = new Edge().through(columnsOf([{ a: 1, [Symbol('s')]: 2 }, { a: 2 }]))
    assert.deepStrictEqual(values, [{ a: 1 }, { a: 2 }])
    // biome-ignore lint/suspicious/noSparseArray: it is what is tested
    const holes = new Edge().through(columnsOf([[1, , 3]]))
    assert.deepStrictEqual(holes.values, [[1, undefined, 3]])
  })

  test('share no memory with the frame', () => {
    const frame = new RecordEncoder('e').encode(columnsOf(rows(3, i => ({ bytes: new Uint8Array([i, 9]) }))))
    const { values } = new RecordDecoder().decode(frame)
    frame.fill(0)
    assert.deepStrictEqual(
      values,
      rows(3, i => ({ bytes: new Uint8Array([i, 9]) })),
    )
  })

  test('used as dictionaries, with ever new fields, stay bounded and right', () => {
    const edge = new Edge()
    for (let frame = 0; frame < 600; frame++) edge.assertSame(columnsOf(rows(3, i => ({ [`k${frame}-${i}`]: i }))))
  })

  test('go on after a frame that could not be written', () => {
    const encoder = new RecordEncoder('e')
    const decoder = new RecordDecoder()
    for (let i = 0; i < 3; i++) {
      assert.throws(() => encoder.encode(columnsOf([{ a: 'x' }, { a: 'y' }, { a: () => 1 }])))
      const good = columnsOf([{ a: 'x' }, { a: 'y' }])
      assert.deepStrictEqual(decoder.decode(encoder.encode(good)), good)
    }
  })

  test('beyond Latin-1 in one frame make the next ones no larger', () => {
    const encoder = new RecordEncoder('e')
    const usual = columnsOf(['word', 'a longer text than thirteen units'])
    const { length } = encoder.encode(usual)
    encoder.encode(columnsOf(['w€rd', 'a longer text than thirteen €']))
    assert.equal(encoder.encode(usual).length, length)
  })

  test('come out of a frame far larger than usual, and the next is small again', () => {
    const edge = new Edge()
    edge.assertSame(columnsOf([{ blob: new Uint8Array(3_000_000).fill(7), text: 'é'.repeat(3_000_000) }]))
    edge.assertSame(columnsOf([{ blob: new Uint8Array(3), text: 'x' }]))
  })
})

describe('any records', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.string({ unit: fc.constantFrom('a', 'é', '€', '\ud83d', '\udc00', '😀'), maxLength: 20 }),
  )
  const leaf = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.boolean(),
    text,
    fc.constantFrom<unknown>(undefined, null, -0, Number.NaN),
    fc.bigInt(),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array({ maxLength: 5 }),
  )
  const name = fc.oneof(fc.constantFrom('a', 'b', 'c', '__proto__', '0', 'a b'), text)
  const deviation = fc.oneof(
    leaf,
    fc.array(leaf, { maxLength: 3 }),
    fc.dictionary(name, leaf, { maxKeys: 3 }),
    fc.array(fc.tuple(leaf, leaf), { maxLength: 2 }).map(entries => new Map(entries)),
    fc.array(leaf, { maxLength: 2 }).map(elements => new Set(elements)),
  )
  const column = (): fc.Arbitrary<fc.Arbitrary<unknown>> =>
    fc.constantFrom<fc.Arbitrary<unknown>[]>(
      fc.integer(),
      fc.integer({ min: -3, max: 3 }),
      fc.double(),
      fc.boolean(),
      text,
      fc.bigInt(),
      fc.date(),
      fc.uint8Array({ maxLength: 5 }),
      fc.constant(null),
      fc.option(text),
      fc.tuple(fc.integer(), text),
      fc.record({ x: fc.integer(), y: fc.option(fc.double()) }),
      leaf,
      deviation,
    )
  /** Frames of one edge: each has a random shape, most records follow it, and some deviate in a field or as a whole. */
  const frame = fc.array(fc.tuple(name, column()), { maxLength: 5 }).chain(fields => {
    const shaped = fc.tuple(...fields.map(([, values]) => values)).map(values => {
      const record: Record<string, unknown> = {}
      values.forEach((value, i) => {
        Object.defineProperty(record, (fields[i] as [string, unknown])[0], {
          value,
          writable: true,
          enumerable: true,
          configurable: true,
        })
      })
      return record as unknown
    })
    return fc.array(fc.oneof({ weight: 9, arbitrary: shaped }, { weight: 1, arbitrary: deviation }), { maxLength: 30 })
  })

  test('come out structurally equal, frame after frame of random shapes, by generated code and by closures', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(frame, fc.boolean()), { minLength: 1, maxLength: 4 }), frames => {
        const edge = new Edge()
        for (const [values, hasKeys] of frames) {
          edge.assertSame(columnsOf(values))
          if (hasKeys) edge.assertSame(columnsOf(values, { keys: [...values].reverse() }))
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('of what fast-check calls anything come out structurally equal', () => {
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
    const edge = new Edge()
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 8 }), values => edge.assertSame(columnsOf(values))),
      { numRuns: 3000 },
    )
  })
})

describe('what cannot go to another thread', () => {
  class Money {
    amount = 1
  }

  test('is named with its place, its class and the mend', () => {
    const error = errorOf([{ a: 1 }, { a: 1, order: { lines: [1, new Money()] } }])
    assert.equal(error.code, 'RECORD_NOT_SERIALIZABLE')
    assert.match(
      error.message,
      /^RECORD_NOT_SERIALIZABLE: edge "parse" -> "count": \.order\.lines\[1\] of the record is an instance of Money, which cannot go to another thread; send plain data .*one thread/,
    )
    assert.equal((error.cause as StreamError).code, 'STATE_NOT_SERIALIZABLE')
  })

  test('is found wherever it stands', () => {
    const loop: { self?: unknown } = {}
    loop.self = loop
    const cases: readonly (readonly [value: unknown, text: RegExp])[] = [
      [new Money(), /: the record is an instance of Money,/],
      [() => 1, /: the record is function/],
      [Symbol('s'), /: the record is Symbol\(s\),/],
      [{ later: Promise.resolve() }, /\.later of the record is a promise/],
      [{ 'a b': new WeakMap() }, /\["a b"\] of the record is an instance of WeakMap/],
      [new Map([['k', new Money()]]), /\.get\("k"\) of the record is an instance of Money/],
      [new Set([new Money()]), /\.values\(\)\[0\] of the record is/],
      [{ list: [1, class extends Date {}] }, /\.list\[1\] of the record is/],
      [{ buffer: Buffer.from('x') }, /\.buffer of the record is an instance of Buffer/],
      [loop, /\.self of the record leads back to a value around it/],
    ]
    for (const [value, text] of cases) {
      assert.match(errorOf([value]).message, text)
      assert.match(errorOf([{ a: 1 }, { a: 2 }, value]).message, text)
    }
    assert.match(errorOf([1], [new Money()]).message, /: the key is an instance of Money/)
  })
})

test('where code may not be generated from strings, closures do the same', () => {
  const program = `
    import assert from 'node:assert/strict'
    const { RecordEncoder } = await import(${JSON.stringify(new URL('./record-encoder.ts', import.meta.url).href)})
    const { RecordDecoder } = await import(${JSON.stringify(new URL('./record-decoder.ts', import.meta.url).href)})
    assert.throws(() => new Function('return 1'), EvalError)
    const values = Array.from({ length: 2000 }, (_, i) => ({ key: i, text: 't' + i }))
    const frame = new RecordEncoder('e').encode({ values, timestamps: undefined, keys: undefined, retractions: undefined })
    const read = new RecordDecoder().decode(frame).values
    assert.deepStrictEqual(read, values)
    assert.ok(%HaveSameMap(read[0], read[1999]))
    process.stdout.write('equal')`
  const options = [
    '--disallow-code-generation-from-strings',
    '--allow-natives-syntax',
    '--input-type=module',
    '-e',
    program,
  ]
  assert.equal(execFileSync(process.execPath, options, { encoding: 'utf8' }), 'equal')
})
