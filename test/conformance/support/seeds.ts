// Repeats a check under many seeds. A failure names its seed and the command that repeats it alone.

/** The seed to run alone; unset: all. */
const SEED_VARIABLE = 'MILLRACE_SEED'

/** Where the checks are. */
export interface SeededChecks {
  /** The test file from the project's folder. */
  readonly file: string
  readonly seeds: number
}

/**
 * Calls the check with each seed from 1, or with that of the environment variable MILLRACE_SEED alone.
 * Rejects with the first failure, which tells how to repeat it.
 */
export async function underSeeds(checks: SeededChecks, check: (seed: number) => Promise<void>): Promise<void> {
  const alone = process.env[SEED_VARIABLE]
  const seeds =
    alone === undefined ? Array.from({ length: checks.seeds }, (_, index) => index + 1) : [Number.parseInt(alone, 10)]
  for (const seed of seeds) {
    try {
      await check(seed)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      const command = `${SEED_VARIABLE}=${seed} node --test ${checks.file}`
      throw new Error(`seed ${seed}: ${text}\nrepeat it with: ${command}`, { cause: error })
    }
  }
}
