// A step that reads two streams, only one of which has timestamps: its records keep what is their own, whatever the order of steps.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { ProcessFunction } from '../../src/model/functions.ts'
import { GraphBuilder } from '../../src/model/graph-builder.ts'
import { collectingSink, timedSource, valuesSource } from '../../src/testing/collections.ts'
import { simulateRun } from '../../src/testing/simulate.ts'

const SEEDS = 50

interface Seen {
  readonly record: string
  readonly timestamp: number | undefined
}

const reportTimestamp: ProcessFunction<string, Seen> = {
  onRecord: (record, ctx, out) => out.collect({ record, timestamp: ctx.timestamp }),
}

async function seenTimestamps(parallelism: number, seed: number): Promise<readonly Seen[]> {
  const builder = new GraphBuilder()
  const timed = [1, 2, 3, 4].map(timestamp => ({ value: `timed ${timestamp}`, timestamp }))
  const sources = [timedSource(timed), valuesSource(['plain a', 'plain b', 'plain c', 'plain d'])]
  const sink = collectingSink<Seen>()
  const report = builder.addVertex({
    name: 'report',
    operator: { kind: 'process', function: reportTimestamp as never },
  })
  for (const source of sources) {
    const { id } = builder.addVertex({ name: 'source', operator: { kind: 'source', source } })
    builder.addEdge({ from: id, to: report.id })
  }
  const { id } = builder.addVertex({ name: 'sink', operator: { kind: 'sink', sink: sink.spec } })
  builder.addEdge({ from: report.id, to: id })
  await simulateRun(builder.build('mixed inputs', { parallelism }), { seed })
  return sink.records
}

describe('a union of a stream with timestamps and one without', () => {
  for (const parallelism of [1, 2]) {
    test(`gives no record the timestamp of another, at parallelism ${parallelism}`, async () => {
      for (let seed = 0; seed < SEEDS; seed++) {
        const seen = await seenTimestamps(parallelism, seed)
        const expected = seen.map(({ record }) => {
          const [kind, ordinal] = record.split(' ')
          return { record, timestamp: kind === 'timed' ? Number(ordinal) : undefined }
        })
        assert.equal(seen.length, 8)
        assert.deepEqual(seen, expected, `seed ${seed}`)
      }
    })
  }
})
