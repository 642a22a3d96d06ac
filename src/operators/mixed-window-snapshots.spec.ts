// Storm's windows restored between any two records: what follows is what the run without a restore sends.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { fieldSelector } from '../model/key.ts'
import type { MixedExtent, MixedWindow, MixedWindowSpec } from '../model/mixed-window-spec.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { processingTime, record } from '../testing/operator-script.ts'
import { restoreParts, snapshotParts } from '../testing/snapshot-operator.ts'
import { SnapshotRun } from '../testing/snapshot-run.ts'
import { randomScript, verifySnapshots } from '../testing/verify-snapshots.ts'

interface Row {
  readonly k: string
  readonly n: number
}

const keySelectors = [fieldSelector('k')]
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]

const numbers = (rows: readonly Row[]): string => rows.map(({ n }) => n).join(' ')

/** Says key, bounds and lists: `a (0, 10]: 1 2, 2, `. */
const process: MixedWindowSpec['function'] = {
  kind: 'process',
  process(key, window, collector) {
    const { elements, added, expired, start, end } = window as MixedWindow<Row>
    collector.collect(`${String(key)} (${start}, ${end}]: ${numbers(elements)}, ${numbers(added)}, ${numbers(expired)}`)
  },
}

function mixed(length: MixedExtent, slide: MixedExtent, rest: Partial<MixedWindowSpec> = {}): OperatorSpec {
  const window: MixedWindowSpec = {
    length,
    slide,
    timeDomain: 'event-time',
    lagMs: 0,
    recordsMax: 1000,
    function: process,
    lateOutputTag: 'late',
    ...rest,
  }
  return { kind: 'mixed-window', window }
}

function count(records: number): MixedExtent {
  return { kind: 'records', count: records }
}

function time(durationMs: number): MixedExtent {
  return { kind: 'time', durationMs }
}

function verify(operator: OperatorSpec): void {
  let results = 0
  for (const seed of SEEDS) {
    try {
      const { sent } = verifySnapshots({
        operator,
        keySelectors,
        script: randomScript(seed, 24),
        sideOutputTags: ['late'],
      })
      results += sent.filter(element => 'value' in element).length
    } catch (error) {
      throw new Error(`randomScript(${seed}, 24): ${(error as Error).message}`, { cause: error })
    }
  }
  assert.ok(results > 20, `only ${results} results were compared`)
}

describe('restored mixed windows send what they would have sent', () => {
  const mixes: readonly (readonly [string, MixedExtent, MixedExtent])[] = [
    ['a time by time', time(12), time(5)],
    ['a time by count', time(12), count(2)],
    ['a count by time', count(3), time(5)],
    ['a count by count', count(3), count(2)],
  ]
  for (const [name, length, slide] of mixes) {
    test(name, () => verify(mixed(length, slide)))
    test(`${name}, behind the watermark`, () => verify(mixed(length, slide, { lagMs: 3 })))
    test(`${name}, in processing time`, () => verify(mixed(length, slide, { timeDomain: 'processing-time' })))
  }
})

test('a clock that is behind that of the snapshot stands still', () => {
  const operator = mixed(time(10), count(2), { timeDomain: 'processing-time' })
  const before = new SnapshotRun({ operator, keySelectors }, 100)
  before.open()
  before.run(record({ k: 'a', n: 1 }))
  const after = new SnapshotRun({ operator, keySelectors }, 50)
  restoreParts(after.parts, [snapshotParts(before.parts, 1)])
  after.open()
  after.run(record({ k: 'a', n: 2 }))
  assert.deepEqual(
    after.sent.map(element => ('value' in element ? element.value : element)),
    ['a (90, 100]: 1 2, 1 2, '],
  )
})

test('windows that became due while the job was down fire at once, once', () => {
  const operator = mixed(time(10), time(10), { timeDomain: 'processing-time' })
  const before = new SnapshotRun({ operator, keySelectors }, 103)
  before.open()
  before.run(record({ k: 'a', n: 1 }))
  const after = new SnapshotRun({ operator, keySelectors }, 5000)
  restoreParts(after.parts, [snapshotParts(before.parts, 1)])
  after.open()
  after.run(processingTime(5000))
  after.run(processingTime(6000))
  assert.deepEqual(
    after.sent.map(element => ('value' in element ? element.value : element)),
    ['a (100, 110]: 1, 1, '],
  )
})
