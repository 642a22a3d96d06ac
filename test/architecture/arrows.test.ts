// Holds the import arrows of .dependency-cruiser.cjs, and proves that the cruiser sees every module and every kind of
// violation. A cruiser without a TypeScript compiler it can use would see nothing and be content.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { ROOT, temporaryFolder, trackedFiles } from '../support/project.ts'

const CRUISER = join(ROOT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruiser.mjs')

interface Violation {
  readonly rule: { readonly name: string }
  readonly from: string
  readonly to: string
}

interface Cruise {
  readonly modules: readonly { readonly source: string }[]
  readonly summary: { readonly violations: readonly Violation[] }
}

function cruise(folder: string): Promise<Cruise> {
  const args = [CRUISER, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src']
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 256 * 1024 * 1024 }, (error, stdout, stderr) => {
      // Its exit code is the number of violations; only without a result has it failed.
      if (stdout.startsWith('{')) resolve(JSON.parse(stdout))
      else reject(new Error(`the cruiser failed: ${stderr || error?.message}`))
    })
  })
}

function sourceModules(result: Cruise): string[] {
  return result.modules.map(module => module.source).filter(source => source.startsWith('src/'))
}

/** File, text, and the rule that the file must be reported for; the empty rule marks a harmless file. */
const PLANTED: readonly { file: string; text: string; rule: string }[] = [
  {
    file: 'src/base/planted-arrow.ts',
    text: `import { planted } from '../model/planted-target.ts'\nexport const arrow = planted\n`,
    rule: 'base-may-only-import-nothing',
  },
  {
    file: 'src/base/planted-type-arrow.ts',
    text: `import type { planted } from '../model/planted-target.ts'\nexport type Arrow = typeof planted\n`,
    rule: 'base-may-only-import-nothing',
  },
  { file: 'src/model/planted-target.ts', text: 'export const planted = 1\n', rule: '' },
  {
    file: 'src/time/planted-cycle-a.ts',
    text: `import { b } from './planted-cycle-b.ts'\nexport const a = () => b\n`,
    rule: 'no-circular',
  },
  {
    file: 'src/time/planted-cycle-b.ts',
    text: `import { a } from './planted-cycle-a.ts'\nexport const b = () => a\n`,
    rule: '', // A cycle is reported once.
  },
  {
    file: 'src/runtime/planted-node.ts',
    text: `import { readFileSync } from 'node:fs'\nexport const read = readFileSync\n`,
    rule: 'pure-core-has-no-node-apis',
  },
  {
    file: 'src/operators/planted-npm.ts',
    text: `import { Command } from 'commander'\nexport const command = Command\n`,
    rule: 'npm-packages-only-in-shells',
  },
  { file: 'src/extras/planted-orphan.ts', text: 'export const orphan = 1\n', rule: 'unlisted-folder-has-orphans' },
  {
    file: 'src/others/planted-import.ts',
    text: `import { planted } from '../model/planted-target.ts'\nexport const other = planted\n`,
    rule: 'unlisted-folder-imports',
  },
  {
    file: 'src/connectors/file/planted-neighbour.ts',
    text: `import { socket } from '../socket/planted-target.ts'\nexport const neighbour = socket\n`,
    rule: 'connectors-do-not-know-each-other',
  },
  { file: 'src/connectors/socket/planted-target.ts', text: 'export const socket = 1\n', rule: '' },
  {
    file: 'src/platform/browser/planted-reach.ts',
    text: `import { far } from '../planted-far.ts'\nexport const reach = far\n`,
    rule: 'browser-reaches-neither-node-nor-npm',
  },
  {
    file: 'src/platform/planted-far.ts',
    text: `import { connect } from 'node:net'\nexport const far = connect\n`,
    rule: '',
  },
  {
    file: 'src/plan/planted-product.ts',
    text: `import { tested } from './planted.spec.ts'\nexport const product = tested\n`,
    rule: 'no-tests-in-product',
  },
  { file: 'src/plan/planted.spec.ts', text: 'export const tested = 1\n', rule: '' },
  {
    file: 'src/base/planted-missing.ts',
    text: `import { nowhere } from './no-such-file.ts'\nexport const missing = nowhere\n`,
    rule: 'unresolvable',
  },
]

function plant(folder: string): void {
  for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
    cpSync(join(ROOT, file), join(folder, file))
  }
  // Specs import the fakes of test/; both are copied so that every import leads somewhere.
  for (const part of ['src', 'test']) cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction')
  for (const { file, text } of PLANTED) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
}

test('every module of src is seen, and none goes against an arrow', async () => {
  const files = trackedFiles().filter(file => file.startsWith('src/') && file.endsWith('.ts'))
  const result = await cruise(ROOT)
  assert.ok(files.length > 0)
  assert.deepEqual(sourceModules(result).sort(), files.sort())
  const violations = result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)
  assert.deepEqual(violations, [])
})

test('a planted violation of each kind is caught, and nothing else is reported', async t => {
  const folder = temporaryFolder(t)
  plant(folder)
  const { summary } = await cruise(folder)
  const caught = new Set(summary.violations.map(({ rule, from }) => `${rule.name} in ${from}`))
  for (const { file, rule } of PLANTED) {
    if (rule !== '') assert.ok(caught.has(`${rule} in ${file}`), `${rule} in ${file} was not caught`)
  }
  const guilty = PLANTED.filter(({ rule }) => rule !== '').map(({ file }) => file)
  const accused = summary.violations.map(({ from }) => from)
  assert.deepEqual(
    accused.filter(file => !guilty.includes(file)),
    [],
  )
})
