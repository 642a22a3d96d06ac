// The contracts of sources and sinks, and the named specs by which a graph refers to them without holding an implementation.
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'

/** Where subtasks may run: on any thread, or only on the main one (stdin, callbacks, bare iterables, collect). */
export type Placement = 'any' | 'main-thread'

/** The unit of reading: its position says from where to go on. Positions are plain data that a codec can write. */
export interface Split<P = unknown> {
  readonly id: string
  readonly position: P
}

/** What a reader can reach. */
export interface ReaderContext {
  readonly jobName: string
  /** True when the job takes snapshots, so that its readers hear of those that are complete. */
  readonly isCheckpointed: boolean
  readonly subtaskIndex: number
  readonly parallelism: number
  readonly clock: Clock
  readonly logger: Logger
  /** Asks for another `read` soon; may be called from any callback of the reader's own I/O. */
  wake(): void
}

/** Where a reader puts its records. */
export interface SourceOutput<T> {
  /**
   * Emits one record, with its event time in epoch ms where the source knows it; `isRetraction`: it takes back an equal one emitted before.
   * Returns false when the reader should return from `read` (the output is full or the turn is over); the record was taken all the same.
   */
  emit(record: T, timestampMs?: number, isRetraction?: boolean): boolean
}

/** What a call of `read` left: more records now, nothing until `wake` (or `wakeAtMs`), or the end of the split. */
export type ReadStatus = 'more' | 'waiting' | 'end'

/** Reads one split. `read` never blocks: it emits what is there and returns. A failure is thrown from `read`. */
export interface SplitReader<T, P = unknown> {
  read(output: SourceOutput<T>): ReadStatus
  /** While waiting: the processing time (epoch ms) at which it wants to be read again even without `wake`. */
  readonly wakeAtMs?: number
  /** The position after the last record emitted. */
  position(): P
  /**
   * A snapshot with this position is complete: a failure leads back behind it only if that snapshot turns out to be damaged (then to one of those
   * that the job retains). For readers that acknowledge what they have read, or let go of it. Not called for snapshots that failed, so some positions
   * are never told; one may be told twice, and the last is that of the end. Nothing waits for it: work that takes time is begun here, and awaited
   * in `close`. What it throws is logged as a warning.
   */
  onSnapshotComplete?(position: P): void
  close(): void | Promise<void>
}

/** An enumerator of splits and a maker of their readers. */
export interface Source<T, P = unknown> {
  /** The splits to begin with, for a job that reads with this many subtasks. A job that starts from a snapshot goes on with the splits of that. */
  splits(parallelism: number): readonly Split<P>[] | Promise<readonly Split<P>[]>
  /** Splits that are new since: those whose ids are not among the known ones. For sources whose input grows by splits, such as files. */
  newSplits?(knownIds: ReadonlySet<string>): readonly Split<P>[] | Promise<readonly Split<P>[]>
  open(split: Split<P>, context: ReaderContext): SplitReader<T, P> | Promise<SplitReader<T, P>>
}

