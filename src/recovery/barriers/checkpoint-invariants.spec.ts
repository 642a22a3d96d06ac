// What holds for the checkpoint coordinator whatever happens in whatever order: events are drawn at random, and a ledger checks each command.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import { checkpointSettings } from '../../model/checkpoint-options.ts'
import type { CheckpointCommand } from './checkpoint-commands.ts'
import { CheckpointCoordinator } from './checkpoint-coordinator.ts'

type Command = CheckpointCommand<number, number>

const TASKS = ['0/0', '0/1', '1/0', '1/1', '2/0'].map(id => ({ id, isSource: id.startsWith('0/') }))
const SETTINGS = { intervalMs: 100, minPauseMs: 60, timeoutMs: 300, tolerableFailures: 1 }

type Event =
  | { readonly kind: 'tick' | 'publish' | 'publish-failed' | 'suspend' | 'stop' }
  | { readonly kind: 'clock-back'; readonly byMs: number }
  | { readonly kind: 'acknowledge' | 'decline'; readonly task: number; readonly age: number }
  | { readonly kind: 'acknowledge-rest' }
  | { readonly kind: 'finish'; readonly task: number }
  | { readonly kind: 'reset'; readonly tasks: readonly number[] }
  | { readonly kind: 'request'; readonly snapshot: 'checkpoint' | 'savepoint' }

