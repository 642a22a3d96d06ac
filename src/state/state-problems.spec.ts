// What becomes of the states of a snapshot in a job that declares others.
import assert from 'node:assert/strict'
import test from 'node:test'
import { list, value } from '../model/state.ts'
import { stateProblems } from './state-problems.ts'

test('states are kept, migrated, dropped, added, or a problem', () => {
  const written = (name: string, more: object = {}) => ({ name, kind: 'value', codec: 'tagged', version: 0, ...more })
  const schema = {
    layout: 'slots',
    states: [written('same'), written('old', { version: 1 }), written('gone'), written('other', { kind: 'map' })],
  }
  const descriptors = {
    old: value('', { version: 3, migrate: (_from, given) => String(given) }),
    same: value(0),
    fresh: list<number>(),
    other: value(0),
    // A name that every object has.
    toString: value(0),
  }
  assert.deepEqual(stateProblems(schema, descriptors), {
    kept: ['same'],
    migrated: [{ name: 'old', fromVersion: 1, toVersion: 3 }],
    dropped: ['gone'],
    added: ['fresh', 'toString'],
    problems: [
      'state "other" is map in the snapshot and declared value; declare it as it was, or give the new state another name',
    ],
  })
  assert.deepEqual(stateProblems({ layout: 'slots', states: [written('constructor')] }, {}).dropped, ['constructor'])
})
