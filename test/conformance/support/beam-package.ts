// Obtains the trigger transcripts of Apache Beam: they are in its Python package, which is fetched when they are wanted and never committed.
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from '../../support/consumer.ts'
import { ROOT } from '../../support/project.ts'
import { zipEntry } from './zip-entry.ts'

const VERSION = '2.77.0'
const TRANSCRIPTS = 'apache_beam/testing/data/trigger_transcripts.yaml'
const FOLDER = join(ROOT, '.toolchain', `apache-beam-${VERSION}`)
const FETCH_MS_MAX = 300_000

function wheel(): string | undefined {
  if (!existsSync(FOLDER)) return undefined
  const name = readdirSync(FOLDER).find(file => file.endsWith('.whl'))
  return name === undefined ? undefined : join(FOLDER, name)
}

/** Why the transcripts are not run here, or false where they are. */
export const skipBeam: string | false =
  process.env.CI === 'true' || wheel() !== undefined
    ? false
    : `needs CI=true, which fetches apache-beam ${VERSION} (20 MB) once with pip`

/** The file of transcripts; fetches the package unless it was fetched before. */
export async function beamTranscripts(): Promise<string> {
  if (wheel() === undefined) await fetchWheel()
  return zipEntry(wheel() as string, TRANSCRIPTS)
}

/** One kind of wheel, whatever Python runs here: only the text file in it is of interest. */
async function fetchWheel(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true })
  const kind = ['--only-binary=:all:', '--python-version', '3.11', '--platform', 'manylinux2014_x86_64']
  const args = ['-m', 'pip', 'download', '--no-deps', ...kind, '--dest', FOLDER, `apache-beam==${VERSION}`]
  const { code, signal, stderr } = await runProgram('python3', args, { cwd: ROOT, timeoutMs: FETCH_MS_MAX })
  if (code === 0 && wheel() !== undefined) return
  throw new Error(`python3 ${args.join(' ')} ended with ${code ?? signal}: ${stderr.slice(-2000)}`)
}
