// How the objects of a job's storage are named: by the id of their checkpoint, ten digits long, so that names sort as ids do.

/** Where the manifests of checkpoints are; those of savepoints are elsewhere. */
export const MANIFESTS_PREFIX = 'checkpoints/'
/** Where the segments are. */
export const SEGMENTS_PREFIX = 'segments/'
/** The manifest of a savepoint, which has a storage of its own. */
export const SAVEPOINT_MANIFEST = 'savepoint.manifest'

const MANIFEST_SUFFIX = '.manifest'
const SEGMENT_SUFFIX = '.segment'

/** An id as ten digits. */
export function idText(id: number): string {
  return String(id).padStart(10, '0')
}

/** The object of a manifest. */
export function manifestFile(id: number): string {
  return `${MANIFESTS_PREFIX}${idText(id)}${MANIFEST_SUFFIX}`
}

/** The object of a segment, which whoever writes it named. */
export function segmentFile(name: string): string {
  return `${SEGMENTS_PREFIX}${name}${SEGMENT_SUFFIX}`
}

/** The id in the name of a manifest; undefined for objects that are none. */
export function manifestId(file: string): number | undefined {
  const digits = /^checkpoints\/(\d{10,16})\.manifest$/.exec(file)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** The id at the beginning of the name of a segment; undefined for names without one. */
export function segmentId(file: string): number | undefined {
  const digits = /^segments\/(\d{10,16})\b/.exec(file)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
