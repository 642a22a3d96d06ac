// Broadcast state in snapshots; what it is for functions is in operators/broadcast-process.spec.ts.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { BroadcastDescriptors } from '../model/broadcast-functions.ts'
import { type Codec, jsonCodec } from '../model/codec.ts'
import { type MapKey, type MapState, map } from '../model/state.ts'
import { restoreParts, snapshotParts } from '../testing/snapshot-operator.ts'
import { BroadcastState } from './broadcast-state.ts'

type Maps = Readonly<Record<string, MapState<MapKey, unknown>>>

function broadcast(descriptors: BroadcastDescriptors) {
  const state = new BroadcastState(descriptors)
  const write = (action: (maps: Maps) => void): void => {
    state.writing(() => action(state.handles))(undefined)
  }
  return { state, write, entries: (name: string) => [...(state.handles[name]?.entries() ?? [])] }
}

describe('a snapshot of broadcast state', () => {
  test('holds a row for each map, for one subtask to speak for all', () => {
    const descriptors = { rules: map<string, object>({ codec: jsonCodec() }), limits: map<number, bigint>() }
    const before = broadcast(descriptors)
    before.write(maps => {
      maps['rules']?.set('a', { max: 3 })
      maps['limits']?.set(1, 5n)
      maps['limits']?.set(2, 6n)
    })
    const taken = snapshotParts([before.state.part], 1)
    const [part] = taken.parts
    assert.deepEqual(
      [part?.part, part?.kind, part?.isFull, part?.sections[0]?.rows],
      ['broadcast', 'broadcast', true, 2],
    )
    const after = broadcast(descriptors)
    restoreParts([after.state.part], [taken])
    assert.deepEqual(after.entries('rules'), [['a', { max: 3 }]])
    assert.deepEqual(after.entries('limits'), [
      [1, 5n],
      [2, 6n],
    ])
  })

  test('encodes a map again only when it may have changed', () => {
    let encoded = 0
    const json = jsonCodec<object>()
    const codec: Codec<object> = {
      ...json,
      encode(given) {
        encoded++
        return json.encode(given)
      },
    }
    const { state, write } = broadcast({ rules: map<string, object>({ codec }) })
    const encodedBy = (action: () => void): number => {
      encoded = 0
      action()
      snapshotParts([state.part], 1)
      return encoded
    }
    assert.equal(
      encodedBy(() => write(maps => maps['rules']?.set('a', { n: 1 }))),
      1,
    )
    assert.equal(
      encodedBy(() => state.handles['rules']?.get('a')),
      0,
      'read by a record',
    )
    assert.equal(
      encodedBy(() => write(maps => maps['rules']?.has('a'))),
      0,
    )
    assert.equal(
      encodedBy(() => write(maps => maps['rules']?.get('a'))),
      1,
      'handed out where it may be changed',
    )
    assert.equal(
      encodedBy(() => write(maps => [...(maps['rules']?.entries() ?? [])])),
      1,
    )
    assert.equal(
      encodedBy(() => write(maps => maps['rules']?.delete('a'))),
      0,
      'nothing is left',
    )
  })

  test('follows the names of its maps', () => {
    const before = broadcast({ gone: map<string, number>(), kept: map<string, number>() })
    before.write(maps => {
      maps['gone']?.set('x', 1)
      maps['kept']?.set('y', 2)
    })
    const after = broadcast({ fresh: map<string, number>(), kept: map<string, number>() })
    restoreParts([after.state.part], [snapshotParts([before.state.part], 1)])
    assert.deepEqual([after.entries('kept'), after.entries('fresh')], [[['y', 2]], []])
  })
})

test('a broadcast map with a ttl is refused', () => {
  assert.throws(() => broadcast({ rules: map<string, number>({ ttl: { durationMs: 5 } }) }), {
    code: 'OPTION_INVALID',
    message: /broadcast state "rules" declares a ttl, by which the subtasks would differ/,
  })
})
