// Time that a task makes itself: watermarks after each record, idleness, and splits that wait for others.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { SplitReader } from '../model/connector.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { collectingSink, customSource } from '../testing/collections.ts'
import { addStep, around, drain, taskBench } from '../testing/task-bench.ts'
import { forMonotonousTimestamps, type WatermarkOptions } from '../time/watermark-strategies.ts'
import type { Element } from './batch.ts'
import type { Channel } from './channel.ts'
import type { Task } from './task.ts'

const NO_END = { untilMonotonicMs: Infinity }

describe('a watermark of the task itself', () => {
  const timed = (options: WatermarkOptions<number>): OperatorSpec => ({
    kind: 'timestamps',
    strategy: forMonotonousTimestamps({ timestamp: n => n, ...options }),
  })
  const kinds = (elements: readonly Element[]): unknown[] =>
    elements.map(element => (element.kind === 'batch' ? element.values : element.kind))

  test('made by a record goes on before the rest of its batch, across steps and a full outbox', async () => {
    for (const records of [1, 2, 100]) {
      const { tasks, channels } = await taskBench(around(timed({ emit: 'per-record' })), 2)
      const [input, output] = channels as [Channel, Channel]
      for (const n of [10, 5, 20, 30]) input.append(n, 0, undefined)
      const task = tasks[1] as Task
      const elements: Element[] = []
      for (let step = 0; step < 20; step++) {
        task.step({ records, ...NO_END })
        assert.ok(output.heldRecords <= 2, 'no more than the outbox takes')
        elements.push(...drain(output))
      }
      assert.deepEqual(
        elements.flatMap((element): unknown[] =>
          element.kind === 'batch' ? [...element.values] : element.kind === 'watermark' ? [[element.watermark]] : [],
        ),
        [10, [9], 5, 20, [19], 30, [29]],
      )
    }
  })

  test('leaves the source that had no chance to be idle alone: what waits is looked at before', async () => {
    const { tasks, channels, clock } = await taskBench(around(timed({ idleTimeoutMs: 100 })))
    const [input, output] = channels as [Channel, Channel]
    const task = tasks[1] as Task
    input.append(1, 0, undefined)
    task.step({ records: 100, ...NO_END })
    drain(output)
    // The machine slept; meanwhile a record came.
    clock.advanceTo(5000)
    input.append(2, 0, undefined)
    for (let step = 0; step < 3; step++) task.step({ records: 100, ...NO_END })
    assert.deepEqual(kinds(drain(output)), [[2], 'watermark'])
    assert.equal(task.deadlineMs(), 5100)
    clock.advanceTo(5100)
    for (let step = 0; step < 3; step++) task.step({ records: 100, ...NO_END })
    assert.deepEqual(drain(output), [{ kind: 'status', isIdle: true }])
    assert.equal(task.deadlineMs(), Infinity)
  })

  test('does not count the time without room downstream as idle', async () => {
    const { tasks, channels, clock } = await taskBench(around(timed({ idleTimeoutMs: 100 })), 2)
    const [input, output] = channels as [Channel, Channel]
    const task = tasks[1] as Task
    for (const n of [1, 2, 3]) input.append(n, 0, undefined)
    assert.equal(task.step({ records: 100, ...NO_END }), 'backpressured')
    clock.advanceTo(5000)
    assert.equal(task.step({ records: 100, ...NO_END }), 'backpressured')
    drain(output)
    for (let step = 0; step < 3; step++) task.step({ records: 100, ...NO_END })
    assert.deepEqual(kinds(drain(output)), [[3], 'watermark'])
  })

  test('can be read: where it comes from, and since when it stands still', async () => {
    const { tasks, channels, clock } = await taskBench(around(timed({ idleTimeoutMs: 1000 })))
    const task = tasks[1] as Task
    const holder = () => task.nodes[0]?.operator.timeHolder?.()
    assert.deepEqual(holder(), { splits: [{ id: 'step', watermark: -Infinity, isIdle: false, advancedAtMs: 0 }] })
    clock.advanceTo(50)
    ;(channels[0] as Channel).append(10, 0, undefined)
    task.step({ records: 100, ...NO_END })
    clock.advanceTo(70)
    ;(channels[0] as Channel).append(5, 0, undefined)
    task.step({ records: 100, ...NO_END })
    assert.deepEqual(holder(), { splits: [{ id: 'step', watermark: 9, isIdle: false, advancedAtMs: 50 }] })
    clock.advanceTo(1070)
    for (let step = 0; step < 3; step++) task.step({ records: 100, ...NO_END })
    assert.deepEqual(holder(), { splits: [{ id: 'step', watermark: 9, isIdle: true, advancedAtMs: 50 }] })
  })

  test('of a source can be read split by split', async () => {
    const { tasks, clock } = await taskBench(graph => {
      const strategy = forMonotonousTimestamps<number>({ timestamp: n => n })
      const split = (id: string, values: number[]): SplitReader<number> => ({
        read(output) {
          const value = values.shift()
          if (value !== undefined) output.emit(value)
          return id === 'ending' ? 'end' : 'waiting'
        },
        position: () => 0,
        close: () => {},
      })
      const source = customSource({
        splits: () => ['ending', 'lasting'].map(id => ({ id, position: 0 })),
        open: ({ id }) => split(id, [7]),
      })
      addStep(
        graph,
        'sink',
        { kind: 'sink', sink: collectingSink().spec },
        addStep(graph, 'source', { kind: 'source', source, strategy }),
      )
    })
    const task = tasks[0] as Task
    clock.advanceTo(30)
    task.step({ records: 100, ...NO_END })
    assert.deepEqual(task.nodes[0]?.operator.timeHolder?.(), {
      splits: [
        { id: 'ending', watermark: Infinity, isIdle: false, advancedAtMs: 30 },
        { id: 'lasting', watermark: 6, isIdle: false, advancedAtMs: 30 },
      ],
    })
  })
})

