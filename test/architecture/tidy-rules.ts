// The rules of style that a machine can hold, as functions from a file's name and text to the mistakes in it.
// They read one file at a time; which rule applies to which file, and the exceptions, are in tidy.test.ts.
import ts from 'typescript'

/** A source file, parsed once for all rules. */
export interface Source {
  /** The path from the project's folder, with forward slashes. */
  readonly file: string
  readonly text: string
  readonly tree: ts.SourceFile
}

/** A mistake: the line counts from 1. */
export interface Mistake {
  readonly file: string
  readonly line: number
  readonly message: string
}

/** A function's name, as an exception names it, its line and its length in lines. */
export interface FunctionLength {
  readonly name: string
  readonly line: number
  readonly lines: number
}

export const FUNCTION_LINES_MAX = 70
export const FILE_LINES_MAX = 500

/** What the pure folders may not touch, and what they use instead. */
const BANNED_IN_PURE: Readonly<Record<string, string>> = {
  'Date.now': 'ask the Clock',
  'new Date': 'ask the Clock; format a time in a shell',
  Date: 'ask the Clock',
  'Math.random': 'draw from the Prng',
  performance: 'ask the Clock',
  crypto: 'draw from the Prng, or hash with base',
  setTimeout: 'return a deadline to the scheduler',
  setInterval: 'return a deadline to the scheduler',
  setImmediate: 'return to the scheduler',
  queueMicrotask: 'return to the scheduler',
  clearTimeout: 'return a deadline to the scheduler',
  console: 'write to the Logger',
  process: 'take what you need as an argument',
  Buffer: 'use Uint8Array',
  globalThis: 'take what you need as an argument',
}

export function parse(file: string, text: string): Source {
  return { file, text, tree: ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true) }
}

function mistakeAt(source: Source, position: number, message: string): Mistake {
  return { file: source.file, line: source.tree.getLineAndCharacterOfPosition(position).line + 1, message }
}

function visit(node: ts.Node, action: (node: ts.Node) => void): void {
  action(node)
  ts.forEachChild(node, child => visit(child, action))
}

/** Runs `check` on every node; what it returns is a mistake at that node. */
function mistakesOf(source: Source, check: (node: ts.Node) => string | undefined): Mistake[] {
  const mistakes: Mistake[] = []
  visit(source.tree, node => {
    const message = check(node)
    if (message !== undefined) mistakes.push(mistakeAt(source, node.getStart(), message))
  })
  return mistakes
}

/** All functions with a body; a `describe` callback is the table of contents of a spec, not a function. */
export function functionLengths(source: Source): FunctionLength[] {
  const lengths: FunctionLength[] = []
  visit(source.tree, node => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined || isDescribeCallback(node)) return
    const line = source.tree.getLineAndCharacterOfPosition(node.getStart()).line + 1
    const end = source.tree.getLineAndCharacterOfPosition(node.getEnd()).line + 1
    lengths.push({ name: functionName(node), line, lines: end - line + 1 })
  })
  return lengths
}

function isDescribeCallback(node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && /^(describe|suite)\b/.test(node.parent.expression.getText())
}

function functionName(node: ts.SignatureDeclaration): string {
  const owner = ts.isClassLike(node.parent) && node.parent.name ? `${node.parent.name.text}.` : ''
  if (node.name !== undefined) return `${owner}${node.name.getText()}`
  if (ts.isConstructorDeclaration(node)) return `${owner}constructor`
  const { parent } = node
  const isNamedByParent = ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)
  return isNamedByParent || ts.isPropertyDeclaration(parent) ? parent.name.getText() : '(anonymous)'
}

/** A file is named after its one concept, in kebab-case; a dot separates its kind. */
export function fileNameMistakes(file: string): Mistake[] {
  const name = file.slice(file.lastIndexOf('/') + 1)
  if (/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+$/.test(name)) return []
  return [{ file, line: 1, message: `the file name ${name} is not kebab-case` }]
}

