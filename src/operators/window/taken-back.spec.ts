// Windows over input that is taken back: what remains is emitted, and nothing where nothing remains.
import test, { describe } from 'node:test'
import { fieldSelector } from '../../model/key.ts'
import type { OperatorSpec } from '../../model/operator-spec.ts'
import { type Accumulation, WINDOW_DEFAULTS, type WindowSpec } from '../../model/window-spec.ts'
import { verifyOperator } from '../../testing/operator-harness.ts'
import { end, out, record, retracted, type ScriptStep, watermarkOut } from '../../testing/operator-script.ts'

const keySelectors = [fieldSelector('k')]

/** A sum that is a record, of which there is none without records. */
const recordSum = {
  create: () => 0,
  add: (sum: number, { n }: { n: number }) => sum + n,
  merge: (a: number, b: number) => a + b,
  retract: (sum: number, { n }: { n: number }) => sum - n,
  result: (n: number) => ({ k: 'a', n }),
  needsRecords: true,
}

const counting = {
  create: () => 0,
  add: (records: number) => records + 1,
  merge: (a: number, b: number) => a + b,
  retract: (records: number) => records - 1,
  result: (records: number) => records,
}

/** Emits after every record. */
function updates(accumulation: Accumulation, aggregate: unknown): OperatorSpec {
  const window: WindowSpec = {
    ...WINDOW_DEFAULTS,
    timeDomain: 'event-time',
    assigner: { kind: 'tumbling', sizeMs: 10, offsetMs: 0 },
    trigger: { kind: 'repeatedly', trigger: { kind: 'after-count', count: 1 } },
    accumulation,
    function: { kind: 'aggregate', aggregate: aggregate as never },
  }
  return { kind: 'window', window }
}

const plus: ScriptStep = record({ k: 'a', n: 5 }, { timestamp: 1 })
const minus: ScriptStep = record({ k: 'a', n: 5 }, { timestamp: 1, isRetraction: true })
const sum = { k: 'a', n: 5 }

describe('a window whose only record is taken back', () => {
  test('emits no sum any more', () =>
    verifyOperator({
      operator: updates('accumulating', recordSum),
      keySelectors,
      script: [plus, minus, end],
      expect: { output: [out(sum, 9), watermarkOut(Infinity)] },
    }))

  test('takes its sum back where it retracts', () =>
    verifyOperator({
      operator: updates('retracting', recordSum),
      keySelectors,
      script: [plus, minus, end],
      expect: { output: [out(sum, 9), retracted(sum, 9), watermarkOut(Infinity)] },
    }))

  test('counts none, which is a result', () =>
    verifyOperator({
      operator: updates('accumulating', counting),
      keySelectors,
      script: [plus, minus, end],
      expect: { output: [out(1, 9), out(0, 9), watermarkOut(Infinity)] },
    }))

  test('fails for what it does not hold', () =>
    verifyOperator({
      operator: updates('accumulating', counting),
      keySelectors,
      script: [minus, end],
      expect: { failure: { code: 'RETRACTION_UNMATCHED', message: /step "step".*holds no records/ } },
    }))

  test('gives the difference where its panes only add', () =>
    verifyOperator({
      operator: updates('discarding', counting),
      keySelectors,
      script: [plus, minus, end],
      expect: { output: [out(1, 9), out(-1, 9), watermarkOut(Infinity)] },
    }))
})
