// The jobs that the simulator runs: each has another kind of state, and results that do not depend on the order of steps.
import type { SimulatedJob } from '../support/simulated-job.ts'
import { SINK_JOBS } from './sink-jobs.ts'
import { STATE_JOBS } from './state-jobs.ts'
import { WINDOW_JOBS } from './window-jobs.ts'

/** All jobs. */
export const JOBS: readonly SimulatedJob[] = [...STATE_JOBS, ...WINDOW_JOBS, ...SINK_JOBS]
