// `node bench/nexmark/main.ts [--quick] [--only q5,q7] [--json FILE]`, after `npm run build`: the report on Nexmark alone.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { QUERIES } from './queries/all.ts'
import { reportNexmark } from './report.ts'

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, json: { type: 'string' } },
})
const ids = QUERIES.map(({ id }) => id)
const only = values.only?.split(',') ?? ids
const unknown = only.filter(id => !ids.includes(id))
if (unknown.length > 0) {
  console.error(`--only ${unknown.join()}: no such query; there are ${ids.join(', ')}`)
  process.exitCode = 2
} else {
  const rows = reportNexmark(values.quick === true, { only })
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`)
}
