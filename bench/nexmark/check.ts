// Runs a query on few events and holds what it comes to against its oracle, as multisets of rows.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from 'millrace'
import type { NexmarkEvent } from './events.ts'
import { generateEvents } from './generator.ts'
import { ORACLES } from './oracles/all.ts'
import type { NexmarkQuery } from './query.ts'
import { readEvents } from './streams.ts'

/** How a query is run to be checked. */
export interface CheckOptions {
  readonly events: number
  readonly seed?: number
  readonly parallelism?: number
  readonly outOfOrderGroupSize?: number
}

/** What a check compared. */
export interface CheckedRows {
  readonly rows: number
  readonly settledRows: number
}

const CHECK_EVENTS_PER_SECOND = 2000

/** Checks a query. Throws an error that shows the rows in which the two differ. */
export async function checkQuery(query: NexmarkQuery, options: CheckOptions): Promise<CheckedRows> {
  const { parallelism = 1, events: count, ...shape } = options
  const eventsPerSecond = query.checkEventsPerSecond ?? CHECK_EVENTS_PER_SECOND
  const events = generateEvents({ ...shape, events: count, eventsPerSecond })
  const rows = await rowsOf(query, events, parallelism)
  const settled = settledRows(query, rows)
  compareRows(query.id, settled, ORACLES[query.id](events))
  return { rows: rows.length, settledRows: settled.length }
}

/** What remains of a query's rows in the end. */
export function settledRows(query: NexmarkQuery, rows: readonly unknown[]): readonly unknown[] {
  return query.settle === undefined ? rows : query.settle(rows)
}

/** Throws an error that shows rows which only one of the two has, unless they are equal as multisets. */
export function compareRows(id: string, actual: readonly unknown[], expected: readonly unknown[]): void {
  const surplus = countTexts(actual)
  const missing: string[] = []
  for (const row of expected) {
    const text = rowText(row)
    const count = surplus.get(text) ?? 0
    if (count === 0) missing.push(text)
    else if (count === 1) surplus.delete(text)
    else surplus.set(text, count - 1)
  }
  if (missing.length === 0 && surplus.size === 0) return
  const some = (texts: Iterable<string>): string => [...texts].slice(0, 3).join('\n  ') || 'none'
  throw new Error(
    `${id}: ${actual.length} rows, the oracle has ${expected.length}\n only the oracle:\n  ${some(missing)}\n only the query:\n  ${some(surplus.keys())}`,
  )
}

async function rowsOf(query: NexmarkQuery, events: readonly NexmarkEvent[], parallelism: number): Promise<unknown[]> {
  const env = environment({ parallelism })
  const output = query.build(readEvents(env, events), env)
  if (query.writesFiles !== true) return output.executeAndCollect(query.id)
  const directory = mkdtempSync(join(tmpdir(), 'millrace-nexmark-'))
  try {
    output.writeToFiles(directory, { encode: 'json' })
    await env.execute(query.id)
    return readRows(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** The rows in the finished files of a directory. */
export function readRows(directory: string): unknown[] {
  const files = readdirSync(directory).filter(name => !name.startsWith('.'))
  return files.flatMap(name => {
    const lines = readFileSync(join(directory, name), 'utf8').split('\n')
    return lines.filter(line => line !== '').map(line => JSON.parse(line) as unknown)
  })
}

function countTexts(rows: readonly unknown[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const row of rows) {
    const text = rowText(row)
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return counts
}

// Fields in the order of their names, so that rows are equal whatever the order in which they were made.
function rowText(row: unknown): string {
  if (Array.isArray(row)) return `[${row.map(rowText).join()}]`
  if (typeof row !== 'object' || row === null) return JSON.stringify(row)
  const fields = Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(fields)
}
