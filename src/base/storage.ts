// The ports to what outlasts a process. `Files` is what a file system offers, with what a crash may undo said openly: code above it does the
// syncing and renaming, so that a simulated disk can show a mistake in it. `Storage` keeps whole objects: checkpoints need no more.

/** A file open for appending. After any failed call it may only be closed: what of it is on the disk is not known any more. */
export interface AppendFile {
  /** Appends all bytes; a crash may undo it, in part too, until `sync` resolves. */
  append(bytes: Uint8Array): Promise<void>
  /** Resolves when what was appended survives a crash. After a failure the file must be given up: a second sync may lie. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** What is known of a file. */
export interface FileInfo {
  readonly path: string
  readonly bytes: number
}

/** A file system. Paths are relative to its root, with forward slashes; none leads out of it. Calls reject with StorageError-like errors that carry `code` (ENOENT, ENOSPC, EIO, ...). */
export interface Files {
  /** Opens a file for appending, empty: `create` makes it anew (it must not exist), `append` keeps what is there. Makes parent directories. */
  open(path: string, mode: 'create' | 'append'): Promise<AppendFile>
  read(path: string): Promise<Uint8Array>
  /** Reads at most so many bytes from an offset; fewer at the end of the file. */
  readAt(path: string, offset: number, bytes: number): Promise<Uint8Array>
  /** Replaces what is at `to`. Atomic; a crash may undo it until the directory of `to` is synced. */
  rename(from: string, to: string): Promise<void>
  /** Shortens a file, durably once it is synced by a later `open(...).sync()`. */
  truncate(path: string, bytes: number): Promise<void>
  /** Removes a file; one that is not there is no mistake. A crash may undo it until the directory is synced. */
  remove(path: string): Promise<void>
  /** All files below a directory, at any depth, sorted by path; none when the directory is not there. */
  list(directory: string): Promise<readonly FileInfo[]>
  /** Resolves when creations, renames and removals in the directory survive a crash. */
  syncDirectory(directory: string): Promise<void>
}

/** Whole objects by name (with forward slashes). */
export interface Storage {
  /** In words, for messages: `directory /data/job`. */
  readonly description: string
  /** Stores an object under a name that is not in use; resolves when it survives a crash. All of it is there or nothing. */
  put(name: string, bytes: Uint8Array): Promise<void>
  /** Undefined when there is no such object. */
  get(name: string): Promise<Uint8Array | undefined>
  /** A part of an object, for reading some sections of a large one. Undefined when there is no such object; fewer bytes at its end. */
  getRange(name: string, offset: number, bytes: number): Promise<Uint8Array | undefined>
  /** The names that begin with a prefix, sorted. */
  list(prefix: string): Promise<readonly string[]>
  /** Removes an object; one that is not there is no mistake. */
  remove(name: string): Promise<void>
  /**
   * Resolves when objects that are there survive a crash. A process that died while it stored one may have left it in sight and not yet safe:
   * who finds it confirms it before acting on it, or a later crash could take back what others have done because of it. Not needed where
   * everything in sight is safe.
   */
  confirm?(names: readonly string[]): Promise<void>
}
