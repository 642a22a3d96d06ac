// Finds the programs that pages and docstrings show, and checks and runs them as their readers would. It asserts nothing.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { type ProcessResult, runProgram } from '../support/consumer.ts'
import { ROOT } from '../support/project.ts'

/** A block of code, as the reader sees it. */
export interface Example {
  /** `README.md:42`: where its fence opens. */
  readonly place: string
  readonly language: string
  readonly code: string
  /** What stands behind the language, such as `no-run: it needs a server`. */
  readonly note: string
  /** The `text` block that follows with nothing but prose in between: what the program prints. */
  readonly output: string | undefined
}

/** The fenced blocks of a page in Markdown, in order. */
export function pageExamples(file: string, page: string): readonly Example[] {
  const found: { place: string; language: string; code: string; note: string; output: string | undefined }[] = []
  let open: { line: number; info: string; lines: string[] } | undefined
  page.split('\n').forEach((content, index) => {
    if (open === undefined) {
      if (content.startsWith('```')) open = { line: index + 1, info: content.slice(3).trim(), lines: [] }
    } else if (content.trimEnd() === '```') {
      const [language = '', ...note] = open.info.split(' ')
      const code = open.lines.map(line => `${line}\n`).join('')
      const before = found.at(-1)
      if (language === 'text' && before?.language === 'ts') before.output = code
      found.push({ place: `${file}:${open.line}`, language, code, note: note.join(' '), output: undefined })
      open = undefined
    } else open.lines.push(content)
  })
  if (open !== undefined) throw new Error(`${file}:${open.line}: the block does not end`)
  return found
}

/** The fenced blocks of the docstrings of a source file. Its other lines are blanked, so that the numbers of lines stay. */
export function docstringExamples(file: string, source: string): readonly Example[] {
  let isInside = false
  const page = source.split('\n').map(line => {
    if (/^\s*\/\*\*/.test(line)) isInside = true
    const text = isInside ? line.replace(/^\s*\* ?/, '') : ''
    if (line.includes('*/')) isInside = false
    return text
  })
  return pageExamples(file, page.join('\n'))
}

/** Why an example is not run; undefined when it is. Throws when no reason is given. */
export function noRunReason({ place, note }: Example): string | undefined {
  if (note === '') return undefined
  const reason = /^no-run: (\S.*)$/.exec(note)?.[1]
  if (reason === undefined) throw new Error(`${place}: "${note}" says nothing; write \`ts no-run: reason\``)
  return reason
}

/** The compiler's complaints about the examples, in one program in which `millrace` means the sources. */
export function typeMistakes(examples: readonly Example[]): readonly string[] {
  const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config.config, include: [], files: [] }, ts.sys, ROOT)
  // A reader's program may name what it does not use.
  const settings = { ...options, noUnusedLocals: false, noUnusedParameters: false }
  const byFile = new Map(examples.map((example, index) => [join(ROOT, `example-${index}.ts`), example]))
  const host = ts.createCompilerHost(settings)
  const { fileExists, readFile } = host
  host.fileExists = file => byFile.has(file) || fileExists(file)
  host.readFile = file => byFile.get(file)?.code ?? readFile(file)
  const program = ts.createProgram([...byFile.keys()], settings, host)
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const example = byFile.get(file?.fileName ?? '')
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1
    return `${example?.place ?? file?.fileName} line ${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}

/** Makes a user's folder in which `millrace` is the built package of this project. */
export function makeExampleFolder(folder: string): void {
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(ROOT, join(folder, 'node_modules', 'millrace'), 'junction')
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
}

/** Runs an example to its end in such a folder. One that hangs is ended after 20 s, and then has no exit code. */
export function runExample(folder: string, name: string, { code }: Example): Promise<ProcessResult> {
  const file = join(folder, `${name}.ts`)
  writeFileSync(file, code)
  return runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
    cwd: folder,
    timeoutMs: 20_000,
  })
}
