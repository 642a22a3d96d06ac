import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { linePrefix, recordText } from './record-text.ts'

describe('recordText', () => {
  it('leaves strings as they are', () => {
    assert.equal(recordText('a "quoted" line'), 'a "quoted" line')
    assert.equal(recordText(''), '')
  })

  it('writes any JSON value as JSON on one line', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        fc.pre(typeof value !== 'string')
        const text = recordText(value)
        assert.equal(text, JSON.stringify(value))
        assert.ok(!text.includes('\n'))
      }),
    )
  })

  it('never throws and never gives more than a line for what is not a string', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withNullPrototype: true,
      withBoxedValues: true,
      withObjectString: true,
    })
    fc.assert(
      fc.property(anything, value => {
        fc.pre(typeof value !== 'string')
        const text = recordText(value)
        assert.equal(typeof text, 'string')
        assert.ok(!text.includes('\n'))
      }),
    )
  })

  it('shows what JSON lacks', () => {
    const cases: [unknown, string][] = [
      [undefined, 'undefined'],
      [12n, '"12"'],
      [{ big: 12n, list: [1n] }, '{"big":"12","list":["1"]}'],
      [Number.NaN, '"NaN"'],
      [{ x: Number.NEGATIVE_INFINITY }, '{"x":"-Infinity"}'],
      [new Map([['a', { n: 1n }]]), '[["a",{"n":"1"}]]'],
      [new Set([1, 'b']), '[1,"b"]'],
      [new Date(0), '"1970-01-01T00:00:00.000Z"'],
      [new Date(Number.NaN), 'null'],
      [new Uint8Array([1, 255]), '[1,255]'],
      [new BigInt64Array([-1n]), '["-1"]'],
      [new DataView(new Uint8Array([7]).buffer), '[7]'],
      [{ a: undefined, b: [undefined] }, '{"b":[null]}'],
      [new RangeError('out\nof range'), '{"name":"RangeError","message":"out\\nof range"}'],
      [Symbol('s'), '"Symbol(s)"'],
      [function named() {}, '"[function named]"'],
      [Object.create(null, { a: { value: 1, enumerable: true } }), '{"a":1}'],
      [JSON.parse('{"__proto__":{"x":1}}'), '{"__proto__":{"x":1}}'],
    ]
    for (const [value, text] of cases) assert.equal(recordText(value), text)
  })

  it('shows a circular reference, and the same object twice without one', () => {
    const node: Record<string, unknown> = { name: 'n' }
    node['self'] = node
    assert.equal(recordText(node), '{"name":"n","self":"[circular]"}')
    const shared = { a: 1 }
    assert.equal(recordText([shared, shared]), '[{"a":1},{"a":1}]')
  })

  it('survives deep nesting, throwing getters and throwing toJSON', () => {
    let deep: unknown = 'bottom'
    for (let level = 0; level < 100_000; level++) deep = [deep]
    assert.match(recordText(deep), /^\[+"\[nested too deep\]"\]+$/)
    const getter = {
      get broken(): never {
        throw new Error('no\nvalue')
      },
    }
    assert.equal(recordText(getter), '[unprintable: no value]')
    const own = {
      toJSON() {
        throw new Error('no JSON')
      },
    }
    assert.equal(recordText(own), '[unprintable: no JSON]')
  })
})

describe('linePrefix', () => {
  it('has the format of Flink', () => {
    const at = (parallelism: number, name?: string) => linePrefix({ name, subtaskIndex: 1, parallelism })
    assert.equal(at(1), '')
    assert.equal(at(2), '2> ')
    assert.equal(at(1, 'counts'), 'counts> ')
    assert.equal(at(2, 'counts'), 'counts:2> ')
  })
})
