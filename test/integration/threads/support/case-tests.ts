// Declares the tests of some cases: each gives the same records in one thread and in several.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { collected } from './collected.ts'
import type { ThreadedCase } from './events.ts'
import { readLines } from './lines.ts'
import { runCase } from './run-case.ts'

const PARALLELISM = 4

/**
 * One test for each case. Every second one takes checkpoints and writes files, each record once; the others give theirs to a callback in
 * the main thread.
 */
export function testCases(title: string, cases: readonly ThreadedCase[]): void {
  describe(title, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-threads-'))
    after(() => rm(folder, { recursive: true, force: true }))
    for (const [index, { name }] of cases.entries()) {
      test(name, async () => {
        const one = await outcome(name, 1)
        assert.ok(one.records.length > 0)
        // A third runs with two threads alone: starting threads is what these tests take their time for.
        for (const threads of index % 3 === 2 ? [2] : [2, 4]) {
          const files = index % 2 === 1 ? join(folder, `${index}-${threads}`) : undefined
          assert.deepEqual(await outcome(name, threads, files), one, `${threads} threads`)
        }
      })
    }
  })
}

async function outcome(name: string, threads: number, folder?: string) {
  const output = folder === undefined ? {} : { output: join(folder, 'out'), directory: join(folder, 'job') }
  const { status, recordsIn, recordsOut } = await runCase(name, { threads, parallelism: PARALLELISM, ...output })
  const records = folder === undefined ? collected.toSorted() : await readLines(join(folder, 'out'))
  return { status, recordsIn, recordsOut, records }
}
