// Compares what came out of a simulated run with what should have: as bags of texts, since the order of results is open.

/** What differs, in words; undefined when nothing does. */
export function resultsDifference(found: readonly string[], expected: readonly string[]): string | undefined {
  const counts = new Map<string, number>()
  for (const text of expected) counts.set(text, (counts.get(text) ?? 0) + 1)
  for (const text of found) counts.set(text, (counts.get(text) ?? 0) - 1)
  const lost = [...counts].filter(([, count]) => count > 0)
  const extra = [...counts].filter(([, count]) => count < 0)
  if (lost.length + extra.length === 0) return undefined
  return `${lost.length} results are missing${some(lost)}; ${extra.length} are too many${some(extra)}`
}

const SHOWN_MAX = 3

function some(list: readonly (readonly [string, number])[]): string {
  if (list.length === 0) return ''
  const shown = list.slice(0, SHOWN_MAX).map(([text, count]) => `${text} (${Math.abs(count)}x)`)
  return `: ${shown.join(', ')}`
}
