// The sink `postgres` against a real server: each record once, whatever dies and whenever, with prepared transactions and without.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { postgresSinkSpec } from '../../../src/api/datastream/postgres-options.ts'
import { nodeConnectors } from '../../../src/connectors/node.ts'
import type { PostgresTransaction } from '../../../src/connectors/postgres/commit-protocol.ts'
import { postgresSink } from '../../../src/connectors/postgres/postgres-sink.ts'
import type { Sink } from '../../../src/model/connector.ts'
import { type CuttingProxy, cuttingProxy } from '../../support/cutting-proxy.ts'
import { type PostgresServer, postgresMissing, startPostgres } from '../../support/postgres.ts'
import { openWriter, range, writeAndPrepare } from './support/postgres-writers.ts'
import { RecordingLogger, RecordingText, sinkSpec } from './support/reader-driver.ts'
import { DEATH_POINTS, SnapshotLife } from './support/snapshot-life.ts'

type Mode = 'two-phase' | 'ledger'

const MODES: readonly Mode[] = ['two-phase', 'ledger']
const skip = postgresMissing()

describe('the sink postgres', { skip }, () => {
  let server: PostgresServer
  let tables = 0

  before(async () => {
    server = await startPostgres({ max_prepared_transactions: '20' })
  })
  after(() => server?.stop())

  /** A new table of numbers. */
  const newTable = async (): Promise<string> => {
    const table = `numbers_${tables++}`
    await server.query(`CREATE TABLE ${table} (n integer NOT NULL)`)
    return table
  }
  const sinkOf = (table: string, options: Readonly<Record<string, unknown>> = {}): Sink<unknown> => {
    const connection = server.url()
    const toRow = (n: unknown): unknown[] => [n]
    return postgresSink(sinkSpec('postgres', { connection, table, columns: ['n'], toRow, batchRows: 2, ...options }))
  }
  const numbersOf = async (table: string): Promise<number[]> =>
    (await server.query(`SELECT n FROM ${table} ORDER BY n`)).map(({ n }) => n as number)
  const leftoversOf = async (): Promise<number> => {
    const [row] = await server.query('SELECT count(*)::int AS n FROM pg_prepared_xacts')
    return row?.['n'] as number
  }

  for (const mode of MODES) {
    for (const diesAt of DEATH_POINTS) {
      for (const [from, to] of [
        [1, 1],
        [2, 1],
        [1, 2],
        [2, 3],
      ] as const) {
        test(`${mode}: dies at ${diesAt} with ${from} subtasks, goes on with ${to}`, async () => {
          const table = await newTable()
          const life = new SnapshotLife(sinkOf(table, { mode }), { jobName: `job ${table}`, uid: 'sink' })
          await life.attempt({ parallelism: from, checkpoints: 1, diesAt })
          // A second death in a row, before anything new is complete: what recovery did must not be undone or done again.
          await life.attempt({ parallelism: to, checkpoints: 0, diesAt })
          await life.attempt({ parallelism: to, checkpoints: 2 })
          assert.ok(life.durablePosition >= 21, `${life.durablePosition}`)
          assert.deepEqual(await numbersOf(table), range(life.durablePosition))
          assert.equal(await leftoversOf(), 0)
          assert.equal(await stagedRows(server), 0)
        })
      }
    }

    describe(`${mode}, when the connection breaks at a commit`, () => {
      let proxy: CuttingProxy
      before(async () => {
        proxy = await cuttingProxy(server.port)
      })
      after(() => proxy?.close())

      for (const moment of ['before-request', 'before-answer'] as const) {
        test(`${moment}: it is told, and the next attempt finishes it once`, async () => {
          const table = await newTable()
          const names = { jobName: table }
          const sink = sinkOf(table, { mode, connection: server.url(proxy.port) })
          const writer = await openWriter(sink, names)
          await writer.recover([], undefined)
          const transaction = await writeAndPrepare(writer, [1, 2, 3], 1)
          const cuts = proxy.cuts
          proxy.cutAt(mode === 'two-phase' ? 'COMMIT PREPARED' : 'COMMIT\0', moment)
          await assert.rejects(async () => writer.commit({ snapshotId: 1, transaction }), {
            code: 'SINK_FAILED',
            message: /cannot commit the transaction of snapshot 1 .*(restart|goes on)/,
          })
          proxy.heal()
          assert.equal(proxy.cuts, cuts + 1)
          await writer.close()
          const next = await openWriter(sink, { ...names, attempt: 2 })
          await next.recover([{ snapshotId: 1, transaction }], 1)
          // Once more: an attempt that died after this would be given it again.
          await next.commit({ snapshotId: 1, transaction })
          await next.close()
          assert.deepEqual(await numbersOf(table), [1, 2, 3])
        })
      }
    })

    test(`${mode}: shows nothing before the commit, and nothing of the next checkpoint with it`, async () => {
      const table = await newTable()
      const writer = await openWriter(sinkOf(table, { mode }), { jobName: table })
      await writer.recover([], undefined)
      const transaction = await writeAndPrepare(writer, [1, 2, 3], 1)
      assert.deepEqual(await numbersOf(table), [])
      await writer.begin()
      for (const n of [4, 5, 6]) await writer.write(n, undefined)
      await writer.commit({ snapshotId: 1, transaction })
      assert.deepEqual(await numbersOf(table), [1, 2, 3])
      await writer.commit({ snapshotId: 1, transaction })
      assert.deepEqual(await numbersOf(table), [1, 2, 3])
      await writer.commit({ snapshotId: 2, transaction: (await writer.prepare(2)) as PostgresTransaction })
      assert.deepEqual(await numbersOf(table), [1, 2, 3, 4, 5, 6])
      await writer.close()
    })

    test(`${mode}: keeps no transaction for a checkpoint without records`, async () => {
      const writer = await openWriter(sinkOf(await newTable(), { mode }), { jobName: 'empty' })
      await writer.recover([], undefined)
      await writer.begin()
      assert.equal(await writer.prepare(1), undefined)
      await writer.close()
    })

    test(`${mode}: an old attempt that still runs is cut off, and what it leaves goes`, async () => {
      const table = await newTable()
      const sink = sinkOf(table, { mode })
      const names = { jobName: table }
      const old = await openWriter(sink, names)
      await old.recover([], undefined)
      await writeAndPrepare(old, [1, 2, 3], 1)
      await old.begin()
      for (const n of [4, 5]) await old.write(n, undefined)
      const next = await openWriter(sink, { ...names, attempt: 2, subtaskIndex: 1, parallelism: 2 })
      await next.recover([], undefined)
      await assert.rejects(async () => old.prepare(2), { code: 'SINK_FAILED' })
      await old.close()
      await next.close()
      assert.deepEqual(await numbersOf(table), [])
      assert.equal(await leftoversOf(), 0)
      assert.equal(await stagedRows(server), 0)
    })

    test(`${mode}: leaves alone what is of a snapshot not above the start, of peers, and of other sinks`, async () => {
      const table = await newTable()
      const sink = sinkOf(table, { mode })
      const owner = await openWriter(sink, { jobName: table })
      const peer = await openWriter(sink, { jobName: table, attempt: 2, subtaskIndex: 0, parallelism: 2 })
      const other = await openWriter(sink, { jobName: table, uid: 'another' })
      for (const writer of [owner, peer, other]) await writer.begin()
      const kept = await writeAndPrepare(owner, [1], 5)
      const above = await writeAndPrepare(owner, [2], 6)
      const ofPeer = await writeAndPrepare(peer, [3], 6)
      const ofOther = await writeAndPrepare(other, [4], 6)
      const mine = await openWriter(sink, { jobName: table, attempt: 2, subtaskIndex: 1, parallelism: 2 })
      await mine.recover([], 5)
      await assert.rejects(async () => mine.commit({ snapshotId: 6, transaction: above }), {
        code: 'TRANSACTION_FAILED',
      })
      await mine.commit({ snapshotId: 5, transaction: kept })
      await peer.commit({ snapshotId: 6, transaction: ofPeer })
      await other.commit({ snapshotId: 6, transaction: ofOther })
      assert.deepEqual(await numbersOf(table), [1, 3, 4])
      for (const writer of [owner, peer, other, mine]) await writer.close()
    })

    test(`${mode}: forks of a job neither end each other's connections nor abort each other's transactions`, async () => {
      const table = await newTable()
      const sink = sinkOf(table, { mode })
      const logger = new RecordingLogger()
      const one = await openWriter(sink, { jobName: table, owner: 'one' })
      const two = await openWriter(sink, { jobName: table, owner: 'two', attempt: 2, logger })
      await one.recover([], undefined)
      const prepared = await writeAndPrepare(one, [1], 5)
      await one.begin()
      await one.write(2, undefined)
      await two.recover([], undefined)
      const ofTwo = await writeAndPrepare(two, [3], 1)
      await one.commit({ snapshotId: 5, transaction: prepared })
      const next = await one.prepare(6)
      assert.ok(next !== undefined)
      await one.commit({ snapshotId: 6, transaction: next })
      await two.commit({ snapshotId: 1, transaction: ofTwo })
      assert.deepEqual(await numbersOf(table), [1, 2, 3])
      // Only of prepared transactions is there something to tell: they would hold locks for ever, were the other job gone.
      const told = logger.entries.filter(({ message }) => message.includes('from another directory of the job'))
      assert.equal(told.length, mode === 'two-phase' ? 1 : 0)
      for (const writer of [one, two]) await writer.close()
    })

    test(`${mode}: finishes transactions of the other mode`, async () => {
      const table = await newTable()
      const otherMode = mode === 'ledger' ? 'two-phase' : 'ledger'
      const old = await openWriter(sinkOf(table, { mode: otherMode }), { jobName: table })
      await old.recover([], undefined)
      const inSnapshot = await writeAndPrepare(old, [1, 2, 3], 1)
      await writeAndPrepare(old, [4], 2)
      await old.close()
      const next = await openWriter(sinkOf(table, { mode }), { jobName: table, attempt: 2 })
      await next.recover([{ snapshotId: 1, transaction: inSnapshot }], 1)
      await next.close()
      assert.deepEqual(await numbersOf(table), [1, 2, 3])
      assert.equal((await leftoversOf()) + (await stagedRows(server)), 0)
    })

    test(`${mode}: names that would be SQL are names`, async () => {
      const table = `t"; DROP TABLE x; --'`
      const schema = `s"'.q`
      const columns = [`a"b`, `select`, `c'; --`]
      const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
      await server.query(`DROP SCHEMA IF EXISTS ${quoted(schema)} CASCADE; CREATE SCHEMA ${quoted(schema)};
        CREATE TABLE ${quoted(schema)}.${quoted(table)} (${columns.map(name => `${quoted(name)} text`).join(', ')})`)
      const toRow = (record: unknown): unknown[] => [record, `'); DROP TABLE x; --`, null]
      const sink = sinkOf(table, { mode, schema, columns, toRow })
      const writer = await openWriter(sink, { jobName: `o'neill";--`, uid: `'` })
      await writer.recover([], undefined)
      await writer.commit({ snapshotId: 1, transaction: await writeAndPrepare(writer, ['$1', 'x'], 1) })
      await writer.close()
      const rows = await server.query(`SELECT * FROM ${quoted(schema)}.${quoted(table)} ORDER BY 1`)
      assert.deepEqual(
        rows.map(row => Object.values(row)),
        [
          ['$1', `'); DROP TABLE x; --`, null],
          ['x', `'); DROP TABLE x; --`, null],
        ],
      )
    })

    test(`${mode}: values keep their types and rows their order`, async () => {
      const table = `typed_${tables++}`
      await server.query(
        `CREATE TABLE ${table} (id serial, big bigint, at timestamptz, bytes bytea, tags text[], doc jsonb, amount numeric)`,
      )
      const columns = ['big', 'at', 'bytes', 'tags', 'doc', 'amount']
      const row = [
        2n ** 62n,
        new Date(1_700_000_000_123),
        Buffer.from([0, 255]),
        ['a,"b', 'c'],
        { x: [1] },
        '12345678901234567890.5',
      ]
      const rows = [row, [1n, ...row.slice(1)], [null, null, null, null, null, null]]
      const sink = sinkOf(table, { mode, columns, toRow: (each: unknown) => each })
      const writer = await openWriter(sink, { jobName: table })
      await writer.recover([], undefined)
      await writer.commit({ snapshotId: 1, transaction: await writeAndPrepare(writer, rows, 1) })
      await writer.close()
      const [first, second, third] = await server.query(`SELECT * FROM ${table} ORDER BY id`)
      assert.deepEqual(first, {
        id: 1,
        big: String(2n ** 62n),
        at: row[1],
        bytes: row[2],
        tags: row[3],
        doc: row[4],
        amount: row[5],
      })
      assert.equal(second?.['big'], '1')
      assert.equal(third?.['doc'], null)
    })
  }

  test('two-phase: a transaction that somebody rolled back is not taken for committed', async () => {
    const table = await newTable()
    const writer = await openWriter(sinkOf(table, { mode: 'two-phase' }), { jobName: table })
    await writer.recover([], undefined)
    const transaction = await writeAndPrepare(writer, [1], 1)
    assert.equal(transaction.kind, 'prepared')
    await server.query(`ROLLBACK PREPARED '${transaction.kind === 'prepared' ? transaction.name : ''}'`)
    await assert.rejects(async () => writer.commit({ snapshotId: 1, transaction }), {
      code: 'TRANSACTION_FAILED',
      message: /was not committed \(server says aborted\).*start from an earlier snapshot/,
    })
    await writer.close()
  })

  test('ledger: rows that somebody took away are not taken for committed', async () => {
    const table = await newTable()
    const writer = await openWriter(sinkOf(table, { mode: 'ledger' }), { jobName: table })
    await writer.recover([], undefined)
    const transaction = await writeAndPrepare(writer, [1, 2], 1)
    const staging = transaction.kind === 'staged' ? transaction.staging : ''
    await server.query(`DELETE FROM ${staging} WHERE n = 2`)
    const gone = { code: 'TRANSACTION_FAILED', message: /1 of the 2 rows/ }
    await assert.rejects(async () => writer.commit({ snapshotId: 1, transaction }), gone)
    assert.deepEqual(await numbersOf(table), [])
    await server.query(`DELETE FROM millrace_commits; DELETE FROM ${staging}`)
    await assert.rejects(async () => writer.commit({ snapshotId: 1, transaction }), { code: 'TRANSACTION_FAILED' })
    await writer.close()
  })

  test('ledger: keeps one row for each writer, whatever it committed', async () => {
    const table = await newTable()
    const writer = await openWriter(sinkOf(table, { mode: 'ledger' }), { jobName: table })
    await writer.recover([], undefined)
    await server.query('DELETE FROM millrace_commits')
    const first = await writeAndPrepare(writer, [0], 1)
    await writer.commit({ snapshotId: 1, transaction: first })
    for (let id = 2; id <= 10; id++) {
      await writer.commit({ snapshotId: id, transaction: await writeAndPrepare(writer, [id], id) })
    }
    assert.deepEqual(await server.query('SELECT snapshot FROM millrace_commits'), [{ snapshot: 10 }])
    // One that has no row of its own any more.
    await writer.commit({ snapshotId: 1, transaction: first })
    assert.equal((await numbersOf(table)).length, 10)
    await writer.close()
  })

  test('is made by name from what the API is told', async () => {
    const table = await newTable()
    const options = {
      connection: { connectionString: server.url() },
      table,
      schema: 'public',
      columns: ['n'],
      batchRows: 1,
    }
    const spec = postgresSinkSpec<{ readonly n: number }>({ ...options, toRow: ({ n }) => [n] })
    const sink = nodeConnectors({ text: new RecordingText() }).sink(spec)
    const writer = await openWriter(sink, { jobName: table })
    await writer.recover([], undefined)
    const transaction = await writeAndPrepare(writer, [{ n: 1 }, { n: 2 }], 1)
    assert.equal(transaction.kind, 'prepared')
    await writer.commit({ snapshotId: 1, transaction })
    await writer.close()
    assert.deepEqual(await numbersOf(table), [1, 2])
  })

  test('the end of the input lies between two snapshots', async () => {
    for (const mode of MODES) {
      const table = await newTable()
      const sink = sinkOf(table, { mode })
      const old = await openWriter(sink, { jobName: table })
      await old.recover([], 7)
      await writeAndPrepare(old, [1], 7.5)
      await old.close()
      const next = await openWriter(sink, { jobName: table, attempt: 2 })
      await next.recover([], 7)
      assert.equal((await leftoversOf()) + (await stagedRows(server)), 0)
      await next.commit({ snapshotId: 7.5, transaction: await writeAndPrepare(next, [1], 7.5) })
      await next.close()
      assert.deepEqual(await numbersOf(table), [1])
    }
  })
})

/** The rows of all staging tables, and the staged ones of the ledger. */
async function stagedRows(server: PostgresServer): Promise<number> {
  const names = await server.query(
    `SELECT tablename FROM pg_tables WHERE tablename LIKE 'millrace_staged_%' AND schemaname = 'public'`,
  )
  let rows = 0
  for (const { tablename } of names) {
    const [row] = await server.query(`SELECT count(*)::int AS n FROM ${tablename}`)
    rows += row?.['n'] as number
  }
  if (names.length === 0) return rows
  const [row] = await server.query('SELECT count(*)::int AS n FROM millrace_commits WHERE NOT is_committed')
  return rows + (row?.['n'] as number)
}
