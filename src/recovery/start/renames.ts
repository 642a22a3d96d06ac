// Other uids for the steps of a snapshot: for a job whose steps were given other names since.
import { StreamError } from '../../base/errors.ts'
import type { Manifest } from '../snapshot/manifest.ts'

/**
 * The manifest with other uids, `renames` being from the snapshot's to the job's; all at once, so that two may change places. Throws
 * OPTION_INVALID when the snapshot has no step of a name, or two steps would have the same.
 */
export function applyRenames(manifest: Manifest, renames: Readonly<Record<string, string>>): Manifest {
  if (Object.keys(renames).length === 0) return manifest
  const uids = manifest.operators.map(({ uid }) => uid)
  for (const from of Object.keys(renames)) {
    if (!uids.includes(from)) {
      const text = `rename ${from}=${renames[from]}: the snapshot holds no step "${from}"; it holds ${listed(uids)}`
      throw new StreamError('OPTION_INVALID', text)
    }
  }
  const renamed = manifest.operators.map(operator => {
    const uid = Object.hasOwn(renames, operator.uid) ? renames[operator.uid] : undefined
    return uid === undefined ? operator : { ...operator, uid, isUidDerived: false }
  })
  requireDistinct(
    uids,
    renamed.map(({ uid }) => uid),
  )
  return { ...manifest, operators: renamed }
}

function requireDistinct(before: readonly string[], after: readonly string[]): void {
  const repeated = after.find((uid, index) => after.indexOf(uid) !== index)
  if (repeated === undefined) return
  const both = before.filter((_, index) => after[index] === repeated)
  const text = `after the renames the steps ${listed(both)} of the snapshot would both be "${repeated}"`
  throw new StreamError('OPTION_INVALID', `${text}; give each step of the snapshot a uid of its own`)
}

function listed(uids: readonly string[]): string {
  return uids.length === 0 ? 'none' : uids.map(uid => `"${uid}"`).join(', ')
}
