// Compiles a file as a user of the package does, with the project's options, and returns what the compiler says about it.
import { join, relative } from 'node:path'
import ts from 'typescript'
import { ROOT } from '../support/project.ts'

/** Compiles the files together, without emitting; the messages of each, in the compiler's words, by file. */
export function messagesOf(files: readonly string[]): Map<string, readonly string[]> {
  const program = ts.createProgram({ rootNames: files, options: projectOptions() })
  return new Map(
    files.map(file => {
      const source = program.getSourceFile(file)
      if (source === undefined) throw new Error(`the compiler does not see ${file}`)
      const diagnostics = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
      return [file, diagnostics.map(diagnostic => messageText(diagnostic))]
    }),
  )
}

function projectOptions(): ts.CompilerOptions {
  const file = join(ROOT, 'tsconfig.json')
  const { config, error } = ts.readConfigFile(file, path => ts.sys.readFile(path))
  if (error !== undefined) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, '\n'))
  const { options, errors } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT)
  const [first] = errors
  if (first !== undefined) throw new Error(ts.flattenDiagnosticMessageText(first.messageText, '\n'))
  // A user's mistake is shown alone, without what the project asks of its own files.
  return { ...options, noUnusedLocals: false, noUnusedParameters: false }
}

/** `line 5: the code that is underlined`, then the message, as the compiler indents it. */
function messageText(diagnostic: ts.Diagnostic): string {
  const { file, start = 0, length = 0, code, messageText: text } = diagnostic
  const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1
  const underlined = file?.text.slice(start, start + length).split('\n', 1)[0] ?? ''
  const message = ts.flattenDiagnosticMessageText(text, '\n').replaceAll(`${relative('', ROOT) || ROOT}/`, '')
  return `line ${line}: ${underlined}\n  TS${code}: ${message.replaceAll('\n', '\n  ')}`
}
