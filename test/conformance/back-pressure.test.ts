// A fast source against a slow sink: what was emitted and not yet consumed never exceeds what the channels hold and what one record emits.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { Source } from '../../src/model/connector.ts'
import { Channel } from '../../src/runtime/channel.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

const SEEDS = 50
const RECORDS = 2000

interface Flow {
  emitted: number
  consumed: number
  peak: number
}

/** An unbounded generator, as far as the job can tell: it has the next record whenever it is asked. */
function countingSource(flow: Flow): Source<number> {
  return {
    splits: () => [{ id: 'numbers', position: 0 }],
    open: () => ({
      read(output) {
        while (flow.emitted < RECORDS) {
          const isRoom = output.emit(flow.emitted++)
          flow.peak = Math.max(flow.peak, flow.emitted - flow.consumed)
          if (!isRoom) return 'more'
        }
        return 'end'
      },
      position: () => flow.emitted,
      close: () => {},
    }),
  }
}

/** A write that takes a number of turns of the promise queue, a different one each time. */
async function slowly(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve()
}

interface Shape {
  readonly seed: number
  readonly channelCapacityRecords: number
  readonly parallelism: number
  /** Copies that each record of the source becomes. */
  readonly copies: number
}

async function run({ seed, channelCapacityRecords, parallelism, copies }: Shape): Promise<Flow & { channels: number }> {
  const flow: Flow = { emitted: 0, consumed: 0, peak: 0 }
  const launcher = new SimulatedLauncher(parallelism, { seed, channelCapacityRecords })
  const env = new StreamEnvironment(launcher)
  let written = 0
  env
    .addSource(countingSource(flow), { isBounded: true, parallelismMax: 1 })
    .rebalance()
    .flatMap(n => new Array<number>(copies).fill(n))
    .disableChaining()
    .addSink(async () => {
      written++
      // A record of the source is consumed with the last of its copies.
      flow.consumed = Math.floor(written / copies)
      await slowly(written % 5)
    })
  await env.execute('slow sink')
  assert.equal(written, RECORDS * copies, 'nothing is lost')
  const edges = launcher.runs[0]?.metrics.edges ?? []
  for (const edge of edges) {
    const bound = edge.capacityRecords + (edge.from === 'flat-map' ? copies : 1) - 1
    assert.ok(
      edge.queuedRecordsPeak <= bound,
      `${edge.from} -> ${edge.to} held ${edge.queuedRecordsPeak}, bound ${bound}`,
    )
  }
  return { ...flow, channels: edges.reduce((sum, edge) => sum + edge.channels, 0) }
}

describe('a slow asynchronous sink', () => {
  for (const channelCapacityRecords of [1, 16, 100]) {
    for (const [parallelism, copies] of [
      [1, 1],
      [2, 1],
      [3, 4],
    ] as const) {
      test(`holds the source back: capacity ${channelCapacityRecords}, parallelism ${parallelism}, ${copies} copies of each record`, async () => {
        for (let seed = 1; seed <= SEEDS / 5; seed++) {
          const flow = await run({ seed, channelCapacityRecords, parallelism, copies })
          // Each channel may hold its capacity and what one record emits; each sink has one record in hand, and so has the source.
          const bound = flow.channels * (channelCapacityRecords + copies) + parallelism + 1
          assert.ok(flow.peak <= bound, `seed ${seed}: ${flow.peak} records were under way, bound ${bound}`)
          assert.ok(flow.peak >= channelCapacityRecords, `seed ${seed}: the channels were used, ${flow.peak}`)
        }
      })
    }
  }

  test('would fail the check if channels had no bound', async () => {
    const original = Channel.prototype.append
    // What append does, without telling the sender that the channel is full.
    Channel.prototype.append = function (this: Channel, ...record) {
      const capacity = Reflect.get(this, 'init').senderCapacity
      const blockedBefore = capacity?.blocked
      original.apply(this, record)
      if (capacity === undefined || capacity.blocked === blockedBefore) return
      capacity.blocked = blockedBefore
      Reflect.set(this, 'isFull', false)
    }
    try {
      const shape = { seed: 1, channelCapacityRecords: 16, parallelism: 1, copies: 1 }
      await assert.rejects(run(shape), /held \d+, bound 16/)
    } finally {
      Channel.prototype.append = original
    }
  })
})
