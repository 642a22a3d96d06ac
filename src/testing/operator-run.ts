// One run of the operator harness: an operator in a real task between real channels, driven by a script. It notes what happened and
// judges nothing.
import { type HarnessRun, OperatorDriver, type OperatorSetup, type Variant } from './operator-driver.ts'
import type { ScriptStep } from './operator-script.ts'

export type { HarnessRun, OperatorSetup, Variant } from './operator-driver.ts'

/** Runs the script against the operator. Failures of the operator are part of the result. */
export async function runOperator(
  setup: OperatorSetup,
  script: readonly ScriptStep[],
  variant: Variant,
): Promise<HarnessRun> {
  const driver = await OperatorDriver.deploy({ setup, variant })
  let failure: Error | undefined
  try {
    await driver.open()
    for (const step of script) await driver.run(step)
    await driver.complete(script)
  } catch (error) {
    failure = asError(error)
  }
  try {
    await driver.close()
  } catch (error) {
    failure ??= asError(error)
  }
  setup.ledger?.checkAll()
  // What came of a record or of state that was changed says less than what was changed.
  return driver.result(setup.ledger?.mistake(failure) ?? failure, script)
}

/** What was thrown, as an Error. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
