// The settings of a step that may be given after it was added: its name, its identity, its parallelism, its chaining.

import { MAX_PARALLELISM_LIMIT } from '../../model/graph.ts'
import type { VertexDraft } from '../../model/graph-builder.ts'
import { requireText, requireWhole } from './arguments.ts'

/** Names the step in plans, metrics and messages. Throws OPTION_INVALID for an empty name. */
export function setName(vertex: VertexDraft, name: string): void {
  requireText('name()', 'the name', name)
  vertex.name = name
}

/** Gives the step's state an identity. Throws OPTION_INVALID for an empty one. */
export function setUid(vertex: VertexDraft, uid: string): void {
  requireText('uid()', 'the uid', uid)
  vertex.uid = uid
}

/** Sets the number of subtasks. Throws OPTION_INVALID unless it is a whole number from 1. */
export function setParallelism(vertex: VertexDraft, parallelism: number): void {
  requireWhole('setParallelism()', 'the parallelism', parallelism, { min: 1, max: MAX_PARALLELISM_LIMIT })
  vertex.parallelism = parallelism
}

/** Sets the number of key groups. Throws OPTION_INVALID unless it is a whole number from 1 to 32768. */
export function setMaxParallelism(vertex: VertexDraft, maxParallelism: number): void {
  requireWhole('setMaxParallelism()', 'maxParallelism', maxParallelism, { min: 1, max: MAX_PARALLELISM_LIMIT })
  vertex.maxParallelism = maxParallelism
}

/** Keeps the step out of chains. */
export function disableChaining(vertex: VertexDraft): void {
  vertex.chaining = 'disabled'
}
