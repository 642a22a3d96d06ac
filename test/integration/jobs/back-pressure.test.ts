// A source that could go on for ever against a slow sink: what is between them stays within the channels' capacity, and memory does not grow.
// The full run of 20 s is `npm run show:back-pressure`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measureBackPressure } from './measure-back-pressure.ts'

test('an unbounded generator never gets further ahead of a slow sink than the channel holds', async () => {
  const measured = await measureBackPressure({ seconds: 2, sinkRecordsPerSecond: 1000 })
  assert.ok(measured.consumed >= 100, `the sink took ${measured.consumed} records`)
  assert.ok(measured.samples >= 10, `${measured.samples} samples`)
  // In hand: the record that the sink is writing, and the one that found the channel full.
  assert.ok(
    measured.aheadPeak <= measured.capacityRecords + 2,
    `ahead by ${measured.aheadPeak}, capacity ${measured.capacityRecords}`,
  )
  assert.ok(measured.aheadPeak >= measured.capacityRecords / 2, 'the channel was never near full: nothing was tested')
})
