// What a running job is doing, on standard error: one line rewritten on a terminal, a plain line now and then elsewhere. Standard output
// belongs to the job.
import type { JobHandle, JobMetrics } from '../entry/index.ts'
import { StatusLine, type TextStream } from './status-line.ts'

const TERMINAL_MS = 500
const PLAIN_MS = 5000

/** Where progress is written, and what else may write to the same terminal. */
export interface ProgressStreams {
  readonly stdout: TextStream
  readonly stderr: TextStream
}

/** Shows how the latest job gets on, until closed. It keeps no process alive. */
export class Progress {
  private readonly stderr: TextStream
  private readonly statusLine: StatusLine | undefined
  private readonly timer: NodeJS.Timeout
  private job: JobHandle | undefined
  private before: { readonly metrics: JobMetrics | undefined; readonly atMs: number } = { metrics: undefined, atMs: 0 }

  constructor({ stdout, stderr }: ProgressStreams) {
    this.stderr = stderr
    const isTerminal = stderr.isTTY === true
    this.statusLine = isTerminal ? new StatusLine(stderr, stdout) : undefined
    this.timer = setInterval(() => this.show(), isTerminal ? TERMINAL_MS : PLAIN_MS)
    this.timer.unref()
  }

  /** Shows this job from now on. */
  follow(job: JobHandle): void {
    this.job = job
    this.before = { metrics: undefined, atMs: performance.now() }
  }

  /** Writes a line of its own. */
  say(line: string): void {
    this.statusLine?.clear()
    this.stderr.write(`${line}\n`)
  }

  /** Removes the line that is being rewritten, and ends. */
  close(): void {
    clearInterval(this.timer)
    this.statusLine?.close()
  }

  private show(): void {
    if (this.job === undefined) return
    const metrics = this.job.metrics()
    const atMs = performance.now()
    const line = progressLine(metrics, this.before.metrics, (atMs - this.before.atMs) / 1000)
    this.before = { metrics, atMs }
    if (this.statusLine === undefined) this.say(line)
    else this.statusLine.draw(line)
  }
}

/**
 * A line such as `in 1,000 (500/s)  out 200 (100/s)  watermark 2026-01-01T00:00:00.000Z  back-pressure 50 %`. The rates are over the
 * `seconds` since `before`, or since the start of the job where that is undefined.
 */
export function progressLine(now: JobMetrics, before: JobMetrics | undefined, seconds: number): string {
  const count = (records: number, earlier = 0): string => {
    const perSecond = seconds > 0 ? Math.round((records - earlier) / seconds) : 0
    return `${records.toLocaleString('en')} (${perSecond.toLocaleString('en')}/s)`
  }
  return [
    `in ${count(now.recordsIn, before?.recordsIn)}`,
    `out ${count(now.recordsOut, before?.recordsOut)}`,
    `watermark ${watermarkText(now.watermark)}`,
    `back-pressure ${Math.round(now.backpressuredShare * 100)} %`,
  ].join('  ')
}

function watermarkText(watermark: number): string {
  if (watermark === -Infinity) return 'none'
  if (watermark === Infinity) return 'end'
  const date = new Date(watermark)
  return Number.isNaN(date.getTime()) ? String(watermark) : date.toISOString()
}