/** What a writer can reach. */
export interface WriterContext {
  readonly subtaskIndex: number
  readonly parallelism: number
  /** The name of the job and the uid of the sink: what tells its transactions from those of others. */
  readonly jobName: string
  readonly uid: string
  /**
   * Tells the job from others of its name that may write to the same place, such as those started from its savepoints: the same over all runs
   * in its directory. Absent where a job has none.
   */
  readonly owner?: string
  /** Which attempt of the job it is, from 1, over all runs in its directory: no two writers of a subtask have the same. */
  readonly attempt: number
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Writes the records of one subtask. A promise from `write` means: not ready for the next record until it resolves.
 * `isRetraction` says that the record takes back an equal one written before; only sinks that declare it get such records.
 */
export interface SinkWriter<T> {
  write(record: T, timestampMs: number | undefined, isRetraction?: boolean): void | Promise<void>
  /** Hands on what is buffered; called when the input is drained and at the end. */
  flush?(): void | Promise<void>
  close(): void | Promise<void>
}

/** A maker of writers, one per subtask. */
export interface Sink<T> {
  open(context: WriterContext): SinkWriter<T> | Promise<SinkWriter<T>>
}

/**
 * What a writer of transactions needs to finish one later, also in another process: plain data that the snapshot holds. A transaction
 * that is in a complete snapshot must be committed; one that is in none must never be.
 */
export interface PreparedTransaction<C = unknown> {
  /** The snapshot whose records it holds. That of the end of the input lies between two snapshots: `7.5` is in every one above 7. */
  readonly snapshotId: number
  readonly transaction: C
}

/**
 * Writes the records of one subtask in transactions, one for each checkpoint, so that each record is seen once whatever fails
 * (two-phase commit). Calls come one at a time; each may return a promise, and the next call waits for it. In order: `recover` once, `begin`,
 * any number of `write`, `prepare` at the barrier, `begin` again; `commit` when the checkpoint is complete. At the end of the input `prepare`
 * is the last, and its `commit` follows. After a failure, and after a cancel, only `close` is called: what was prepared or open is left as
 * a kill would leave it, for `recover` of the next attempt.
 */
export interface TransactionalWriter<T, C = unknown> extends SinkWriter<T> {
  /**
   * Before anything else, and not before all writers of the attempt before are gone: commits the transactions of the snapshot that the job
   * starts from (they may be committed already), and aborts what earlier attempts left and no snapshot holds. `prepared` are those of the
   * snapshot that fell to this subtask; others fell to other subtasks, which may not have got to it yet. So of what earlier attempts
   * left, only transactions above `startedFromId`, the snapshot that the job starts from, are to be aborted (by whichever subtask); all of
   * them when the job starts from none. One whose snapshot is not known, being open when its writer died, is above every snapshot.
   */
  recover(prepared: readonly PreparedTransaction<C>[], startedFromId: number | undefined): void | Promise<void>
  /** Begins the transaction of the records up to the next `prepare`. */
  begin(): void | Promise<void>
  /** Makes the open transaction durable without showing it, and returns what `commit` needs; undefined when it holds nothing. */
  prepare(snapshotId: number): C | undefined | Promise<C | undefined>
  /** Shows a prepared transaction. May be called again for one that is committed already: then it does nothing. */
  commit(prepared: PreparedTransaction<C>): void | Promise<void>
}

/** How a sink keeps records from being seen twice: `transactional` writers are TransactionalWriters; `idempotent`: what is written again replaces itself. */
export type SinkDelivery = 'transactional' | 'idempotent' | 'at-least-once'

/** What plan and validation need to know of a source or sink, beside its implementation. */
interface ConnectorSpec {
  /** The connector's name, resolved by the runner: `socket-text`, `print`, ...; `custom` carries its implementation. */
  readonly connector: string
  readonly options: Readonly<Record<string, unknown>>
  /** In words, for plans and errors: `socket localhost:9999`. */
  readonly description: string
  readonly placement: Placement
  /** The largest parallelism it can run with; undefined: any. */
  readonly parallelismMax?: number
}

/** A source by name and options. */
export interface SourceSpec extends ConnectorSpec {
  /** False when it cannot go back to a position: what it gave before a failure is lost (a socket, standard input, a bare iterable). True unless said otherwise. */
  readonly isReplayable?: boolean
  /** True when a write-ahead log keeps what it gave, so that only what was not in the log yet is lost. */
  readonly isLogged?: boolean
  readonly isBounded: boolean
  /** How often (ms) it is asked for new splits while the job runs; only when the job starts unless given. It then never ends by itself. */
  readonly discoverEveryMs?: number
  /** True when the source gives its records timestamps. */
  readonly hasTimestamps: boolean
  /** True when it may emit records that take others back (a changelog). */
  readonly hasRetractions?: boolean
  readonly implementation?: Source<unknown>
}

/** A sink by name and options. */
export interface SinkSpec extends ConnectorSpec {
  /** `at-least-once` unless said otherwise. */
  readonly delivery?: SinkDelivery
  /** True when its writers know what to do with retractions. */
  readonly acceptsRetractions?: boolean
  readonly implementation?: Sink<unknown>
}

/** Makes sources and sinks from their specs; each entry of the package brings the connectors that can work there. */
export interface ConnectorResolver {
  source(spec: SourceSpec): Source<unknown>
  sink(spec: SinkSpec): Sink<unknown>
}
