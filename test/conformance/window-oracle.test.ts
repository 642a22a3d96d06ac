// The brute-force oracle: for random windowings and streams the window operator must give what a naive model gives that has the whole
// input in hand, whatever the batches, the room in the outbox and the budgets of steps, and wherever it is restored from a snapshot.
import assert from 'node:assert/strict'
import test from 'node:test'
import { runRestored } from '../../src/testing/operator-restores.ts'
import { runOperator } from '../../src/testing/operator-run.ts'
import { searchCases } from './support/case-search.ts'
import { windowCases } from './support/window-cases.ts'
import { checkCase, checkRestored } from './support/window-check.ts'

const CASES = 2000
/** Of the cases, those at least that have late records, merges of sessions, retractions. */
const SHARE_MIN = 0.2
const FILE = 'test/conformance/window-oracle.test.ts'

test(`the window operator agrees with a naive model in ${CASES} random cases`, async t => {
  const shares = { late: 0, merges: 0, retractions: 0, results: 0 }
  const restored = { full: 0, changes: 0, 'every-line': 0, rescaled: 0 }
  const { seed, cases } = await searchCases(
    windowCases,
    async windowCase => {
      const traits = await checkCase(windowCase, runOperator)
      if (traits.hasLateRecords) shares.late++
      if (traits.hasMerges) shares.merges++
      if (traits.hasRetractions) shares.retractions++
      shares.results += traits.results
      restored[await checkRestored(windowCase, runRestored)]++
    },
    { file: FILE, cases: CASES },
  )
  const percent = (count: number): string => `${Math.round((count / cases) * 100)} %`
  const { late, merges, retractions, results } = shares
  t.diagnostic(
    `${cases} cases of seed ${seed}, ${results} results: ${percent(late)} with late records, ${percent(merges)} with merges, ${percent(retractions)} with retractions; restored: ${JSON.stringify(restored)}`,
  )
  // A repeated failure runs a single case.
  if (cases < CASES) return
  for (const count of [late, merges, retractions]) assert.ok(count >= SHARE_MIN * cases, JSON.stringify(shares))
})
