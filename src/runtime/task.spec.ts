// A task by itself: what one step does, how watermarks and many timers are worked off, how it ends, what it says of a failure.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { KeyedProcessFunction } from '../model/functions.ts'
import type { VertexDraft } from '../model/graph-builder.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { collectingSink, customSink, customSource, valuesSource } from '../testing/collections.ts'
import { addStep, around, drain, taskBench } from '../testing/task-bench.ts'
import type { Channel } from './channel.ts'
import type { Task } from './task.ts'

const NO_END = { untilMonotonicMs: Infinity }

const MAP: OperatorSpec = { kind: 'transform', shape: 'map', function: (n: number) => n * 10 }

function keyed(user: KeyedProcessFunction<number, number, unknown>): OperatorSpec {
  return { kind: 'keyed-process', function: user as never }
}

describe('a step', () => {
  test('works off no more records than it may, and says busy while more are there', async () => {
    const { tasks, channels } = await taskBench(around(MAP))
    const [input, output] = channels as [Channel, Channel]
    const task = tasks[1] as Task
    for (let i = 1; i <= 5; i++) input.append(i, 0, undefined)
    assert.equal(task.step({ records: 2, ...NO_END }), 'busy')
    assert.equal(output.heldRecords, 2)
    assert.equal(input.heldRecords, 3, 'what is worked off makes room at once')
    assert.equal(task.step({ records: 2, ...NO_END }), 'busy')
    assert.equal(task.step({ records: 2, ...NO_END }), 'idle')
    assert.equal(output.heldRecords, 5)
    assert.equal(task.recordsIn, 5)
  })

  test('does nothing and says idle without input', async () => {
    const { tasks } = await taskBench(around(MAP))
    const task = tasks[1] as Task
    assert.equal(task.step({ records: 10, ...NO_END }), 'idle')
    assert.equal(task.didWork, false)
  })

  test('stops between two records when an output is full, and goes on when there is room', async () => {
    const { tasks, channels } = await taskBench(around(MAP), 2)
    const [input, output] = channels as [Channel, Channel]
    const task = tasks[1] as Task
    for (let i = 1; i <= 5; i++) input.append(i, 0, undefined)
    assert.equal(task.step({ records: 100, ...NO_END }), 'backpressured')
    assert.equal(output.heldRecords, 2)
    assert.equal(task.step({ records: 100, ...NO_END }), 'backpressured')
    assert.equal(task.didWork, false)
    drain(output)
    assert.equal(task.step({ records: 100, ...NO_END }), 'backpressured')
    assert.equal(output.heldRecords, 2)
    drain(output)
    assert.equal(task.step({ records: 100, ...NO_END }), 'idle')
    assert.equal(output.heldRecords, 1)
  })

  test('ends when its time is over', async () => {
    const { tasks, channels, clock } = await taskBench(around(MAP))
    const [input, output] = channels as [Channel, Channel]
    for (let i = 0; i < 10_000; i++) input.append(i, 0, undefined)
    clock.advanceTo(10)
    assert.equal((tasks[1] as Task).step({ records: 10_000, untilMonotonicMs: 5 }), 'busy')
    assert.ok(output.heldRecords > 0 && output.heldRecords < 1000, `${output.heldRecords}`)
  })
})

