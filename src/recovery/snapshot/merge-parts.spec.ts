import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PartKind } from '../../state/state-part.ts'
import type { GroupRange, ManifestPart, SegmentRef } from './manifest.ts'
import { mergeParts } from './merge-parts.ts'

function ref(file: string, isFull: boolean, ...groups: readonly GroupRange[]): SegmentRef {
  const schema = { layout: 'slots', states: [] }
  return { file, bytes: 1, checksum: 1, place: 0, subtask: 0, parallelism: 1, isFull, groups, schema, rows: 1 }
}

function part(kind: PartKind, ...segments: readonly SegmentRef[]): ManifestPart {
  return { name: 'p', kind, segments }
}

function textOf({ segments }: ManifestPart): string {
  return segments
    .map(({ file, groups }) => `${file}:${groups.map(({ from, to }) => `${from}-${to}`).join(',')}`)
    .join(' ')
}

describe('mergeParts', () => {
  test('changes go on top of what was there', () => {
    const before = part('keyed', ref('base', true, { from: 0, to: 7 }))
    assert.equal(textOf(mergeParts(before, part('keyed', ref('d', false, { from: 0, to: 7 })))), 'base:0-7 d:0-7')
  })

  test('without anything written all stays', () => {
    const before = part('keyed', ref('base', true, { from: 0, to: 7 }), ref('d', false, { from: 0, to: 7 }))
    assert.deepEqual(mergeParts(before, part('keyed')), before)
  })

  test('a full segment takes its key groups from older ones, and those without any go', () => {
    const before = part('keyed', ref('base', true, { from: 0, to: 7 }), ref('d', false, { from: 2, to: 3 }))
    assert.equal(textOf(mergeParts(before, part('keyed', ref('f', true, { from: 2, to: 4 })))), 'base:0-1,5-7 f:2-4')
  })

  test('after a rescaling the full ones of all new subtasks replace the old ones', () => {
    const before = part('keyed', ref('base', true, { from: 0, to: 7 }))
    const written = part('keyed', ref('x', true, { from: 0, to: 3 }), ref('y', true, { from: 4, to: 7 }))
    assert.equal(textOf(mergeParts(before, written)), 'x:0-3 y:4-7')
  })

  test('what a finished task left is there once, however often it is handed in', () => {
    const last = ref('last', false, { from: 0, to: 3 })
    const before = part('keyed', ref('base', true, { from: 0, to: 7 }), last, ref('d', false, { from: 4, to: 7 }))
    assert.equal(textOf(mergeParts(before, part('keyed', last))), 'base:0-7 d:4-7 last:0-3')
  })

  test('parts that are not keyed, or were not, are replaced', () => {
    assert.equal(textOf(mergeParts(part('list', ref('a', true)), part('list', ref('b', true)))), 'b:')
    assert.equal(
      textOf(mergeParts(part('list', ref('a', true)), part('keyed', ref('b', true, { from: 0, to: 1 })))),
      'b:0-1',
    )
    assert.equal(textOf(mergeParts(undefined, part('union', ref('b', true)))), 'b:')
  })
})
