// What a running job is doing, on standard error: one line rewritten on a terminal, a plain line now and then elsewhere.
import type { JobHandle, JobMetrics } from '../entry/index.ts'

const TERMINAL_MS = 500
const PLAIN_MS = 5000

/** Shows the job's progress until stopped. */
export function showProgress(job: () => JobHandle | undefined): { stop(): void } {
  const isTerminal = process.stderr.isTTY === true
  let before: { readonly metrics: JobMetrics; readonly atMs: number } | undefined
  let hasLine = false
  const timer = setInterval(
    () => {
      const metrics = job()?.metrics()
      if (metrics === undefined) return
      const atMs = performance.now()
      const seconds = before === undefined ? 0 : (atMs - before.atMs) / 1000
      const line = progressLine(metrics, before?.metrics, seconds)
      before = { metrics, atMs }
      hasLine = isTerminal
      process.stderr.write(isTerminal ? `\r\u001b[2K${line}` : `${line}\n`)
    },
    isTerminal ? TERMINAL_MS : PLAIN_MS,
  )
  timer.unref()
  return {
    stop: () => {
      clearInterval(timer)
      if (hasLine) process.stderr.write('\r\u001b[2K')
      hasLine = false
    },
  }
}

/** A line such as `in 1,000 (500/s)  out 200 (100/s)  watermark 2026-01-01T00:00:00.000Z  back-pressure 50 %`. */
export function progressLine(now: JobMetrics, before: JobMetrics | undefined, seconds: number): string {
  const rate = (count: number, earlier: number | undefined): string => {
    const perSecond = earlier === undefined || seconds <= 0 ? 0 : Math.round((count - earlier) / seconds)
    return `${count.toLocaleString('en')} (${perSecond.toLocaleString('en')}/s)`
  }
  const backPressure = `back-pressure ${Math.round(now.backpressuredShare * 100)} %`
  return `in ${rate(now.recordsIn, before?.recordsIn)}  out ${rate(now.recordsOut, before?.recordsOut)}  watermark ${watermarkText(now.watermark)}  ${backPressure}`
}

function watermarkText(watermark: number): string {
  if (watermark === -Infinity) return 'none'
  if (watermark === Infinity) return 'end'
  const date = new Date(watermark)
  return Number.isNaN(date.getTime()) ? String(watermark) : date.toISOString()
}
