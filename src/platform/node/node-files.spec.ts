import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { nodeFiles } from './node-files.ts'

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'millrace-files-'))
  after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

function code(expected: string): (error: unknown) => boolean {
  return error => error instanceof Error && 'code' in error && error.code === expected
}

const HELLO = new Uint8Array([104, 101, 108, 108, 111])

describe('nodeFiles', () => {
  test('makes its root and parents when a file is made, not before', async () => {
    const root = join(folder(), 'a/b')
    const files = nodeFiles(root)
    assert.deepEqual(await files.list(''), [])
    assert.ok(!existsSync(root))
    await (await files.open('d/e/f', 'create')).close()
    assert.deepEqual(await files.list(''), [{ path: 'd/e/f', bytes: 0 }])
    for (const directory of ['d/e', 'd', '']) await files.syncDirectory(directory)
  })

  test('creates anew, or appends to what is there', async () => {
    const files = nodeFiles(folder())
    for (const mode of ['create', 'append'] as const) {
      const file = await files.open('f', mode)
      await file.append(HELLO)
      await file.sync()
      await file.close()
    }
    await assert.rejects(files.open('f', 'create'), code('EEXIST'))
    assert.deepEqual([...(await files.read('f'))], [...HELLO, ...HELLO])
    await files.truncate('f', 6)
    assert.deepEqual([...(await files.readAt('f', 4, 1000))], [111, 104])
    assert.deepEqual([...(await files.readAt('f', 100, 10))], [])
  })

  test('renames over what is there, and removes what may be missing', async () => {
    const files = nodeFiles(folder())
    for (const name of ['a', 'b']) {
      const file = await files.open(name, 'create')
      if (name === 'a') await file.append(HELLO)
      await file.close()
    }
    await files.rename('a', 'b')
    assert.deepEqual(await files.list(''), [{ path: 'b', bytes: 5 }])
    await files.remove('b')
    await files.remove('b')
    await assert.rejects(files.read('b'), code('ENOENT'))
    await assert.rejects(files.readAt('b', 0, 1), code('ENOENT'))
    await assert.rejects(files.syncDirectory('nowhere'), code('ENOENT'))
  })

  test('lists at any depth, sorted by path, without what is no file', async () => {
    const root = folder()
    const files = nodeFiles(root)
    for (const name of ['d/z', 'd/a/x', 'd-', 'c']) await (await files.open(name, 'create')).close()
    symlinkSync('nowhere', join(root, 'd/link'))
    assert.deepEqual(
      (await files.list('')).map(file => file.path),
      ['c', 'd-', 'd/a/x', 'd/z'],
    )
    assert.deepEqual(
      (await files.list('d')).map(file => file.path),
      ['d/a/x', 'd/z'],
    )
  })

  test('refuses paths that lead out of its root', async () => {
    const root = join(folder(), 'root')
    const files = nodeFiles(root)
    writeFileSync(`${root}-secret`, 'x')
    for (const path of ['../root-secret', '/etc/passwd', 'a/../../root-secret', '..'])
      await assert.rejects(files.read(path), code('EACCES'), path)
    await assert.rejects(files.open('../x', 'create'), code('EACCES'))
    await assert.rejects(files.rename('x', '../y'), code('EACCES'))
  })

  test('what is read does not share memory with anything else', async () => {
    const files = nodeFiles(folder())
    const file = await files.open('f', 'create')
    await file.append(HELLO)
    await file.close()
    const read = await files.read('f')
    assert.equal(read.constructor, Uint8Array)
    read.slice(0, 2).fill(0)
    assert.deepEqual([...read], [...HELLO])
  })
})
