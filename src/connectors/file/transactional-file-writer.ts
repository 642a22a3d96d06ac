// The writer of the sink `file-directory`: a transaction is one or more files that readers see, all or nothing, by a rename when its checkpoint
// is complete. Every step is durable before the next one relies on it.
import { StreamError } from '../../base/errors.ts'
import type { Files } from '../../base/storage.ts'
import type { PreparedTransaction, TransactionalWriter, WriterContext } from '../../model/connector.ts'
import { systemCode, writeReason } from './file-errors.ts'
import { PartNames, type PartNaming } from './part-names.ts'
import { PartWriter, type RollLimits } from './part-writer.ts'

/** A file that is to be finished. */
interface PendingFile {
  readonly pending: string
  readonly finished: string
}

/** What a snapshot holds of a transaction: where its files are, and how they are to be called. */
export interface FileTransaction {
  readonly directory: string
  readonly files: readonly PendingFile[]
}

/** What a writer is told by the sink. */
export interface FileWriterInit extends PartNaming, RollLimits {
  readonly description: string
  readonly files: Files
  /** The path of the directory in the file system. */
  readonly directory: string
  /** A record as a line. */
  readonly encode: (record: unknown) => string
}

/**
 * Writes the files of one subtask. Files that are being written end in `.inprogress`, those that wait for their checkpoint in `.pending`; both
 * are hidden. After a call that failed all others reject with the same error: what is on the disk is not known any more.
 */
export class TransactionalFileWriter implements TransactionalWriter<unknown, FileTransaction> {
  private readonly init: FileWriterInit
  private readonly names: PartNames
  private readonly parts: PartWriter
  /** The ordinals of the files begun in this transaction, and of the next one. */
  private firstOrdinal = 0
  private nextOrdinal = 0
  private areParentsSynced = false
  private failure: StreamError | undefined
  private running: Promise<unknown> = Promise.resolve()

  constructor(init: FileWriterInit, context: WriterContext) {
    const { files, rollBytes, rollMs } = init
    this.init = init
    this.names = new PartNames(init, context)
    this.parts = new PartWriter({
      files,
      rollBytes,
      rollMs,
      nextPath: () => this.pathOf(this.names.inProgress(this.nextOrdinal++)),
      monotonicMs: () => context.clock.monotonicMs(),
    })
  }

  /** Finishes the files of the snapshot, and removes what earlier attempts left and no snapshot holds. */
  async recover(
    prepared: readonly PreparedTransaction<FileTransaction>[],
    startedFromId: number | undefined,
  ): Promise<void> {
    for (const transaction of prepared) await this.commit(transaction)
    await this.run('what earlier attempts left cannot be removed', () => this.removeLeftovers(startedFromId))
  }

  begin(): void {
    this.firstOrdinal = this.nextOrdinal
  }

  write(record: unknown): void | Promise<void> {
    if (this.failure !== undefined) throw this.failure
    const written = this.parts.add(this.init.encode(record))
    if (written !== undefined) return this.run('records cannot be written', () => written)
  }

  prepare(snapshotId: number): Promise<FileTransaction | undefined> {
    return this.run(`the files of snapshot ${snapshotId} cannot be made durable`, async () => {
      await this.parts.endFile()
      const ended = this.parts.takeEnded()
      if (ended.length === 0) return undefined
      const files: PendingFile[] = []
      for (const [place, path] of ended.entries()) {
        const ordinal = this.firstOrdinal + place
        const pending = this.names.pending(ordinal, snapshotId)
        await this.init.files.rename(path, this.pathOf(pending))
        files.push({ pending, finished: this.names.finished(ordinal) })
      }
      await this.syncDirectory()
      return { directory: this.init.directory, files }
    })
  }

  commit({ snapshotId, transaction }: PreparedTransaction<FileTransaction>): Promise<void> {
    return this.run(`the files of snapshot ${snapshotId} cannot be finished`, async () => {
      const { directory, files } = transaction
      for (const file of files) await this.finish(directory, file, snapshotId)
      // Also for files that were finished already: that may be in sight and not yet durable.
      await this.init.files.syncDirectory(directory)
    })
  }

  /** Leaves its files as a kill would. Waits for the call that is under way, so that nothing of this writer happens later. */
  async close(): Promise<void> {
    await this.running.catch(() => {})
    try {
      await this.parts.close()
    } catch (error) {
      throw this.failure ?? this.storageError('the open file cannot be closed', error)
    }
  }

  private async finish(directory: string, { pending, finished }: PendingFile, snapshotId: number): Promise<void> {
    const { files, description } = this.init
    try {
      await files.rename(join(directory, pending), join(directory, finished))
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
      if (await this.exists(join(directory, finished))) return
      throw new StreamError(
        'TRANSACTION_FAILED',
        `${description}: of snapshot ${snapshotId}, there is neither ${pending} nor ${finished} in ${directory}, so its records are lost to readers; put the file back, or start from an earlier snapshot; files must stay until the checkpoint after theirs is complete`,
        { cause: error },
      )
    }
  }

  private async exists(path: string): Promise<boolean> {
    try {
      await this.init.files.readAt(path, 0, 1)
      return true
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false
      throw error
    }
  }

  private async removeLeftovers(startedFromId: number | undefined): Promise<void> {
    const { files, directory } = this.init
    let removedCount = 0
    for (const { path } of await files.list(directory)) {
      const name = path.slice(path.lastIndexOf('/') + 1)
      // Others may keep what they like in directories below.
      const part = path === join(directory, name) ? this.names.parse(name) : undefined
      if (part === undefined) continue
      if (this.names.isLeftover(part, startedFromId)) {
        await files.remove(path)
        removedCount++
      } else if (this.names.isOwn(part)) this.nextOrdinal = Math.max(this.nextOrdinal, part.ordinal + 1)
    }
    // Else they could come back with a crash, when later snapshots make them look as if they were to be kept.
    if (removedCount > 0) await files.syncDirectory(directory)
  }

  private async syncDirectory(): Promise<void> {
    const { files, directory } = this.init
    await files.syncDirectory(directory)
    if (this.areParentsSynced) return
    // The directory may have been made for the first file, and so may those above it.
    for (let path = directory; path !== ''; ) {
      path = path.slice(0, Math.max(path.lastIndexOf('/'), 0))
      await this.syncParent(path)
    }
    this.areParentsSynced = true
  }

  private async syncParent(path: string): Promise<void> {
    try {
      await this.init.files.syncDirectory(path)
    } catch (error) {
      // Who may not read a directory did not make another in it.
      if (!['EACCES', 'EPERM'].includes(systemCode(error))) throw error
    }
  }

  private pathOf(name: string): string {
    return join(this.init.directory, name)
  }

  private run<R>(what: string, action: () => Promise<R>): Promise<R> {
    const result = this.attempt(what, action)
    this.running = result
    return result
  }

  private async attempt<R>(what: string, action: () => Promise<R>): Promise<R> {
    if (this.failure !== undefined) throw this.failure
    try {
      return await action()
    } catch (error) {
      this.failure = error instanceof StreamError ? error : this.storageError(what, error)
      throw this.failure
    }
  }

  private storageError(what: string, error: unknown): StreamError {
    const isForbidden = ['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error))
    return new StreamError(
      isForbidden ? 'DIRECTORY_NOT_WRITABLE' : 'STORAGE_FAILED',
      `${this.init.description}: ${what}: ${writeReason(error)}`,
      { cause: error },
    )
  }
}

function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}
