import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Prng } from '../base/prng.ts'
import { type DiskFault, SimulatedFiles } from './simulated-files.ts'

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed)

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, character => character.charCodeAt(0))
}

async function text(files: SimulatedFiles, path: string): Promise<string> {
  return String.fromCharCode(...(await files.read(path)))
}

async function write(files: SimulatedFiles, path: string, contents: string): Promise<void> {
  const file = await files.open(path, 'create')
  await file.append(bytes(contents))
  await file.sync()
  await file.close()
}

function code(expected: string): (error: unknown) => boolean {
  return error => error instanceof Error && 'code' in error && error.code === expected
}

function isThere(files: SimulatedFiles, path: string): boolean {
  return files.snapshot().has(path)
}

/** What is found after crashes with many seeds, each with how often. */
async function outcomes(
  prepare: (files: SimulatedFiles) => Promise<unknown>,
  look: (files: SimulatedFiles) => string | Promise<string>,
): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (const seed of SEEDS) {
    const files = new SimulatedFiles()
    await prepare(files)
    files.crash(new Prng(seed))
    const outcome = await look(files)
    found.set(outcome, (found.get(outcome) ?? 0) + 1)
  }
  return found
}

describe('simulated files without faults', () => {
  test('are created once, appended to, read in part, renamed, shortened, listed and removed', async () => {
    const files = new SimulatedFiles()
    await write(files, 'd/a', 'hello')
    await assert.rejects(files.open('d/a', 'create'), code('EEXIST'))
    const more = await files.open('d/a', 'append')
    await more.append(bytes(' you'))
    assert.equal(files.openHandles, 1)
    await more.close()
    await assert.rejects(more.append(bytes('x')), code('EBADF'))
    assert.equal(files.openHandles, 0)
    assert.equal(await text(files, 'd/a'), 'hello you')
    assert.equal(String.fromCharCode(...(await files.readAt('d/a', 6, 100))), 'you')
    await files.rename('d/a', 'd/b')
    await files.truncate('d/b', 5)
    await write(files, 'd/e/c', '')
    assert.deepEqual(await files.list('d'), [
      { path: 'd/b', bytes: 5 },
      { path: 'd/e/c', bytes: 0 },
    ])
    assert.deepEqual(await files.list('nowhere'), [])
    await files.remove('d/b')
    await files.remove('d/b')
    await assert.rejects(files.read('d/b'), code('ENOENT'))
    await assert.rejects(files.rename('d/e/c', 'missing/c'), code('ENOENT'))
    await assert.rejects(files.syncDirectory('missing'), code('ENOENT'))
  })
})

