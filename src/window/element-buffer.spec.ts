import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { TimestampedElement } from '../model/window-functions.ts'
import { ElementBuffer } from './element-buffer.ts'

function bufferOf(...values: readonly number[]): ElementBuffer {
  const buffer = new ElementBuffer()
  for (const value of values) buffer.add(value, value, 0)
  return buffer
}

function only(...values: readonly number[]) {
  return (elements: readonly TimestampedElement<unknown>[]) =>
    elements.filter(({ value }) => values.includes(value as number))
}

describe('a buffer of elements', () => {
  test('tells what came since the last pane from what was there', () => {
    const buffer = bufferOf(1, 2)
    assert.deepEqual([buffer.length, buffer.copy(), buffer.added()], [2, [1, 2], [1, 2]])
    buffer.markFired()
    buffer.add(3, 30, 0)
    assert.deepEqual([buffer.copy(), buffer.added()], [[1, 2, 3], [3]])
  })

  test('hands out copies', () => {
    const buffer = bufferOf(1)
    buffer.copy().push(9)
    buffer.byInput(1)[0]?.concat()
    ;(buffer.added() as number[]).push(9)
    assert.deepEqual(buffer.copy(), [1])
  })

  test('gives the elements of each input, an empty list for one without', () => {
    const buffer = new ElementBuffer()
    buffer.add('l1', 1, 0)
    buffer.add('r1', 2, 2)
    buffer.add('l2', 3, 0)
    assert.deepEqual(buffer.byInput(3), [['l1', 'l2'], [], ['r1']])
  })

  test('lets a choice see values and timestamps, and remembers once what it took out', () => {
    const buffer = new ElementBuffer()
    for (const [value, timestamp] of [
      ['a', 10],
      ['b', 5],
      ['c', 7],
    ] as const)
      buffer.add(value, timestamp, 0)
    const seen: unknown[] = []
    buffer.keep((elements, context: string) => {
      seen.push(context, ...elements.map(({ value, timestamp }) => [value, timestamp]))
      return elements.filter(({ timestamp }) => timestamp > 5)
    }, 'ctx')
    assert.deepEqual(seen, ['ctx', ['a', 10], ['b', 5], ['c', 7]])
    assert.deepEqual([buffer.copy(), buffer.takeExpired(), buffer.takeExpired()], [['a', 'c'], ['b'], []])
  })

  test('keeps old and new apart when elements of both are taken out', () => {
    const buffer = bufferOf(1, 2, 3)
    buffer.markFired()
    buffer.add(4, 4, 0)
    buffer.add(5, 5, 0)
    buffer.keep(only(2, 5), undefined)
    assert.deepEqual([buffer.copy(), buffer.added(), buffer.takeExpired()], [[2, 5], [5], [1, 3, 4]])
  })

  test('takes out one of two equal values', () => {
    const buffer = bufferOf(7, 7)
    buffer.keep(elements => elements.slice(1), undefined)
    assert.deepEqual([buffer.copy(), buffer.takeExpired()], [[7], [7]])
  })

  test('joins another: old elements of both first, then the new ones, with timestamps, inputs and what was taken out', () => {
    const first = bufferOf(1, 2)
    first.keep(only(1), undefined)
    first.markFired()
    first.add(3, 33, 1)
    const second = bufferOf(10, 11)
    second.keep(only(11), undefined)
    second.markFired()
    second.add(12, 12, 1)
    first.append(second)
    assert.deepEqual(
      [first.copy(), first.added()],
      [
        [1, 11, 3, 12],
        [3, 12],
      ],
    )
    assert.deepEqual(first.byInput(2), [
      [1, 11],
      [3, 12],
    ])
    assert.deepEqual(first.takeExpired(), [2, 10])
    first.keep(elements => elements.filter(({ timestamp }) => timestamp === 33), undefined)
    assert.deepEqual(first.copy(), [3])
  })

  test('goes on as it was from the data that it was stored as', () => {
    const buffer = bufferOf(1, 2, 3)
    buffer.markFired()
    buffer.keep(only(2, 3), undefined)
    buffer.add(4, 40, 1)
    const restored = ElementBuffer.restored(structuredClone(buffer.stored()))
    buffer.add(5, 50, 0)
    restored.add(6, 60, 1)
    assert.deepEqual(restored.byInput(2), [
      [2, 3],
      [4, 6],
    ])
    assert.deepEqual([restored.added(), restored.takeExpired(), restored.takeExpired()], [[4, 6], [1], []])
    const timestamps: number[] = []
    restored.keep(elements => {
      timestamps.push(...elements.map(({ timestamp }) => timestamp))
      return elements
    }, undefined)
    assert.deepEqual(timestamps, [2, 3, 40, 60])
  })
})
