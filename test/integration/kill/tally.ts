// What came out of a job, as one counter for each record that the source has: two outputs are the same records exactly if the counters are equal.
import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { KEYS } from './kill-settings.ts'

/** Rows fetched at a time. */
const FETCH_ROWS = 50_000
const SEEN_MAX = 255

/** How often each record was seen. */
export class Tally {
  readonly seen: Uint8Array
  /** Lines that stand for no record of the source. */
  foreign = 0

  constructor(records: number) {
    this.seen = new Uint8Array(records)
  }

  /** The n-th record of a key, from 1. */
  add(key: number, count: number): void {
    const record = (count - 1) * KEYS + key
    const isKnown = Number.isInteger(key) && key >= 0 && key < KEYS && Number.isInteger(count) && count >= 1
    if (!isKnown || record >= this.seen.length) this.foreign++
    else this.seen[record] = Math.min((this.seen[record] as number) + 1, SEEN_MAX)
  }

  addLine(line: string): void {
    const match = /^(\d+) (\d+)$/.exec(line)
    if (match === null) this.foreign++
    else this.add(Number(match[1]), Number(match[2]))
  }
}

/** How two outputs differ, in records. */
export interface Difference {
  readonly lost: number
  readonly repeated: number
  readonly foreign: number
}

/** Compares record by record. */
export function differenceOf(found: Tally, expected: Tally): Difference {
  let lost = 0
  let repeated = 0
  for (let record = 0; record < expected.seen.length; record++) {
    const more = (found.seen[record] as number) - (expected.seen[record] as number)
    if (more < 0) lost -= more
    else repeated += more
  }
  return { lost, repeated, foreign: found.foreign + expected.foreign }
}

/** Reads the finished files of a directory: what does not begin with a dot. */
export async function tallyFiles(directory: string, records: number): Promise<Tally> {
  const tally = new Tally(records)
  for (const name of readdirSync(directory)) {
    if (name.startsWith('.')) continue
    for await (const line of createInterface({ input: createReadStream(join(directory, name)) })) tally.addLine(line)
  }
  return tally
}

/** Reads a table through a cursor. */
export async function tallyTable(url: string, table: string, records: number): Promise<Tally> {
  const tally = new Tally(records)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('BEGIN')
    await client.query(`DECLARE reading NO SCROLL CURSOR FOR SELECT key, count FROM ${table}`)
    for (;;) {
      const { rows } = await client.query({ text: `FETCH ${FETCH_ROWS} FROM reading`, rowMode: 'array' })
      for (const [key, count] of rows) tally.add(key, count)
      if (rows.length < FETCH_ROWS) return tally
    }
  } finally {
    await client.end()
  }
}
