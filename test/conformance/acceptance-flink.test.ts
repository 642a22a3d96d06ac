// Flink's WindowOperatorTest.testDropDueToLatenessSliding, number by number.
import test from 'node:test'
import { fieldSelector } from '../../src/model/key.ts'
import { verifyOperator } from '../../src/testing/operator-harness.ts'
import { end, out, watermark, watermarkOut } from '../../src/testing/operator-script.ts'
import { item, windowing } from './support/window-cases-of-systems.ts'

test('a record late for one of its windows counts in the others; one late for all is dropped', () =>
  verifyOperator({
    operator: windowing({ assigner: { kind: 'sliding', sizeMs: 3000, slideMs: 1000, offsetMs: 0 } }),
    keySelectors: [fieldSelector('k')],
    script: [
      item('key2', 1, 1000),
      watermark(1999),
      item('key2', 1, 2000),
      watermark(3000),
      item('key2', 1, 2400),
      item('key2', 1, 2400),
      item('key2', 1, 3001),
      item('key1', 1, 3001),
      item('key1', 1, 3001),
      watermark(6000),
      item('key1', 1, 3001),
      end,
    ],
    expect: {
      output: [
        out('key2 [-1000, 2000) 1', 1999),
        watermarkOut(1999),
        out('key2 [0, 3000) 2', 2999),
        watermarkOut(3000),
        out('key2 [1000, 4000) 5', 3999),
        out('key1 [1000, 4000) 2', 3999),
        out('key2 [2000, 5000) 4', 4999),
        out('key1 [2000, 5000) 2', 4999),
        out('key2 [3000, 6000) 1', 5999),
        out('key1 [3000, 6000) 2', 5999),
        watermarkOut(6000),
        watermarkOut(Infinity),
      ],
      lateRecordsDropped: 1,
    },
  }))
