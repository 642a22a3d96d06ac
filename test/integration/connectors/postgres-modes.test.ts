// The sink `postgres` against a real server without prepared transactions: the ledger as the default, mode `idempotent`, and what is refused.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { postgresSink } from '../../../src/connectors/postgres/postgres-sink.ts'
import type { Sink, SinkWriter } from '../../../src/model/connector.ts'
import { type PostgresServer, postgresMissing, startPostgres } from '../../support/postgres.ts'
import { contextOf, openWriter, range } from './support/postgres-writers.ts'
import { sinkSpec } from './support/reader-driver.ts'
import { SnapshotLife } from './support/snapshot-life.ts'

describe('the sink postgres on a server without prepared transactions', { skip: postgresMissing() }, () => {
  let server: PostgresServer
  let tables = 0

  before(async () => {
    server = await startPostgres({ max_prepared_transactions: '0' })
    await server.query('CREATE TABLE numbers (n integer)')
  })
  after(() => server?.stop())

  const sinkOf = (table: string, options: Readonly<Record<string, unknown>> = {}): Sink<unknown> => {
    const connection = server.url()
    const toRow = (n: unknown): unknown[] => [n]
    return postgresSink(sinkSpec('postgres', { connection, table, columns: ['n'], toRow, batchRows: 2, ...options }))
  }

  test('mode two-phase is refused with the mend', async () => {
    await assert.rejects(async () => sinkOf('numbers', { mode: 'two-phase' }).open(contextOf({})), {
      code: 'OPTION_INVALID',
      message: /max_prepared_transactions of the server is 0; set it to 2 or more .* or choose mode 'ledger'/,
    })
  })

  test('the ledger is used unless said otherwise', async () => {
    const life = new SnapshotLife(sinkOf('numbers'))
    await life.attempt({ parallelism: 2, checkpoints: 1, diesAt: 'snapshot-complete' })
    await life.attempt({ parallelism: 1, checkpoints: 1 })
    const rows = await server.query('SELECT n FROM numbers ORDER BY n')
    assert.deepEqual(
      rows.map(({ n }) => n),
      range(21),
    )
    assert.equal((await server.query('SELECT * FROM millrace_commits')).length > 0, true)
  })

  describe('idempotent', () => {
    const open = async (
      table: string,
      options: Readonly<Record<string, unknown>> = {},
    ): Promise<SinkWriter<unknown>> => {
      const own = {
        mode: 'idempotent',
        columns: ['k', 'v'],
        keyColumns: ['k'],
        toRow: (row: unknown) => row,
        ...options,
      }
      return sinkOf(table, own).open(contextOf({}))
    }
    const newPairs = async (type = 'text'): Promise<string> => {
      const table = `pairs_${tables++}`
      await server.query(`CREATE TABLE ${table} (k ${type} PRIMARY KEY, v integer)`)
      return table
    }
    const pairsOf = async (table: string): Promise<unknown[]> =>
      (await server.query(`SELECT k, v FROM ${table} ORDER BY k`)).map(row => [row['k'], row['v']])

    test('a row replaces that with the same key, within a batch and after it; a replay changes nothing', async () => {
      const table = await newPairs()
      for (let replay = 0; replay < 2; replay++) {
        const writer = await open(table, { batchRows: 3 })
        for (const row of [
          ['a', 1],
          ['a', 2],
          ['b', 1],
          ['c', 1],
          ['b', 9],
          ['d', 4],
        ])
          await writer.write(row, undefined)
        await writer.flush?.()
        assert.deepEqual(await pairsOf(table), [
          ['a', 2],
          ['b', 9],
          ['c', 1],
          ['d', 4],
        ])
        await writer.close()
      }
    })

    test('keys that only the server finds equal replace each other too', async () => {
      const table = await newPairs('integer')
      const writer = await open(table, { batchRows: 10 })
      for (const row of [
        ['1', 1],
        ['2', 3],
        ['01', 4],
      ])
        await writer.write(row, undefined)
      await writer.flush?.()
      assert.deepEqual(await pairsOf(table), [
        [1, 4],
        [2, 3],
      ])
      await writer.close()
    })

    test('a table without a unique index on the key is refused when it is opened, and a key of null when it comes', async () => {
      const table = await newPairs()
      await assert.rejects(open(table, { keyColumns: ['v'] }), { code: 'SINK_FAILED', message: /42P10.*unique index/ })
      const writer = await open(table)
      assert.throws(() => writer.write([null, 1], undefined), {
        code: 'USER_FUNCTION_RESULT',
        message: /null for the key/,
      })
      await writer.close()
    })
  })

  describe('refuses', () => {
    const refusal = async (options: Readonly<Record<string, unknown>>, expected: object): Promise<void> => {
      await assert.rejects(async () => (await sinkOf('numbers', options).open(contextOf({}))).close(), expected)
    }

    test('options that cannot be used, without showing the connection', async () => {
      for (const options of [
        { table: '' },
        { table: 'x'.repeat(64) },
        { columns: [] },
        { columns: ['n', 'n'] },
        { mode: 'idempotent' },
        { mode: 'idempotent', keyColumns: ['m'] },
        { keyColumns: ['n'] },
        { batchRows: 0 },
        { toRow: 5 },
        { modes: 'ledger' },
      ])
        await refusal(options, { code: 'OPTION_INVALID' })
      await refusal({ connection: ['postgres://u:secret@h/d'] }, (error: Error) => {
        assert.doesNotMatch(error.message, /secret/)
        return 'code' in error && error.code === 'OPTION_INVALID'
      })
    })

    test('tables, columns, databases and servers that are not there, saying what to do', async () => {
      await refusal({ table: 'nowhere' }, { code: 'SINK_FAILED', message: /nowhere.*create the table/ })
      await refusal({ columns: ['m'] }, { code: 'SINK_FAILED', message: /option columns/ })
      const database = server.url().replace(/postgres$/, 'nowhere')
      await refusal({ connection: database }, { code: 'SINK_FAILED', message: /create the database/ })
      await refusal({ connection: server.url(1) }, { code: 'SINK_FAILED', message: /ECONNREFUSED.*server is up/ })
    })

    test('rows that the table does not take, with the state and the mend', async () => {
      const writer = await openWriter(sinkOf('numbers'), { jobName: 'refused' })
      await writer.recover([], undefined)
      await writer.begin()
      await writer.write('not a number', undefined)
      await assert.rejects(async () => writer.write(2, undefined), {
        code: 'SINK_FAILED',
        message: /cannot write 2 rows .*not a number.*state 22P02.*let toRow return/,
      })
      await writer.close()
      const short = await openWriter(sinkOf('numbers', { toRow: () => [] }), { jobName: 'short' })
      assert.throws(() => short.write(1, undefined), { code: 'USER_FUNCTION_RESULT', message: /0 values at record 1/ })
      await short.close()
    })
  })
})
