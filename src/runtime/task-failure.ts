// What made a task fail, as one error that names step and record.
import { errorText, StreamError } from '../base/errors.ts'
import { stepText } from '../model/step-text.ts'
import { StepFailure, stepError } from '../operators/user-failure.ts'
import type { ChainNode } from './chain-instance.ts'

/** The error of a task that failed at the given node. */
export function taskFailure(
  error: unknown,
  node: ChainNode,
  task: { readonly recordsIn: number; readonly subtaskIndex: number },
): StreamError {
  if (error instanceof StepFailure) {
    const { recordNumber = task.recordsIn } = error
    return stepError(error, recordNumber > 0 ? ` (record ${recordNumber} of subtask ${task.subtaskIndex})` : '')
  }
  if (error instanceof StreamError) return error
  const text = `${stepText(node.vertex)}: ${errorText(error)}; this is a bug in Millrace`
  return new StreamError('INTERNAL_ERROR', text, { cause: error })
}
