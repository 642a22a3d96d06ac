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

const SELF = /base[\\/]source-location\.[a-z]+$/
/** Empty where a bundler left no URL: then no frame is known to be the user's. */
const LIBRARY_ROOT = (import.meta.url ?? '').replace(SELF, '')
const FRAME = /(?:\(|at (?:async )?|@)((?:file:\/\/|[a-z-]+:\/\/|\/|\\\\|[A-Za-z]:[\\/]).*?):(\d+):(\d+)\)?$/
/** Code made by eval names the place of the call inside its own: not a file to go to. */
const EVALUATED = /, <anonymous>:\d+:\d+\)$/

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
  const frames = stack.split('\n').flatMap(framesIn)
  const roots = [libraryRoot, pathOf(libraryRoot), ...rootShownBy(frames[0])]
  return frames.find(({ file }) => /\.spec\.[a-z]+$/.test(file) || !roots.some(root => file.startsWith(root)))
}

/** `path/of/job.ts:12`; an empty text for an unknown place. */
export function locationText(location: SourceLocation | undefined): string {
  return location === undefined ? '' : `${pathOf(location.file)}:${location.line}`
}

function framesIn(line: string): SourceLocation[] {
  const match = FRAME.exec(line.trim())
  if (match === null || EVALUATED.test(line)) return []
  return [{ file: match[1] as string, line: Number(match[2]), column: Number(match[3]) }]
}

// With source maps the stack shows the sources of the library, which are not under its root; its first frame is this module, and tells.
function rootShownBy(first: SourceLocation | undefined): string[] {
  return first !== undefined && SELF.test(first.file) ? [first.file.replace(SELF, '')] : []
}

/** What a reader calls the file: a path without escapes for a file URL, the text itself for all else. */
function pathOf(file: string): string {
  if (!/^[a-z-]+:\/\//.test(file)) return file
  const path = (file.split(/[?#]/)[0] as string).replace(/^file:\/\/(?=\/)/, '').replace(/^\/(?=[A-Za-z]:\/)/, '')
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