const taskIndex = fc.nat(TASKS.length - 1)
const age = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.integer({ min: -1, max: 2 }))
const EVENT: fc.Arbitrary<Event> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ kind: 'tick' } as const) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('acknowledge'), task: taskIndex, age }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'acknowledge-rest' } as const) },
  { weight: 4, arbitrary: fc.constant({ kind: 'publish' } as const) },
  { weight: 2, arbitrary: fc.constant({ kind: 'publish-failed' } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('decline'), task: taskIndex, age }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('finish'), task: taskIndex }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('request'),
      snapshot: fc.constantFrom('checkpoint' as const, 'savepoint' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reset'), tasks: fc.uniqueArray(taskIndex) }) },
  { weight: 1, arbitrary: fc.constantFrom({ kind: 'suspend' } as const, { kind: 'stop' } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clock-back'), byMs: fc.nat(5000) }) },
)
const STEP = fc.record({ afterMs: fc.nat(60), event: EVENT })

/** Runs events against a coordinator and keeps the books of everything handed in and given out. */
class Ledger {
  readonly counts = { trigger: 0, publish: 0, completed: 0, aborted: 0, discard: 0, answer: 0, refuse: 0, fail: 0 }
  private readonly coordinator: CheckpointCoordinator<number, number>
  /** Time as it passes, and how far the clock given is behind it. */
  private timeMs = 0
  private behindMs = 0
  private lastId = 0
  private current: { readonly id: number; readonly handedIn: Set<number>; state: 'open' | 'publishing' } | undefined
  private lastEndMs = -Infinity
  private results = 0
  /** Results handed in that are in no completed snapshot and not discarded. */
  private readonly held = new Set<number>()
  private readonly ends = new Map<string, number>()
  private requests = 0
  private readonly waiting = new Set<number>()

  constructor() {
    this.coordinator = new CheckpointCoordinator<number, number>({
      settings: { ...checkpointSettings({ intervalMs: 1 }), ...SETTINGS },
      tasks: TASKS,
      nextId: 1,
      nowMs: 0,
      describe: tasks => tasks.join(),
    })
  }

  step(afterMs: number, event: Event): void {
    this.timeMs += afterMs
    if (event.kind === 'clock-back') this.behindMs += event.byMs
    else this.check(this.run(event), event.kind === 'tick')
    assert.equal(this.coordinator.publishingId(), this.current?.state === 'publishing' ? this.current.id : undefined)
    assert.equal(this.coordinator.progress()?.id, this.current?.id)
  }

  /** From any state: after a restart of everything the job comes to its end, and the books balance. */
  close(): void {
    // What the end of one begins may be in publication too: all tasks may have finished.
    while (this.current?.state === 'publishing') this.step(1, { kind: 'publish' })
    this.step(1, { kind: 'reset', tasks: [...TASKS.keys()] })
    for (let rounds = 0; this.current !== undefined || rounds === 0; rounds++) {
      assert.ok(rounds < 100, 'the requests that wait are never served')
      this.step(1, { kind: 'acknowledge-rest' })
      this.step(1, { kind: 'publish' })
    }
    for (const task of TASKS.keys()) this.step(1, { kind: 'finish', task })
    this.step(1, { kind: 'publish' })
    assert.equal(this.coordinator.history.latest().at(-1)?.kind, 'final')
    assert.equal(this.coordinator.nextTickMs(), Infinity)
    assert.deepEqual([this.held, this.waiting, this.current], [new Set(), new Set(), undefined])
    const { completedCount, abortedCount } = this.coordinator.history
    assert.equal(completedCount + abortedCount, this.lastId)
  }

  private run(event: Exclude<Event, { readonly kind: 'clock-back' }>): readonly Command[] {
    const { coordinator, current } = this
    const nowMs = this.timeMs - this.behindMs
    switch (event.kind) {
      case 'tick':
        return coordinator.tick(nowMs)
      case 'acknowledge':
        return this.acknowledge((current?.id ?? this.lastId) - event.age, TASKS[event.task]?.id as string, nowMs)
      case 'acknowledge-rest':
        // The last of them publishes; nothing before it gives commands.
        return coordinator
          .pendingTasks(current?.id ?? 0)
          .flatMap(task => this.acknowledge(current?.id as number, task, nowMs))
      case 'decline':
        return coordinator.decline((current?.id ?? 0) - event.age, TASKS[event.task]?.id as string, 'no', nowMs)
      case 'finish':
        return this.finish(TASKS[event.task]?.id as string, nowMs)
      case 'publish':
        return current?.state === 'publishing' ? coordinator.published(current.id, nowMs) : []
      case 'publish-failed':
        return current?.state === 'publishing' ? coordinator.publishFailed(current.id, 'no', nowMs) : []
      case 'request':
        this.waiting.add(++this.requests)
        return coordinator.request(event.snapshot, this.requests, nowMs)
      case 'suspend':
        return coordinator.suspend('a task failed', nowMs)
      case 'reset':
        return this.reset(event.tasks, nowMs)
      case 'stop':
        coordinator.stopTriggering()
        return []
    }
  }

  private acknowledge(id: number, task: string, nowMs: number): readonly Command[] {
    const result = ++this.results
    this.held.add(result)
    if (id === this.current?.id && this.coordinator.pendingTasks(id).includes(task)) this.current.handedIn.add(result)
    return this.coordinator.acknowledge(id, task, result, nowMs)
  }

  private finish(task: string, nowMs: number): readonly Command[] {
    const result = ++this.results
    // The end of a task comes once; a second one is like any result that is too late.
    if (this.ends.has(task)) this.held.add(result)
    else this.ends.set(task, result)
    return this.coordinator.taskFinished(task, result, nowMs)
  }

  private reset(tasks: readonly number[], nowMs: number): readonly Command[] {
    if (this.current?.state === 'publishing') return []
    for (const task of tasks) this.ends.delete(TASKS[task]?.id as string)
    return this.coordinator.reset(
      tasks.flatMap(task => TASKS[task] ?? []),
      nowMs,
    )
  }

  private check(commands: readonly Command[], isTick: boolean): void {
    const isPeriodic = isTick && !commands.some(({ kind }) => kind === 'aborted')
    for (const command of commands) {
      this.counts[command.kind]++
      this.take(command, isPeriodic)
    }
  }

  private take(command: Command, isPeriodic: boolean): void {
    switch (command.kind) {
      case 'trigger':
        if (isPeriodic) assert.ok(this.timeMs >= this.lastEndMs + SETTINGS.minPauseMs, 'within the pause')
        this.open(command.id, 'open')
        break
      case 'publish':
        if (this.current === undefined) this.open(command.id, 'publishing')
        this.checkPublish(command)
        break
      case 'completed':
        assert.equal(this.current?.state, 'publishing')
        for (const result of this.current?.handedIn ?? []) assert.ok(this.held.delete(result))
        this.endCurrent(command.id)
        break
      case 'aborted':
        assert.deepEqual(new Set(command.discard), this.current?.handedIn)
        this.discard(command.discard)
        this.endCurrent(command.id)
        break
      case 'discard':
        this.discard(command.results)
        break
      case 'answer':
      case 'refuse':
        assert.ok(this.waiting.delete(command.request), 'a request is answered once')
        break
    }
  }

  private open(id: number, state: 'open' | 'publishing'): void {
    assert.equal(this.current, undefined, 'two are under way')
    assert.equal(id, this.lastId + 1)
    this.lastId = id
    this.current = { id, handedIn: new Set(), state }
  }

  private checkPublish({ id, results, finished }: Extract<Command, { readonly kind: 'publish' }>): void {
    const { current } = this
    assert.ok(current?.id === id)
    current.state = 'publishing'
    assert.deepEqual([...results.keys()].sort(), TASKS.map(task => task.id).sort())
    const handedIn = [...results].filter(([task]) => !finished.has(task)).map(([, result]) => result)
    assert.deepEqual(new Set(handedIn), current.handedIn)
    for (const task of finished) assert.equal(results.get(task), this.ends.get(task))
  }

  private discard(results: readonly number[]): void {
    for (const result of results) assert.ok(this.held.delete(result), 'discarded twice, or the end of a task')
  }

  private endCurrent(id: number): void {
    assert.equal(this.current?.id, id)
    this.current = undefined
    this.lastEndMs = this.timeMs
  }
}

describe('the checkpoint coordinator, under random events', () => {
  test('keeps its invariants, and comes to the end with every result and request settled once', () => {
    const totals: Record<string, number> = {}
    fc.assert(
      fc.property(fc.array(STEP, { minLength: 20, maxLength: 200, size: 'max' }), steps => {
        const ledger = new Ledger()
        for (const { afterMs, event } of steps) ledger.step(afterMs, event)
        ledger.close()
        for (const [kind, count] of Object.entries(ledger.counts)) totals[kind] = (totals[kind] ?? 0) + count
      }),
      { numRuns: 1500, seed: 20_240_511 },
    )
    // A property over events that never happen proves nothing.
    for (const [kind, count] of Object.entries(totals)) assert.ok(count >= 100, `${kind} came ${count} times only`)
  })
})
