import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AggregateFunction, TimeWindow } from '../model/functions.ts'
import type { WindowFunctionSpec, WindowSpec } from '../model/window-spec.ts'
import { WindowEntry, windowContents } from './window-contents.ts'

const WINDOW: TimeWindow = { start: 0, end: 1000 }

function specOf(definition: WindowFunctionSpec, keepNewest?: number): WindowSpec {
  return {
    timeDomain: 'event-time',
    assigner: { kind: 'tumbling', sizeMs: 1000, offsetMs: 0 },
    trigger: { kind: 'on-window-end' },
    ...(keepNewest === undefined ? {} : { evictor: { kind: 'count', count: keepNewest } }),
    allowedLatenessMs: 0,
    function: definition,
  }
}

function aggregated(aggregate: AggregateFunction<number, unknown, unknown>, keepNewest?: number): WindowSpec {
  return specOf({ kind: 'aggregate', aggregate: aggregate as AggregateFunction<never, unknown, unknown> }, keepNewest)
}

/** Joins records by a sign, so that their order and number show. */
function joining(): { readonly aggregate: AggregateFunction<number, string, string>; readonly created: () => number } {
  let created = 0
  const aggregate: AggregateFunction<number, string, string> = {
    create: () => {
      created++
      return '('
    },
    add: (text, record) => `${text}${record},`,
    merge: (a, b) => a + b,
    result: text => `${text})`,
  }
  return { aggregate, created: () => created }
}

/** Adds the records one by one and returns what a firing emits. */
function fire(spec: WindowSpec, records: readonly number[], entry = new WindowEntry('k', 0)): unknown[] {
  const contents = windowContents(spec)
  const out: unknown[] = []
  for (const record of records) contents.add(entry, record)
  contents.emit(entry, WINDOW, { collect: record => out.push(record) })
  return out
}

describe('WindowEntry', () => {
  it('is empty without content and without a count', () => {
    const entry = new WindowEntry('k', 3)
    assert.equal(entry.key, 'k')
    assert.equal(entry.keyGroup, 3)
    assert.equal(entry.isEmpty(), true)
    entry.count = 1
    assert.equal(entry.isEmpty(), false)
    entry.count = 0
    entry.content = null
    assert.equal(entry.isEmpty(), false)
  })
})

describe('windowContents of an aggregate', () => {
  it('keeps one accumulator, made once, and emits its result', () => {
    const { aggregate, created } = joining()
    const entry = new WindowEntry('k', 0)
    assert.deepEqual(fire(aggregated(aggregate), [1, 2, 3], entry), ['(1,2,3,)'])
    assert.equal(created(), 1)
    assert.equal(entry.content, '(1,2,3,')
  })

  it('goes on with the accumulator after a firing', () => {
    const { aggregate } = joining()
    const entry = new WindowEntry('k', 0)
    fire(aggregated(aggregate), [1], entry)
    assert.deepEqual(fire(aggregated(aggregate), [2], entry), ['(1,2,)'])
  })

  it('takes an accumulator that add changes in place', () => {
    const entry = new WindowEntry('k', 0)
    const collecting: AggregateFunction<number, number[], number[]> = {
      create: () => [],
      add: (elements, record) => {
        elements.push(record)
        return elements
      },
      merge: (a, b) => [...a, ...b],
      result: elements => [...elements],
    }
    assert.deepEqual(fire(aggregated(collecting as never), [1, 2], entry), [[1, 2]])
  })

  it('keeps null, 0 and the empty text as accumulators that add returned', () => {
    for (const falsy of [null, 0, '']) {
      const clearing: AggregateFunction<number, unknown, unknown> = {
        create: () => 'made',
        add: () => falsy,
        merge: a => a,
        result: accumulator => [accumulator],
      }
      assert.deepEqual(fire(aggregated(clearing), [1, 2]), [[falsy]])
    }
  })

  for (const [label, create, keepNewest] of [
    ['', () => 0, undefined],
    [' from an undefined one', () => undefined, undefined],
    [' behind an evictor', () => 0, 2],
  ] as const) {
    it(`says that add forgot to return the accumulator${label}`, () => {
      const forgetful: AggregateFunction<number, unknown, unknown> = {
        create,
        add: () => undefined,
        merge: a => a,
        result: a => a,
      }
      assert.throws(() => fire(aggregated(forgetful, keepNewest), [1]), {
        code: 'USER_FUNCTION_RESULT',
        message: 'USER_FUNCTION_RESULT: add() of the aggregate returned undefined; let it return the accumulator',
      })
    })
  }
})

describe('windowContents of an aggregate behind an evictor', () => {
  it('aggregates the newest elements only, in order', () => {
    assert.deepEqual(fire(aggregated(joining().aggregate, 2), [1, 2, 3, 4]), ['(3,4,)'])
    assert.deepEqual(fire(aggregated(joining().aggregate, 9), [1, 2]), ['(1,2,)'])
  })

  it('forgets the evicted elements and keeps the others for the next firing', () => {
    const spec = aggregated(joining().aggregate, 2)
    const entry = new WindowEntry('k', 0)
    fire(spec, [1, 2, 3], entry)
    assert.deepEqual(entry.content, [2, 3])
    assert.deepEqual(fire(spec, [4], entry), ['(3,4,)'])
  })

  it('makes an accumulator per firing', () => {
    const { aggregate, created } = joining()
    const spec = aggregated(aggregate, 2)
    const entry = new WindowEntry('k', 0)
    fire(spec, [1], entry)
    fire(spec, [2], entry)
    assert.equal(created(), 2)
  })
})

describe('windowContents of apply', () => {
  it('hands over key, window and all elements, and emits what is collected', () => {
    const calls: unknown[][] = []
    const spec = specOf({
      kind: 'apply',
      apply: (key, window, elements, out) => {
        calls.push([key, window, elements])
        out.collect(elements.length)
        out.collect('second')
      },
    })
    assert.deepEqual(fire(spec, [1, 2, 3], new WindowEntry(['a', 1], 0)), [3, 'second'])
    assert.deepEqual(calls, [[['a', 1], WINDOW, [1, 2, 3]]])
  })

  it('hands over the newest elements only behind an evictor', () => {
    const spec = specOf({ kind: 'apply', apply: (_key, _window, elements, out) => out.collect([...elements]) }, 2)
    assert.deepEqual(fire(spec, [1, 2, 3]), [[2, 3]])
  })

  it('hands over a list that the window does not change later', () => {
    const kept: (readonly unknown[])[] = []
    const spec = specOf({ kind: 'apply', apply: (_key, _window, elements) => void kept.push(elements) })
    const entry = new WindowEntry('k', 0)
    fire(spec, [1], entry)
    fire(spec, [2], entry)
    assert.deepEqual(kept, [[1], [1, 2]])
  })

  it('may change the list it is given', () => {
    const spec = specOf({ kind: 'apply', apply: (_key, _window, elements) => void (elements as never[]).pop() })
    const entry = new WindowEntry('k', 0)
    fire(spec, [1, 2], entry)
    assert.deepEqual(entry.content, [1, 2])
  })
})
