// What a strict file system keeps over a crash: contents as of the last sync of the file, with any prefix of what was appended since; names as
// of the last sync of their directory, with any of the changes since. No journal of the disk helps a program that forgot to sync.
import type { Prng } from '../base/prng.ts'

/** What a crash took, in numbers. */
export interface CrashLosses {
  /** Files that lost bytes that were not synced. */
  torn: number
  /** Files that came back with garbage at their end. */
  garbage: number
  /** Creations, renames and removals that were undone. */
  entries: number
}

/** The contents of a file, under whatever name. */
export class SimulatedInode {
  data: Uint8Array
  /** What a crash cannot take. */
  private synced: Uint8Array
  /** How many bytes of `data` are known to be the same in `synced`. */
  private floor: number
  /** Written while the system called them clean: they never reach the disk, whatever a later sync says. */
  private lost: { readonly from: number; readonly to: number }[] = []

  constructor(data: Uint8Array = new Uint8Array()) {
    this.data = data
    this.synced = data
    this.floor = data.length
  }

  append(bytes: Uint8Array): void {
    const next = new Uint8Array(this.data.length + bytes.length)
    next.set(this.data)
    next.set(bytes, this.data.length)
    this.data = next
  }

  truncate(bytes: number): void {
    this.data = this.data.slice(0, bytes)
    this.floor = Math.min(this.floor, bytes)
    this.lost = this.lost.map(({ from, to }) => ({ from, to: Math.min(to, bytes) })).filter(({ from, to }) => from < to)
  }

  sync(): void {
    this.synced = this.onDisk(this.data)
    this.floor = this.data.length
  }

  /** The error is reported once, and the pages are marked clean (as Linux does). */
  failSync(): void {
    if (this.floor < this.data.length) this.lost.push({ from: this.floor, to: this.data.length })
  }

  /** What a crash leaves of it. */
  afterCrash(prng: Prng, losses: CrashLosses): SimulatedInode {
    // A truncation that was not synced may be undone.
    if (this.floor < this.synced.length && prng.below(2) === 0) return new SimulatedInode(this.synced)
    const unsynced = this.data.length - this.floor
    const kept = this.floor + prng.below(unsynced + 1)
    if (kept < this.data.length) losses.torn++
    const left = this.onDisk(this.data.slice(0, kept))
    if (kept > this.floor && prng.below(4) === 0) {
      losses.garbage++
      const from = Math.max(this.floor, kept - 1 - prng.below(16))
      for (let i = from; i < kept; i++) left[i] = prng.below(256)
    }
    return new SimulatedInode(left)
  }

  private onDisk(bytes: Uint8Array): Uint8Array {
    const image = bytes.slice()
    for (const { from, to } of this.lost) image.fill(0, from, to)
    return image
  }
}

/** A change of names. Those of one change survive a crash together or not at all. */
interface NameChange {
  /** A sync of any of them makes it durable. */
  readonly directories: readonly string[]
  apply(names: Names): void
}

/** Files and directories by path. */
interface Names {
  readonly files: Map<string, SimulatedInode>
  readonly directories: Set<string>
}

/** The names of a disk, as programs see them and as a crash may leave them. */
export class SimulatedDisk {
  private now: Names = { files: new Map(), directories: new Set(['']) }
  private durable: Names = { files: new Map(), directories: new Set(['']) }
  private changes: NameChange[] = []

  get files(): ReadonlyMap<string, SimulatedInode> {
    return this.now.files
  }

  hasDirectory(path: string): boolean {
    return this.now.directories.has(path)
  }

  create(path: string): SimulatedInode {
    this.makeDirectories(directoryOf(path))
    const inode = new SimulatedInode()
    this.change([directoryOf(path)], ({ files }) => files.set(path, inode))
    return inode
  }

  /** Atomic also over a crash: within a directory it counts as a whole, and between two the old name goes only where the new one is there. */
  rename(from: string, to: string, inode: SimulatedInode): void {
    const [source, target] = [directoryOf(from), directoryOf(to)]
    const link = ({ files }: Names): void => {
      files.set(to, inode)
    }
    const unlink = ({ files }: Names): void => {
      if (files.get(from) === inode) files.delete(from)
    }
    if (source === target) {
      this.change([target], names => {
        link(names)
        unlink(names)
      })
      return
    }
    // One sync of either directory makes the new name durable: no file system forgets both.
    let isLinked = false
    this.change([source, target], names => {
      link(names)
      if (names === this.durable) isLinked = true
    })
    this.change([source], names => {
      if (names !== this.durable || isLinked) unlink(names)
    })
  }

  remove(path: string): void {
    this.change([directoryOf(path)], ({ files }) => files.delete(path))
  }

  syncDirectory(path: string): void {
    const isSynced = ({ directories }: NameChange): boolean => directories.includes(path)
    for (const change of this.changes.filter(isSynced)) change.apply(this.durable)
    this.changes = this.changes.filter(change => !isSynced(change))
  }

  /** Takes away what was not synced, or some of it. */
  crash(prng: Prng): CrashLosses {
    const losses: CrashLosses = { torn: 0, garbage: 0, entries: 0 }
    for (const change of this.changes) {
      if (prng.below(2) === 0) change.apply(this.durable)
      else losses.entries++
    }
    this.changes = []
    const files = new Map<string, SimulatedInode>()
    for (const [path, inode] of this.durable.files)
      if (hasParents(path, this.durable.directories)) files.set(path, inode.afterCrash(prng, losses))
    const directories = [...this.durable.directories].filter(path => hasParents(path, this.durable.directories))
    this.now = { files, directories: new Set(directories) }
    this.durable = { files: new Map(files), directories: new Set(directories) }
    return losses
  }

  private makeDirectories(path: string): void {
    if (this.now.directories.has(path)) return
    this.makeDirectories(directoryOf(path))
    this.change([directoryOf(path)], ({ directories }) => directories.add(path))
  }

  private change(directories: readonly string[], apply: (names: Names) => void): void {
    this.changes.push({ directories, apply })
    apply(this.now)
  }
}

/** The directory of a path; '' for the root. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}

function hasParents(path: string, directories: ReadonlySet<string>): boolean {
  for (let parent = directoryOf(path); parent !== ''; parent = directoryOf(parent))
    if (!directories.has(parent)) return false
  return true
}
