// Compares the declared states of a step with those that a part of a snapshot was written with.
import type { StateDescriptor, StateDescriptors } from '../../model/state.ts'
import type { StateSchema } from '../../state/state-part.ts'
import type { MappedState } from './state-mapping.ts'

/** A state of the snapshot against the job, with what is wrong about it. */
export interface ComparedState {
  readonly state: MappedState
  readonly problem?: string
}

/** What of a descriptor counts. */
interface Declared {
  readonly kind: string
  readonly codec?: { readonly name: string }
  readonly version?: number
  readonly migrate?: unknown
}

/** What becomes of one state. */
export function compareState(written: StateSchema, descriptors: StateDescriptors): ComparedState {
  const { name } = written
  const declared = Object.hasOwn(descriptors, name) ? declaredAs(descriptors[name] as StateDescriptor) : undefined
  if (declared === undefined) return { state: { name, status: 'dropped' } }
  const problem = incompatibility(written, declared)
  if (problem !== undefined) return { state: { name, status: 'incompatible' }, problem }
  const toVersion = declared.version ?? 0
  if (toVersion === written.version) return { state: { name, status: 'kept' } }
  return { state: { name, status: 'migrated', fromVersion: written.version, toVersion } }
}

function declaredAs(descriptor: StateDescriptor): Declared {
  return descriptor as Declared
}

function incompatibility(written: StateSchema, declared: Declared): string | undefined {
  const { name } = written
  const version = declared.version ?? 0
  const codec = declared.codec?.name ?? 'tagged'
  const mend = 'declare it as it was, or give the state another name'
  if (declared.kind !== written.kind) return `state "${name}" was ${written.kind} and is ${declared.kind}; ${mend}`
  if (codec !== written.codec)
    return `state "${name}" was written with codec ${written.codec} and is read with ${codec}; ${mend}`
  if (version < written.version) {
    const later = 'start the later version of the job, or an earlier snapshot'
    return `state "${name}" was written by a newer version of the job (${written.version}, this one has ${version}); ${later}`
  }
  if (version > written.version && typeof declared.migrate !== 'function') {
    const how = 'declare migrate(fromVersion, value) with it'
    return `state "${name}" has version ${version} and was written with ${written.version}; ${how}`
  }
  return undefined
}
