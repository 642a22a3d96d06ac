import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StreamError } from '../../base/errors.ts'
import { Prng } from '../../base/prng.ts'
import type { Storage } from '../../base/storage.ts'
import { SimulatedFiles } from '../../testing/simulated-files.ts'
import { fileStorage } from './file-storage.ts'
import { memoryStorage } from './memory-storage.ts'

const OBJECT = Uint8Array.from({ length: 100 }, (_, i) => i)

function code(expected: string): (error: unknown) => boolean {
  return error => error instanceof StreamError && error.code === expected
}

/** Calls of a put into an empty file system. */
async function callsOfPut(): Promise<number> {
  const files = new SimulatedFiles()
  await fileStorage(files, 'job').put('d/a', OBJECT)
  return files.calls
}

const STORAGES: readonly [string, () => Storage][] = [
  ['memory storage', memoryStorage],
  ['file storage', () => fileStorage(new SimulatedFiles(), 'job')],
  ['file storage without a root', () => fileStorage(new SimulatedFiles(), '')],
]

for (const [name, open] of STORAGES) {
  describe(name, () => {
    test('gives back objects, whole and in part, and lists them by prefix', async () => {
      const storage = open()
      await storage.put('d/b', OBJECT)
      await storage.put('d/a', OBJECT.slice(0, 3))
      await storage.put('da', new Uint8Array())
      assert.deepEqual([...((await storage.get('d/b')) ?? [])], [...OBJECT])
      assert.deepEqual([...((await storage.getRange('d/b', 98, 10)) ?? [])], [98, 99])
      assert.deepEqual(await storage.list('d/'), ['d/a', 'd/b'])
      assert.deepEqual(await storage.list('d'), ['d/a', 'd/b', 'da'])
      assert.deepEqual(await storage.list(''), ['d/a', 'd/b', 'da'])
      assert.deepEqual(await storage.list('d/b'), ['d/b'])
      assert.deepEqual(await storage.list('nowhere/'), [])
      await storage.remove('d/a')
      await storage.remove('d/a')
      await storage.remove('nowhere/a')
      assert.equal(await storage.get('d/a'), undefined)
      assert.equal(await storage.getRange('d/a', 0, 1), undefined)
      await storage.confirm?.(['d/b', 'nowhere/a'])
    })

    test('keeps what it was given, whatever becomes of the buffer', async () => {
      const storage = open()
      const buffer = OBJECT.slice()
      await storage.put('a', buffer)
      buffer.fill(0)
      assert.deepEqual([...((await storage.get('a')) ?? [])], [...OBJECT])
    })
  })
}

