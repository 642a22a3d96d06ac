// Elements in the order of their times, compared with a sorted array under any mix of changes.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import { OrderedElements } from './ordered-elements.ts'

interface Element {
  readonly timeMs: number
  readonly n: number
}

function all(elements: OrderedElements<number>, fromMs = -Infinity, toMs = Infinity): Element[] {
  const found: Element[] = []
  elements.forEach((n, timeMs) => found.push({ timeMs, n }), fromMs, toMs)
  return found
}

const time = fc.integer({ min: 0, max: 12 })
const change = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), timeMs: time }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('shift' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), fromMs: time, toMs: time }) },
)

describe('ordered elements', () => {
  test('agree with a sorted array, whatever is added, taken and removed', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 150 }), time, time, (changes, a, b) => {
        const elements = new OrderedElements<number>()
        let model: Element[] = []
        for (const [n, step] of changes.entries()) {
          if (step.kind === 'add') {
            elements.add(step.timeMs, n)
            // A stable sort keeps equal times in the order added.
            model = [...model, { timeMs: step.timeMs, n }].sort((x, y) => x.timeMs - y.timeMs)
          } else if (step.kind === 'shift') assert.equal(elements.shift(), model.shift()?.n)
          else {
            elements.remove(step.fromMs, step.toMs)
            model = model.filter(({ timeMs }) => timeMs < step.fromMs || timeMs > step.toMs)
          }
          assert.equal(elements.size, model.length)
          assert.equal(elements.firstTimeMs(), model[0]?.timeMs ?? Infinity)
        }
        assert.deepEqual(all(elements), model)
        assert.deepEqual(
          all(elements, a, b),
          model.filter(({ timeMs }) => timeMs >= a && timeMs <= b),
        )
        const last = model.findLast(({ timeMs }) => timeMs <= a)
        assert.equal(elements.floor(a), last?.n)
        assert.equal(elements.floorTimeMs(a), last?.timeMs ?? -Infinity)
      }),
      { numRuns: 500 },
    )
  })

  test('find what they kept after many have left at the front', () => {
    const elements = new OrderedElements<number>()
    for (let n = 0; n < 1000; n++) elements.add(n, n)
    for (let n = 0; n < 990; n++) assert.equal(elements.shift(), n)
    elements.add(989.5, -1)
    assert.deepEqual(
      all(elements, 0, 991).map(({ n }) => n),
      [-1, 990, 991],
    )
    assert.equal(elements.floorTimeMs(989), -Infinity)
    assert.equal(elements.floor(989), undefined)
    assert.equal(elements.size, 11)
  })
})
