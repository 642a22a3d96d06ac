// Small jobs for single questions about threads, by the name that is their first argument. Threads import this module.
import { isMainThread } from 'node:worker_threads'
import { forMonotonousTimestamps, type StreamEnvironment } from '../../../../src/entry/index.ts'
import { collected } from './collected.ts'

/** An instance of a class, which is no plain data. */
class Celsius {
  readonly degrees: number

  constructor(degrees: number) {
    this.degrees = degrees
  }
}

const toMainThread = (record: unknown): void => {
  collected.push(JSON.stringify(record))
}

const JOBS: Readonly<Record<string, (env: StreamEnvironment) => void>> = {
  /** Several regions, of which some end while others are still being made. */
  'several regions': env => {
    for (let region = 0; region < 5; region++) {
      env
        .generate(index => ({ region, index, k: index % 3 }), { count: 20 })
        .keyBy('k')
        .count()
        .addSink(toMainThread)
        .setParallelism(1)
    }
  },
  /** The first of two regions fails with its first record. */
  'a region fails at once': env => {
    env
      .generate(index => index, { count: 100 })
      .map<number>(() => {
        throw new Error('at once')
      })
      .addSink(toMainThread)
      .setParallelism(1)
    for (let region = 0; region < 3; region++) JOBS['endless']?.(env)
  },
  endless: env => {
    env
      .generate(index => ({ index, k: index % 5 }), { recordsPerSecond: 2000 })
      .keyBy('k')
      .count()
      .addSink(toMainThread)
      .setParallelism(1)
  },
  /** Its windows wait for time that does not come. */
  waiting: env => {
    const watermarks = forMonotonousTimestamps<{ k: number }>({ timestamp: () => 1000 })
    env
      .generate((index: number) => ({ k: index % 8 }), { recordsPerSecond: 2000, watermarks })
      .keyBy('k')
      .timeWindow(5000)
      .count()
      .addSink(toMainThread)
      .setParallelism(1)
  },
  'instances of a class': env => {
    env
      .generate(index => ({ index, at: { measured: new Celsius(index) } }), { count: 10 })
      .name('measured')
      .rebalance()
      .map(({ at }) => at.measured.degrees)
      .name('degrees')
      .addSink(toMainThread)
      .setParallelism(1)
  },
  'another graph in each thread': env => {
    const name = isMainThread ? 'in the main thread' : 'elsewhere'
    env
      .generate(index => index, { count: 10 })
      .name(name)
      .addSink(toMainThread)
      .setParallelism(1)
  },
  'a module that fails elsewhere': env => {
    if (!isMainThread) throw new Error('only the main thread has it')
    JOBS['endless']?.(env)
  },
  'splits with functions': env => {
    env
      .addSource(
        {
          splits: () => [{ id: 'one', position: () => 1 }],
          open: () => ({ read: () => 'end', position: () => 0, close: () => {} }),
        },
        { isBounded: true },
      )
      .addSink(toMainThread)
      .setParallelism(1)
  },
  /** What is sent to a callback from within a loop. */
  'a callback in a loop': env => {
    env
      .generate(index => ({ index, left: index % 4 }), { count: 40 })
      .iterate(loop => {
        const next = loop.map(({ index, left }) => ({ index, left: left - 1 }))
        next.filter(({ left }) => left === 0).addSink(toMainThread)
        return { feedback: next.filter(({ left }) => left > 0), output: next.filter(({ left }) => left <= 0) }
      })
      .rebalance()
      .map(({ index }) => index)
      .addSink(toMainThread)
      .setParallelism(1)
  },
  /** Leaves a timer behind in each thread, which would keep it alive. */
  'timers left behind': env => {
    env
      .generate(index => index, { count: 40 })
      .map(index => {
        if (!isMainThread) setInterval(() => {}, 1000)
        return index
      })
      .addSink(toMainThread)
      .setParallelism(1)
  },
  /** Its sink logs what cannot be sent to the main thread as it is. */
  'logging a function': env => {
    env
      .generate(index => index, { count: 4 })
      .addSink({
        open({ logger, subtaskIndex }) {
          logger.log('warn', 'a note of a sink', { subtaskIndex, isMainThread, logged: () => subtaskIndex })
          return { write: () => {}, close: () => {} }
        },
      })
  },
  /** Prints in the threads, up to the very end. */
  printing: env => {
    env
      .generate(index => `line ${index}`, { count: 2000 })
      .rebalance()
      .map(line => line)
      .print()
  },
}

/** `args`: the name of the job. */
export function job(env: StreamEnvironment, args: readonly string[]): void {
  JOBS[args[0] ?? '']?.(env)
}
