import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AggregateFunction, TimeWindow } from '../model/functions.ts'
import type { WindowFunctionSpec, WindowSpec } from '../model/window-spec.ts'
import { checkAccumulator, type WindowContents, WindowEntry, windowContents } from './window-contents.ts'

const WINDOW: TimeWindow = { start: 0, end: 10 }

const SUM: AggregateFunction<number, number, string> = {
  create: () => 0,
  add: (sum, record) => sum + record,
  merge: (a, b) => a + b,
  result: sum => `sum ${sum}`,
}

/** Keeps its elements in one list that it changes in place. */
const GROWING: AggregateFunction<number, number[], number[]> = {
  create: () => [],
  add: (elements, record) => {
    elements.push(record)
    return elements
  },
  merge: (a, b) => [...a, ...b],
  result: elements => [...elements],
}

type ApplyFunction = Extract<WindowFunctionSpec, { kind: 'apply' }>['apply']

function contents(definition: WindowFunctionSpec, evictorCount?: number): WindowContents {
  const spec: WindowSpec = {
    timeDomain: 'event-time',
    assigner: { kind: 'global' },
    trigger: { kind: 'count', count: 3, isPurging: false },
    allowedLatenessMs: 0,
    function: definition,
  }
  return windowContents(
    evictorCount === undefined ? spec : { ...spec, evictor: { kind: 'count', count: evictorCount } },
  )
}

function aggregating<T, A, R>(aggregate: AggregateFunction<T, A, R>, evictorCount?: number): WindowContents {
  return contents(
    { kind: 'aggregate', aggregate: aggregate as AggregateFunction<never, unknown, unknown> },
    evictorCount,
  )
}

function applying(apply: (...args: Parameters<ApplyFunction>) => void, evictorCount?: number): WindowContents {
  return contents({ kind: 'apply', apply }, evictorCount)
}

function entryOf(key: unknown = 'a'): WindowEntry {
  return new WindowEntry(key, 0)
}

function emitted(from: WindowContents, entry: WindowEntry): unknown[] {
  const results: unknown[] = []
  from.emit(entry, WINDOW, { collect: result => results.push(result) })
  return results
}

describe('WindowEntry', () => {
  it('is empty without content and count', () => {
    const entry = entryOf()
    assert.equal(entry.isEmpty(), true)
    entry.count = 1
    assert.equal(entry.isEmpty(), false)
    entry.count = 0
    entry.content = 0
    assert.equal(entry.isEmpty(), false)
  })
})

describe('an aggregate without evictor', () => {
  it('keeps the accumulator only, and emits its result as often as asked', () => {
    const sum = aggregating(SUM)
    const entry = entryOf()
    for (const record of [1, 2, 3]) sum.add(entry, record)
    assert.equal(entry.content, 6)
    assert.deepEqual([...emitted(sum, entry), ...emitted(sum, entry)], ['sum 6', 'sum 6'])
    sum.add(entry, 4)
    assert.deepEqual(emitted(sum, entry), ['sum 10'])
  })

  it('makes an accumulator per key', () => {
    const growing = aggregating(GROWING)
    const [a, b] = [entryOf('a'), entryOf('b')]
    growing.add(a, 1)
    growing.add(b, 2)
    growing.add(a, 3)
    assert.deepEqual([...emitted(growing, a), ...emitted(growing, b)], [[1, 3], [2]])
  })

  it('keeps an accumulator that is 0, false or null', () => {
    for (const accumulator of [0, false, null, '']) {
      let created = 0
      const constant = aggregating({
        create: () => {
          created++
          return accumulator
        },
        add: same => same,
        merge: same => same,
        result: same => same,
      })
      const entry = entryOf()
      constant.add(entry, 1)
      constant.add(entry, 2)
      assert.deepEqual([emitted(constant, entry), created], [[accumulator], 1])
    }
  })
})