/** A module says first, in a comment, what it is for and what it does not do. */
export function openingMistakes(source: Source): Mistake[] {
  const start = source.text.startsWith('#!') ? source.text.indexOf('\n') + 1 : 0
  if (/^\/[/*]/.test(source.text.slice(start))) return []
  return [
    { file: source.file, line: 1, message: 'open with a comment: what the module is for and what it does not do' },
  ]
}

/** Calls and globals that would tie the engine to a clock, to chance or to Node. */
export function impureMistakes(source: Source): Mistake[] {
  const local = bindingNames(source.tree)
  return mistakesOf(source, node => {
    const name = globalUse(node)
    if (name === undefined || !Object.hasOwn(BANNED_IN_PURE, name)) return undefined
    const root = name.replace(/^new /, '').replace(/\..*/, '')
    return local.has(root) ? undefined : `${name} in a pure folder: ${BANNED_IN_PURE[name]}`
  })
}

/** The name under which BANNED_IN_PURE would list what the node uses: each use has one node that answers. */
function globalUse(node: ts.Node): string | undefined {
  if (!ts.isIdentifier(node) || !isReference(node)) return undefined
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) {
    const path = `${node.text}.${parent.name.text}`
    if (Object.hasOwn(BANNED_IN_PURE, path)) return path
    // Date.UTC and the like compute from their arguments alone.
    return node.text === 'Date' ? undefined : node.text
  }
  if (ts.isNewExpression(parent) && parent.expression === node) {
    const isOfNow = (parent.arguments ?? []).length === 0
    return node.text !== 'Date' ? node.text : isOfNow ? 'new Date' : undefined
  }
  return node.text
}

/** Whether an identifier stands for a value, rather than naming a member, a declaration or a type. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node
  if (ts.isShorthandPropertyAssignment(parent)) return true
  if (ts.isTypeNode(parent) || ts.isQualifiedName(parent) || ts.isTypeElement(parent)) return false
  if (ts.isClassElement(parent) || ts.isVariableDeclaration(parent))
    return 'initializer' in parent && parent.initializer === node
  return !(ts.isObjectLiteralElement(parent) || ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent))
}

/** Every name that the file itself declares or imports. */
function bindingNames(tree: ts.SourceFile): Set<string> {
  const names = new Set<string>()
  visit(tree, node => {
    const declares =
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isBindingElement(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isImportSpecifier(node)
    if (declares && node.name !== undefined && ts.isIdentifier(node.name)) names.add(node.name.text)
  })
  return names
}

/** `any`, default exports, `export *`, decorators, and type names that say nothing. */
export function syntaxMistakes(source: Source): Mistake[] {
  return mistakesOf(source, node => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) return '`any`: use unknown and parse, or say the type'
    if (ts.isExportAssignment(node)) return 'a default export: export by name'
    if (node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node.parent)) {
      return 'a default export: export by name'
    }
    if (ts.isExportSpecifier(node) && node.name.text === 'default') return 'a default export: export by name'
    if (ts.isExportDeclaration(node) && node.exportClause === undefined) return '`export *`: name what is exported'
    if (ts.isDecorator(node)) return 'a decorator: call a function'
    if (isTypeDeclaration(node) && /(Manager|Helper|Utils?|Impl)$|^Abstract/.test(node.name?.text ?? '')) {
      return `the name ${node.name?.text} says nothing: name what it is`
    }
    return undefined
  })
}

function isTypeDeclaration(
  node: ts.Node,
): node is ts.ClassDeclaration | ts.InterfaceDeclaration | ts.TypeAliasDeclaration {
  return ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)
}

/** The comments of a file, in order. */
function comments(source: Source): { readonly start: number; readonly text: string }[] {
  const found = new Map<number, string>()
  const add = (range: ts.CommentRange) => found.set(range.pos, source.text.slice(range.pos, range.end))
  const collect = (node: ts.Node) => {
    // Inside a token's own text, such as a template, comments are text.
    ts.getLeadingCommentRanges(source.text, node.getFullStart())?.forEach(add)
    ts.getTrailingCommentRanges(source.text, node.getEnd())?.forEach(add)
    for (const child of node.getChildren()) collect(child)
  }
  collect(source.tree)
  return [...found].map(([start, text]) => ({ start, text }))
}

const MARK = /\b(TODO|FIXME|XXX|HACK)\b(?!\([^)]+\): \S)/
const SILENCER = /@ts-(ignore|nocheck)\b/
const EXPECTED_ERROR = /@ts-expect-error(?! \S)/
const DEAD_CODE =
  /^\/\/\s*((const|let|var) \w+ = |import .* from '|export (const|function|class) |await \w+[.(]|\}\s*$)/

/** Silenced compiler errors, open ends without a reason, and code that was commented out. */
export function commentMistakes(source: Source): Mistake[] {
  // Most files have no candidate, and walking every token is the slow part.
  const candidates = /TODO|FIXME|XXX|HACK|@ts-|^\s*\/\/\s*(const|let|var|import|export|await|\})/m
  if (!candidates.test(source.text)) return []
  return comments(source).flatMap(({ start, text }) => {
    const mark = MARK.exec(text)
    if (mark) return [mistakeAt(source, start, `${mark[1]} without a reason: write ${mark[1]}(why): what, or mend it`)]
    if (SILENCER.test(text)) return [mistakeAt(source, start, 'a silenced compiler error: mend it')]
    if (EXPECTED_ERROR.test(text))
      return [mistakeAt(source, start, '@ts-expect-error: say on the line what is expected')]
    if (DEAD_CODE.test(text)) return [mistakeAt(source, start, 'commented-out code: delete it')]
    return []
  })
}

/** Folders of one machine, and hosts that a package came from: the project holds on any machine, behind any registry. */
const MACHINE_PATH = /(?<![\w.$/}*)-])\/(work|root|tmp|home\/[a-z][\w-]*|Users\/\w+)(?=[/'"`\s),:]|$)/
const REGISTRY = /https?:\/\/[^\s"'`]*?(\bregistry\.|npmjs|yarnpkg|artifactory|verdaccio)[^\s"'`]*/
const LOCKED_HOST = /"resolved":/

/** Applies to every text file, whatever its language. */
export function placeMistakes(file: string, text: string): Mistake[] {
  return text.split('\n').flatMap((content, index) => {
    const path = MACHINE_PATH.exec(content)
    const host = REGISTRY.exec(content) ?? (file.endsWith('package-lock.json') ? LOCKED_HOST.exec(content) : null)
    const mistakes: Mistake[] = []
    if (path) mistakes.push({ file, line: index + 1, message: `a path of one machine: ${path[0]}` })
    if (host) mistakes.push({ file, line: index + 1, message: `a registry host: ${host[0]}` })
    return mistakes
  })
}
