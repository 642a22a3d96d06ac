// @ts-check
// A node:test reporter that writes every event as a line of JSON to the file named by MILLRACE_TEST_EVENTS.
// It writes synchronously, so that what happened before a crash is on record. It judges nothing.
import { appendFileSync } from 'node:fs'
import { inspect } from 'node:util'

const REPORTED = ['test:dequeue', 'test:pass', 'test:fail', 'test:diagnostic']

/** @param {any} error */
function describeError(error) {
  if (error === undefined) return undefined
  const cause = error.code === 'ERR_TEST_FAILURE' && error.cause !== undefined ? error.cause : error
  const text = typeof cause === 'string' ? cause : inspect(cause, { depth: 6 })
  return { failureType: error.failureType, text: text.replace(/\n +at [^\n]*\(?node:internal[^\n)]*\)?/g, '') }
}

/** @param {AsyncIterable<{ type: string, data: any }>} source */
// biome-ignore lint/style/noDefaultExport: node:test loads a reporter by its default export.
// biome-ignore lint/correctness/useYield: all output goes to the file.
export default async function* testEvents(source) {
  const file = process.env.MILLRACE_TEST_EVENTS
  if (!file) throw new Error('MILLRACE_TEST_EVENTS names no file')
  for await (const { type, data } of source) {
    if (!REPORTED.includes(type)) continue
    const event = {
      type,
      name: data.name,
      nesting: data.nesting,
      isSuite: (data.details?.type ?? data.type) === 'suite',
      file: data.file,
      line: data.line,
      skip: data.skip,
      todo: data.todo,
      message: data.message,
      error: describeError(data.details?.error),
    }
    appendFileSync(file, `${JSON.stringify(event)}\n`)
  }
  appendFileSync(file, '{"type":"end"}\n')
}
