// Says in Millrace's words what keeps a module from loading, and the mend: Node's own messages name neither the rule that was broken
// nor what to do. It only reads the error; it loads nothing.
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

interface LoadFailure extends Error {
  readonly code?: unknown
  readonly url?: unknown
}

/** What went wrong, where, and what to do; undefined for an error of another kind, such as one that the module's own code threw. */
export function loadProblem(url: URL, error: LoadFailure): string | undefined {
  const message = firstLine(error.message)
  switch (error.code) {
    case 'ERR_MODULE_NOT_FOUND':
      return missingModule(url, message, typeof error.url === 'string' ? error.url : undefined)
    case 'ERR_UNSUPPORTED_DIR_IMPORT':
      return directoryImport(url, message)
    case 'ERR_PACKAGE_PATH_NOT_EXPORTED':
      return `${importerIn(message) ?? pathOf(url.href)}: ${message}; import what the package exports`
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return `${syntaxPlace(error, url)}: ${message}; types are stripped, not compiled: write it in plain JavaScript syntax (erasableSyntaxOnly in tsconfig.json finds such places)`
    case 'ERR_INVALID_TYPESCRIPT_SYNTAX':
      return `${syntaxPlace(error, url)}: syntax error: ${message}; correct the code there`
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING':
      return underNodeModules(url, message)
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      return `${pathOf(url.href)}: ${message}; a job is a .ts, .mts, .js or .mjs file`
    case 'ERR_AMBIGUOUS_MODULE_SYNTAX':
      return `${pathOf(url.href)}: the file uses both require() and await at its top level; write import instead of require()`
    default:
      return error.name === 'SyntaxError' ? syntaxProblem(error, url) : undefined
  }
}

/** A file's path for a file URL, without what follows a question mark; the text itself for all else. */
export function pathOf(urlText: string): string {
  const plain = urlText.split('?', 1)[0] as string
  return plain.startsWith('file:') ? fileURLToPath(plain) : plain
}

function syntaxProblem(error: Error, url: URL): string {
  const message = firstLine(error.message)
  const place = syntaxPlace(error, url)
  if (/import statement outside a module|Unexpected token 'export'|await is only valid/.test(message)) {
    return `${place}: the file is read as CommonJS, because ${whyCommonJs(place)}`
  }
  const missing =
    /^The requested module '(?<module>.+)' does not provide an export named '(?<name>.+)'/.exec(message) ??
    /^Named export '(?<name>.+)' not found\. The requested module '(?<module>.+)' is a CommonJS module/.exec(message)
  if (missing?.groups !== undefined) {
    const { module, name } = missing.groups
    return `${place}: '${module}' exports no value ${name}; if ${name} is a type, write \`import type { ${name} }\`, else correct the name`
  }
  // V8 says no more than this of a decorator.
  const isUnknown = message === 'Invalid or unexpected token'
  const mend = isUnknown ? 'Node knows no decorators: write it in plain JavaScript syntax' : 'correct the code there'
  return `${place}: syntax error: ${message}; ${mend}`
}

function whyCommonJs(place: string): string {
  const ending = /\.c([jt]s)(?::\d+)?$/.exec(place)?.[1]
  if (ending !== undefined) return `its name ends in .c${ending}; end it in .m${ending}`
  return 'its package.json says "type": "commonjs"; run `npm pkg set type=module` in that folder, or end the file name in .mts (.mjs)'
}

function missingModule(url: URL, message: string, missingUrl: string | undefined): string {
  const missing = pathOf(missingUrl ?? '')
  const found = nearMiss(missing)
  if (missing === pathOf(url.href)) {
    return `there is no job ${missing}; ${found === undefined ? 'correct the path' : `did you mean ${found}?`}`
  }
  const importer = importerIn(message) ?? pathOf(url.href)
  const name = /^Cannot find package '(.+?)'/.exec(message)?.[1]
  if (name !== undefined) {
    return `${importer}: there is no package "${name}" here; install it with \`npm install ${name}\` in ${dirname(importer)}`
  }
  const mend = found === undefined ? 'correct the path of the import' : `write the import with its ending: ${found}`
  return `${importer}: it imports ${missing}, which does not exist; ${mend}`
}

function directoryImport(url: URL, message: string): string {
  const folder = /^Directory import '(.+?)' is not supported/.exec(message)?.[1] ?? pathOf(url.href)
  if (folder === pathOf(url.href).replace(/[\\/]$/, ''))
    return `the job ${folder} is a folder; name the job's file in it`
  const found = nearMiss(folder)
  const mend = found === undefined ? 'name a file in it' : `write the import with its ending: ${found}`
  return `${importerIn(message) ?? pathOf(url.href)}: it imports the folder ${folder}; ${mend}`
}

function underNodeModules(url: URL, message: string): string {
  const file = pathOf(/for "(file:.+?)"/.exec(message)?.[1] ?? url.href)
  const rule = 'Node strips no types from files under node_modules'
  if (file === pathOf(url.href)) {
    return `${file}: ${rule}; run the package's compiled JavaScript, or move the job out of node_modules`
  }
  return `${file}: ${rule}; import the package's compiled JavaScript in ${pathOf(url.href)}`
}

/** The file that was probably meant: the same name with the ending of a source, as in './words' or './words.js' for words.ts. */
function nearMiss(path: string): string | undefined {
  const stem = path.replace(/\.[cm]?js$/, '')
  const endings = ['.ts', '.mts', '.js', '.mjs', '/index.ts', '/index.js']
  const candidates = endings.map(ending => `${stem}${ending}`)
  return candidates.find(candidate => candidate !== path && existsSync(candidate) && statSync(candidate).isFile())
}

function importerIn(message: string): string | undefined {
  return / imported from (.+)$/.exec(message)?.[1]
}

// Node puts the place of a syntax error before the stack: `file:///job.ts:3` on a line of its own. For JavaScript it often tells none.
function syntaxPlace(error: Error, url: URL): string {
  const match = /^(\S+):(\d+)$/.exec(firstLine(error.stack ?? ''))
  return match === null
    ? `${pathOf(url.href)} or a module that it imports`
    : `${pathOf(match[1] as string)}:${match[2]}`
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string
}
