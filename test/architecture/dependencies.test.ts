// Holds what the project promises of its dependencies: few, locked in full, installable without scripts, from anywhere.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { ROOT } from '../support/project.ts'

interface LockEntry {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly hasInstallScript?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** What the published package brings along, each with its reason. */
const RUNTIME: Readonly<Record<string, string>> = {
  commander: 'the command line: commands, options and help',
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(join(ROOT, file), 'utf8'))
}

/** What keeps `npm ci --ignore-scripts` from giving everybody the same, as `path: why`. */
function lockMistakes(packages: Readonly<Record<string, LockEntry>>): string[] {
  return Object.entries(packages).flatMap(([path, entry]) => {
    if (path === '') return []
    const mistakes: string[] = []
    if (!entry.version || !entry.integrity) mistakes.push(`${path}: no version or no checksum`)
    if (entry.resolved) mistakes.push(`${path}: names a host`)
    if (entry.hasInstallScript) mistakes.push(`${path}: needs an install script`)
    // npm leaves out, in silence, an optional package that the registry does not have; `npm ci` then refuses the lock
    // file. A version whose packages for all platforms are published mends it.
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      const isLocked = `node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages
      if (!isLocked) mistakes.push(`${path}: the optional ${name} is not locked`)
    }
    return mistakes
  })
}

test('every locked package has a version and a checksum, no host, and no install script', () => {
  const { packages } = readJson<{ packages: Record<string, LockEntry> }>('package-lock.json')
  assert.ok(Object.keys(packages).length > 1)
  assert.deepEqual(lockMistakes(packages), [])
})

test('a planted lock entry of each wrong kind is caught', () => {
  const good = { version: '1.0.0', integrity: 'sha512-x' }
  const mistakes = lockMistakes({
    '': {},
    'node_modules/good': good,
    'node_modules/empty': {},
    'node_modules/host': { ...good, resolved: 'somewhere' },
    'node_modules/script': { ...good, hasInstallScript: true },
    'node_modules/platforms': { ...good, optionalDependencies: { good: '1.0.0', absent: '1.0.0' } },
  })
  assert.deepEqual(mistakes, [
    'node_modules/empty: no version or no checksum',
    'node_modules/host: names a host',
    'node_modules/script: needs an install script',
    'node_modules/platforms: the optional absent is not locked',
  ])
})

test('the published package brings only the listed packages, and runs no script when it is installed', () => {
  const manifest = readJson<{ dependencies?: object; scripts: object }>('package.json')
  assert.deepEqual(Object.keys(manifest.dependencies ?? {}), Object.keys(RUNTIME))
  const hooks = Object.keys(manifest.scripts).filter(name => /^(pre|post)?install$|^(post)?prepare$/.test(name))
  assert.deepEqual(hooks, [])
})

test('development dependencies are exact, so that what is tested is what is installed', () => {
  const { devDependencies } = readJson<{ devDependencies: Record<string, string> }>('package.json')
  for (const [name, version] of Object.entries(devDependencies)) assert.match(version, /^\d+\.\d+\.\d+$/, name)
})
