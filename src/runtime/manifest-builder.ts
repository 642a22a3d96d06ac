// From what the tasks handed in to the manifest of a snapshot.
import type { Vertex } from '../model/graph.ts'
import { keyFieldsText } from '../model/key.ts'
import { isStateful } from '../model/operator-spec.ts'
import type { EndMode } from '../operators/operator.ts'
import type { PhysicalPlan } from '../plan/physical-plan.ts'
import type { SegmentWriter, WrittenSegment } from '../recovery/snapshot/checkpoint-store.ts'
import {
  type Manifest,
  type ManifestOperator,
  type ManifestPart,
  SNAPSHOT_FORMAT,
} from '../recovery/snapshot/manifest.ts'
import { mergeParts } from '../recovery/snapshot/merge-parts.ts'
import type { JobTask } from './job-task.ts'
import { groupsOf } from './restore-groups.ts'

/** What a manifest is built from. */
export interface ManifestInit {
  readonly plan: PhysicalPlan
  readonly id: number
  readonly kind: Manifest['kind']
  readonly triggeredMs: number
  readonly completedMs: number
  /** The newest complete snapshot before, whose segments the new ones build on. */
  readonly previous: Manifest | undefined
  readonly results: readonly {
    readonly task: JobTask
    readonly segment: WrittenSegment
    readonly end: EndMode | undefined
  }[]
}

/** The manifest of a snapshot. */
export function buildManifest(init: ManifestInit): Manifest {
  const { plan, id, triggeredMs, completedMs, results } = init
  const isEnd = results.every(({ end }) => end === 'finish')
  return {
    format: SNAPSHOT_FORMAT,
    job: plan.graph.name,
    // A job that was stopped has something left to do.
    kind: init.kind === 'final' && !isEnd ? 'checkpoint' : init.kind,
    id,
    triggeredMs,
    completedMs,
    graphHash: plan.graphHash,
    operators: plan.graph.vertices
      .filter(vertex => isStateful(vertex.operator))
      .map(vertex => manifestOperator(vertex, init)),
  }
}

/** Says who writes a segment. */
export function segmentWriter(plan: PhysicalPlan, task: JobTask): SegmentWriter {
  return {
    subtask: task.subtaskIndex,
    parallelism: task.chain.parallelism,
    groupsOf: uid => {
      const vertex = plan.graph.vertices.find(candidate => candidate.uid === uid) as Vertex
      return groupsOf(task.subtaskIndex, task.chain.parallelism, vertex.maxParallelism)
    },
  }
}

// A function says nothing of the key that it takes.
function keysOf({ keySelectors }: Vertex): Pick<ManifestOperator, 'keys'> {
  if (keySelectors.length === 0) return {}
  return { keys: Array.from(keySelectors, selector => keyFieldsText(selector) ?? null) }
}

function manifestOperator(vertex: Vertex, { previous, results }: ManifestInit): ManifestOperator {
  const before = previous?.operators.find(operator => operator.uid === vertex.uid)
  const mine = results.filter(({ task }) => task.chain.vertices.includes(vertex.id))
  const written = mine.flatMap(({ segment }) => segment.parts.filter(part => part.uid === vertex.uid))
  const names = new Set(written.map(part => part.part))
  return {
    uid: vertex.uid,
    isUidDerived: vertex.isUidDerived,
    name: vertex.name,
    kind: vertex.operator.kind,
    parallelism: vertex.parallelism,
    maxParallelism: vertex.maxParallelism,
    ...keysOf(vertex),
    finishedSubtasks: mine.filter(({ end }) => end === 'finish').map(({ task }) => task.subtaskIndex),
    parts: [...names].map((name): ManifestPart => {
      const refs = written.filter(part => part.part === name)
      const kind = refs[0]?.kind ?? 'list'
      const old = before?.parts.find(part => part.name === name)
      return mergeParts(old, { name, kind, segments: refs.flatMap(({ ref }) => (ref === undefined ? [] : [ref])) })
    }),
  }
}
