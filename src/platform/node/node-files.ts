// The file system port on Node's own file system.
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import type { AppendFile, FileInfo, Files } from '../../base/storage.ts'

/** What some systems say to a sync of a directory that they do not need or do not know. */
const NO_DIRECTORY_SYNC: readonly unknown[] = ['EINVAL', 'EPERM', 'EISDIR', 'ENOTSUP', 'EBADF']

/** The files below a directory of this machine, which is made when a file is. Calls reject with Node's errors (`code`: ENOENT, ENOSPC, ...); EACCES for a path that leads out. */
export function nodeFiles(root: string): Files {
  return new NodeFiles(resolve(root))
}

class NodeFiles implements Files {
  private readonly root: string

  constructor(root: string) {
    this.root = root
  }

  async open(path: string, mode: 'create' | 'append'): Promise<AppendFile> {
    const full = this.fullPath(path)
    await this.makeDirectory(dirname(full))
    return new NodeAppendFile(await open(full, mode === 'create' ? 'ax' : 'a'))
  }

  async read(path: string): Promise<Uint8Array> {
    return plainBytes(await readFile(this.fullPath(path)))
  }

  async readAt(path: string, offset: number, bytes: number): Promise<Uint8Array> {
    const file = await open(this.fullPath(path), 'r')
    try {
      // Not more than the file has: a caller may ask for a great deal.
      const size = Math.max(0, Math.min(bytes, (await file.stat()).size - offset))
      const target = new Uint8Array(size)
      let filled = 0
      while (filled < size) {
        const { bytesRead } = await file.read(target, filled, size - filled, offset + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return target.subarray(0, filled)
    } finally {
      await file.close()
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await rename(this.fullPath(from), this.fullPath(to))
  }

  async truncate(path: string, bytes: number): Promise<void> {
    const file = await open(this.fullPath(path), 'r+')
    try {
      await file.truncate(bytes)
    } finally {
      await file.close()
    }
  }

  async remove(path: string): Promise<void> {
    await rm(this.fullPath(path), { force: true })
  }

  async list(directory: string): Promise<readonly FileInfo[]> {
    const files: FileInfo[] = []
    await this.listInto(files, directory)
    return files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  }

  async syncDirectory(directory: string): Promise<void> {
    await syncFolder(this.fullPath(directory))
  }

  private async listInto(files: FileInfo[], directory: string): Promise<void> {
    const full = this.fullPath(directory)
    for (const entry of await ifThere(readdir(full, { withFileTypes: true }), [])) {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`
      if (entry.isDirectory()) await this.listInto(files, path)
      else if (entry.isFile()) {
        // It may have been removed since.
        const info = await ifThere(stat(join(full, entry.name)), undefined)
        if (info !== undefined) files.push({ path, bytes: info.size })
      }
    }
  }

  // The root itself, and what had to be made on the way to it, must survive a crash too; below it that is the caller's business.
  private async makeDirectory(directory: string): Promise<void> {
    const first = await mkdir(directory, { recursive: true })
    if (first === undefined || !isInside(this.root, first)) return
    let made = this.root
    while (true) {
      await syncFolder(dirname(made))
      if (made === first || dirname(made) === made) return
      made = dirname(made)
    }
  }

  private fullPath(path: string): string {
    const full = resolve(this.root, path)
    if (!path.startsWith('/') && isInside(full, this.root)) return full
    throw Object.assign(new Error(`EACCES: "${path}" leads out of ${this.root}`), { code: 'EACCES', path })
  }
}

class NodeAppendFile implements AppendFile {
  private readonly handle: FileHandle

  constructor(handle: FileHandle) {
    this.handle = handle
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const { bytesWritten } = await this.handle.write(bytes, from, bytes.length - from)
      from += bytesWritten
    }
  }

  async sync(): Promise<void> {
    await this.handle.sync()
  }

  async close(): Promise<void> {
    await this.handle.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  } catch (error) {
    if (!NO_DIRECTORY_SYNC.includes((error as NodeJS.ErrnoException).code)) throw error
  }
}

async function ifThere<T, U>(found: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await found
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise
    throw error
  }
}

function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep)
}

// A Buffer's slice() shares its memory where that of a Uint8Array copies.
function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
