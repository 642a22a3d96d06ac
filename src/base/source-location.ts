// Where in the user's code a step was written, taken from the call stack when the graph is built. Never on the record path.

/** A place in a source file; `file` is the URL or path that the stack trace shows, line and column count from 1. */
export interface SourceLocation {
  readonly file: string
  readonly line: number
  readonly column: number
}

declare global {
  interface ImportMeta {
    url: string
  }
}

const LIBRARY_ROOT = import.meta.url.replace(/base\/source-location\.[a-z]+$/, '')
const FRAME = /(?:\(|at (?:async )?|@)((?:file:\/\/|[a-z-]+:\/\/|\/|[A-Za-z]:[\\/])[^()]*?):(\d+):(\d+)\)?$/

/** The place of the nearest caller outside this library, or undefined where the stack does not tell (bundled code). */
export function callerLocation(): SourceLocation | undefined {
  const limited = Error as unknown as { stackTraceLimit?: number }
  const limitBefore = limited.stackTraceLimit
  limited.stackTraceLimit = 30
  const stack = new Error().stack ?? ''
  limited.stackTraceLimit = limitBefore
  return locationInStack(stack, LIBRARY_ROOT)
}

/** The first frame of a stack trace outside `libraryRoot`; a spec file counts as outside. */
export function locationInStack(stack: string, libraryRoot: string): SourceLocation | undefined {
  const libraryPath = libraryRoot.replace(/^file:\/\//, '')
  for (const line of stack.split('\n')) {
    const match = FRAME.exec(line.trim())
    if (match === null) continue
    const file = match[1] as string
    const isLibrary = (file.startsWith(libraryRoot) || file.startsWith(libraryPath)) && !/\.spec\.[a-z]+$/.test(file)
    if (isLibrary || file.startsWith('node:')) continue
    return { file, line: Number(match[2]), column: Number(match[3]) }
  }
  return undefined
}

/** `path/of/job.ts:12`; an empty text for an unknown place. */
export function locationText(location: SourceLocation | undefined): string {
  return location === undefined ? '' : `${location.file.replace(/^file:\/\//, '').split('?')[0]}:${location.line}`
}
