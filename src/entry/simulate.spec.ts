// Functions that change records or objects of state in place, under the simulator of users.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { StreamEnvironment } from '../api/datastream/environment.ts'
import { value } from '../model/state.ts'
import { pacedSource } from '../testing/simulation/paced-source.ts'
import { transactionalCollection } from '../testing/simulation/transactional-collection.ts'
import { simulate } from './simulate.ts'

interface Total {
  readonly n: number
}

const records = Array.from({ length: 40 }, (_, n) => ({ value: { key: n % 3, n }, timestamp: n }))

function totals(sink: ReturnType<typeof transactionalCollection<string>>, add: (total: Total, n: number) => Total) {
  return (env: StreamEnvironment): void => {
    env
      .addSource(pacedSource([records]), { isBounded: true, hasTimestamps: true })
      .keyBy('key')
      .process({
        state: { total: value<Total>(undefined, { isImmutable: true }) },
        onRecord: ({ key, n }, ctx, out) => {
          const total = add(ctx.state.total.get() ?? { n: 0 }, n)
          ctx.state.total.set(total)
          out.collect(`${key} ${total.n}`)
        },
      })
      .addSink(sink.sink, { delivery: 'transactional' })
  }
}

const changed = (total: Total, n: number): Total => Object.assign(total, { n: total.n + n })
const replaced = (total: Total, n: number): Total => ({ n: total.n + n })

test('a job that changes what it declared immutable fails, if asked', async () => {
  const collection = transactionalCollection<string>()
  await assert.rejects(simulate(totals(collection, changed), { seed: 1, collection, checkMutations: true }), {
    code: 'STATE_MUTATED',
    message: /state "total": an object was changed in place later: it was \{"n":\d+\} and is \{"n":\d+\}/,
  })
})

test('a job that changes nothing in place passes through its faults with the check', async () => {
  const collection = transactionalCollection<string>()
  const job = totals(collection, replaced)
  for (let seed = 1; seed <= 5; seed++) {
    const { mistake } = await simulate(job, { seed, collection, checkMutations: true })
    assert.equal(mistake, undefined)
  }
})
