// What the tracker writes for a snapshot, and when: before an entry changes, or when its turn comes. keyed-part.spec.ts holds all of it
// against a model.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { ChangeTracker, type Tracked } from './change-tracker.ts'

interface Cell extends Tracked {
  readonly name: string
  n: number
}

function cell(name: string, n = 0): Cell {
  return { name, n, touchedIn: 0, writtenIn: 0 }
}

function tracked(): { tracker: ChangeTracker<Cell>; written: string[]; change(cell: Cell, n: number): void } {
  const written: string[] = []
  const tracker = new ChangeTracker<Cell>(({ name, n }) => written.push(`${name}${n}`))
  tracker.enable()
  const change = (changed: Cell, n: number): void => {
    tracker.touch(changed)
    changed.n = n
  }
  return { tracker, written, change }
}

describe('ChangeTracker', () => {
  test('does nothing until it is enabled', () => {
    const tracker = new ChangeTracker<Cell>(() => assert.fail('written'))
    const a = cell('a')
    tracker.touch(a)
    assert.deepEqual([a.touchedIn, tracker.changedCount, tracker.isEnabled], [0, 0, false])
  })

  test('writes what changed since the barrier before, once, as it was at the barrier', () => {
    const { tracker, written, change } = tracked()
    const [a, b, c] = [cell('a'), cell('b'), cell('c')]
    for (const each of [a, b, c]) change(each, 1)
    change(a, 2)
    tracker.begin(1, false, () => assert.fail('all'))
    change(c, 5)
    change(c, 6)
    assert.deepEqual(written, ['c1'])
    assert.equal(tracker.advance(1), false)
    assert.deepEqual(written, ['c1', 'a2'])
    change(a, 7)
    assert.equal(tracker.advance(10), true)
    assert.deepEqual(written, ['c1', 'a2', 'b1'])
    tracker.settle(1, 'completed')
    tracker.begin(2, false, () => assert.fail('all'))
    assert.equal(tracker.advance(10), true)
    assert.deepEqual(written.slice(3), ['c6', 'a7'])
  })

  test('writes everything for a full snapshot but what was made after the barrier', () => {
    const { tracker, written, change } = tracked()
    const all = [cell('a'), cell('b')]
    for (const each of all) change(each, 1)
    tracker.begin(1, true, () => all.values())
    while (!tracker.advance(1));
    tracker.settle(1, 'completed')
    tracker.begin(2, true, () => all.values())
    const late = cell('late')
    change(late, 1)
    all.push(late)
    change(all[1] as Cell, 2)
    while (!tracker.advance(1));
    assert.deepEqual(written, ['a1', 'b1', 'b1', 'a1'])
  })

  test('has in the next snapshot what an aborted one held, as it is then', () => {
    const { tracker, written, change } = tracked()
    const [a, b] = [cell('a'), cell('b')]
    change(a, 1)
    change(b, 1)
    tracker.begin(1, false, () => assert.fail('all'))
    tracker.advance(1)
    tracker.settle(1, 'aborted')
    assert.equal(tracker.changedCount, 2)
    change(b, 2)
    tracker.begin(2, false, () => assert.fail('all'))
    while (!tracker.advance(1));
    assert.deepEqual(written, ['a1', 'a1', 'b2'])
  })

  test('has in a snapshot what an unsettled one before it holds, and nothing of it again when that is aborted', () => {
    const { tracker, written, change } = tracked()
    const [a, b] = [cell('a'), cell('b')]
    change(a, 1)
    tracker.begin(1, false, () => assert.fail('all'))
    while (!tracker.advance(1));
    change(b, 1)
    tracker.begin(2, false, () => assert.fail('all'))
    while (!tracker.advance(1));
    assert.deepEqual(written.slice(1).sort(), ['a1', 'b1'])
    tracker.settle(1, 'aborted')
    assert.equal(tracker.changedCount, 0)
    tracker.settle(2, 'aborted')
    assert.equal(tracker.changedCount, 2)
  })

  test('takes restored entries for written, and tells of those alone that change afterwards', () => {
    const { tracker, written, change } = tracked()
    const [a, b] = [cell('a'), cell('b')]
    change(a, 1)
    change(b, 1)
    tracker.forgetChanges()
    assert.notEqual(a.writtenIn, 0)
    change(b, 2)
    tracker.begin(1, false, () => assert.fail('all'))
    change(a, 3)
    while (!tracker.advance(1));
    assert.deepEqual(written, ['b2'])
  })

  test('refuses to begin while a snapshot is encoded', () => {
    const { tracker, change } = tracked()
    change(cell('a'), 1)
    tracker.begin(1, false, () => assert.fail('all'))
    assert.throws(() => tracker.begin(2, false, () => assert.fail('all')), /while another is encoded/)
  })
})