describe('a watermark', () => {
  test('is sent on after the records before it', async () => {
    const { tasks, channels } = await taskBench(around(MAP))
    const [input, output] = channels as [Channel, Channel]
    input.append(1, 0, undefined)
    input.control({ kind: 'watermark', watermark: 7 })
    input.append(2, 0, undefined)
    ;(tasks[1] as Task).step({ records: 100, ...NO_END })
    assert.deepEqual(
      drain(output).map(element => (element.kind === 'batch' ? element.values : element)),
      [[10], { kind: 'watermark', watermark: 7 }, [20]],
    )
  })

  test('that fires 100,000 timers is worked off over many steps, and sent on after the last', async () => {
    const TIMERS = 100_000
    const { tasks, channels } = await taskBench(
      around(
        keyed({
          onRecord: (record, ctx) => ctx.timers.registerEventTimeTimer(record),
          onTimer: (timestampMs, _ctx, out) => out.collect(timestampMs),
        }),
      ),
    )
    const [input, output] = channels as [Channel, Channel]
    const task = tasks[1] as Task
    for (let i = 0; i < TIMERS; i++) input.append(i, 0, i)
    while (task.step({ records: 10_000, ...NO_END }) === 'busy');
    input.control({ kind: 'watermark', watermark: TIMERS })
    const emitted: unknown[] = []
    let steps = 0
    let watermarkAfter = -1
    while (watermarkAfter < 0) {
      task.step({ records: 1000, ...NO_END })
      steps++
      for (const element of drain(output)) {
        if (element.kind === 'batch') emitted.push(...element.values)
        else if (element.kind === 'watermark') watermarkAfter = emitted.length
      }
    }
    assert.equal(watermarkAfter, TIMERS)
    assert.ok(steps >= TIMERS / 1000, `${steps} steps`)
    assert.ok(
      emitted.every((timestamp, index) => timestamp === index),
      'in the order of their times',
    )
    assert.equal(task.step({ records: 1000, ...NO_END }), 'idle')
  })

  test('whose timers find the output full waits, and no record is taken before it is through', async () => {
    const { tasks, channels } = await taskBench(
      around(
        keyed({
          onRecord: (record, ctx, out) =>
            record < 10 ? ctx.timers.registerEventTimeTimer(record) : out.collect(`record ${record}`),
          onTimer: (timestampMs, _ctx, out) => out.collect(timestampMs),
        }),
      ),
      2,
    )
    const [input, output] = channels as [Channel, Channel]
    const task = tasks[1] as Task
    for (let i = 0; i < 5; i++) input.append(i, 0, i)
    input.control({ kind: 'watermark', watermark: 9 })
    input.append(10, 0, 10)
    const got: unknown[] = []
    for (let step = 0; step < 10; step++) {
      task.step({ records: 100, ...NO_END })
      assert.ok(output.heldRecords <= 2)
      for (const element of drain(output)) got.push(...(element.kind === 'batch' ? element.values : [element.kind]))
    }
    assert.deepEqual(got, [0, 1, 2, 3, 4, 'watermark', 'record 10'])
  })
})

describe('the deadline', () => {
  test('is the next processing-time timer, and none while the output is full: waiting for it would be spinning', async () => {
    const { tasks, channels, clock } = await taskBench(
      around(
        keyed({
          onRecord: (record, ctx, out) => {
            ctx.timers.registerProcessingTimeTimer(100)
            out.collect(record)
          },
          onTimer: (timestampMs, _ctx, out) => out.collect(timestampMs),
        }),
      ),
      1,
    )
    const [input, output] = channels as [Channel, Channel]
    const task = tasks[1] as Task
    assert.equal(task.deadlineMs(), Infinity)
    input.append(1, 0, 1)
    task.step({ records: 100, ...NO_END })
    assert.equal(task.status, 'backpressured')
    clock.advanceTo(200)
    assert.equal(task.deadlineMs(), Infinity)
    drain(output)
    assert.equal(task.deadlineMs(), 100)
    task.step({ records: 100, ...NO_END })
    assert.deepEqual(drain(output), [
      { kind: 'batch', values: [100], timestamps: [100], keys: undefined, retractions: undefined },
    ])
  })

  test('is none after a stop, where pending timers do not fire while the sink is still closing', async () => {
    let closed = (): void => {}
    const slow = customSink({
      open: () => ({
        write: () => {},
        close: () =>
          new Promise<void>(resolve => {
            closed = resolve
          }),
      }),
    })
    const { tasks, channels, clock } = await taskBench(graph => {
      const source = addStep(graph, 'source', { kind: 'source', source: valuesSource([]) })
      const user = keyed({ onRecord: (_record, ctx) => ctx.timers.registerProcessingTimeTimer(100) })
      const step = addStep(graph, 'step', user, source)
      const sink = addStep(graph, 'sink', { kind: 'sink', sink: slow }, step)
      step.chaining = 'allowed'
      sink.chaining = 'allowed'
    })
    const task = tasks[1] as Task
    const input = channels[0] as Channel
    input.append(1, 0, 1)
    task.step({ records: 100, ...NO_END })
    assert.equal(task.deadlineMs(), 100)
    clock.advanceTo(200)
    input.control({ kind: 'end', mode: 'stop' })
    // Not due before the end came: it must not fire any more.
    assert.equal(task.step({ records: 100, ...NO_END }), 'waiting')
    assert.equal(task.deadlineMs(), Infinity)
    closed()
    await Promise.resolve()
    await Promise.resolve()
    assert.equal(task.step({ records: 100, ...NO_END }), 'finished')
  })
})

