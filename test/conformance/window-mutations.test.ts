// Who watches the oracle: deliberately broken variants of the window operator, each of which the oracle must catch within its cases.
import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { describe } from 'node:test'
import { pathToFileURL } from 'node:url'
import { ROOT, temporaryFolder } from '../support/project.ts'
import { casesUntilFailure } from './support/case-search.ts'
import { windowCases } from './support/window-cases.ts'
import { checkCase, type RunOperator } from './support/window-check.ts'
import { MUTATIONS, type Mutation } from './support/window-mutations.ts'

/** As many as the oracle checks. */
const CASES = 2000
const SEED = 1

/** Replaces the text in a copy of the sources. */
function mutate(folder: string, { file, from, to }: Mutation): void {
  const path = join(folder, 'src', file)
  const text = readFileSync(path, 'utf8')
  const parts = text.split(from)
  assert.equal(parts.length, 2, `${file} has ${parts.length - 1} times: ${from}`)
  writeFileSync(path, parts.join(to))
}

async function harnessOf(folder: string): Promise<RunOperator> {
  const module = await import(pathToFileURL(join(folder, 'src', 'testing', 'operator-run.ts')).href)
  return module.runOperator
}

function copySources(scope: { after(action: () => void): void }): string {
  const folder = temporaryFolder(scope)
  cpSync(join(ROOT, 'src'), join(folder, 'src'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  return folder
}

describe('the oracle catches:', () => {
  for (const mutation of MUTATIONS) {
    test(mutation.name, async t => {
      const folder = copySources(t)
      mutate(folder, mutation)
      const runOperator = await harnessOf(folder)
      const check = async (windowCase: Parameters<typeof checkCase>[0]): Promise<void> => {
        await checkCase(windowCase, runOperator)
      }
      const caught = await casesUntilFailure(windowCases, check, { seed: SEED, count: CASES })
      assert.ok(
        caught !== undefined,
        `${CASES} cases hold in spite of: ${mutation.to || 'nothing'} for ${mutation.from}`,
      )
      // A variant that cannot run at all would prove nothing.
      assert.doesNotMatch(caught.message, /: it failed: /)
      t.diagnostic(`${mutation.name}: caught by case ${caught.cases}`)
    })
  }
})

test('an unbroken copy passes the cases that catch the broken ones', async t => {
  const runOperator = await harnessOf(copySources(t))
  const passed = await casesUntilFailure(
    windowCases,
    async windowCase => {
      await checkCase(windowCase, runOperator)
    },
    { seed: SEED, count: CASES / 10 },
  )
  assert.equal(passed, undefined)
})

test('a mutation that does not fit the sources is refused', t => {
  const folder = copySources(t)
  const mutation = { name: 'none', file: 'operators/window/window-core.ts', from: 'no such text', to: '' }
  assert.throws(() => mutate(folder, mutation), /has 0 times: no such text/)
})
