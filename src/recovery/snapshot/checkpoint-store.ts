// The checkpoints of one job in one storage: writing them, finding the newest that is whole, reading them, removing old ones.
import { errorText, StreamError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Storage } from '../../base/storage.ts'
import type { PartKind, PartSnapshot } from '../../state/state-part.ts'
import {
  idText,
  MANIFESTS_PREFIX,
  manifestFile,
  manifestId,
  SEGMENTS_PREFIX,
  segmentFile,
  segmentId,
} from './checkpoint-names.ts'
import { damagedError, isDamage } from './damaged.ts'
import { findGarbage, segmentFiles } from './garbage.ts'
import type { GroupRange, Manifest, ManifestPart, SegmentRef, TaskSnapshot } from './manifest.ts'
import { decodeManifest, encodeManifest } from './manifest-text.ts'
import { type RowsWanted, readRows, type VisitRow } from './read-rows.ts'
import { checkSegments, copySegments, readSavepoint, renameSegments, writeSavepoint } from './savepoint.ts'
import { type EncodedPart, type EncodedSegment, encodeSegment, noPause, type Pause } from './segment.ts'
import { SegmentReader } from './segment-reader.ts'

/** Complete checkpoints that are kept unless told otherwise. */
export const RETAINED_DEFAULT = 3
/** Objects removed at the same time. */
const REMOVALS_MAX = 16

/** What a store is made of. */
export interface CheckpointStoreInit {
  readonly storage: Storage
  readonly job: string
  readonly logger: Logger
  /** How many complete checkpoints are kept; 3 unless given. */
  readonly retained?: number
  /** Gives the turn to others between slices of work; without it, long work goes on in the same turn of the event loop. */
  readonly pause?: Pause
}

/** The task that a segment comes from. */
export interface SegmentWriter {
  readonly subtask: number
  readonly parallelism: number
  /** The key groups that the task has of an operator. */
  groupsOf(uid: string): GroupRange
}

/** A part that a task handed in, and where it is stored; undefined where nothing had changed. */
export interface WrittenPart {
  readonly uid: string
  readonly part: string
  readonly kind: PartKind
  readonly ref: SegmentRef | undefined
}

/** A segment that is stored; it counts once a manifest names it. */
export interface WrittenSegment {
  /** The name that its writer gave it. */
  readonly name: string
  readonly bytes: number
  readonly parts: readonly WrittenPart[]
}

/** A manifest that is there; whether it can be read is not known yet. */
export interface ManifestEntry {
  readonly id: number
  readonly file: string
}

/** The newest checkpoint that is whole. */
export interface LatestCheckpoint {
  readonly manifest: Manifest
  /** What is wrong with those that are newer, one text for each. */
  readonly fallbacks: readonly string[]
}

/** Reads and writes the checkpoints of a job. Calls also reject with what the storage rejects with (STORAGE_FAILED, DIRECTORY_NOT_WRITABLE). */
export class CheckpointStore {
  private readonly storage: Storage
  private readonly job: string
  private readonly logger: Logger
  private readonly retained: number
  private readonly pause: Pause
  private readonly reader: SegmentReader
  /** Segments written by this process that no manifest names yet; true once they are stored. */
  private readonly pending = new Map<string, boolean>()
  /** Damage found so far, by the id of the checkpoint: it is not tried again. */
  private readonly damages = new Map<number, string>()
  /** Checkpoints that are being copied: they must not go meanwhile. */
  private readonly copied = new Set<Manifest>()
  private publications = 0
  private collection: Promise<void> | undefined
  private nextCollection: Promise<void> | undefined

  constructor({ storage, job, logger, retained = RETAINED_DEFAULT, pause = noPause }: CheckpointStoreInit) {
    this.storage = storage
    this.job = job
    this.logger = logger
    this.retained = Math.max(1, retained)
    this.pause = pause
    this.reader = new SegmentReader(storage, pause)
  }

  /**
   * Stores what a task handed in. The name must be new, and begin with the id of its checkpoint in ten digits. A task without anything to
   * store gets no object. The snapshot's buffers may be used again once this resolves.
   */
  async writeSegment(name: string, snapshot: TaskSnapshot, writer: SegmentWriter): Promise<WrittenSegment> {
    const file = segmentFile(name)
    const stored = {
      operators: snapshot.operators.map(({ uid, parts }) => ({ uid, parts: parts.filter(isWorthStoring) })),
    }
    this.pending.set(file, false)
    try {
      const segment = await encodeSegment(stored, this.pause)
      const bytes = segment.parts.length === 0 ? 0 : segment.bytes.length
      if (bytes > 0) await this.storage.put(file, segment.bytes)
      this.pending.set(file, true)
      return { name, bytes, parts: writtenParts(snapshot, segment, { file, writer }) }
    } catch (error) {
      this.pending.delete(file)
      throw error
    }
  }

