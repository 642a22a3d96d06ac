// @ts-check
// Compiles src to dist when dist does not match it. A new dist replaces the old one whole, never file by file.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './child.mjs'
import { withLock } from './lock.mjs'
import { LauncherError, toolchainFolder } from './toolchain.mjs'

const CONFIGURATION = ['tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json']

/**
 * Builds unless dist holds what the sources say.
 * @param {string} root
 * @param {(line: string) => void} say
 */
export async function ensureBuild(root, say) {
  if (isBuilt(root, sourceHash(root))) return
  await withLock(toolchainFolder(root), 'build', async () => {
    const hash = sourceHash(root)
    if (isBuilt(root, hash)) return
    say('building dist')
    // The lock is held: what is there now was left behind by a run that was ended.
    for (const entry of readdirSync(root)) {
      if (/^dist-\d+$/.test(entry)) rmSync(join(root, entry), { recursive: true, force: true })
    }
    // At the depth of dist, so that the relative paths in the source maps hold after the rename.
    const next = join(root, `dist-${process.pid}`)
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const result = await run(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', next], {
      cwd: root,
      quiet: true,
    })
    if (result.code !== 0) {
      rmSync(next, { recursive: true, force: true })
      throw new LauncherError(`the build failed:\n${result.output}`)
    }
    writeFileSync(join(next, '.stamp'), hash)
    rmSync(join(root, 'dist'), { recursive: true, force: true })
    renameSync(next, join(root, 'dist'))
  })
}

/**
 * @param {string} root
 * @param {string} hash
 */
function isBuilt(root, hash) {
  const stamp = join(root, 'dist', '.stamp')
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === hash
}

/** @param {string} root */
function sourceHash(root) {
  const hash = createHash('sha256')
  const files = [...CONFIGURATION, ...sourceFiles(root, 'src')].sort()
  for (const file of files) {
    const content = readFileSync(join(root, file))
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/**
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
function sourceFiles(root, folder) {
  if (!existsSync(join(root, folder))) throw new LauncherError('there is no src folder: nothing to build')
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return sourceFiles(root, path)
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.spec.ts') ? [path] : []
  })
}
