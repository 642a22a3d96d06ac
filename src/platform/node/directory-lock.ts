// The lock file of a job directory: who has it writes there, and nobody else. It is made with all its contents at once, and taken over from
// a process that is gone by exactly one of those who try.
import { randomUUID } from 'node:crypto'
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { StreamError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.ts'

/** The name of the file. */
export const LOCK_FILE = 'lock'
/** Takes over from others who died while they took over, and starts afresh when the lock changed meanwhile. */
const ATTEMPTS_MAX = 100

interface Holder extends ProcessIdentity {
  readonly host: string
  /** Tells this lock from every other that ever was. */
  readonly token: string
}

/** A lock that is held. */
export interface DirectoryLock {
  /** Gives it up; one that somebody else has by now stays. */
  release(): Promise<void>
}

/**
 * Takes the lock of a directory that is there. Throws DIRECTORY_LOCKED, naming the process that has it, unless that process is gone; errors
 * of the file system as they are.
 */
export async function lockDirectory(directory: string, logger: Logger): Promise<DirectoryLock> {
  const own: Holder = { ...ownIdentity(), host: hostname(), token: randomUUID() }
  const draft = join(directory, `${LOCK_FILE}.new-${own.token}`)
  await writeFile(draft, `${JSON.stringify(own)}\n`, { flag: 'wx' })
  try {
    await take(directory, draft, logger)
  } finally {
    await remove(draft)
  }
  return { release: () => release(directory, own.token) }
}

async function take(directory: string, draft: string, logger: Logger): Promise<void> {
  const file = join(directory, LOCK_FILE)
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (await linked(draft, file)) return
    const holder = await readHolder(file)
    if (holder === undefined) continue
    refuseIfHeld(directory, holder)
    if (!(await takeOver(directory, draft, holder))) continue
    logger.log('warn', 'the lock of a process that is gone was taken over', { directory, pid: holder.pid })
    return
  }
  const mend = `end whatever keeps starting there, or remove ${file} if nothing does`
  throw new StreamError('DIRECTORY_LOCKED', `${directory} is taken over by others again and again; ${mend}`)
}

/**
 * Puts the draft in the place of a lock whose holder is gone. Of all who try, one makes the file that is named as the successor of that very
 * lock; whoever died between that and the rename is succeeded in the same way. False when the lock changed meanwhile.
 */
async function takeOver(directory: string, draft: string, stale: Holder): Promise<boolean> {
  const left: string[] = []
  for (let predecessor = stale; ; ) {
    const successor = join(directory, `${LOCK_FILE}.after-${predecessor.token}`)
    if (await linked(draft, successor)) {
      // Somebody may have been through with the take-over before this file was made: then the lock is another's by now.
      const current = await readHolder(join(directory, LOCK_FILE))
      if (current?.token !== stale.token) {
        await remove(successor)
        return false
      }
      await rename(successor, join(directory, LOCK_FILE))
      for (const file of left) await remove(file)
      return true
    }
    const holder = await readHolder(successor)
    if (holder === undefined) return false
    refuseIfHeld(directory, holder)
    left.push(successor)
    predecessor = holder
  }
}

function refuseIfHeld(directory: string, { pid, host, startTime }: Holder): void {
  const file = join(directory, LOCK_FILE)
  if (host !== hostname()) {
    const mend = `end it there; if it is gone for good, remove ${file}`
    throw new StreamError('DIRECTORY_LOCKED', `${directory} is in use by process ${pid} on host ${host}; ${mend}`)
  }
  if (!isRunning({ pid, startTime })) return
  const who = pid === process.pid ? `this very process (${pid})` : `process ${pid}`
  throw new StreamError('DIRECTORY_LOCKED', `${directory} is in use by ${who}; end it, or choose another directory`)
}

async function release(directory: string, token: string): Promise<void> {
  const file = join(directory, LOCK_FILE)
  const holder = await readHolder(file)
  if (holder?.token === token) await remove(file)
}

/** Undefined when the file is gone. What is no lock at all counts as one of a process that is gone: nobody writes half a lock. */
async function readHolder(file: string): Promise<Holder | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  return parseHolder(text) ?? { pid: 0, startTime: 'none', host: hostname(), token: 'unreadable' }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, startTime, host, token } = JSON.parse(text) as Partial<Holder>
    const isHolder = Number.isSafeInteger(pid) && typeof host === 'string' && /^[\w-]+$/.test(token ?? '')
    return isHolder ? { pid: pid as number, startTime, host: host as string, token: token as string } : undefined
  } catch {
    return undefined
  }
}

/** Gives a file a second name that must be free; false when it is not. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    if (!NO_LINKS.has(codeOf(error) ?? '')) throw error
  }
  // A file system without links: a kill between the creation and the writing leaves an empty lock, which is then taken over.
  try {
    await writeFile(to, await readFile(from), { flag: 'wx' })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

async function remove(file: string): Promise<void> {
  try {
    await unlink(file)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