  /** Makes a checkpoint complete. All its segments must be stored. When this rejects, the checkpoint does not count. */
  async publish(manifest: Manifest): Promise<void> {
    const file = manifestFile(manifest.id)
    const needed = new Set(segmentFiles(manifest))
    const ended = [...this.pending].filter(([segment, isStored]) => isStored && isUpTo(segment, manifest.id))
    await this.storage.put(file, encodeManifest(manifest))
    this.publications++
    for (const segment of needed) this.pending.delete(segment)
    // What was stored before and is not named now is never going to be.
    for (const [segment] of ended) this.pending.delete(segment)
  }

  /** The manifests that are there, newest first. */
  async manifests(): Promise<ManifestEntry[]> {
    const entries: ManifestEntry[] = []
    for (const file of await this.storage.list(MANIFESTS_PREFIX)) {
      const id = manifestId(file)
      if (id !== undefined) entries.push({ id, file })
    }
    return entries.sort((a, b) => b.id - a.id)
  }

  /** Reads a manifest, not its segments. Throws SNAPSHOT_NOT_FOUND, SNAPSHOT_DAMAGED, SNAPSHOT_FOREIGN, SNAPSHOT_VERSION. */
  async read(id: number): Promise<Manifest> {
    const file = manifestFile(id)
    const bytes = await this.storage.get(file)
    if (bytes === undefined) {
      const ids = (await this.manifests()).map(entry => entry.id)
      throw new StreamError(
        'SNAPSHOT_NOT_FOUND',
        `${this.storage.description} holds no checkpoint ${id} (${file}); it holds ${ids.length === 0 ? 'none' : ids.join(', ')}`,
      )
    }
    const manifest = decodeManifest(bytes, file)
    if (manifest.id !== id) {
      throw damagedError({ file, found: `the manifest of checkpoint ${manifest.id}`, expected: `that of ${id}` })
    }
    if (manifest.job !== this.job) {
      throw new StreamError(
        'SNAPSHOT_FOREIGN',
        `${this.storage.description} holds checkpoints of job "${manifest.job}" (${file}), and this is job "${this.job}"; give this job a directory of its own, or start it from a savepoint`,
      )
    }
    return manifest
  }

  /**
   * The newest checkpoint, from an id on, whose manifest is whole and whose segments are all there; undefined when there is none at all.
   * Damaged ones are logged, with the one used instead. Throws SNAPSHOT_DAMAGED when all are damaged, SNAPSHOT_FOREIGN and
   * SNAPSHOT_VERSION for the first one met that is of another job or a later format.
   */
  async latest(sinceId = 0): Promise<LatestCheckpoint | undefined> {
    // A manifest that is in sight, or no longer, must stay so: others commit and abort transactions by it.
    await this.storage.confirm?.([manifestFile(0)])
    const entries = (await this.manifests()).filter(({ id }) => id >= sinceId)
    const fallbacks: string[] = []
    for (const { id } of entries) {
      const known = this.damages.get(id)
      const manifest = known === undefined ? await this.readWhole(id) : undefined
      if (manifest !== undefined) {
        await this.storage.confirm?.(segmentFiles(manifest))
        if (fallbacks.length > 0) this.logFallback(id, fallbacks)
        return { manifest, fallbacks }
      }
      fallbacks.push(`checkpoint ${id} is damaged: ${this.damages.get(id)}`)
    }
    if (entries.length === 0) return undefined
    throw new StreamError(
      'SNAPSHOT_DAMAGED',
      `${this.storage.description} holds ${entries.length} checkpoints of job "${this.job}", and none is whole; bring files back from a copy, start from a savepoint, or from the beginning in another directory: ${fallbacks.join('; ')}`,
    )
  }

  /** Damage was found while rows were read: `latest` passes the checkpoint over from now on. */
  markDamaged(id: number, error: unknown): void {
    this.damages.set(id, errorText(error))
  }

  /** Visits rows of a part. Throws SNAPSHOT_DAMAGED, after which `markDamaged` leads to an older checkpoint. */
  readRows(part: ManifestPart, wanted: RowsWanted, visit: VisitRow): Promise<void> {
    return readRows(this.reader, part, wanted, visit)
  }

  /** Removes segments of a checkpoint that will never be complete, by the names that their writers gave them. */
  async discard(names: readonly string[]): Promise<void> {
    const files = names.map(segmentFile)
    for (const file of files) this.pending.delete(file)
    await this.removeAll(files)
  }

  /** Removes checkpoints beyond the retained ones, and segments that no checkpoint needs. Nothing is removed when any manifest is of another job or a later format. */
  collectGarbage(): Promise<void> {
    // Who asks while one runs has published since it looked, so there is another round after it, one for all who ask.
    if (this.nextCollection !== undefined) return this.nextCollection
    if (this.collection === undefined) return this.beginCollection()
    const begin = (): Promise<void> => {
      this.nextCollection = undefined
      return this.beginCollection()
    }
    this.nextCollection = this.collection.then(begin, begin)
    return this.nextCollection
  }

  private beginCollection(): Promise<void> {
    const collection = this.collect().finally(() => {
      if (this.collection === collection) this.collection = undefined
    })
    this.collection = collection
    return collection
  }

