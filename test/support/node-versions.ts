// The other supported lines of Node, for tests that run what users run. The line that runs the tests is not among them.
import { relative } from 'node:path'
import { fetchNode, nodeProgram } from '../../scripts/launcher/toolchain.mjs'
import { ROOT } from './project.ts'

/** The oldest version of the oldest supported line, and one of the newest line. */
const VERSIONS = { 22: '22.22.3', 26: '26.10.0' } as const

/** A supported line of Node that is fetched for tests. */
export type NodeLine = keyof typeof VERSIONS

/** The lines that tests can ask for. */
export const NODE_LINES: readonly NodeLine[] = [22, 26]

/**
 * Why a test on a fetched Node is skipped here, or false where it runs: in CI on Linux x64. A line weighs 190 MB, too
 * much to fetch unasked on a contributor's machine.
 */
export const skipOtherNodes: string | false =
  process.platform !== 'linux' || process.arch !== 'x64'
    ? 'only on Linux x64: other platforms publish other versions'
    : process.env.CI === 'true'
      ? false
      : 'needs CI=true, which fetches Node 22 and 26 (190 MB each) once'

/** Fetches a line into the toolchain folder unless it is there, and returns the path of its `node`. */
export async function nodeOfLine(line: NodeLine): Promise<string> {
  const folder = await fetchNode(ROOT, { version: VERSIONS[line], say: text => console.error(text) })
  console.error(`using ${relative(ROOT, folder)}`)
  return nodeProgram(folder)
}
