// @ts-check
// A lock between processes of one checkout, so that two commands started together install once.
// It is a directory that holds its owner's process id; a dead owner's lock is taken over.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const POLL_MS = 200
/** A live process with the owner's id may be an unrelated one, so a lock does not outlive the longest install. */
const LOCK_MS_MAX = 15 * 60_000

/**
 * Runs `action` while holding the lock `name` in `folder`; waits while another live process holds it.
 * @template T
 * @param {string} folder
 * @param {string} name
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function withLock(folder, name, action) {
  const lock = join(folder, `${name}.lock`)
  mkdirSync(folder, { recursive: true })
  while (!tryAcquire(folder, lock)) {
    removeIfAbandoned(folder, lock)
    await new Promise(resolve => setTimeout(resolve, POLL_MS))
  }
  const release = () => rmSync(lock, { recursive: true, force: true })
  process.on('exit', release)
  try {
    return await action()
  } finally {
    process.removeListener('exit', release)
    release()
  }
}

/**
 * Renaming a directory onto one that has content fails, so the lock appears whole, with its owner in it, or not at all.
 * @param {string} folder
 * @param {string} lock
 */
function tryAcquire(folder, lock) {
  const mine = join(folder, `lock-${process.pid}-${Date.now()}`)
  mkdirSync(mine)
  writeFileSync(join(mine, 'pid'), String(process.pid))
  try {
    renameSync(mine, lock)
    return true
  } catch {
    rmSync(mine, { recursive: true, force: true })
    return false
  }
}

/**
 * @param {string} folder
 * @param {string} lock
 */
function removeIfAbandoned(folder, lock) {
  const owner = readOwner(lock)
  if (owner === undefined || (isAlive(owner.pid) && owner.ageMs < LOCK_MS_MAX)) return
  const trash = join(folder, `lock-abandoned-${process.pid}-${Date.now()}`)
  try {
    renameSync(lock, trash)
  } catch {
    return // Another process was faster.
  }
  rmSync(trash, { recursive: true, force: true })
}

/** @param {string} lock */
function readOwner(lock) {
  try {
    const file = join(lock, 'pid')
    return { pid: Number(readFileSync(file, 'utf8')), ageMs: Date.now() - statSync(file).mtimeMs }
  } catch {
    return undefined
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}
