// The disk as one simulated process sees it. When the process is killed its calls never come back, and reach the disk no more.
import type { AppendFile, FileInfo, Files } from '../../base/storage.ts'

/** Called before each call; false means that the process has just died of it. */
export type BeforeCall = (call: string) => boolean

/** Files of a process that may die at any call. */
export class FragileFiles implements Files {
  private readonly files: Files
  private readonly beforeCall: BeforeCall
  /** How long a call takes before it takes effect. */
  private readonly delay: () => Promise<void>
  private isDead = false

  constructor(files: Files, beforeCall: BeforeCall, delay: () => Promise<void>) {
    this.files = files
    this.beforeCall = beforeCall
    this.delay = delay
  }

  /** From now on nothing comes back. */
  die(): void {
    this.isDead = true
  }

  async open(path: string, mode: 'create' | 'append'): Promise<AppendFile> {
    const file = await this.call('open', () => this.files.open(path, mode))
    return {
      append: bytes => this.call('append', () => file.append(bytes)),
      sync: () => this.call('sync', () => file.sync()),
      close: () => this.call('close', () => file.close()),
    }
  }

  read(path: string): Promise<Uint8Array> {
    return this.call('read', () => this.files.read(path))
  }

  readAt(path: string, offset: number, bytes: number): Promise<Uint8Array> {
    return this.call('read', () => this.files.readAt(path, offset, bytes))
  }

  rename(from: string, to: string): Promise<void> {
    return this.call('rename', () => this.files.rename(from, to))
  }

  truncate(path: string, bytes: number): Promise<void> {
    return this.call('truncate', () => this.files.truncate(path, bytes))
  }

  remove(path: string): Promise<void> {
    return this.call('remove', () => this.files.remove(path))
  }

  list(directory: string): Promise<readonly FileInfo[]> {
    return this.call('list', () => this.files.list(directory))
  }

  syncDirectory(directory: string): Promise<void> {
    return this.call('sync-directory', () => this.files.syncDirectory(directory))
  }

  private async call<R>(name: string, act: () => Promise<R>): Promise<R> {
    await this.delay()
    if (this.isDead || !this.beforeCall(name) || this.isDead) return never()
    try {
      const result = await act()
      return this.isDead ? await never() : result
    } catch (error) {
      if (this.isDead) return never()
      throw error
    }
  }
}

function never<R>(): Promise<R> {
  return new Promise<R>(() => {})
}
