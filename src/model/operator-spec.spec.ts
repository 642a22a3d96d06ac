import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { operators } from '../../test/support/graphs.ts'
import { inputCount, isKeyed, isStateful, type OperatorKind } from './operator-spec.ts'

describe('the kinds of operators', () => {
  it('say how many inputs they have, whether they need a key, and whether they keep state', () => {
    const expected: Readonly<Record<OperatorKind, readonly [inputs: number, isKeyed: boolean, isStateful: boolean]>> = {
      source: [0, false, true],
      sink: [1, false, true],
      transform: [1, false, false],
      process: [1, false, false],
      'keyed-process': [1, true, true],
      'co-process': [2, false, false],
      'keyed-co-process': [2, true, true],
      rolling: [1, true, true],
      timestamps: [1, false, true],
      feedback: [1, false, true],
      window: [1, true, true],
    }
    const specs = [
      operators.source(),
      operators.sink(),
      operators.transform(),
      operators.process(),
      operators.keyedProcess(),
      operators.coProcess(),
      operators.keyedCoProcess(),
      operators.rolling(),
      operators.timestamps(),
      operators.feedback(),
      operators.tumbling(1000),
    ]
    const found = specs.map(spec => [spec.kind, [inputCount(spec), isKeyed(spec), isStateful(spec)]])
    assert.deepEqual(Object.fromEntries(found), expected)
  })
})
