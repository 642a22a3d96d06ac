// Whole objects as files of a directory: written to a temporary, synced, renamed, and the directory synced, so that a crash leaves all of an
// object or nothing. After a failed sync nothing is tried again: what of the file is on the disk is not known any more (as PostgreSQL
// learned in 2018).
import { errorText, StreamError } from '../../base/errors.ts'
import type { Files, Storage } from '../../base/storage.ts'

const TEMPORARY_PREFIX = '.tmp-'
/** Bytes given to the file system at once. */
const APPEND_BYTES = 4 * 1024 * 1024

/**
 * A storage in the directory `root` of a file system ('' for all of it); one instance at a time may write there. Temporaries that an
 * earlier process left behind are removed by the first `put` into their directory. Calls reject with STORAGE_FAILED, or
 * DIRECTORY_NOT_WRITABLE where the user may not write. A put that failed has left nothing, as far as the file system still obeys.
 */
export function fileStorage(files: Files, root: string, description?: string): Storage {
  return new FileStorage(files, root, description ?? `directory ${root === '' ? '.' : root}`)
}

class FileStorage implements Storage {
  readonly description: string
  private readonly files: Files
  private readonly root: string
  private readonly prepared = new Map<string, Promise<void>>()
  private readonly syncs = new Map<string, DirectorySync>()
  private readonly syncedParents = new Set<string>()
  private temporaries = 0

  constructor(files: Files, root: string, description: string) {
    this.files = files
    this.root = root
    this.description = description
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const path = this.pathOf(name)
    const directory = directoryOf(path)
    try {
      await this.prepare(directory)
      const temporary = join(
        directory,
        `${TEMPORARY_PREFIX}${this.temporaries++}-${path.slice(directory.length).replace('/', '')}`,
      )
      await this.write(temporary, bytes)
      await this.moveInto(temporary, path)
    } catch (error) {
      throw this.failure(`${name} could not be stored`, error)
    }
  }

  get(name: string): Promise<Uint8Array | undefined> {
    return this.reading(name, () => this.files.read(this.pathOf(name)))
  }

  getRange(name: string, offset: number, bytes: number): Promise<Uint8Array | undefined> {
    return this.reading(name, () => this.files.readAt(this.pathOf(name), offset, bytes))
  }

  async list(prefix: string): Promise<readonly string[]> {
    const path = this.pathOf(prefix)
    try {
      const found = await this.files.list(prefix.includes('/') ? directoryOf(path) : this.root)
      const below = this.root === '' ? 0 : this.root.length + 1
      return found
        .filter(file => !isTemporary(file.path) && file.path.startsWith(path))
        .map(file => file.path.slice(below))
        .sort()
    } catch (error) {
      throw this.failure('its files could not be listed', error)
    }
  }

  async remove(name: string): Promise<void> {
    const path = this.pathOf(name)
    try {
      await this.files.remove(path)
      await this.sync(directoryOf(path))
    } catch (error) {
      // The directory went with its last file, or was never there.
      if (codeOf(error) !== 'ENOENT') throw this.failure(`${name} could not be removed`, error)
    }
  }

  private async reading(name: string, read: () => Promise<Uint8Array>): Promise<Uint8Array | undefined> {
    try {
      return await read()
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw this.failure(`${name} could not be read`, error)
    }
  }

  private async write(temporary: string, bytes: Uint8Array): Promise<void> {
    try {
      const file = await this.files.open(temporary, 'create')
      try {
        for (let from = 0; from < bytes.length; from += APPEND_BYTES)
          await file.append(bytes.subarray(from, from + APPEND_BYTES))
        await file.sync()
      } catch (error) {
        await attempt(() => file.close())
        throw error
      }
      await file.close()
    } catch (error) {
      await attempt(() => this.files.remove(temporary))
      throw error
    }
  }

