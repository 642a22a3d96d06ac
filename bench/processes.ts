// The report's side of a process of the benchmark: starts it, asks it for passes, and ends it.
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { ProgramRequest, TimedPass } from './program.ts'

/** A process that does passes, one at a time. */
export class BenchProcess implements Disposable {
  private readonly child: ChildProcess

  constructor() {
    this.child = fork(join(import.meta.dirname, 'program.ts'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  }

  /** Rejects with what the pass failed with, or when the process ends. */
  run(request: ProgramRequest): Promise<TimedPass> {
    const { child } = this
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null, signal: string | null): void =>
        reject(new Error(`the process of ${request.id} ended with ${signal ?? code}`))
      child.once('exit', onExit)
      child.once('message', (answer: { readonly pass?: TimedPass; readonly failure?: string }) => {
        child.off('exit', onExit)
        if (answer.pass !== undefined) resolve(answer.pass)
        else reject(new Error(answer.failure))
      })
      child.send(request)
    })
  }

  [Symbol.dispose](): void {
    this.child.kill()
  }
}
