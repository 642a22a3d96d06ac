// The longest that one step of a task keeps the thread while snapshots of a million keys are taken, in CPU time of the thread and in wall time.
// It runs from the sources, since it puts a watch around the steps of tasks.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { environment, seconds } from '../src/entry/index.ts'
import { Task } from '../src/runtime/task.ts'
import { nextState, pick } from './workloads.ts'

const KEYS = 1_000_000
const RECORDS = 12_000_000

interface Step {
  readonly cpuMs: number
  readonly wallMs: number
}

const steps: Step[] = []
const { step } = Task.prototype
Task.prototype.step = function watched(limit) {
  const isEncoding = this.snapshots.isEncoding
  const cpu = process.threadCpuUsage()
  const startedMs = performance.now()
  const status = step.call(this, limit)
  const wallMs = performance.now() - startedMs
  const { user, system } = process.threadCpuUsage(cpu)
  if (isEncoding || this.snapshots.isEncoding) steps.push({ cpuMs: (user + system) / 1000, wallMs })
  return status
}

const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const env = environment({ parallelism: 1 })
env.enableCheckpointing(seconds(1))
let state = 1
env
  .generate(
    () => {
      state = nextState(state)
      return { key: pick(state, KEYS), value: 1 }
    },
    { count: RECORDS },
  )
  .keyBy('key')
  .sum('value')
  .addSink({ open: () => ({ write: () => {}, close: () => {} }) })
await env.execute('slices', { directory })
rmSync(directory, { recursive: true })

const by = (field: keyof Step): number[] => steps.map(each => each[field]).sort((a, b) => a - b)
const [cpu, wall] = [by('cpuMs'), by('wallMs')]
const at = (values: readonly number[], share: number): string =>
  (values[Math.floor((values.length - 1) * share)] ?? 0).toFixed(2)
console.log(`${steps.length} steps of tasks during snapshots of ${KEYS} keys`)
console.log(`CPU time of the thread, ms: p50 ${at(cpu, 0.5)}, p99 ${at(cpu, 0.99)}, longest ${at(cpu, 1)} (aim 10)`)
console.log(`wall time, ms: p50 ${at(wall, 0.5)}, p99 ${at(wall, 0.99)}, longest ${at(wall, 1)}`)
