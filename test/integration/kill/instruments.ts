// Ports of a job that tell a meter what they are used for: the code of the job itself knows nothing of it.
import pg from 'pg'
import type { AppendFile, Files, Storage } from '../../../src/base/storage.ts'
import type {
  ConnectorResolver,
  PreparedTransaction,
  Sink,
  SinkWriter,
  TransactionalWriter,
} from '../../../src/model/connector.ts'
import { MANIFESTS_PREFIX, SEGMENTS_PREFIX } from '../../../src/recovery/snapshot/checkpoint-names.ts'
import type { Phase } from './kill-settings.ts'
import type { PhaseMeter } from './phase-meter.ts'

/** The file system, with a point before, in and after each call; a piece of a file is written in two halves. */
export function meteredFiles(files: Files, meter: PhaseMeter): Files {
  const at = <R>(call: () => Promise<R>): Promise<R> => withPoints(meter, call)
  return {
    open: async (path, mode) => meteredFile(await at(() => files.open(path, mode)), meter),
    read: path => at(() => files.read(path)),
    readAt: (path, offset, bytes) => at(() => files.readAt(path, offset, bytes)),
    rename: (from, to) => at(() => files.rename(from, to)),
    truncate: (path, bytes) => at(() => files.truncate(path, bytes)),
    remove: path => at(() => files.remove(path)),
    list: directory => at(() => files.list(directory)),
    syncDirectory: directory => at(() => files.syncDirectory(directory)),
  }
}

function meteredFile(file: AppendFile, meter: PhaseMeter): AppendFile {
  return {
    append: async bytes => {
      const half = bytes.length >> 1
      await withPoints(meter, () => file.append(bytes.subarray(0, half)))
      await withPoints(meter, () => file.append(bytes.subarray(half)))
    },
    sync: () => withPoints(meter, () => file.sync()),
    close: () => withPoints(meter, () => file.close()),
  }
}

/** The storage of checkpoints, whose names say what is stored. */
export function meteredStorage(storage: Storage, meter: PhaseMeter): Storage {
  return {
    description: storage.description,
    put: async (name, bytes) => {
      if (name.startsWith('endings/')) meter.onEnding()
      const phase = phaseOfObject(name)
      if (phase === undefined) return storage.put(name, bytes)
      await meter.during(phase, () => storage.put(name, bytes))
      if (phase === 'manifest') meter.onCheckpoint()
    },
    get: name => storage.get(name),
    getRange: (name, offset, bytes) => storage.getRange(name, offset, bytes),
    list: prefix => storage.list(prefix),
    remove: name => meter.during('garbage', () => storage.remove(name)),
    confirm: async names => storage.confirm?.(names),
  }
}

function phaseOfObject(name: string): Phase | undefined {
  if (name.startsWith(SEGMENTS_PREFIX)) return 'segments'
  return name.startsWith(MANIFESTS_PREFIX) ? 'manifest' : undefined
}

/** The connectors, with writers that tell when they prepare and commit. */
export function meteredConnectors(connectors: ConnectorResolver, meter: PhaseMeter): ConnectorResolver {
  return { source: spec => connectors.source(spec), sink: spec => meteredSink(connectors.sink(spec), meter) }
}

function meteredSink(sink: Sink<unknown>, meter: PhaseMeter): Sink<unknown> {
  return {
    open: async context => {
      const writer = await sink.open(context)
      if (!isTransactional(writer)) throw new Error('the sink is not transactional: there is nothing to show')
      return meteredWriter(writer, meter)
    },
  }
}

function isTransactional(writer: SinkWriter<unknown>): writer is TransactionalWriter<unknown> {
  return 'prepare' in writer
}

function meteredWriter(writer: TransactionalWriter<unknown>, meter: PhaseMeter): TransactionalWriter<unknown> {
  return {
    recover: (prepared: readonly PreparedTransaction[], startedFromId) => writer.recover(prepared, startedFromId),
    begin: () => writer.begin(),
    write: (record, timestampMs) => writer.write(record, timestampMs),
    flush: () => writer.flush?.(),
    prepare: snapshotId => meter.during('prepare', () => writer.prepare(snapshotId)),
    commit: prepared => meter.during('commit', () => writer.commit(prepared)),
    close: () => writer.close(),
  }
}

/** Puts points before, in and after each statement that this process sends to PostgreSQL. */
export function meterPostgres(meter: PhaseMeter): void {
  const { prototype } = pg.Client as unknown as { prototype: { query(...args: unknown[]): unknown } }
  const { query } = prototype
  prototype.query = function (this: unknown, ...args: unknown[]): unknown {
    meter.point()
    const result = query.apply(this, args)
    meter.point()
    if (result instanceof Promise) result.then(() => meter.point()).catch(() => {})
    return result
  }
}

async function withPoints<R>(meter: PhaseMeter, call: () => Promise<R>): Promise<R> {
  meter.point()
  const result = call()
  meter.point()
  const value = await result
  meter.point()
  return value
}
