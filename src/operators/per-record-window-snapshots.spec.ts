// Kafka's sliding windows restored between any two records: what follows is what the run without a restore sends.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { fieldSelector } from '../model/key.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import type { PerRecordWindowSpec } from '../model/per-record-window-spec.ts'
import { record } from '../testing/operator-script.ts'
import { restoreParts, snapshotParts } from '../testing/snapshot-operator.ts'
import { SnapshotRun } from '../testing/snapshot-run.ts'
import { randomScript, verifySnapshots } from '../testing/verify-snapshots.ts'

const keySelectors = [fieldSelector('k')]
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]

/** The numbers of a window's records, in the order of arrival. */
const numbers: PerRecordWindowSpec['aggregate'] = {
  create: () => [],
  add: (list: unknown, row: never) => [...(list as number[]), (row as { n: number }).n],
  merge: (a: unknown) => a,
  result: (list: unknown) => (list as number[]).join(' '),
}

function perRecord(emit: PerRecordWindowSpec['emit'], rest: Partial<PerRecordWindowSpec> = {}): OperatorSpec {
  const window = { timeDifferenceMs: 6, graceMs: 0, emit, recordsMax: 1000, aggregate: numbers, lateOutputTag: 'late' }
  return { kind: 'per-record-window', window: { ...window, ...rest } }
}

function keyOf(result: unknown): unknown {
  const { key, k } = result as { key?: unknown; k?: unknown }
  return key ?? k
}

function verify(operator: OperatorSpec): void {
  let results = 0
  for (const seed of SEEDS) {
    try {
      const script = randomScript(seed, 24)
      const sideOutputTags = ['late']
      // Every subtask has a stream time of its own, so results depend on how many there are.
      const { sent } = verifySnapshots({ operator, keySelectors, script, sideOutputTags, keyOf, isRescaled: false })
      results += sent.filter(element => 'value' in element).length
    } catch (error) {
      throw new Error(`randomScript(${seed}, 24): ${(error as Error).message}`, { cause: error })
    }
  }
  assert.ok(results > 20, `only ${results} results were compared`)
}

describe('restored per-record windows send what they would have sent', () => {
  for (const emit of ['on-update', 'on-close'] as const) {
    for (const graceMs of [0, 5, 20]) {
      test(`${emit}, with a grace of ${graceMs} ms`, () => verify(perRecord(emit, { graceMs })))
    }
  }
})

test('what is let go of between records is in the snapshots too', () => {
  const run = new SnapshotRun({ operator: perRecord('on-update'), keySelectors })
  run.open()
  const rows = (id: number): number =>
    (snapshotParts(run.parts, id).parts[1]?.sections ?? []).reduce((sum, section) => sum + section.rows, 0)
  run.run(record({ k: 'a', n: 1 }, { timestamp: 2 }))
  run.run(record({ k: 'b', n: 2 }, { timestamp: 8 }))
  const snapshot = snapshotParts(run.parts, 1)
  assert.equal(snapshot.parts[1]?.sections.length, 2)
  const restored = new SnapshotRun({ operator: perRecord('on-update'), keySelectors })
  restoreParts(restored.parts, [snapshot])
  restored.open()
  restored.run(record({ k: 'b', n: 4 }, { timestamp: 10 }))
  assert.equal(snapshotParts(restored.parts, 2, true).parts[1]?.sections.length, 1)
  // The window of a is closed; its record stays 2 ms longer, since the window behind it could still hold another.
  run.run(record({ k: 'b', n: 3 }, { timestamp: 9 }))
  assert.equal(rows(2), 1)
  run.run(record({ k: 'b', n: 4 }, { timestamp: 10 }))
  assert.equal(rows(3), 2)
})

test('a key is gone from the snapshots when its last record is', () => {
  const run = new SnapshotRun({ operator: perRecord('on-update'), keySelectors })
  run.open()
  const rows = (id: number, isFull = false): number =>
    (snapshotParts(run.parts, id, isFull).parts[1]?.sections ?? []).reduce((sum, section) => sum + section.rows, 0)
  run.run(record({ k: 'a', n: 1 }, { timestamp: 1 }))
  run.run(record({ k: 'b', n: 2 }, { timestamp: 2 }))
  assert.equal(rows(1), 2)
  run.run(record({ k: 'b', n: 3 }, { timestamp: 40 }))
  assert.equal(rows(2), 2)
  assert.equal(rows(3, true), 1)
})
