// Holds the declared states of a part of a snapshot against those that the job declares now: what is kept, and what forbids it.
import type { StoredValueOptions } from '../model/state-options.ts'
import { TAGGED_CODEC } from '../model/state-options.ts'
import type { PartSchema, StateSchema } from './state-part.ts'

/** What of a descriptor counts here. */
export type DeclaredState = StoredValueOptions<unknown> & { readonly kind: string }

/** What becomes of each state, by name. */
export interface StateProblems {
  readonly kept: readonly string[]
  readonly migrated: readonly { readonly name: string; readonly fromVersion: number; readonly toVersion: number }[]
  /** In the snapshot, and declared no more: passed over when it is read. */
  readonly dropped: readonly string[]
  /** Declared, and not in the snapshot: empty at first. */
  readonly added: readonly string[]
  /** Why the job cannot take the part, each with its mend; none when it can. */
  readonly problems: readonly string[]
}

/** A declared state as snapshots know it. */
export function stateSchema(name: string, { kind, codec, version = 0 }: DeclaredState): StateSchema {
  return { name, kind, codec: codec?.name ?? TAGGED_CODEC, version }
}

/** Compares what was written with what is declared. Pure. */
export function stateProblems(schema: PartSchema, descriptors: Readonly<Record<string, DeclaredState>>): StateProblems {
  const found = new Set(schema.states.map(({ name }) => name))
  const declared = schema.states.filter(({ name }) => Object.hasOwn(descriptors, name))
  const compared = declared.map(written => {
    const descriptor = descriptors[written.name] as DeclaredState
    return { written, toVersion: descriptor.version ?? 0, problem: problemOf(written, descriptor) }
  })
  const fitting = compared.filter(({ problem }) => problem === undefined)
  return {
    kept: fitting.filter(({ written, toVersion }) => written.version === toVersion).map(({ written }) => written.name),
    migrated: fitting
      .filter(({ written, toVersion }) => written.version !== toVersion)
      .map(({ written, toVersion }) => ({ name: written.name, fromVersion: written.version, toVersion })),
    dropped: schema.states.filter(({ name }) => !Object.hasOwn(descriptors, name)).map(({ name }) => name),
    added: Object.keys(descriptors).filter(name => !found.has(name)),
    problems: compared.flatMap(({ problem }) => problem ?? []),
  }
}

function problemOf(written: StateSchema, descriptor: DeclaredState): string | undefined {
  const { name } = written
  const { kind, codec, version } = stateSchema(name, descriptor)
  const mend = 'declare it as it was, or give the new state another name'
  if (kind !== written.kind) return `state "${name}" is ${written.kind} in the snapshot and declared ${kind}; ${mend}`
  if (codec !== written.codec)
    return `state "${name}" was written with codec ${written.codec} and is declared with ${codec}; ${mend}`
  if (written.version > version) {
    const later = 'start that version of the job, or from an earlier snapshot'
    return `state "${name}" has version ${written.version} in the snapshot: it was written by a newer version of the job, which declares version ${version} here; ${later}`
  }
  if (written.version < version && typeof descriptor.migrate !== 'function') {
    const how = 'declare migrate(fromVersion, value) with it'
    return `state "${name}" has version ${written.version} in the snapshot and is declared version ${version}; ${how}`
  }
  return undefined
}
