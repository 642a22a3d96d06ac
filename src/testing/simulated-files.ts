// A file system in memory with the rules of a strict one (simulated-disk.ts): what was not synced may be lost by a crash, in part too; calls
// fail when they are told to. Each call takes effect at once, after whatever delay it is given.
import type { Prng } from '../base/prng.ts'
import type { AppendFile, FileInfo, Files } from '../base/storage.ts'
import { directoryOf, SimulatedDisk, type SimulatedInode } from './simulated-disk.ts'

/** The kinds of damage that a crash did, and of calls that failed. */
export type DiskFault =
  | 'lost-data'
  | 'torn-write'
  | 'lost-entry'
  | 'failed-call'
  | 'failed-sync'
  | 'short-write'
  | 'slow-call'

/** How a simulated file system behaves. */
export interface SimulatedFilesInit {
  /** Awaited before each call takes effect; undefined for calls that are not slow. */
  readonly delay?: () => Promise<void> | undefined
}

class DiskError extends Error {
  readonly code: string

  constructor(code: string, what: string) {
    super(`${code}: ${what}`)
    this.code = code
  }
}

/** A simulated file system; two processes that use it see the same files. */
export class SimulatedFiles implements Files {
  /** Calls so far, of handles too. */
  calls = 0
  /** What happened, by kind. */
  readonly counts = new Map<DiskFault, number>()
  private readonly disk = new SimulatedDisk()
  private readonly handles = new Set<SimulatedHandle>()
  private readonly failures = new Map<number, string>()
  private readonly syncFailures = new Set<number>()
  private readonly delay: () => Promise<void> | undefined
  private syncs = 0

  constructor({ delay = () => undefined }: SimulatedFilesInit = {}) {
    this.delay = delay
  }

  get openHandles(): number {
    return this.handles.size
  }

  /** The files that are open, for messages. */
  get openPaths(): readonly string[] {
    return [...this.handles].map(handle => handle.path)
  }

  /** The n-th call from now fails: EIO, ENOSPC, EMFILE, ... A write that fails with ENOSPC leaves some of its bytes, a sync that fails loses what it was to save. */
  failCall(n: number, code: string): void {
    this.failures.set(this.calls + n, code)
  }

  /** The n-th sync of a file or directory from now fails with EIO. */
  failSync(n: number): void {
    this.syncFailures.add(this.syncs + n)
  }

  /** The power fails: what was not synced is lost, or not, or in part. Handles that are open fail with EBADF from now on. */
  crash(prng: Prng): void {
    this.closeAll()
    const { torn, garbage, entries } = this.disk.crash(prng)
    this.note('lost-data', torn)
    this.note('torn-write', garbage)
    this.note('lost-entry', entries)
  }

  /** The processes are gone, and their open files with them. */
  closeAll(): void {
    for (const handle of this.handles) handle.isGone = true
    this.handles.clear()
  }

  async open(path: string, mode: 'create' | 'append'): Promise<AppendFile> {
    await this.enter(`open ${path}`)
    const existing = this.disk.files.get(path)
    if (mode === 'create' && existing !== undefined) throw new DiskError('EEXIST', `create ${path}`)
    const handle = new SimulatedHandle(this, existing ?? this.disk.create(path), path)
    this.handles.add(handle)
    return handle
  }

  async read(path: string): Promise<Uint8Array> {
    await this.enter(`read ${path}`)
    return this.inode(path).data.slice()
  }

  async readAt(path: string, offset: number, bytes: number): Promise<Uint8Array> {
    await this.enter(`read ${path}`)
    return this.inode(path).data.slice(offset, offset + bytes)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.enter(`rename ${from}`)
    const inode = this.inode(from)
    if (!this.disk.hasDirectory(directoryOf(to))) throw new DiskError('ENOENT', `rename ${from} to ${to}`)
    if (from !== to) this.disk.rename(from, to, inode)
  }

  async truncate(path: string, bytes: number): Promise<void> {
    await this.enter(`truncate ${path}`)
    this.inode(path).truncate(bytes)
  }

  async remove(path: string): Promise<void> {
    await this.enter(`remove ${path}`)
    if (this.disk.files.has(path)) this.disk.remove(path)
  }

  async list(directory: string): Promise<readonly FileInfo[]> {
    await this.enter(`list ${directory}`)
    const prefix = directory === '' || directory === '.' ? '' : `${directory}/`
    return [...this.disk.files]
      .filter(([path]) => path.startsWith(prefix))
      .map(([path, { data }]) => ({ path, bytes: data.length }))
      .sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  async syncDirectory(directory: string): Promise<void> {
    const path = directory === '.' ? '' : directory
    await this.enter(`sync ${directory}`)
    this.failSyncIfDue(directory)
    if (!this.disk.hasDirectory(path)) throw new DiskError('ENOENT', `sync ${directory}`)
    this.disk.syncDirectory(path)
  }

  /** What a test sees without any call: the files and their bytes. */
  snapshot(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.disk.files].map(([path, { data }]) => [path, data]))
  }

  /** For handles: counts a call, and throws when it is to fail. */
  async enter(what: string): Promise<void> {
    const delay = this.delay()
    if (delay !== undefined) {
      this.note('slow-call')
      await delay
    }
    const call = ++this.calls
    const code = this.failures.get(call)
    if (code === undefined) return
    this.failures.delete(call)
    this.note('failed-call')
    throw new DiskError(code, what)
  }

  /** For handles. */
  failSyncIfDue(what: string): void {
    if (!this.syncFailures.delete(++this.syncs)) return
    this.note('failed-sync')
    throw new DiskError('EIO', `sync ${what}`)
  }

  /** For handles: one is closed. */
  forget(handle: SimulatedHandle): void {
    this.handles.delete(handle)
  }

  /** Counts what happened. */
  note(fault: DiskFault, times = 1): void {
    if (times > 0) this.counts.set(fault, (this.counts.get(fault) ?? 0) + times)
  }

  private inode(path: string): SimulatedInode {
    const inode = this.disk.files.get(path)
    if (inode === undefined) throw new DiskError('ENOENT', path)
    return inode
  }
}

class SimulatedHandle implements AppendFile {
  isGone = false
  readonly path: string
  private readonly files: SimulatedFiles
  private readonly inode: SimulatedInode
  private isClosed = false

  constructor(files: SimulatedFiles, inode: SimulatedInode, path: string) {
    this.files = files
    this.inode = inode
    this.path = path
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.check()
    const copy = bytes.slice()
    try {
      await this.files.enter(`append ${this.path}`)
    } catch (error) {
      if ((error as DiskError).code === 'ENOSPC' && !this.isGone) {
        this.files.note('short-write')
        this.inode.append(copy.subarray(0, copy.length >> 1))
      }
      throw error
    }
    this.check()
    this.inode.append(copy)
  }

  async sync(): Promise<void> {
    this.check()
    try {
      await this.files.enter(`sync ${this.path}`)
      this.check()
      this.files.failSyncIfDue(this.path)
    } catch (error) {
      if (!this.isGone) this.inode.failSync()
      throw error
    }
    this.inode.sync()
  }

  async close(): Promise<void> {
    this.check()
    // Whatever close says, the handle is closed.
    this.isClosed = true
    this.files.forget(this)
    await this.files.enter(`close ${this.path}`)
  }

  private check(): void {
    if (this.isGone || this.isClosed) throw new DiskError('EBADF', this.path)
  }
}