  private async moveInto(temporary: string, path: string): Promise<void> {
    try {
      // The directories made on the way first: once the object is in sight only its own directory is left to sync.
      await this.syncParents(directoryOf(path))
      await this.files.rename(temporary, path)
    } catch (error) {
      await attempt(() => this.files.remove(temporary))
      throw error
    }
    try {
      await this.sync(directoryOf(path))
    } catch (error) {
      // Who is told that it failed must not find it later.
      await attempt(() => this.files.remove(path))
      throw error
    }
  }

  async confirm(names: readonly string[]): Promise<void> {
    const directories = new Set(names.map(name => directoryOf(this.pathOf(name))))
    try {
      for (const directory of directories) await this.confirmDirectory(directory)
    } catch (error) {
      throw this.failure('what is there could not be made safe', error)
    }
  }

  // Where there is no directory there is nothing to confirm but that.
  private async confirmDirectory(directory: string): Promise<void> {
    try {
      await this.prepare(directory)
      await this.sync(directory)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      if (directory !== '') await this.confirmDirectory(directoryOf(directory))
      return
    }
    await this.syncParents(directory)
  }

  /** Removes what an earlier process left, once per directory. */
  private prepare(directory: string): Promise<void> {
    let prepared = this.prepared.get(directory)
    if (prepared === undefined) {
      prepared = this.removeTemporaries(directory)
      this.prepared.set(directory, prepared)
      prepared.catch(() => this.prepared.delete(directory))
    }
    return prepared
  }

  private async removeTemporaries(directory: string): Promise<void> {
    for (const { path } of await this.files.list(directory))
      if (isTemporary(path) && directoryOf(path) === directory) await this.files.remove(path)
  }

  /** The directories made on the way to a file must survive as well; each is seen to once. */
  private async syncParents(directory: string): Promise<void> {
    for (let path = directory; path !== '' && !this.syncedParents.has(path); path = directoryOf(path)) {
      await this.sync(directoryOf(path))
      this.syncedParents.add(path)
    }
  }

  private sync(directory: string): Promise<void> {
    let sync = this.syncs.get(directory)
    if (sync === undefined) {
      sync = new DirectorySync(() => this.files.syncDirectory(directory))
      this.syncs.set(directory, sync)
    }
    return sync.run()
  }

  private pathOf(name: string): string {
    return join(this.root, name)
  }

  private failure(what: string, error: unknown): StreamError {
    if (error instanceof StreamError) return error
    const code = codeOf(error)
    if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') {
      const text = `${this.description}: ${what} (${errorText(error)}); give the process the right to write there, or choose another directory`
      return new StreamError('DIRECTORY_NOT_WRITABLE', text, { cause: error })
    }
    return new StreamError('STORAGE_FAILED', `${this.description}: ${what} (${errorText(error)}); ${advice(code)}`, {
      cause: error,
    })
  }
}

/** Syncs a directory for many at once: who asks while a sync runs waits for the next, which sees what was done before it began. */
class DirectorySync {
  private readonly sync: () => Promise<void>
  private running: Promise<void> | undefined
  private next: Promise<void> | undefined

  constructor(sync: () => Promise<void>) {
    this.sync = sync
  }

  run(): Promise<void> {
    if (this.next !== undefined) return this.next
    if (this.running === undefined) return this.begin()
    const begin = (): Promise<void> => {
      this.next = undefined
      return this.begin()
    }
    this.next = this.running.then(begin, begin)
    return this.next
  }

  private begin(): Promise<void> {
    const running = this.sync()
    this.running = running
    const end = (): void => {
      if (this.running === running) this.running = undefined
    }
    running.then(end, end)
    return running
  }
}

function advice(code: string | undefined): string {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'no space left: make room'
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open: raise the limit (ulimit -n)'
    case 'EIO':
      return 'the disk failed: check it'
    default:
      return 'see to what the file system says'
  }
}

async function attempt(action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch {
    // The first error counts, and is thrown by the caller.
  }
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

function isTemporary(path: string): boolean {
  return path.slice(path.lastIndexOf('/') + 1).startsWith(TEMPORARY_PREFIX)
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}

function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}
