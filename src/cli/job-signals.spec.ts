// Signals arrive by hand here; the jobs only note what is asked of them.
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import test, { describe } from 'node:test'
import type { JobHandle } from '../entry/index.ts'
import { JobSignals } from './job-signals.ts'

class FakeProcess extends EventEmitter {
  readonly exits: number[] = []

  exit(code: number): void {
    this.exits.push(code)
  }
}

function fixture() {
  const source = new FakeProcess()
  const asked: string[] = []
  const job = (name: string): JobHandle => {
    const note = (what: string) => async (): Promise<void> => {
      asked.push(`${what} ${name}`)
    }
    return { stop: note('stop'), cancel: note('cancel') } as unknown as JobHandle
  }
  const signals = new JobSignals(source, () => asked.push('told'))
  return { source, asked, job, signals, send: (signal: string) => source.emit(signal, signal) }
}

describe('JobSignals', () => {
  test('stops all jobs at the first signal, cancels them at the second, exits at the third', () => {
    const { source, asked, job, signals, send } = fixture()
    signals.add(job('a'))
    signals.add(job('b'))
    assert.equal(signals.exitCode, 0)
    send('SIGINT')
    assert.deepEqual(asked.splice(0), ['stop a', 'stop b', 'told'])
    send('SIGINT')
    assert.deepEqual(asked.splice(0), ['cancel a', 'cancel b'])
    assert.deepEqual(source.exits, [])
    send('SIGINT')
    assert.deepEqual([asked, source.exits, signals.exitCode], [[], [130], 130])
  })

  test('takes the exit code of the last signal', () => {
    const { job, signals, send } = fixture()
    signals.add(job('a'))
    send('SIGTERM')
    assert.equal(signals.exitCode, 143)
    send('SIGINT')
    assert.equal(signals.exitCode, 130)
  })

  test('exits at once while no job has started', () => {
    const { source, asked, send } = fixture()
    send('SIGTERM')
    assert.deepEqual([asked, source.exits], [[], [143]])
  })

  test('ends a job that starts after a signal', () => {
    const { asked, job, signals, send } = fixture()
    signals.add(job('a'))
    send('SIGINT')
    asked.splice(0)
    signals.add(job('b'))
    assert.deepEqual(asked.splice(0), ['stop b'])
    send('SIGINT')
    asked.splice(0)
    signals.add(job('c'))
    assert.deepEqual(asked, ['cancel c'])
  })

  test('leaves signals alone once closed', () => {
    const { source, signals } = fixture()
    assert.deepEqual(source.eventNames(), ['SIGINT', 'SIGTERM'])
    signals.close()
    assert.deepEqual(source.eventNames(), [])
  })
})
