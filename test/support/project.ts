// The project's folder and temporary folders, for tests. It knows nothing of what the files mean.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's folder. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Directories that hold what a tool made. */
const GENERATED = new Set(['.git', 'node_modules', 'dist', '.toolchain', '.millrace', 'coverage'])

/** Anything with a hook that runs at the end of a test: a test context, or the module `node:test`. */
export interface AfterHook {
  after(action: () => void): void
}

/** Makes an empty folder that is removed when the test ends. The path has no symbolic link in it. */
export function temporaryFolder(scope: AfterHook): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-')))
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Lists what git tracks, and would track, under the project's folder: relative paths with forward slashes. */
export function trackedFiles(root: string = ROOT): string[] {
  if (!existsSync(join(root, '.git'))) return walk(root, '')
  const listing = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  return listing.split('\0').filter(file => file !== '' && existsSync(join(root, file)))
}

/** Without git, as in a copy of the folder, all but the generated directories counts. */
function walk(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) return GENERATED.has(entry.name) ? [] : walk(root, path)
    return entry.isFile() ? [path] : []
  })
}
