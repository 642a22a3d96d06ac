// One process of the job, as its killer sees it: what it does by the events that it writes, and how it ended.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { EVENTS_FD, type JobEvent, type JobSettings, type Phase, parseEvent } from './kill-settings.ts'

const JOB = join(import.meta.dirname, 'job.ts')
/** What is kept of standard error. */
const STDERR_LENGTH_MAX = 10_000

/** How a process ended. */
export interface Ended {
  readonly end: 'finished' | 'killed' | 'failed'
  /** What the job was doing: the phase that it entered last of those that it had not left. */
  readonly phase: Phase
  /** From the start of the process to the first record that the source emitted; undefined when there was none. */
  readonly firstRecordMs: number | undefined
  readonly firstCheckpointMs: number | undefined
  /** Checkpoints that were completed. */
  readonly checkpoints: number
  readonly runMs: number
  readonly stderr: string
}

/** Starts the job, and follows it to its end. */
export class JobProcess {
  readonly ended: Promise<Ended>
  private readonly child: ChildProcess
  private readonly startedMs = performance.timeOrigin + performance.now()
  private readonly active: Phase[] = []
  private firstRecordMs: number | undefined
  private firstCheckpointMs: number | undefined
  private checkpoints = 0
  private stderr = ''
  private rest = ''
  private readonly waiting = new Map<'record' | 'checkpoint', () => void>()

  /** It is killed when it takes longer than `limitMs`, which is then a failure. */
  constructor(settings: JobSettings, limitMs: number) {
    const args = [JOB, JSON.stringify(settings)]
    this.child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
    this.child.stderr?.on('data', piece => {
      this.stderr = (this.stderr + String(piece)).slice(-STDERR_LENGTH_MAX)
    })
    const events = this.child.stdio[EVENTS_FD] as Readable
    events.setEncoding('utf8').on('data', piece => this.onEvents(String(piece)))
    this.ended = this.follow(limitMs)
  }

  /** Calls back once, when the source has emitted its first record or the first checkpoint of this process is complete. */
  once(kind: 'record' | 'checkpoint', callback: () => void): void {
    this.waiting.set(kind, callback)
  }

  /** kill -9. */
  kill(): void {
    this.child.kill('SIGKILL')
  }

  private follow(limitMs: number): Promise<Ended> {
    return new Promise((resolve, reject) => {
      let isLate = false
      const limit = setTimeout(() => {
        isLate = true
        this.kill()
      }, limitMs)
      this.child.once('error', reject)
      // Not `exit`: events that the process wrote before its death may still be in the pipe.
      this.child.once('close', (code, signal) => {
        clearTimeout(limit)
        if (isLate) this.stderr += `\nit did not end within ${limitMs} ms`
        resolve(this.result(isLate ? 'failed' : signal === 'SIGKILL' ? 'killed' : code === 0 ? 'finished' : 'failed'))
      })
    })
  }

  private result(end: Ended['end']): Ended {
    const { active, firstRecordMs, firstCheckpointMs, checkpoints, stderr } = this
    const runMs = performance.timeOrigin + performance.now() - this.startedMs
    return { end, phase: active.at(-1) ?? 'idle', firstRecordMs, firstCheckpointMs, checkpoints, runMs, stderr }
  }

  private onEvents(piece: string): void {
    const lines = (this.rest + piece).split('\n')
    this.rest = lines.pop() ?? ''
    for (const line of lines) this.onEvent(parseEvent(line))
  }

  private onEvent(event: JobEvent): void {
    switch (event.kind) {
      case 'enter':
        this.active.push(event.phase)
        return
      case 'leave':
        this.active.splice(this.active.lastIndexOf(event.phase), 1)
        return
      case 'record':
        this.firstRecordMs = event.epochMs - this.startedMs
        break
      case 'checkpoint':
        this.firstCheckpointMs ??= event.epochMs - this.startedMs
        this.checkpoints++
    }
    const callback = this.waiting.get(event.kind)
    this.waiting.delete(event.kind)
    callback?.()
  }
}