describe('a split that is ahead of its alignment group', () => {
  test('waits without work and without a deadline, and is woken by a split of another task', async () => {
    let woken = 0
    const wakes: (() => void)[] = []
    const reader = (values: number[]): SplitReader<number> => ({
      read(output) {
        for (let value = values.shift(); value !== undefined; value = values.shift()) if (!output.emit(value)) break
        return values.length > 0 ? 'more' : 'waiting'
      },
      position: () => 0,
      close: () => {},
    })
    const strategy = forMonotonousTimestamps<number>({
      timestamp: n => n,
      alignment: { group: 'g', maxDriftMs: 10 },
    })
    const slow: number[] = []
    const sourceOf = (values: number[]): OperatorSpec => ({
      kind: 'source',
      strategy,
      source: customSource({
        splits: () => [{ id: 'only', position: 0 }],
        open: (_split, context) => {
          wakes.push(() => context.wake())
          return reader(values)
        },
      }),
    })
    const { tasks, channels } = await taskBench(
      graph => {
        for (const values of [slow, [0, 100, 200, 300]]) {
          const source = addStep(graph, 'source', sourceOf(values))
          addStep(graph, 'sink', { kind: 'sink', sink: collectingSink().spec }, source)
        }
      },
      1000,
      () => woken++,
    )
    const behind = tasks.find(task => task.chain.id === 0) as Task
    const ahead = tasks.find(task => task.chain.id !== 0 && task.nodes[0]?.vertex.name === 'source') as Task
    const stepBoth = (): string[] => [behind, ahead].map(task => task.step({ records: 100, ...NO_END }))
    stepBoth()
    stepBoth()
    assert.deepEqual(stepBoth(), ['waiting', 'waiting'])
    assert.deepEqual([ahead.didWork, ahead.deadlineMs(), channels[1]?.heldRecords], [false, Infinity, 1])
    slow.push(95)
    wakes[0]?.()
    woken = 0
    assert.equal(behind.step({ records: 100, ...NO_END }), 'waiting')
    assert.equal(woken, 1, 'the scheduler is woken for the one that may go on')
    stepBoth()
    assert.equal(channels[1]?.heldRecords, 3, '100 was within the drift of 94, 200 was read, 300 waits')
  })
})
