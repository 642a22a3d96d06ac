// @ts-check
// Brings node_modules in line with package-lock.json, and does nothing when it is.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { withLock } from './lock.mjs'
import { npm } from './npm.mjs'
import { LauncherError, toolchainFolder } from './toolchain.mjs'

/** @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockEntry */

/**
 * Installs the locked dependencies unless they are installed.
 * @param {string} root
 * @param {(line: string) => void} say
 */
export async function ensureModules(root, say) {
  if (isInstalled(root)) return
  await withLock(toolchainFolder(root), 'install', async () => {
    if (isInstalled(root)) return
    say('installing dependencies (npm ci)')
    // The checks need the development dependencies whatever NODE_ENV or the user's npm configuration says.
    const result = await npm(['ci', '--include=dev', '--include=optional'], { cwd: root })
    if (result.code !== 0) throw new LauncherError(`npm ci failed:\n${firstLines(result.output)}`)
  })
}

/** npm follows an error with all it could say about its options. */
function firstLines(/** @type {string} */ output) {
  return output.split('\n').slice(0, 30).join('\n')
}

/**
 * npm records what it installed in a hidden lock file, as the last act of an installation. Comparing the two needs no
 * time stamps, which a clone or a copy does not keep.
 * @param {string} root
 */
export function isInstalled(root) {
  const wanted = readPackages(join(root, 'package-lock.json'))
  const present = readPackages(join(root, 'node_modules', '.package-lock.json'))
  if (wanted === undefined) throw new LauncherError('package-lock.json is missing or is not JSON: restore it from git')
  if (present === undefined) return false
  const isSame = Object.entries(present).every(([path, entry]) => {
    const locked = wanted[path]
    return locked && locked.version === entry.version && locked.integrity === entry.integrity
  })
  // Packages for other platforms are optional and absent.
  return isSame && Object.entries(wanted).every(([path, entry]) => path === '' || entry.optional || path in present)
}

/**
 * @param {string} file
 * @returns {Record<string, LockEntry> | undefined}
 */
function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}
