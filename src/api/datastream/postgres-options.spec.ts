import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type PostgresSinkOptions, postgresSinkSpec } from './postgres-options.ts'

const OPTIONS: PostgresSinkOptions<number> = {
  connection: 'postgres://user:secret@host/db',
  table: 'numbers',
  columns: ['n'],
  toRow: n => [n],
}

describe('the options of writeToPostgres()', () => {
  test('make a sink whose delivery follows from the mode, and whose description shows no secret', () => {
    const spec = postgresSinkSpec({ ...OPTIONS, schema: 'app' })
    assert.equal(spec.connector, 'postgres')
    assert.equal(spec.delivery, 'transactional')
    assert.equal(spec.description, 'postgres table app.numbers')
    assert.equal(postgresSinkSpec({ ...OPTIONS, mode: 'ledger' }).delivery, 'transactional')
    assert.equal(postgresSinkSpec({ ...OPTIONS, mode: 'idempotent', keyColumns: ['n'] }).delivery, 'idempotent')
  })

  test('are refused where they are written when they cannot be right', () => {
    const wrong: readonly unknown[] = [
      undefined,
      { ...OPTIONS, table: '' },
      { ...OPTIONS, schema: 5 },
      { ...OPTIONS, columns: [] },
      { ...OPTIONS, columns: 'n' },
      { ...OPTIONS, toRow: undefined },
      { ...OPTIONS, mode: 'idempotent' },
    ]
    for (const options of wrong) {
      assert.throws(() => postgresSinkSpec(options as PostgresSinkOptions<number>), {
        code: 'OPTION_INVALID',
        message: /^OPTION_INVALID: writeToPostgres\(\)/,
      })
    }
  })
})