describe('the end', () => {
  test('of all inputs finishes the task, with the end sent on last', async () => {
    const { tasks, channels } = await taskBench(around(MAP))
    const [input, output] = channels as [Channel, Channel]
    input.append(1, 0, undefined)
    input.control({ kind: 'watermark', watermark: Infinity })
    input.control({ kind: 'end', mode: 'finish' })
    assert.equal((tasks[1] as Task).step({ records: 100, ...NO_END }), 'finished')
    assert.deepEqual(drain(output).slice(1), [
      { kind: 'watermark', watermark: Infinity },
      { kind: 'end', mode: 'finish' },
    ])
    assert.equal((tasks[1] as Task).step({ records: 100, ...NO_END }), 'finished')
  })

  test('of a source that is stopped: its input ends, without the final watermark', async () => {
    const endless = customSource({
      splits: () => [{ id: 'endless', position: 0 }],
      open: () => ({
        read: output => {
          output.emit(1)
          return 'more'
        },
        position: () => 0,
        close: () => {},
      }),
    })
    const { tasks, channels } = await taskBench(graph => {
      const source = addStep(graph, 'source', { kind: 'source', source: endless })
      addStep(graph, 'sink', { kind: 'sink', sink: collectingSink().spec }, source)
    })
    const task = tasks[0] as Task
    assert.equal(task.step({ records: 3, ...NO_END }), 'busy')
    task.stop()
    task.stop()
    assert.equal(task.step({ records: 3, ...NO_END }), 'finished')
    assert.deepEqual(drain(channels[0] as Channel).at(-1), { kind: 'end', mode: 'stop' })
  })
})

describe('a failure', () => {
  const failing: OperatorSpec = {
    kind: 'transform',
    shape: 'map',
    function: (n: number) => {
      if (n === 3) throw new RangeError('three')
      return n
    },
  }

  test('names the step, what it threw, and the number of the record, in any batch', async () => {
    for (const records of [1, 100]) {
      const { tasks, channels } = await taskBench(around(failing))
      for (let i = 1; i <= 5; i++) (channels[0] as Channel).append(i, 0, undefined)
      const task = tasks[1] as Task
      assert.throws(
        () => {
          for (let step = 0; step < 5; step++) task.step({ records, ...NO_END })
        },
        {
          code: 'USER_FUNCTION_FAILED',
          message: /step "step": its function threw on record 3: RangeError: three \(record 3 of subtask 0\)/,
        },
      )
    }
  })

  test('to close one operator closes the others too, and the first such failure is thrown once', async () => {
    const closed: string[] = []
    const closing = (name: string): OperatorSpec => ({
      kind: 'process',
      function: {
        onRecord: () => {},
        close: () => {
          closed.push(name)
          throw new Error(`cannot close ${name}`)
        },
      },
    })
    const { tasks } = await taskBench(graph => {
      const source = addStep(graph, 'source', { kind: 'source', source: valuesSource([]) })
      const [a, b] = ['a', 'b'].map(name => graph.addVertex({ name, operator: closing(name) })) as [
        VertexDraft,
        VertexDraft,
      ]
      graph.addEdge({ from: source.id, to: a.id })
      graph.addEdge({ from: a.id, to: b.id })
    })
    const task = tasks[1] as Task
    await assert.rejects(task.close(), /step "b": .*cannot close b/)
    assert.deepEqual(closed, ['b', 'a'], 'as opened: from the end of the chain')
    await task.close()
    assert.equal(closed.length, 2)
  })
})
