// By what the transactions and connections of one sink are told from those of others in the same database server. Names are all that
// is left of a transaction whose writer died.
import { createHash, randomUUID } from 'node:crypto'
import type { WriterContext } from '../../model/connector.ts'

const PREFIX = 'millrace_'
/** So many digits of a scope stand for job and sink, the others for the owner of the job's directory. */
const SINK_DIGITS = 24

type Named = Pick<WriterContext, 'jobName' | 'uid'> & { readonly owner: string | undefined }

/** The writer that a transaction or connection belongs to. */
export interface WriterIdentity {
  /** Stands for job, sink and the owner of the job's directory: `millrace_` and 32 hexadecimal digits. */
  readonly scope: string
  readonly attempt: number
  readonly subtask: number
  /** No other writer has it, whatever became of the job's directory. */
  readonly nonce: string
}

/** A prepared transaction as its name tells. */
export interface TransactionName {
  readonly attempt: number
  readonly subtask: number
  readonly snapshotId: number
}

/** The identity of a new writer. */
export function writerIdentity({ jobName, uid, owner, attempt, subtaskIndex }: WriterContext): WriterIdentity {
  return { scope: scopeOf({ jobName, uid, owner }), attempt, subtask: subtaskIndex, nonce: randomUUID().slice(0, 8) }
}

/** The name of a connection of the writer, and what those of all writers of the sink begin with. */
export function connectionName({ scope, attempt, subtask }: WriterIdentity): string {
  return `${scope}_${attempt}_${subtask}`
}

/** The name of a prepared transaction: at most 200 bytes, as PostgreSQL asks. */
export function transactionName({ scope, attempt, subtask, nonce }: WriterIdentity, snapshotId: number): string {
  return `${scope}_${attempt}_${subtask}_${snapshotId}_${nonce}`
}

/** What the names of all transactions of a sink begin with, those of forks of its job included. */
export function sinkPrefix({ scope }: WriterIdentity): string {
  return scope.slice(0, PREFIX.length + SINK_DIGITS)
}

/** What `transactionName` put into a name; undefined for a name that it did not make, or made for another sink. */
export function parseTransactionName(scope: string, name: string): TransactionName | undefined {
  if (!name.startsWith(`${scope}_`)) return undefined
  const match = /^(\d+)_(\d+)_(\d+(?:\.\d+)?)_[0-9a-f]+$/.exec(name.slice(scope.length + 1))
  if (match === null) return undefined
  return { attempt: Number(match[1]), subtask: Number(match[2]), snapshotId: Number(match[3]) }
}

/**
 * Whether a writer that recovers is to abort a transaction that it found: one that an earlier attempt left, and that no snapshot holds. One of
 * its own attempt and subtask is of another life of the job, whose directory was deleted, since this writer has begun none yet.
 */
export function isLeftover(found: TransactionName, mine: WriterIdentity, startedFromId: number | undefined): boolean {
  const isOfDeadWriter =
    found.attempt < mine.attempt || (found.attempt === mine.attempt && found.subtask === mine.subtask)
  return isOfDeadWriter && (startedFromId === undefined || found.snapshotId > startedFromId)
}

// A job of the same name in another directory (a fork) has transactions and connections of its own, which begin alike.
function scopeOf({ jobName, uid, owner }: Named): string {
  const sink = digest([jobName, uid])
  const digits =
    owner === undefined ? sink.slice(0, 32) : sink.slice(0, SINK_DIGITS) + digest([owner]).slice(0, 32 - SINK_DIGITS)
  return `${PREFIX}${digits}`
}

function digest(texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex')
}
