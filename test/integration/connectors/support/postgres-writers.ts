// Writers of the sink `postgres` for its tests, opened and driven by hand.
import assert from 'node:assert/strict'
import type { PostgresTransaction } from '../../../../src/connectors/postgres/commit-protocol.ts'
import type { Sink, TransactionalWriter, WriterContext } from '../../../../src/model/connector.ts'
import { RecordingLogger, realClock } from './reader-driver.ts'

/** The writer of both transactional modes. */
export type Writer = TransactionalWriter<unknown, PostgresTransaction>

/** A context of the first attempt of a job with one subtask, unless said otherwise. */
export function contextOf(given: Partial<WriterContext> = {}): WriterContext {
  const defaults = { subtaskIndex: 0, parallelism: 1, jobName: 'job', uid: 'sink', attempt: 1 }
  return { ...defaults, clock: realClock, logger: new RecordingLogger(), ...given }
}

/** Opens a transactional writer; it has not recovered yet. */
export async function openWriter(sink: Sink<unknown>, given: Partial<WriterContext> = {}): Promise<Writer> {
  return (await sink.open(contextOf(given))) as Writer
}

/** Takes a writer through one transaction up to its prepare. */
export async function writeAndPrepare(
  writer: Writer,
  records: readonly unknown[],
  snapshotId: number,
): Promise<PostgresTransaction> {
  await writer.begin()
  for (const record of records) await writer.write(record, undefined)
  const transaction = await writer.prepare(snapshotId)
  assert.ok(transaction !== undefined)
  return transaction
}

/** The numbers from 0 to before the end. */
export function range(end: number): number[] {
  return Array.from({ length: end }, (_, n) => n)
}
