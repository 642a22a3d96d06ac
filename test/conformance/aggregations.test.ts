// The built-in aggregations in whole jobs: after each record of a key, and in windows.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import { avg, composite, count, max, sum } from '../../src/entry/index.ts'
import { forMonotonousTimestamps } from '../../src/time/watermark-strategies.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

const SALES = [5, 9, 9, 2, 7].map((euros, index) => ({
  city: 'Cork',
  euros,
  item: `item ${index % 2}`,
  at: 1000 * index,
}))

const sales = () =>
  new StreamEnvironment(new SimulatedLauncher(1, { seed: 1 }))
    .fromElements(...SALES)
    .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: sale => sale.at }))
    .keyBy('city')
const windows = () => sales().timeWindow(3000)

describe('built-in aggregations', () => {
  test('of a keyed stream give the result so far after each record', async () => {
    assert.deepEqual(await sales().count().executeAndCollect(), [1, 2, 3, 4, 5])
    assert.deepEqual(await sales().avg('euros').executeAndCollect(), [5, 7, 23 / 3, 25 / 4, 32 / 5])
    assert.deepEqual(await sales().distinctCount('item').executeAndCollect(), [1, 2, 2, 2, 2])
    assert.deepEqual(await sales().quantiles('euros', [0.5]).executeAndCollect(), [[5], [5], [9], [5], [7]])
    const top = await sales().topN(2, { by: 'euros' }).executeAndCollect()
    assert.deepEqual(
      top.map(records => records.map(record => record.at)),
      [[0], [1000, 0], [1000, 2000], [1000, 2000], [1000, 2000]],
    )
  })

  test('of windows give the result of each window', async () => {
    assert.deepEqual(await windows().count().executeAndCollect(), [3, 2])
    assert.deepEqual(await windows().avg('euros').executeAndCollect(), [23 / 3, 4.5])
    assert.deepEqual(await windows().quantiles('euros', [0, 1]).executeAndCollect(), [
      [5, 9],
      [2, 7],
    ])
    const parts = composite({ sales: count(), total: sum('euros'), mean: avg('euros'), most: max('euros') })
    assert.deepEqual(await windows().aggregate(parts).executeAndCollect(), [
      { sales: 3, total: 23, mean: 23 / 3, most: 9 },
      { sales: 2, total: 9, mean: 4.5, most: 7 },
    ])
  })
})
