// What `import ... from 'millrace/testing'` gives: whole jobs in virtual time, for tests of a user's own. Nothing here is of Node.
export type { Clock } from '../base/clock.ts'
export { StreamError } from '../base/errors.ts'
export type { VirtualClock } from '../runtime/simulated-scheduler.ts'
export { type CollectingSink, collectingSink, customSource, timedSource, valuesSource } from '../testing/collections.ts'
export { type Expectation, type OperatorTest, verifyOperator } from '../testing/operator-harness.ts'
export {
  active,
  end,
  idle,
  type OutputElement,
  out,
  processingTime,
  record,
  type ScriptStep,
  statusOut,
  stop,
  watermark,
  watermarkOut,
} from '../testing/operator-script.ts'
export { type SimulatedJob, type SimulatedRun, type SimulateOptions, simulateRun } from '../testing/simulate.ts'
export type { FaultKind } from '../testing/simulation/fault-plan.ts'
export { type PacedOptions, type PacedRecord, pacedSource } from '../testing/simulation/paced-source.ts'
export {
  type TransactionalCollection,
  transactionalCollection,
} from '../testing/simulation/transactional-collection.ts'
export { type SimulationFaults, type SimulationOptions, type SimulationResult, simulate } from './simulate.ts'
