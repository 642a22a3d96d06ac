// Holds the error codes, their documentation and their use together, both ways.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { ERROR_CODES } from '../../src/base/error-codes.ts'
import { ROOT, trackedFiles } from '../support/project.ts'

const CODES_FILE = 'src/base/error-codes.ts'
const REFERENCE = 'docs/reference/errors.md'

/** The codes that have a heading `### CODE` of their own, in the order of the page. */
function documentedCodes(page: string): string[] {
  return [...page.matchAll(/^### (\S+)$/gm)].map(match => match[1])
}

/** The codes that no text holds as a string of its own; a code named in a comment is not used. */
function unusedCodes(codes: readonly string[], texts: readonly string[]): string[] {
  const strings = new Set(texts.flatMap(text => [...text.matchAll(/'([A-Z][A-Z0-9_]*)'/g)].map(match => match[1])))
  return codes.filter(code => !strings.has(code))
}

function sources(): string[] {
  const files = trackedFiles().filter(file => /^src\/.*\.ts$/.test(file) && !file.endsWith('.spec.ts'))
  return files.filter(file => file !== CODES_FILE).map(file => readFileSync(join(ROOT, file), 'utf8'))
}

test('every error code has its heading in the reference, and every heading is a code', () => {
  const documented = documentedCodes(readFileSync(join(ROOT, REFERENCE), 'utf8'))
  assert.ok(documented.length > 0)
  assert.deepEqual([...new Set(documented)], documented, 'a code has two headings')
  assert.deepEqual([...documented].sort(), Object.keys(ERROR_CODES).sort())
})

test('every error code is used somewhere in the sources', () => {
  assert.deepEqual(unusedCodes(Object.keys(ERROR_CODES), sources()), [])
})

test('a planted heading is found, deeper and shallower ones are not', () => {
  assert.deepEqual(documentedCodes('# X\n### KEY_UNDEFINED\n## NOT_THIS\n#### NOR_THIS\n### OTHER\n'), [
    'KEY_UNDEFINED',
    'OTHER',
  ])
})

test('a code that is only part of a longer one, or only in a comment, is unused', () => {
  const texts = [`throw new StreamError('SOCKET_REFUSED_TWICE', '')`, `fail('FILE_MISSING')`, '// throws NOWHERE']
  assert.deepEqual(unusedCodes(['SOCKET_REFUSED', 'FILE_MISSING', 'NOWHERE'], texts), ['SOCKET_REFUSED', 'NOWHERE'])
})
