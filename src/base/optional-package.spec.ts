import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { loadOptionalPackage } from './optional-package.ts'

const notFound = (name: string): Error =>
  Object.assign(new Error(`Cannot find package '${name}' imported from x.js`), { code: 'ERR_MODULE_NOT_FOUND' })

describe('an optional package', () => {
  test('is given as it was imported', async () => {
    assert.equal(await loadOptionalPackage('five', 'the sink', async () => 5), 5)
  })

  test('that is not installed is named with the command that installs it', async () => {
    const missing = 'millrace-package-that-nobody-has'
    await assert.rejects(
      loadOptionalPackage(missing, 'the sink', () => import(missing)),
      { code: 'DEPENDENCY_MISSING', message: new RegExp(`the sink: .*npm install ${missing}$`) },
    )
  })

  test('that lacks a package of its own, or fails to load, fails as it does', async () => {
    const inner = notFound('of-its-own')
    await assert.rejects(
      loadOptionalPackage('outer', 'the sink', () => Promise.reject(inner)),
      error => error === inner,
    )
    const broken = new SyntaxError('Unexpected token')
    await assert.rejects(
      loadOptionalPackage('outer', 'the sink', () => Promise.reject(broken)),
      error => error === broken,
    )
  })
})
