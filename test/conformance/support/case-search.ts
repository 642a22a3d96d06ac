// Looks for a case that fails a check. A failure names the seed and the path of fast-check, and the command that repeats it.
import * as fc from 'fast-check'

const SEED_VARIABLE = 'MILLRACE_SEED'
const PATH_VARIABLE = 'MILLRACE_PATH'

/** Where the search begins and ends. */
export interface Search {
  /** The test file from the project's folder. */
  readonly file: string
  readonly cases: number
  /** The seed; drawn anew each time unless given. The environment variable MILLRACE_SEED goes first. */
  readonly seed?: number
}

/** What was found out. */
export interface SearchResult {
  readonly seed: number
  readonly cases: number
}

/** Checks so many cases; rejects with the smallest failing one. */
export async function searchCases<T>(
  cases: fc.Arbitrary<T>,
  check: (one: T) => Promise<void>,
  search: Search,
): Promise<SearchResult> {
  const { [SEED_VARIABLE]: seedText, [PATH_VARIABLE]: path } = process.env
  const seed = seedText === undefined ? search.seed : Number.parseInt(seedText, 10)
  const details = await fc.check(fc.asyncProperty(cases, check), {
    numRuns: search.cases,
    ...(seed === undefined ? {} : { seed }),
    ...(path === undefined ? {} : { path }),
  })
  if (!details.failed) return { seed: details.seed, cases: details.numRuns }
  const { errorInstance } = details
  const message = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  const command = `${SEED_VARIABLE}=${details.seed} ${PATH_VARIABLE}=${details.counterexamplePath} node --test ${search.file}`
  throw new Error(
    `seed ${details.seed}, path ${details.counterexamplePath}: ${message}\nrepeat it with: ${command}\nand look on with: ${SEED_VARIABLE}=${details.seed} node --test ${search.file}`,
    { cause: errorInstance },
  )
}

/** The number of cases up to the first that fails the check; undefined when all hold. */
export async function casesUntilFailure<T>(
  cases: fc.Arbitrary<T>,
  check: (one: T) => Promise<void>,
  { seed, count }: { readonly seed: number; readonly count: number },
): Promise<{ readonly cases: number; readonly message: string } | undefined> {
  const details = await fc.check(fc.asyncProperty(cases, check), { numRuns: count, seed, endOnFailure: true })
  if (!details.failed) return undefined
  const { errorInstance } = details
  return {
    cases: details.numRuns,
    message: errorInstance instanceof Error ? errorInstance.message : String(errorInstance),
  }
}
