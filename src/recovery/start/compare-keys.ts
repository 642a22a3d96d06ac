// Compares what the keys of a step are taken from with what they were taken from when its state was written.
import type { Vertex } from '../../model/graph.ts'
import { keyFieldsText } from '../../model/key.ts'
import type { ManifestOperator, ManifestPart } from '../snapshot/manifest.ts'

/** A step of a snapshot with state, and the one that takes it over. */
export interface KeyedPair {
  readonly operator: ManifestOperator
  readonly vertex: Vertex
  readonly parts: readonly ManifestPart[]
}

/**
 * What is wrong about the keys: state that was written under other keys would never be met again. Functions are not compared, since nobody can say
 * what they take; nor are snapshots that do not say.
 */
export function keyProblems({ operator, vertex, parts }: KeyedPair): readonly string[] {
  if (!parts.some(({ kind }) => kind === 'keyed')) return []
  const written = operator.keys ?? []
  return vertex.keySelectors.flatMap((selector, input) => {
    const was = written[input] ?? undefined
    const is = keyFieldsText(selector)
    if (was === undefined || is === undefined || was === is) return []
    const which = vertex.keySelectors.length > 1 ? `the key of its input ${input}` : 'its key'
    const mend =
      'keep the key, or give the step another uid() and drop the old state (--allow-unmapped); if both give the same values, take the key by a function: keyBy(record => ...)'
    return [`${which} was taken from ${was} and is taken from ${is}, so its state would never be found; ${mend}`]
  })
}
