import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inputCount, isKeyed, isStateful, type OperatorKind, type OperatorSpec } from './operator-spec.ts'

const TRAITS: Readonly<Record<OperatorKind, readonly [inputs: number, isKeyed: boolean, isStateful: boolean]>> = {
  source: [0, false, true],
  sink: [1, false, true],
  transform: [1, false, false],
  process: [1, false, false],
  'keyed-process': [1, true, true],
  'co-process': [2, false, false],
  'keyed-co-process': [2, true, true],
  'broadcast-process': [2, false, true],
  'keyed-broadcast-process': [2, true, true],
  async: [1, false, true],
  rolling: [1, true, true],
  window: [1, true, true],
  'mixed-window': [1, true, true],
  'per-record-window': [1, true, true],
  timestamps: [1, false, true],
  feedback: [1, false, true],
}

describe('an operator', () => {
  for (const [kind, [inputs, keyed, stateful]] of Object.entries(TRAITS)) {
    const text = `${inputs} inputs, ${keyed ? 'a key' : 'no key'} and ${stateful ? 'state' : 'no state'}`
    it(`of kind ${kind} has ${text}`, () => {
      // Only the kind decides (and the inputs of a window); the rest of the operator is left out.
      const spec = { kind, window: { inputs: 1 } } as OperatorSpec
      assert.deepEqual([inputCount(spec), isKeyed(spec), isStateful(spec)], [inputs, keyed, stateful])
    })
  }
})
