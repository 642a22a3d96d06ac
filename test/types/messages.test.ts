// What the compiler says about the six commonest mistakes, as a golden text: a reader must understand it (of keyBy, the last overload's line). And the
// types that a job must get without annotations: assertions.ts has no error.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { messagesOf } from './compile.ts'

const FIXTURES = join(import.meta.dirname, 'fixtures')
const GOLDEN = join(import.meta.dirname, 'golden/messages.txt')
const ASSERTIONS = join(import.meta.dirname, 'assertions.ts')
const mistakes = readdirSync(FIXTURES).sort()
const messages = messagesOf([...mistakes.map(name => join(FIXTURES, name)), ASSERTIONS])

test('the commonest mistakes give messages that say what is wrong', () => {
  assert.equal(mistakes.length, 6)
  const blocks = mistakes.map(name => `## ${name}\n${messages.get(join(FIXTURES, name))?.join('\n')}\n`)
  assert.equal(blocks.join('\n'), readFileSync(GOLDEN, 'utf8'))
})

test('the types of a job follow from its first record, without annotations', () => {
  assert.deepEqual(messages.get(ASSERTIONS), [])
})
