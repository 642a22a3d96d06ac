// The program that README.md shows, and the output that it promises. It does not judge them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { ROOT } from '../support/project.ts'

/** A program and what it prints. */
export interface ShownProgram {
  readonly typescript: string
  readonly javascript: string
  readonly output: string
}

/** The first `ts` block that imports from `millrace`, and the first `text` block after it. */
export function shownProgram(page: string): ShownProgram {
  const blocks = [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text }))
  const at = blocks.findIndex(({ language, text }) => language === 'ts' && /from 'millrace'/.test(text))
  const output = blocks.slice(at + 1).find(({ language }) => language === 'text')
  if (at < 0 || output === undefined) {
    throw new Error('README.md needs a ts block that imports from millrace, followed by a text block with its output')
  }
  const typescript = blocks[at].text
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
  const javascript = ts.transpileModule(typescript, { compilerOptions }).outputText
  return { typescript, javascript, output: output.text }
}

/** The program of this project's README.md. */
export function readmeProgram(): ShownProgram {
  return shownProgram(readFileSync(join(ROOT, 'README.md'), 'utf8'))
}
