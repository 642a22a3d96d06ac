// Columns that are closed: the snapshots after it tell that their rows are gone, until one of them is complete.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { ByteReader } from '../base/byte-reader.ts'
import { readValue } from '../serde/value-codec.ts'
import { ColumnSets } from './column-sets.ts'
import { KeyedColumns } from './keyed-columns.ts'
import { KeyedPart } from './keyed-part.ts'
import { KeyEntry } from './keyed-table.ts'
import { RecordForm } from './record-form.ts'
import { OwnFinder } from './row-finder.ts'

class NoEntry extends KeyEntry {
  isEmpty(): boolean {
    return true
  }
}

function subject() {
  const part = new KeyedPart<NoEntry>('columns', {
    schema: { layout: 'columns', states: [] },
    all: () => [].values(),
    count: () => 0,
    writeIdentity: () => {},
    writePayload: () => false,
    restorer: () => ({ row: () => {} }),
  })
  const sets = new ColumnSets()
  part.attach(sets)
  const open = (): KeyedColumns => {
    const columns = new KeyedColumns({
      form: new RecordForm({ k: 1, n: 1 }, 'n', 'k'),
      replacement: 'sum',
      finder: new OwnFinder(),
      maxParallelism: 1,
      isTracked: true,
      targetOf: keyGroup => part.targetOf(keyGroup),
    })
    sets.open(columns)
    return columns
  }
  /** Empties all rows and closes. */
  const close = (columns: KeyedColumns): void => {
    for (let row = 0; row < columns.count; row++) columns.empty(row)
    sets.close(columns)
  }
  /** The rows of a snapshot, as `key=n` or `key gone`. */
  const snapshot = (id: number): readonly string[] => {
    part.begin(id, false)
    while (!part.advance(1));
    return part.take().sections.flatMap(({ rows, bytes }) => rowsIn(new ByteReader(bytes), rows))
  }
  return { part, sets, open, close, snapshot }
}

function rowsIn(bytes: ByteReader, rows: number): readonly string[] {
  return Array.from({ length: rows }, () => {
    const key = readValue(new ByteReader(bytes.raw(bytes.varint())))
    const length = bytes.varint()
    if (length === 0) return `${key} gone`
    const payload = new ByteReader(bytes.raw(length - 1))
    readValue(payload)
    return `${key}=${(readValue(payload) as { readonly n: number }).n}`
  })
}

describe('column sets', () => {
  test('tell that closed rows are gone, once a snapshot held them, until that is in a complete snapshot', () => {
    const { part, sets, open, close, snapshot } = subject()
    const columns = open()
    columns.add(7, { k: 7, n: 1 }, 1)
    // So much that later snapshots hold the changes alone.
    const other = open()
    for (let key = 100; key < 5000; key++) other.add(key, { k: key, n: 1 }, 1)
    assert.equal(snapshot(1).length, 4901)
    part.settle(1, 'completed')
    columns.add(8, { k: 8, n: 1 }, 1)
    close(columns)
    assert.deepEqual(snapshot(2), ['7 gone'])
    part.settle(2, 'aborted')
    other.addRecord(other.find(100), 5)
    assert.equal(sets.count, 4902)
    const rows = snapshot(3)
    // What the aborted one told is told again.
    assert.ok(rows.includes('7 gone') && rows.includes('100=6'), rows.join())
    assert.ok(rows.length <= 3)
    part.settle(3, 'completed')
    assert.equal(sets.count, 4900)
    assert.deepEqual(snapshot(4), [])
  })

  test('keep what is being written when it is closed', () => {
    const { part, open, close, sets } = subject()
    const columns = open()
    for (let key = 0; key < 5; key++) columns.add(key, { k: key, n: key }, 1)
    part.begin(1, false)
    assert.equal(part.advance(2), false)
    close(columns)
    while (!part.advance(1));
    const rows = part.take().sections.flatMap(({ rows, bytes }) => rowsIn(new ByteReader(bytes), rows))
    assert.deepEqual([...rows].sort(), ['0=0', '1=1', '2=2', '3=3', '4=4'])
    part.settle(1, 'completed')
    assert.equal(sets.count, 5, 'the snapshot has the rows, so the next one has to tell')
  })

  test('forget at once what no snapshot knows', () => {
    const { open, close, sets } = subject()
    const columns = open()
    columns.add(1, { k: 1, n: 1 }, 1)
    close(columns)
    assert.equal(sets.count, 0)
  })
})
