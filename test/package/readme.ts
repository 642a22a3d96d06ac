// The program that README.md shows, and the output that it promises. It does not judge them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { pageExamples } from '../docs/examples.ts'
import { ROOT } from '../support/project.ts'

/** A program and what it prints. */
export interface ShownProgram {
  readonly typescript: string
  readonly javascript: string
  readonly output: string
}

/** The first `ts` block that imports from `millrace`, with the `text` block that follows it. */
export function shownProgram(page: string): ShownProgram {
  const program = pageExamples('README.md', page).find(
    ({ language, code }) => language === 'ts' && /from 'millrace'/.test(code),
  )
  if (program?.output === undefined) {
    throw new Error('README.md needs a ts block that imports from millrace, followed by a text block with its output')
  }
  const { code: typescript, output } = program
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
  const javascript = ts.transpileModule(typescript, { compilerOptions }).outputText
  return { typescript, javascript, output }
}

/** The program of this project's README.md. */
export function readmeProgram(): ShownProgram {
  return shownProgram(readFileSync(join(ROOT, 'README.md'), 'utf8'))
}
