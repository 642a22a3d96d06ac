// Deliberately broken variants of the engine: one textual replacement each, in a copy of the sources. The simulator must notice every one of them.
// `seed` is one that catches it in the job named; it may move when a job, the plan of faults or the engine changes.

/** A variant. The text to replace must stand in the file exactly once. */
export interface SimulationMutation {
  readonly name: string
  /** The path from `src`. */
  readonly file: string
  readonly from: string
  readonly to: string
  /** The job that shows it. */
  readonly job: string
  /** The first seed from 1 that caught it when this was written. */
  readonly seed: number
}

const STORAGE = 'recovery/snapshot/file-storage.ts'
const STORE = 'recovery/snapshot/checkpoint-store.ts'
const TRACKER = 'state/change-tracker.ts'
const TRANSACTIONS = 'operators/sink-transactions.ts'
const SOURCE = 'operators/source.ts'

/** The variants. */
export const SIMULATION_MUTATIONS: readonly SimulationMutation[] = [
  {
    name: 'barriers are not aligned',
    file: 'runtime/barrier-aligner.ts',
    from: `return this.barrier !== undefined && this.mode === 'exactly-once' && this.inputs[input] === 'arrived'`,
    to: 'return false && this.inputs[input] === undefined',
    job: 'two inputs',
    seed: 49,
  },
  {
    name: 'a file is not synced before it is renamed',
    file: STORAGE,
    from: '        await file.sync()\n',
    to: '',
    job: 'rolling count',
    seed: 2,
  },
  {
    name: 'a directory is not synced after a rename',
    file: STORAGE,
    from: `      await this.sync(directoryOf(path))
    } catch (error) {
      // Who is told`,
    to: `    } catch (error) {
      // Who is told`,
    job: 'rolling count',
    seed: 29,
  },
  {
    name: 'the manifest does not wait for the segments',
    file: STORE,
    from: 'if (bytes > 0) await this.storage.put(file, segment.bytes)',
    to: 'if (bytes > 0) this.storage.put(file, segment.bytes).catch(() => {})',
    job: 'rolling count',
    seed: 1,
  },
  {
    name: 'what is in sight at the start is not made safe',
    file: STORE,
    from: 'await this.storage.confirm?.([manifestFile(0)])',
    to: '',
    job: 'rolling count',
    seed: 171,
  },
  {
    name: 'timers are forgotten',
    file: 'operators/keyed-process.ts',
    from: 'writeValue(out, queue.timesOf(entry))',
    to: 'writeValue(out, queue.timesOf(entry).slice(0, 0))',
    job: 'timers',
    seed: 1,
  },
  {
    name: 'objects that are in a snapshot already do not count as changed',
    file: TRACKER,
    from: 'if (entry.touchedIn === this.epoch) return\n    // One',
    to: 'if (entry.touchedIn === this.epoch || entry.writtenIn > 0) return\n    // One',
    job: 'rolling count',
    seed: 2,
  },
  {
    name: 'what an entry was at the barrier is not kept',
    file: TRACKER,
    from: 'if (this.running !== undefined && entry.touchedIn !== 0) this.writeOnce(entry, this.running)',
    to: '',
    job: 'rolling count',
    seed: 2,
  },
  {
    name: 'what an aborted snapshot held is not in the next one',
    file: TRACKER,
    from: '    this.running = undefined\n    this.touchAgain(newest.entries)',
    to: '    this.running = undefined',
    job: 'rolling count',
    seed: 117,
  },
  {
    name: 'a transaction is committed before its checkpoint is complete',
    file: TRANSACTIONS,
    from: '    if (transaction !== undefined) this.prepared.push({ snapshotId, transaction })',
    to: '    if (transaction !== undefined) this.prepared.push({ snapshotId, transaction })\n    this.complete(snapshotId)',
    job: 'rolling count',
    seed: 2,
  },
  {
    name: 'prepared transactions are not in the snapshot',
    file: TRANSACTIONS,
    from: '() => this.prepared,',
    to: '() => [],',
    job: 'rolling count',
    seed: 5,
  },
  {
    name: 'a snapshot holds the position one record behind',
    file: SOURCE,
    from: 'position: reader.position(),',
    to: 'position: Math.max(0, (reader.position() as number) - 1),',
    job: 'rolling count',
    seed: 1,
  },
  {
    name: 'splits are read from their beginning again',
    file: SOURCE,
    from: 'const split: Split = { id, position }',
    to: 'const split: Split = { id, position: typeof position === `number` ? 0 : position }',
    job: 'tumbling windows',
    seed: 1,
  },
  {
    // Not to restore it at all shows in no result: the step that made it remembers it too.
    name: 'the watermark is restored too far ahead',
    file: 'runtime/task-snapshots.ts',
    from: 'node.restoredWatermark = Math.min(...(times as readonly number[]))',
    to: 'node.restoredWatermark = Math.min(...(times as readonly number[])) + 10',
    job: 'tumbling windows',
    seed: 69,
  },
  {
    name: 'what a task left at its end stands in for the snapshot before',
    file: 'runtime/checkpointing.ts',
    from: '        await before\n',
    to: '',
    job: 'rolling count',
    seed: 16,
  },
  {
    name: 'what earlier attempts left is not removed',
    file: 'connectors/file/transactional-file-writer.ts',
    from: 'if (this.names.isLeftover(part, startedFromId)) {',
    to: 'if (this.names.isLeftover(part, startedFromId) && removedCount > 0) {',
    job: 'file sink',
    seed: 2,
  },
  {
    name: 'what is under way in a loop is not in the snapshot',
    file: 'operators/loop-log.ts',
    from: 'const sections = this.rows === 0 ? []',
    to: 'const sections = this.rows >= 0 ? []',
    job: 'feedback loop',
    seed: 506,
  },
  {
    name: 'calls under way are not in the snapshot',
    file: 'operators/async-function.ts',
    from: '() => [...this.held].map(',
    to: '() => [...this.held].slice(0, 0).map(',
    job: 'asynchronous calls',
    seed: 2,
  },
]
