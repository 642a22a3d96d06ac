// Loads packages that Millrace can work with and does not bring along (optional peers), at their first use. What they are for is not known here.
import { StreamError } from './errors.ts'

/**
 * What `load` imports. Rejects with DEPENDENCY_MISSING, saying what to install, when the package is not there; any other failure is
 * thrown as it is. `owner` is what needs it, in words: `postgres table rows`.
 */
export async function loadOptionalPackage<M>(name: string, owner: string, load: () => Promise<M>): Promise<M> {
  try {
    return await load()
  } catch (error) {
    if (!isMissing(name, error)) throw error
    const message = `${owner}: it needs the package ${name}, which is not installed; run: npm install ${name}`
    throw new StreamError('DEPENDENCY_MISSING', message, { cause: error })
  }
}

// A package that is there and lacks one of its own is another failure, which the name in the message tells apart.
function isMissing(name: string, error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  const isNotFound = error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND'
  return isNotFound && error.message.includes(`'${name}'`)
}