describe('an aggregate behind an evictor', () => {
  it('sees the newest elements only, in the order they came', () => {
    const newest = aggregating(GROWING, 2)
    const entry = entryOf()
    for (const record of [1, 2, 3]) newest.add(entry, record)
    assert.deepEqual(emitted(newest, entry), [[2, 3]])
    assert.deepEqual(entry.content, [2, 3])
    newest.add(entry, 4)
    assert.deepEqual(emitted(newest, entry), [[3, 4]])
  })

  it('gets a new accumulator for each firing', () => {
    const newest = aggregating({ ...GROWING, result: (elements: number[]) => elements }, 2)
    const entry = entryOf()
    newest.add(entry, 1)
    const [first, second] = [...emitted(newest, entry), ...emitted(newest, entry)]
    assert.deepEqual([first, second], [[1], [1]])
    assert.notEqual(first, second)
  })

  it('sees what there is while there is less', () => {
    const newest = aggregating(GROWING, 5)
    const entry = entryOf()
    newest.add(entry, 1)
    assert.deepEqual(emitted(newest, entry), [[1]])
  })

  it('gets the accumulator and the record, and nothing else', () => {
    const calls: unknown[][] = []
    const add = (...args: unknown[]): number => {
      calls.push(args)
      return calls.length
    }
    const counted = aggregating({ ...SUM, add } as AggregateFunction<number, number, string>, 2)
    const entry = entryOf()
    for (const record of ['x', 'y']) counted.add(entry, record)
    emitted(counted, entry)
    assert.deepEqual(calls, [
      [0, 'x'],
      [1, 'y'],
    ])
  })
})

describe('an aggregate', () => {
  /** Works only when its methods are called on it. */
  class Scaled implements AggregateFunction<number, number, number> {
    private readonly factor = 10

    create(): number {
      return 0
    }

    add(sum: number, record: number): number {
      return sum + record * this.factor
    }

    merge(a: number, b: number): number {
      return a + b
    }

    result(sum: number): number {
      return sum / this.factor
    }
  }

  for (const evictorCount of [undefined, 9]) {
    const where = evictorCount === undefined ? 'alone' : 'behind an evictor'

    it(`may be an instance of a class (${where})`, () => {
      const scaled = aggregating(new Scaled(), evictorCount)
      const entry = entryOf()
      for (const record of [1, 2]) scaled.add(entry, record)
      assert.deepEqual(emitted(scaled, entry), [3])
    })

    it(`that forgets to return the accumulator is refused at the first record (${where})`, () => {
      const forgetful = aggregating({ ...GROWING, add: () => undefined as unknown as number[] }, evictorCount)
      assert.throws(
        () => {
          const entry = entryOf()
          forgetful.add(entry, 1)
          emitted(forgetful, entry)
        },
        {
          code: 'USER_FUNCTION_RESULT',
          message: 'USER_FUNCTION_RESULT: add() of the aggregate returned undefined; let it return the accumulator',
        },
      )
    })
  }

  it('that forgets to return the accumulator of a later record is refused as well', () => {
    const forgetful = aggregating({
      ...SUM,
      add: (sum: number, record: number) => (record < 2 ? sum : (undefined as never)),
    })
    const entry = entryOf()
    forgetful.add(entry, 1)
    assert.throws(() => forgetful.add(entry, 2), { code: 'USER_FUNCTION_RESULT' })
  })
})

describe('checkAccumulator', () => {
  it('lets everything pass but undefined', () => {
    for (const accumulator of [0, null, false, '', Number.NaN]) assert.equal(checkAccumulator(accumulator), accumulator)
    assert.throws(() => checkAccumulator(undefined), { code: 'USER_FUNCTION_RESULT' })
  })
})

describe('an apply function', () => {
  it('gets the key, the window and all elements in order, and may emit any number of records', () => {
    const seen: unknown[] = []
    const each = applying((key, window, elements, out) => {
      seen.push([key, window, elements])
      for (const element of elements) out.collect(element)
    })
    const entry = entryOf(['Dublin', 1])
    for (const record of ['x', 'y']) each.add(entry, record)
    assert.deepEqual(emitted(each, entry), ['x', 'y'])
    assert.deepEqual(seen, [[['Dublin', 1], WINDOW, ['x', 'y']]])
  })

  it('gets the newest elements only behind an evictor', () => {
    const all = applying((_key, _window, elements, out) => out.collect(elements), 2)
    const entry = entryOf()
    for (const record of [1, 2, 3]) all.add(entry, record)
    assert.deepEqual(emitted(all, entry), [[2, 3]])
  })

  it('may keep or change the list it gets, while the window goes on', () => {
    const kept: unknown[][] = []
    const keeping = applying((_key, _window, elements) => {
      kept.push(elements as unknown as unknown[])
    })
    const entry = entryOf()
    keeping.add(entry, 1)
    emitted(keeping, entry)
    keeping.add(entry, 2)
    emitted(keeping, entry)
    kept[0]?.push(99)
    emitted(keeping, entry)
    assert.deepEqual(kept, [
      [1, 99],
      [1, 2],
      [1, 2],
    ])
  })
})
