// How a rolling aggregation copies the first record with one field replaced: the candidates side by side, in million copies per
// CPU second. Run it with `node bench/micro/copy-record.ts`; each candidate runs in a process of its own, so that none warms the others.
import { spawnSync } from 'node:child_process'

type Row = Record<string, unknown>
type Copy = (record: Row, field: string, value: number) => Row

const CANDIDATES: Readonly<Record<string, Copy>> = {
  'spread, then assign': (record, field, value) => {
    const copy: Row = { ...record }
    copy[field] = value
    return copy
  },
  'spread with computed key': (record, field, value) => ({ ...record, [field]: value }),
  'Object.assign': (record, field, value) => Object.assign({}, record, { [field]: value }),
  'for in': (record, field, value) => {
    const copy: Row = {}
    for (const name in record) copy[name] = name === field ? value : record[name]
    return copy
  },
  'spread, then assign; arrays apart': (record, field, value) => {
    const copy: Row = Array.isArray(record) ? (record.slice() as unknown as Row) : { ...record }
    copy[field] = value
    return copy
  },
  'spread, then assign; arrays and classes apart': (record, field, value) => {
    const prototype: unknown = Object.getPrototypeOf(record)
    const copy: Row =
      prototype === Object.prototype ? { ...record } : Object.assign(Object.create(prototype as object), record)
    copy[field] = value
    return copy
  },
}
const COPIES = 20_000_000

function measure(name: string, shape: string): number {
  const copy = CANDIDATES[name] as Copy
  const records = Array.from(
    { length: 1024 },
    (_, i): Row =>
      shape === 'small'
        ? { word: `w${i}`, frequency: i }
        : { id: i, city: `c${i}`, day: i % 7, price: i * 0.5, tags: [], isPaid: true, at: i * 1e9, note: null },
  )
  const field = shape === 'small' ? 'frequency' : 'price'
  let checksum = 0
  let started = process.cpuUsage()
  for (let i = 0; i < COPIES * 1.25; i++) {
    if (i === COPIES / 4) started = process.cpuUsage()
    checksum += (copy(records[i & 1023] as Row, field, i)[field] as number) & 1
  }
  const { user, system } = process.cpuUsage(started)
  if (checksum !== (COPIES * 1.25) / 2) throw new Error(`${name} copies wrongly: ${checksum}`)
  return COPIES / (user + system)
}

const [name, shape] = process.argv.slice(2)
if (name !== undefined && shape !== undefined) console.log(measure(name, shape).toFixed(1))
else {
  for (const each of ['small', 'eight fields']) {
    for (const candidate of Object.keys(CANDIDATES)) {
      const run = spawnSync(process.execPath, [import.meta.filename, candidate, each], { encoding: 'utf8' })
      console.log(`${each.padEnd(13)} ${candidate.padEnd(46)} ${run.status === 0 ? run.stdout.trim() : run.stderr}`)
    }
  }
}
