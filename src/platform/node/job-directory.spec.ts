import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before, describe } from 'node:test'
import { openJobDirectory } from './job-directory.ts'

let root = ''

before(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-directory-')))
  chmodSync(root, 0o755)
})
after(() => rmSync(root, { recursive: true, force: true }))

const NOBODY = 65534
const isRoot = process.getuid?.() === 0

describe('openJobDirectory', () => {
  test('makes the directory with all above it, and gives files in it', async () => {
    const directory = await openJobDirectory(join(root, 'new/job'))
    assert.equal(directory.path, join(root, 'new/job'))
    const file = await directory.files.open('a/b', 'create')
    await file.append(Uint8Array.of(1, 2))
    await file.close()
    assert.ok(existsSync(join(root, 'new/job/a/b')))
    await directory.close()
  })

  test('is for one at a time, until it is closed', async () => {
    const directory = await openJobDirectory(join(root, 'one'))
    await assert.rejects(openJobDirectory(join(root, 'one')), { code: 'DIRECTORY_LOCKED' })
    await directory.close()
    const next = await openJobDirectory(join(root, 'one'))
    // Closing once more does not take it from who has it now.
    await directory.close()
    await assert.rejects(openJobDirectory(join(root, 'one')), { code: 'DIRECTORY_LOCKED' })
    await next.close()
  })

  test('says what to do where a file is in the way', async () => {
    writeFileSync(join(root, 'file'), '')
    for (const path of [join(root, 'file'), join(root, 'file/job')]) {
      await assert.rejects(openJobDirectory(path), (error: Error) => {
        assert.match(
          error.message,
          /^DIRECTORY_NOT_WRITABLE: the job directory .*file.* is a file; choose another directory$/,
        )
        return true
      })
    }
  })

  test('says what to do where the user may not write', {
    skip: !isRoot && 'only root can become somebody else',
  }, () => {
    mkdirSync(join(root, 'private'), { mode: 0o755 })
    const module = new URL('./job-directory.ts', import.meta.url).href
    const paths = [join(root, 'private'), join(root, 'private/job')]
    const program = `
      process.setuid(${NOBODY})
      const results = await Promise.allSettled(${JSON.stringify(paths)}.map(path => openJobDirectory(path)))
      for (const { reason } of results) console.log(reason?.message)`
    const args = ['--input-type=module', '-e', `import { openJobDirectory } from ${JSON.stringify(module)}\n${program}`]
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    const lines = stdout.trim().split('\n')
    assert.equal(lines.length, 2, stderr)
    for (const line of lines) {
      assert.match(
        line,
        /^DIRECTORY_NOT_WRITABLE: .*private.*EACCES.*give the user of this process the right to write there/,
      )
    }
  })
})
