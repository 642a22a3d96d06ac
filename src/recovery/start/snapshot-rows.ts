// How much of an operator a snapshot holds, beside the times that every step with state leaves.
import type { PartSchema } from '../../state/state-part.ts'
import type { ManifestOperator, ManifestPart } from '../snapshot/manifest.ts'

/** How far event time was: that is no state that could be missed, since it starts again at the beginning. */
const TIME_LAYOUTS: ReadonlySet<string> = new Set(['watermark', 'time'])

/** The parts that hold something. */
export function partsWithState(operator: ManifestOperator): readonly ManifestPart[] {
  return operator.parts.filter(
    part => rowsOf(part) > 0 && !part.segments.every(ref => TIME_LAYOUTS.has(ref.schema.layout)),
  )
}

/** The rows of a part; those of changes are counted on top of those that they replace. */
export function rowsOf(part: ManifestPart): number {
  return part.segments.reduce((sum, { rows }) => sum + rows, 0)
}

/** The different ways in which the rows of a part were written, oldest first. */
export function schemasOf(part: ManifestPart): readonly PartSchema[] {
  const byText = new Map(part.segments.map(({ schema }) => [JSON.stringify(schema), schema]))
  return [...byText.values()]
}