describe('file storage on a disk that fails', () => {
  test('an object that was put survives any crash', async () => {
    for (let seed = 0; seed < 100; seed++) {
      const files = new SimulatedFiles()
      const storage = fileStorage(files, 'job/deep')
      await Promise.all(['d/a', 'd/b', 'e/c'].map(name => storage.put(name, OBJECT)))
      files.crash(new Prng(seed))
      const after = fileStorage(files, 'job/deep')
      assert.deepEqual(await after.list(''), ['d/a', 'd/b', 'e/c'], `seed ${seed}`)
      assert.deepEqual([...((await after.get('e/c')) ?? [])], [...OBJECT])
    }
  })

  test('a crash at any call of a put leaves all of the object or nothing', async () => {
    const calls = await callsOfPut()
    assert.ok(calls >= 7, `${calls} calls`)
    let whole = 0
    let none = 0
    for (let call = 1; call <= calls; call++) {
      for (let seed = 0; seed < 20; seed++) {
        let made = 0
        const files: SimulatedFiles = new SimulatedFiles({
          delay: () => (++made === call ? new Promise<void>(() => {}) : undefined),
        })
        // It hangs at that call, and never comes back.
        fileStorage(files, 'job').put('d/a', OBJECT)
        for (let turns = 0; turns < 200; turns++) await undefined
        assert.equal(made, call)
        files.crash(new Prng(seed))
        const found = files.snapshot().get('job/d/a')
        if (found === undefined) none++
        else {
          whole++
          assert.deepEqual([...found], [...OBJECT], `call ${call}, seed ${seed}`)
        }
      }
    }
    assert.ok(whole > 10 && none > 50, `${whole} whole, ${none} none`)
  })

  test('an error at any call of a put is told, leaves nothing in sight and no file open', async () => {
    const calls = await callsOfPut()
    for (let call = 1; call <= calls; call++) {
      const files = new SimulatedFiles()
      const storage = fileStorage(files, 'job')
      files.failCall(call, 'EIO')
      await assert.rejects(storage.put('d/a', OBJECT), /STORAGE_FAILED: directory job: d\/a could not be stored \(EIO/)
      assert.equal(files.openHandles, 0, `call ${call}`)
      assert.deepEqual([...files.snapshot().keys()], [], `call ${call}`)
      await storage.put('d/b', OBJECT)
      files.crash(new Prng(call))
      assert.deepEqual(await fileStorage(files, 'job').list(''), ['d/b'])
    }
  })

  test('a file whose sync failed is never synced again', async () => {
    const files = new SimulatedFiles()
    const storage = fileStorage(files, '')
    files.failSync(1)
    await assert.rejects(storage.put('a', OBJECT), code('STORAGE_FAILED'))
    assert.deepEqual([...files.snapshot().keys()], [])
    await storage.put('a', OBJECT)
    files.crash(new Prng(3))
    assert.deepEqual([...((await storage.get('a')) ?? [])], [...OBJECT])
  })

  test('says what to do about a full disk, missing rights and too many open files', async () => {
    const texts: readonly [string, RegExp][] = [
      ['ENOSPC', /STORAGE_FAILED: .*no space left: make room/],
      ['EACCES', /DIRECTORY_NOT_WRITABLE: directory job: .*give the process the right to write there/],
      ['EROFS', /DIRECTORY_NOT_WRITABLE/],
      ['EMFILE', /STORAGE_FAILED: .*raise the limit/],
    ]
    for (const [fault, expected] of texts) {
      const files = new SimulatedFiles()
      files.failCall(2, fault)
      await assert.rejects(fileStorage(files, 'job').put('a', OBJECT), expected)
    }
  })

  test('a read or a list that fails is no missing object', async () => {
    const files = new SimulatedFiles()
    const storage = fileStorage(files, '')
    for (const call of [() => storage.get('a'), () => storage.getRange('a', 0, 1), () => storage.list('')]) {
      files.failCall(1, 'EIO')
      await assert.rejects(call(), code('STORAGE_FAILED'))
    }
  })

  test('temporaries that a dead process left are hidden, and removed by the first put', async () => {
    const files = new SimulatedFiles()
    await files.open('job/d/.tmp-0-a', 'create')
    await files.open('job/d/inner/.tmp-0-a', 'create')
    files.closeAll()
    const storage = fileStorage(files, 'job')
    assert.deepEqual(await storage.list(''), [])
    assert.ok(files.snapshot().has('job/d/.tmp-0-a'), 'a reader must not remove what a writer is at')
    await storage.put('d/a', OBJECT)
    assert.deepEqual([...files.snapshot().keys()].sort(), ['job/d/a', 'job/d/inner/.tmp-0-a'])
  })

  test('many at once share the syncs of their directory', async () => {
    const files = new SimulatedFiles()
    const storage = fileStorage(files, '')
    await Promise.all(Array.from({ length: 20 }, (_, i) => storage.put(`d/${i}`, OBJECT)))
    const before = files.calls
    await Promise.all(Array.from({ length: 20 }, (_, i) => storage.remove(`d/${i}`)))
    assert.ok(files.calls - before <= 23, `${files.calls - before} calls`)
    files.crash(new Prng(1))
    assert.equal(files.snapshot().size, 0)
  })
})
