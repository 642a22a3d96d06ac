// What is kept of the positions of sources over deployments that run, that fail before they run, and that lose a thread.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { SplitState } from '../operators/source.ts'
import type { Chain } from '../plan/physical-plan.ts'
import type { JobTask } from './job-task.ts'
import { SourcePositions } from './source-positions.ts'

function chainOf(id: number): Chain {
  return { id } as Chain
}

function taskOf(chain: Chain, subtaskIndex: number, isSource = true): JobTask {
  return { chain, subtaskIndex, isSource } as JobTask
}

function at(id: string, position: number): SplitState {
  return { id, position, isEnded: false, watermark: -Infinity }
}

const NUMBERS = chainOf(0)
const LETTERS = chainOf(1)
const TASKS = [taskOf(NUMBERS, 0), taskOf(NUMBERS, 1), taskOf(LETTERS, 0), taskOf(chainOf(2), 0, false)] as const

/** One deployment that reads to the given positions; -1: the task is lost. */
function run(positions: SourcePositions, reached: readonly [number, number, number]): void {
  positions.begin()
  for (const [index, position] of reached.entries())
    if (position >= 0) positions.note(TASKS[index] as JobTask, [at(`split ${index}`, position)])
  positions.settle(TASKS)
}

describe('the positions of sources', () => {
  test('are unknown before the first deployment has read', () => {
    const positions = new SourcePositions()
    positions.note(TASKS[0], [at('split 0', 0)])
    positions.settle(TASKS)
    assert.equal(positions.resumeAt, undefined)
    assert.deepEqual(positions.lost, [])
  })

  test('are those of all subtasks of a chain, by chain', () => {
    const positions = new SourcePositions()
    run(positions, [5, 6, 7])
    assert.deepEqual(
      positions.resumeAt,
      new Map([
        [0, [at('split 0', 5), at('split 1', 6)]],
        [1, [at('split 2', 7)]],
      ]),
    )
  })

  test('outlast a deployment that fails before it reads, whatever is noted of it', () => {
    const positions = new SourcePositions()
    run(positions, [5, 6, 7])
    const kept = positions.resumeAt
    positions.note(TASKS[0], [])
    positions.settle([TASKS[0]])
    assert.equal(positions.resumeAt, kept)
  })

  test('of a chain that lost a subtask are forgotten, with those kept before', () => {
    const positions = new SourcePositions()
    run(positions, [5, 6, 7])
    run(positions, [50, -1, 70])
    assert.deepEqual(positions.resumeAt, new Map([[1, [at('split 2', 70)]]]))
    assert.deepEqual(positions.lost, [NUMBERS])
    run(positions, [55, 66, 77])
    assert.deepEqual(positions.resumeAt?.get(0), [at('split 0', 55), at('split 1', 66)])
    assert.deepEqual(positions.lost, [])
  })
})
