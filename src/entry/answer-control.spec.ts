import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { JobHandle } from '../model/job.ts'
import { CONTROL_COMMANDS, type ControlRequest } from '../platform/node/control-socket.ts'
import { answerControl } from './answer-control.ts'

function fixture() {
  const asked: unknown[] = []
  const note =
    (what: string) =>
    async (...args: unknown[]): Promise<unknown> => {
      asked.push([what, ...args])
      return what
    }
  const fakes = Object.fromEntries(CONTROL_COMMANDS.map(command => [command, note(command)]))
  const handle = { ...fakes, name: 'job', metrics: () => ({ recordsIn: 1 }), done: Promise.resolve('done') }
  return { asked, answer: (request: ControlRequest) => answerControl(handle as unknown as JobHandle, request) }
}

describe('answerControl', () => {
  test('ends a job and answers with its result', async () => {
    const { asked, answer } = fixture()
    for (const command of ['stop', 'drain', 'cancel'] as const) assert.equal(await answer({ command }), 'done')
    assert.deepEqual(asked, [['stop'], ['drain'], ['cancel']])
  })

  test('takes snapshots where it is told', async () => {
    const { asked, answer } = fixture()
    assert.equal(await answer({ command: 'checkpoint' }), 'checkpoint')
    assert.equal(await answer({ command: 'savepoint', directory: '/there' }), 'savepoint')
    await answer({ command: 'savepoint' })
    assert.deepEqual(asked, [['checkpoint'], ['savepoint', '/there'], ['savepoint', undefined]])
    for (const directory of ['', 7, null]) {
      await assert.rejects(
        answer({ command: 'savepoint', directory }),
        /OPTION_INVALID: the directory of a savepoint is/,
      )
    }
  })

  test('tells how the job is', async () => {
    const { answer } = fixture()
    assert.deepEqual(await answer({ command: 'status' }), { name: 'job', pid: process.pid, metrics: { recordsIn: 1 } })
  })
})