  /** An id above all that were ever used for a checkpoint of which anything is left. */
  async nextId(): Promise<number> {
    const segments = [...(await this.storage.list(SEGMENTS_PREFIX)), ...this.pending.keys()]
    const ids = [...(await this.manifests()).map(entry => entry.id), ...segments.map(file => segmentId(file) ?? 0)]
    return ids.reduce((highest, id) => Math.max(highest, id), 0) + 1
  }

  /** Copies a checkpoint into a storage that holds no savepoint, with all it needs. Throws SNAPSHOT_DAMAGED, STORAGE_FAILED. */
  async writeSavepoint(target: Storage, manifest: Manifest): Promise<void> {
    this.copied.add(manifest)
    try {
      await writeSavepoint(this.storage, target, manifest, this.pause)
    } finally {
      this.copied.delete(manifest)
    }
  }

  /**
   * Copies a savepoint, of whatever job, into this storage as its newest checkpoint, so that the checkpoints after it can build on it.
   * Throws SNAPSHOT_NOT_FOUND, SNAPSHOT_DAMAGED, SNAPSHOT_VERSION.
   */
  async adoptSavepoint(source: Storage): Promise<Manifest> {
    const { manifest } = await readSavepoint(source, this.pause)
    const id = await this.nextId()
    const files = segmentFiles(manifest)
    const nameOf = (file: string): string => segmentFile(`${idText(id)}-savepoint-${files.indexOf(file)}`)
    await copySegments(source, this.storage, manifest, nameOf, this.pause)
    const adopted: Manifest = { ...renameSegments(manifest, nameOf), id, job: this.job, kind: 'checkpoint' }
    await this.publish(adopted)
    return adopted
  }

  private async collect(): Promise<void> {
    const { publications } = this
    const manifests: { readonly file: string; readonly manifest: Manifest | undefined }[] = []
    for (const { id, file } of await this.manifests()) manifests.push({ file, manifest: await this.readIfWhole(id) })
    const segments = await this.storage.list(SEGMENTS_PREFIX)
    // A manifest that came meanwhile may need what seems to be garbage; whoever published it collects again.
    if (publications !== this.publications) return
    const damaged = new Set(this.damages.keys())
    const pending = new Set([...this.pending.keys(), ...[...this.copied].flatMap(segmentFiles)])
    const garbage = findGarbage({ manifests, segments }, { retained: this.retained, damaged, pending })
    // A manifest goes before its segments: a crash in between must not leave one that lacks them.
    await this.removeAll(garbage.manifests)
    await this.removeAll(garbage.segments)
    if (garbage.unreadable.length > 0) {
      this.logger.log('warn', 'SNAPSHOT_DAMAGED: no segments are removed while manifests cannot be read', {
        files: garbage.unreadable,
      })
    }
  }

  private async readWhole(id: number): Promise<Manifest | undefined> {
    try {
      const manifest = await this.read(id)
      await checkSegments(this.reader, manifest)
      return manifest
    } catch (error) {
      if (!isDamage(error)) throw error
      this.damages.set(id, errorText(error))
      return undefined
    }
  }

  private async readIfWhole(id: number): Promise<Manifest | undefined> {
    try {
      return await this.read(id)
    } catch (error) {
      if (!isDamage(error)) throw error
      return undefined
    }
  }

  private logFallback(id: number, fallbacks: readonly string[]): void {
    for (const text of fallbacks)
      this.logger.log('error', `${text}; checkpoint ${id} is used instead`, { checkpoint: id })
  }

  private async removeAll(files: readonly string[]): Promise<void> {
    for (let from = 0; from < files.length; from += REMOVALS_MAX) {
      await Promise.all(files.slice(from, from + REMOVALS_MAX).map(file => this.storage.remove(file)))
    }
  }
}

// Without changes since the snapshot before there is nothing to put on top of it.
function isWorthStoring(part: PartSnapshot): boolean {
  return part.isFull || part.sections.length > 0
}

function isUpTo(file: string, id: number): boolean {
  return (segmentId(file) ?? Infinity) <= id
}

function writtenParts(
  snapshot: TaskSnapshot,
  segment: EncodedSegment,
  by: { readonly file: string; readonly writer: SegmentWriter },
): WrittenPart[] {
  const encoded = new Map(segment.parts.map(part => [part.snapshot, part]))
  return snapshot.operators.flatMap(({ uid, parts }) =>
    parts.map((part): WrittenPart => {
      const stored = encoded.get(part)
      const ref = stored === undefined ? undefined : segmentRef(segment, stored, by)
      return { uid, part: part.part, kind: part.kind, ref }
    }),
  )
}

function segmentRef(
  { bytes, checksum }: EncodedSegment,
  { uid, snapshot, place }: EncodedPart,
  { file, writer }: { readonly file: string; readonly writer: SegmentWriter },
): SegmentRef {
  const { subtask, parallelism } = writer
  const { kind, isFull, schema, sections } = snapshot
  return {
    file,
    bytes: bytes.length,
    checksum,
    place,
    subtask,
    parallelism,
    isFull,
    groups: kind === 'keyed' ? [writer.groupsOf(uid)] : [],
    schema,
    rows: sections.reduce((sum, section) => sum + section.rows, 0),
  }
}
