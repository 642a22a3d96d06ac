// What the directory knows, and that it forgets keys which do not come again.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { KeyDirectory } from './key-directory.ts'

describe('a key directory', () => {
  test('gives each key one slot, whoever holds it', () => {
    const directory = new KeyDirectory()
    assert.equal(directory.slotOf('a'), -1)
    const [a, b] = [directory.hold('a'), directory.hold(1)]
    assert.notEqual(a, b)
    assert.deepEqual([directory.hold('a'), directory.slotOf('a'), directory.slotOf(1)], [a, a, b])
    assert.equal(directory.slotOf('1'), -1)
  })

  test('keeps the slots of keys that come again in the next table', () => {
    const directory = new KeyDirectory()
    const keys = Array.from({ length: 5000 }, (_, i) => i)
    const first = keys.map(key => directory.hold(key))
    directory.release(first)
    assert.deepEqual(
      keys.map(key => directory.hold(key)),
      first,
    )
  })

  test('forgets keys that do not come again, and gives their slots to others', () => {
    const directory = new KeyDirectory()
    let slotMax = 0
    for (let table = 0; table < 200; table++) {
      const slots = Array.from({ length: 1000 }, (_, i) => directory.hold(`${table}/${i}`))
      slotMax = Math.max(slotMax, ...slots)
      directory.release(slots)
    }
    assert.ok(directory.size <= 2 * 1000 + 1024 + 1000, `${directory.size} keys are known`)
    assert.ok(slotMax < 2 * 4096, `slots go up to ${slotMax}`)
    assert.ok(directory.slotsMax > slotMax)
  })

  test('has no room beyond its limit, until keys are forgotten', () => {
    const directory = new KeyDirectory(10)
    const slots = Array.from({ length: 10 }, (_, key) => directory.hold(key))
    assert.deepEqual([directory.isFullFor(3), directory.isFullFor(10)], [false, true])
    directory.release(slots)
    assert.equal(directory.isFullFor(10), false)
    assert.ok(directory.isUnused)
  })

  test('keeps what another table holds', () => {
    const directory = new KeyDirectory()
    const kept = directory.hold('kept')
    for (let table = 0; table < 20; table++) {
      directory.release(Array.from({ length: 1000 }, (_, i) => directory.hold(table * 1000 + i)))
    }
    assert.equal(directory.slotOf('kept'), kept)
  })
})