describe('a crash', () => {
  test('leaves what was synced with its directories', async () => {
    const found = await outcomes(
      async files => {
        await write(files, 'd/a', 'safe')
        await files.syncDirectory('d')
        await files.syncDirectory('')
      },
      files => text(files, 'd/a'),
    )
    assert.deepEqual([...found], [['safe', SEEDS.length]])
  })

  test('leaves any prefix of what was appended since the last sync, now and then with garbage at its end', async () => {
    const counts = new Map<DiskFault, number>()
    const found = await outcomes(
      async files => {
        await write(files, 'a', 'safe')
        await files.syncDirectory('')
        const file = await files.open('a', 'append')
        await file.append(bytes('1234'))
      },
      async files => {
        for (const [fault, times] of files.counts) counts.set(fault, (counts.get(fault) ?? 0) + times)
        return text(files, 'a')
      },
    )
    for (const contents of found.keys()) assert.match(contents, /^safe[\s\S]{0,4}$/)
    for (const prefix of ['safe', 'safe1', 'safe12', 'safe123', 'safe1234'])
      assert.ok((found.get(prefix) ?? 0) > 5, prefix)
    assert.ok([...found.keys()].some(contents => !'safe1234'.startsWith(contents)))
    assert.ok((counts.get('lost-data') ?? 0) > 100 && (counts.get('torn-write') ?? 0) > 20)
  })

  test('undoes creations and removals in a directory that was not synced, each on its own', async () => {
    const found = await outcomes(
      async files => {
        await write(files, 'old', 'x')
        await files.syncDirectory('')
        await write(files, 'new', 'x')
        await files.remove('old')
      },
      files => `old ${isThere(files, 'old')} new ${isThere(files, 'new')}`,
    )
    assert.deepEqual([...found.keys()].sort(), [
      'old false new false',
      'old false new true',
      'old true new false',
      'old true new true',
    ])
  })

  test('undoes a rename as a whole: the old name or the new one is there, with the new contents or the old', async () => {
    const found = await outcomes(
      async files => {
        await write(files, 'to', 'old')
        await write(files, 'from', 'new')
        await files.syncDirectory('')
        await files.rename('from', 'to')
      },
      async files => `${await text(files, 'to')} ${isThere(files, 'from')}`,
    )
    assert.deepEqual([...found.keys()].sort(), ['new false', 'old true'])
  })

  test('may leave both names of a rename between directories, never none', async () => {
    const found = await outcomes(
      async files => {
        await write(files, 'a/f', 'x')
        await files.open('b/g', 'create')
        for (const directory of ['a', 'b', '']) await files.syncDirectory(directory)
        await files.rename('a/f', 'b/f')
      },
      files => `${isThere(files, 'a/f')} ${isThere(files, 'b/f')}`,
    )
    assert.deepEqual([...found.keys()].sort(), ['false true', 'true false', 'true true'])
  })

  test('loses a file that was not synced although its new name was', async () => {
    const found = await outcomes(
      async files => {
        const file = await files.open('tmp', 'create')
        await file.append(bytes('ab'))
        await file.close()
        await files.rename('tmp', 'a')
        await files.syncDirectory('')
      },
      async files => `${(await text(files, 'a')).length}`,
    )
    assert.deepEqual([...found.keys()].sort(), ['0', '1', '2'])
  })

  test('loses a whole directory whose parent was not synced', async () => {
    const found = await outcomes(
      async files => {
        await write(files, 'd/e/a', 'x')
        await files.syncDirectory('d/e')
        await files.syncDirectory('')
      },
      files => String(isThere(files, 'd/e/a')),
    )
    assert.deepEqual([...found.keys()].sort(), ['false', 'true'])
  })

  test('may undo a truncation until the file is synced', async () => {
    const prepare = async (files: SimulatedFiles, isSynced: boolean): Promise<void> => {
      await write(files, 'a', 'abcd')
      await files.syncDirectory('')
      await files.truncate('a', 2)
      if (isSynced) await (await files.open('a', 'append')).sync()
    }
    const unsynced = await outcomes(
      files => prepare(files, false),
      files => text(files, 'a'),
    )
    assert.deepEqual([...unsynced.keys()].sort(), ['ab', 'abcd'])
    const synced = await outcomes(
      files => prepare(files, true),
      files => text(files, 'a'),
    )
    assert.deepEqual([...synced.keys()], ['ab'])
  })

  test('makes open handles fail with EBADF', async () => {
    const files = new SimulatedFiles()
    const file = await files.open('a', 'create')
    files.crash(new Prng(1))
    await assert.rejects(file.append(bytes('x')), code('EBADF'))
    await assert.rejects(file.sync(), code('EBADF'))
    await assert.rejects(file.close(), code('EBADF'))
    assert.equal(files.openHandles, 0)
  })

  test('of processes alone takes their handles and nothing else', async () => {
    const files = new SimulatedFiles()
    const file = await files.open('d/a', 'create')
    await file.append(bytes('abc'))
    files.closeAll()
    await assert.rejects(file.append(bytes('x')), code('EBADF'))
    assert.equal(await text(files, 'd/a'), 'abc')
  })
})

describe('faults', () => {
  test('the n-th call from now fails with the given code, and has no effect', async () => {
    const files = new SimulatedFiles()
    files.failCall(2, 'EMFILE')
    await files.list('')
    await assert.rejects(files.open('a', 'create'), code('EMFILE'))
    assert.equal(isThere(files, 'a'), false)
    await files.open('a', 'create')
    assert.equal(files.calls, 3)
    assert.equal(files.counts.get('failed-call'), 1)
  })

  test('an append that finds the disk full leaves some of its bytes', async () => {
    const files = new SimulatedFiles()
    const file = await files.open('a', 'create')
    files.failCall(1, 'ENOSPC')
    await assert.rejects(file.append(bytes('1234')), code('ENOSPC'))
    assert.equal(await text(files, 'a'), '12')
    assert.equal(files.counts.get('short-write'), 1)
  })

  test('after a failed sync the data is lost, even when a second sync succeeds', async () => {
    for (const fail of [
      (files: SimulatedFiles) => files.failSync(1),
      (files: SimulatedFiles) => files.failCall(1, 'EIO'),
    ]) {
      const found = await outcomes(
        async files => {
          await write(files, 'a', 'safe')
          await files.syncDirectory('')
          const file = await files.open('a', 'append')
          await file.append(bytes('lost'))
          fail(files)
          await assert.rejects(file.sync(), code('EIO'))
          await file.append(bytes('more'))
          await file.sync()
        },
        files => text(files, 'a'),
      )
      assert.deepEqual([...found.keys()], ['safe\0\0\0\0more'])
    }
  })

  test('a close that fails has closed all the same', async () => {
    const files = new SimulatedFiles()
    const file = await files.open('a', 'create')
    files.failCall(1, 'EIO')
    await assert.rejects(file.close(), code('EIO'))
    assert.equal(files.openHandles, 0)
  })

  test('a slow call takes effect after its delay', async () => {
    let release = (): void => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    const files = new SimulatedFiles({ delay: () => gate })
    const opening = files.open('a', 'create')
    assert.equal(isThere(files, 'a'), false)
    release()
    await opening
    assert.equal(isThere(files, 'a'), true)
    assert.equal(files.counts.get('slow-call'), 1)
  })
})
