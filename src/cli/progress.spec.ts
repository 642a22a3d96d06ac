import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { JobHandle, JobMetrics } from '../entry/index.ts'
import { Progress, progressLine } from './progress.ts'

function metrics(parts: Partial<JobMetrics> = {}): JobMetrics {
  return { recordsIn: 0, recordsOut: 0, watermark: -Infinity, backpressuredShare: 0, vertices: [], edges: [], ...parts }
}

/** A process whose standard streams are, or are not, a terminal. */
function streams(isTTY: boolean) {
  const [out, err]: [string[], string[]] = [[], []]
  const stream = (texts: string[]) => ({ isTTY, columns: 200, write: (text: unknown) => texts.push(String(text)) > 0 })
  return { out, err, stdout: stream(out), stderr: stream(err) }
}

function job(recordsIn: () => number): JobHandle {
  return { metrics: () => metrics({ recordsIn: recordsIn(), recordsOut: 2 }) } as unknown as JobHandle
}

describe('progressLine', () => {
  test('shows records, their rates since the reading before, watermark and back-pressure', () => {
    const before = metrics({ recordsIn: 1000, recordsOut: 10 })
    const now = metrics({ recordsIn: 4000, recordsOut: 15, watermark: 0, backpressuredShare: 0.334 })
    assert.equal(
      progressLine(now, before, 2),
      'in 4,000 (1,500/s)  out 15 (3/s)  watermark 1970-01-01T00:00:00.000Z  back-pressure 33 %',
    )
  })

  test('counts from the start of the job where there is no reading before', () => {
    assert.match(progressLine(metrics({ recordsIn: 50 }), undefined, 0.5), /^in 50 \(100\/s\) {2}out 0 \(0\/s\)/)
    assert.match(progressLine(metrics({ recordsIn: 50 }), undefined, 0), /^in 50 \(0\/s\)/)
  })

  test('has a word for watermarks that are no time', () => {
    const shown = (watermark: number) => /watermark (\S+)/.exec(progressLine(metrics({ watermark }), undefined, 1))?.[1]
    assert.deepEqual([-Infinity, Infinity, 1e300].map(shown), ['none', 'end', '1e+300'])
  })
})

describe('Progress', () => {
  test('rewrites one line on a terminal, and ends with nothing of it left', t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { out, err, stdout, stderr } = streams(true)
    const progress = new Progress({ stdout, stderr })
    t.mock.timers.tick(500)
    assert.equal(err.length, 0, 'there is no job yet')
    let recordsIn = 0
    progress.follow(job(() => ++recordsIn))
    t.mock.timers.tick(1000)
    assert.equal(err.length, 2)
    assert.ok(err[1]?.startsWith('\r\u001b[2Kin 2 ('))
    assert.match(err[1] ?? '', /back-pressure 0 %$/)
    progress.say('done')
    progress.close()
    t.mock.timers.tick(5000)
    assert.deepEqual(err.slice(2), ['\r\u001b[2K', 'done\n'])
    assert.deepEqual(out, [])
  })

  test('writes a plain line every few seconds elsewhere, on standard error only', t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { out, err, stdout, stderr } = streams(false)
    const progress = new Progress({ stdout, stderr })
    progress.follow(job(() => 7))
    t.mock.timers.tick(4999)
    assert.deepEqual(err, [])
    t.mock.timers.tick(5001)
    assert.equal(err.length, 2)
    for (const line of err) assert.match(line, /^in 7 \([^\r]*back-pressure 0 %\n$/)
    progress.close()
    assert.deepEqual(out, [])
  })
})
