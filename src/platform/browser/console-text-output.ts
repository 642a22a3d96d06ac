// Printed records on the browser's console: one entry per piece, which may hold several lines.
import type { TextOutput } from '../../base/text-output.ts'
import { browserGlobals } from './browser-globals.ts'

/** Writes to `console.log`, which ends each entry by itself: the line end of a piece is left out. */
export const consoleTextOutput: TextOutput = {
  write(text) {
    browserGlobals().console.log(text.endsWith('\n') ? text.slice(0, -1) : text)
  },
}
