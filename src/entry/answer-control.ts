// What the commands that reach a job over its control socket do with it.
import { preview, StreamError } from '../base/errors.ts'
import type { JobHandle } from '../model/job.ts'
import type { ControlRequest } from '../platform/node/control-socket.ts'

/** Carries out a command. `stop`, `drain` and `cancel` answer when the job has ended, with its result; they reject when it failed. */
export async function answerControl(handle: JobHandle, request: ControlRequest): Promise<unknown> {
  switch (request.command) {
    case 'status':
      return { name: handle.name, pid: process.pid, metrics: handle.metrics() }
    case 'savepoint':
      return handle.savepoint(directoryOf(request))
    case 'checkpoint':
      return handle.checkpoint()
    case 'stop':
      await handle.stop()
      return handle.done
    case 'drain':
      await handle.drain()
      return handle.done
    case 'cancel':
      await handle.cancel()
      return handle.done
  }
}

function directoryOf({ directory }: ControlRequest): string | undefined {
  if (directory === undefined || (typeof directory === 'string' && directory !== '')) return directory
  throw new StreamError('OPTION_INVALID', `the directory of a savepoint is ${preview(directory)}; give a path`)
}
