import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { JoinType } from '../model/join-functions.ts'
import { joinGroups } from './join-groups.ts'

function joined(type: JoinType, lefts: readonly string[], rights: readonly number[]): unknown[] {
  const results: unknown[] = []
  const join = joinGroups(type, (left, right, ctx) => `${String(left)}${String(right)}${String(ctx.key)}`)
  join([lefts, rights] as never, { key: '!' } as never, { collect: result => void results.push(result) })
  return results
}

describe('a join of groups', () => {
  test('gives every pair, those of the first left element first, whatever its type', () => {
    for (const type of ['inner', 'left', 'right', 'full'] as const)
      assert.deepEqual(joined(type, ['a', 'b'], [1, 2]), ['a1!', 'a2!', 'b1!', 'b2!'])
  })

  test('gives what found no partner where its type says so, with undefined for the other side', () => {
    const alone = (type: JoinType): unknown[] => [joined(type, ['a', 'b'], []), joined(type, [], [1])]
    assert.deepEqual(alone('inner'), [[], []])
    assert.deepEqual(alone('left'), [['aundefined!', 'bundefined!'], []])
    assert.deepEqual(alone('right'), [[], ['undefined1!']])
    assert.deepEqual(alone('full'), [['aundefined!', 'bundefined!'], ['undefined1!']])
  })

  test('gives nothing of nothing', () => assert.deepEqual(joined('full', [], []), []))
})
