// Loads the module of a job, and says in Millrace's words what keeps it from loading: Node's own messages name neither the rule that
// was broken nor the mend.
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { StreamEnvironment } from '../api/datastream/environment.ts'
import { errorText, StreamError } from '../base/errors.ts'
import { locationInStack, locationText } from '../base/source-location.ts'

/** What a module that is a job exports; a plain script exports nothing of the kind. */
export interface JobModule {
  readonly job?: (env: StreamEnvironment, args: readonly string[]) => unknown
}

const LIBRARY_ROOT = new URL('../', import.meta.url).href
// A script runs by being imported, so running it again means importing it anew; a job is a function and can be called again.
const scriptRuns = new Map<string, number>()

/** Where a job is: a URL, or a path relative to the working directory. */
export function jobUrl(job: URL | string): URL {
  if (job instanceof URL) return job
  return /^(file|data|https?):/.test(job) ? new URL(job) : pathToFileURL(resolve(job))
}

/** The last part of a job's URL without its ending: `word-count`; `job` for a module that has no name. */
export function jobName(url: URL): string {
  if (url.protocol === 'data:') return 'job'
  const file = url.pathname.slice(url.pathname.lastIndexOf('/') + 1)
  return file.replace(/\.[cm]?[jt]s$/, '') || 'job'
}

/** Imports the module, which runs a plain script. Throws what the script throws if it is a StreamError, else JOB_MODULE_FAILED. */
export async function importJob(url: URL): Promise<JobModule> {
  const runs = scriptRuns.get(url.href) ?? 0
  const fresh = new URL(url)
  if (runs > 0) fresh.searchParams.set('run', String(runs + 1))
  scriptRuns.set(url.href, runs + 1)
  let module: JobModule
  try {
    module = (await import(fresh.href)) as JobModule
  } catch (error) {
    throw loadError(url, error)
  }
  if (typeof module.job === 'function') scriptRuns.delete(url.href)
  return module
}

/** What a job's own code threw: a StreamError as it is, other errors wrapped with their place. */
export function jobError(what: string, error: unknown): StreamError {
  if (error instanceof StreamError) return error
  const place = error instanceof Error ? locationText(locationInStack(error.stack ?? '', LIBRARY_ROOT)) : ''
  const kind = error instanceof Error ? `${error.name}: ` : ''
  const message = `${what} threw ${kind}${errorText(error)}${place === '' ? '' : ` (${place})`}`
  return new StreamError('JOB_MODULE_FAILED', message, { cause: error })
}

function loadError(url: URL, error: unknown): StreamError {
  if (error instanceof StreamError) return error
  const problem = error instanceof Error ? loadProblem(url, error) : undefined
  if (problem === undefined) return jobError(pathOf(url.href), error)
  return new StreamError('JOB_MODULE_FAILED', problem, { cause: error })
}

function loadProblem(url: URL, error: Error & { readonly code?: unknown; readonly url?: unknown }): string | undefined {
  const { message } = error
  switch (error.code) {
    case 'ERR_MODULE_NOT_FOUND':
      return missingModule(url, message, typeof error.url === 'string' ? error.url : undefined)
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return `${syntaxPlace(error, url)}: ${message}; types are stripped, not compiled: write it in plain JavaScript syntax (erasableSyntaxOnly in tsconfig.json finds such places)`
    case 'ERR_INVALID_TYPESCRIPT_SYNTAX':
      return `${syntaxPlace(error, url)}: syntax error: ${message}; correct the code there`
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING':
      return `${pathOf(url.href)}: Node strips no types from files under node_modules; run the package's compiled JavaScript, or move the job out of node_modules`
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      return `${pathOf(url.href)}: ${message}; a job is a .ts, .mts, .js or .mjs file`
    default:
      return error.name === 'SyntaxError' ? syntaxProblem(error, url) : undefined
  }
}

function syntaxProblem(error: Error, url: URL): string {
  const { message } = error
  const place = syntaxPlace(error, url)
  if (/import statement outside a module|Unexpected token 'export'|await is only valid/.test(message)) {
    return `${place}: the file is read as CommonJS, because its package.json says "type": "commonjs"; run \`npm pkg set type=module\` in that folder, or end the file name in .mts (.mjs)`
  }
  const missing = /The requested module '(.+)' does not provide an export named '(.+)'/.exec(message)
  if (missing === null) return `${place}: syntax error: ${message}; correct the code there`
  const [, module, name] = missing
  return `${place}: '${module}' exports no value ${name}; if ${name} is a type, write \`import type { ${name} }\`, else correct the name`
}

function missingModule(url: URL, message: string, missingUrl: string | undefined): string {
  const missing = pathOf(missingUrl ?? '')
  if (missing === pathOf(url.href)) return `there is no job ${missing}; correct the path`
  const importer = / imported from (.+)$/.exec(message)?.[1] ?? pathOf(url.href)
  const name = /^Cannot find package '(.+?)'/.exec(message)?.[1]
  if (name !== undefined) {
    return `${importer}: there is no package "${name}" here; install it with \`npm install ${name}\` in ${dirname(importer)}`
  }
  const found = nearMiss(missing)
  const mend = found === undefined ? 'correct the path of the import' : `write the import with its ending: ${found}`
  return `${importer}: it imports ${missing}, which does not exist; ${mend}`
}

/** The file that was probably meant: the same name with the ending of a source, as in './words' or './words.js' for words.ts. */
function nearMiss(path: string): string | undefined {
  const stem = path.replace(/\.[cm]?js$/, '')
  const endings = ['.ts', '.mts', '.js', '.mjs', '/index.ts', '/index.js']
  return endings.map(ending => `${stem}${ending}`).find(candidate => candidate !== path && existsSync(candidate))
}

// Node puts the place of a syntax error before the stack: `file:///job.ts:3` on a line of its own. For JavaScript it often tells none.
function syntaxPlace(error: Error, url: URL): string {
  const match = /^(\S+):(\d+)$/.exec((error.stack ?? '').split('\n', 1)[0] as string)
  return match === null
    ? `${pathOf(url.href)} or a module that it imports`
    : `${pathOf(match[1] as string)}:${match[2]}`
}

function pathOf(urlText: string): string {
  const plain = urlText.split('?', 1)[0] as string
  return plain.startsWith('file:') ? fileURLToPath(plain) : plain
}
