import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Placement } from '../../../model/connector.ts'
import { GraphBuilder } from '../../../model/graph-builder.ts'
import { fieldSelector } from '../../../model/key.ts'
import type { OperatorSpec } from '../../../model/operator-spec.ts'
import type { Partitioning } from '../../../model/partitioning.ts'
import type { Chain, PhysicalPlan } from '../../../plan/physical-plan.ts'
import { planGraph } from '../../../plan/plan.ts'
import { placeSubtasks, usefulThreads } from './placement.ts'

const CONNECTOR = { connector: 'words', options: {}, placement: 'any', isBounded: true, description: 'words' } as const
const SOURCE: OperatorSpec = { kind: 'source', source: { ...CONNECTOR, hasTimestamps: false } }
const SINK: OperatorSpec = { kind: 'sink', sink: CONNECTOR }
const MAP: OperatorSpec = { kind: 'transform', shape: 'map', function: record => record }
const FEEDBACK: OperatorSpec = { kind: 'feedback', queuedRecordsMax: 10 }
const BY_WORD: Partitioning = { kind: 'hash', key: fieldSelector('word') }

/** A step of a plan that goes one way: how many subtasks it has, and how it is reached from the one before. */
interface Step {
  readonly parallelism: number
  readonly partitioning?: Partitioning
  readonly placement?: Placement
}

function planOf(steps: readonly Step[]): PhysicalPlan {
  const builder = new GraphBuilder()
  for (const [index, { parallelism, placement = 'any', partitioning }] of steps.entries()) {
    const operator = index === 0 ? SOURCE : index === steps.length - 1 ? SINK : MAP
    const { id } = builder.addVertex({ name: `s${index}`, operator, parallelism, placement })
    if (index > 0) builder.addEdge({ from: id - 1, to: id, partitioning })
  }
  return planGraph(builder.build('job', { parallelism: 1 }))
}

/** The threads of a chain's subtasks. */
function threadsOf(plan: PhysicalPlan, threads: number, chain: number): readonly number[] {
  const placement = placeSubtasks(plan, threads)
  const { subtasks } = plan.chains[chain] as Chain
  return subtasks.map(({ index }) => placement(plan.chains[chain] as Chain, index))
}

/** A loop of two tasks at parallelism 4 that a source feeds; the body is where it says. */
function loopPlan(bodyPlacement: Placement): PhysicalPlan {
  const builder = new GraphBuilder()
  const source = builder.addVertex({ name: 'source', operator: SOURCE })
  const head = builder.addVertex({ name: 'head', operator: FEEDBACK })
  const body = builder.addVertex({ name: 'body', operator: MAP, placement: bodyPlacement })
  const sink = builder.addVertex({ name: 'sink', operator: SINK })
  builder.addEdge({ from: source.id, to: head.id, partitioning: { kind: 'rebalance' } })
  builder.addEdge({ from: head.id, to: body.id, partitioning: { kind: 'rebalance' } })
  builder.addEdge({ from: body.id, to: head.id, partitioning: { kind: 'rebalance' }, isFeedback: true })
  builder.addEdge({ from: body.id, to: sink.id, partitioning: { kind: 'rebalance' } })
  return planGraph(builder.build('job', { parallelism: 4 }))
}

describe('subtasks are placed', () => {
  test('in equal shares on all threads', () => {
    const plan = planOf([{ parallelism: 8 }, { parallelism: 8, partitioning: BY_WORD }])
    assert.deepEqual(threadsOf(plan, 4, 0), [1, 1, 2, 2, 3, 3, 4, 4])
    assert.deepEqual(threadsOf(plan, 4, 1), [1, 1, 2, 2, 3, 3, 4, 4])
  })

  test('on different threads where tasks do not fill them', () => {
    const steps = [1, 1, 2].map(parallelism => ({
      parallelism,
      partitioning: { kind: 'custom', key: fieldSelector('word'), partition: () => 0 } as const,
    }))
    const plan = planOf(steps)
    assert.deepEqual(
      plan.chains.map(({ id }) => threadsOf(plan, 4, id)),
      [[1], [2], [3, 4]],
    )
  })

  test('on the main thread where they are pinned to it', () => {
    const plan = planOf([{ parallelism: 2 }, { parallelism: 2, placement: 'main-thread', partitioning: BY_WORD }])
    assert.deepEqual(threadsOf(plan, 2, 1), [0, 0])
    assert.equal(usefulThreads(plan), 2)
    assert.equal(usefulThreads(planOf([{ parallelism: 3, placement: 'main-thread' }, { parallelism: 1 }])), 1)
  })

  test('in one thread where they form a loop', () => {
    const plan = loopPlan('any')
    const names = plan.chains.filter(({ name }) => /head|body/.test(name)).map(({ id }) => id)
    for (const id of names) assert.deepEqual(threadsOf(plan, 3, id), [1, 1, 1, 1])
  })

  test('in the main thread where they form a loop of which a step is pinned to it', () => {
    const plan = loopPlan('main-thread')
    const names = plan.chains.filter(({ name }) => /head|body/.test(name)).map(({ id }) => id)
    for (const id of names) assert.deepEqual(threadsOf(plan, 3, id), [0, 0, 0, 0])
    assert.deepEqual(new Set(threadsOf(plan, 3, 0)), new Set([1, 2, 3]))
  })

  test('by the plan alone, in threads that exist, with forward neighbours together and no thread left idle by a full step', () => {
    const step = fc.record({
      parallelism: fc.integer({ min: 1, max: 9 }),
      partitioning: fc.constantFrom<Partitioning>({ kind: 'forward' }, BY_WORD, { kind: 'rebalance' }),
      placement: fc.constantFrom<Placement>('any', 'any', 'any', 'main-thread'),
    })
    const valid = fc.array(step, { minLength: 2, maxLength: 6 }).map(steps =>
      steps.map((each, index) => {
        const isForward = each.partitioning.kind === 'forward'
        return isForward && index > 0 && steps[index - 1]?.parallelism !== each.parallelism
          ? { ...each, partitioning: BY_WORD }
          : each
      }),
    )
    fc.assert(
      fc.property(valid, fc.integer({ min: 1, max: 6 }), (steps, threads) => {
        const plan = planOf(steps)
        for (const { id, placement, parallelism } of plan.chains) {
          const found = threadsOf(plan, threads, id)
          assert.deepEqual(found, threadsOf(planOf(steps), threads, id))
          if (placement === 'main-thread') assert.ok(found.every(thread => thread === 0))
          else assert.ok(found.every(thread => thread >= 1 && thread <= threads))
          if (placement === 'any' && parallelism >= threads) assert.equal(new Set(found).size, threads)
        }
        for (const { edge, fromChain, toChain } of plan.exchanges) {
          const isTogether = [fromChain, toChain].every(id => plan.chains[id]?.placement === 'any')
          if (edge.partitioning.kind === 'forward' && isTogether)
            assert.deepEqual(threadsOf(plan, threads, fromChain), threadsOf(plan, threads, toChain))
        }
      }),
    )
  })
})
