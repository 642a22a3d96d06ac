// Who watches the simulator: deliberately broken variants of the engine, each of which it must catch within a thousand seeds.
import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { describe } from 'node:test'
import { ROOT, temporaryFolder } from '../support/project.ts'
import { SIMULATION_MUTATIONS, type SimulationMutation } from './support/simulation-mutations.ts'
import { firstWrong, WORKER_FILE } from './support/spread-seeds.ts'

const SEEDS_MAX = 1000
/** Seeds before the one noted that are tried as well; with the environment variable SIM_SEARCH=1 all from the first. */
const SEEDS_BEFORE = process.env.SIM_SEARCH === '1' ? SEEDS_MAX : 5

/** Replaces the text in a copy of the sources. */
function mutate(folder: string, { file, from, to }: Pick<SimulationMutation, 'file' | 'from' | 'to'>): void {
  const path = join(folder, 'src', file)
  const text = readFileSync(path, 'utf8')
  const parts = text.split(from)
  assert.equal(parts.length, 2, `${file} has ${parts.length - 1} times: ${from}`)
  writeFileSync(path, parts.join(to))
}

function copySources(scope: { after(action: () => void): void }): string {
  const folder = temporaryFolder(scope)
  for (const part of ['src', 'test/simulation']) cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  return folder
}

describe('the simulator catches:', { concurrency: 2 }, () => {
  for (const mutation of SIMULATION_MUTATIONS) {
    test(mutation.name, async t => {
      const folder = copySources(t)
      mutate(folder, mutation)
      const first = Math.max(1, mutation.seed - SEEDS_BEFORE)
      const range = { seeds: SEEDS_MAX, first, jobs: [mutation.job] }
      const wrong = await firstWrong(join(folder, WORKER_FILE), range)
      assert.ok(wrong !== undefined, `${SEEDS_MAX} seeds of "${mutation.job}" are right in spite of it`)
      t.diagnostic(
        `${mutation.name}: seed ${wrong.seed} of "${mutation.job}": ${wrong.mistake.replace(/\s+/g, ' ').slice(0, 120)}`,
      )
    })
  }

  test('nothing in an unbroken copy, with the same seeds', async t => {
    const folder = copySources(t)
    for (const { job, seed } of SIMULATION_MUTATIONS) {
      assert.equal(await firstWrong(join(folder, WORKER_FILE), { seeds: 1, first: seed, jobs: [job] }), undefined)
    }
  })

  test('a mutation that does not fit the sources is refused', t => {
    const folder = copySources(t)
    const mutation = { file: 'state/change-tracker.ts', from: 'no such text', to: '' }
    assert.throws(() => mutate(folder, mutation), /has 0 times: no such text/)
  })
})
