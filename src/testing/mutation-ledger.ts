// Notes what records and objects of state are, as bytes, to find out later whether they were changed where nobody may change them. For tests:
// it costs an encoding each time. What the tagged codec cannot write (instances of classes, functions) is not watched.
import { ByteReader } from '../base/byte-reader.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import { preview, StreamError } from '../base/errors.ts'
import { readValue, writeValue } from '../serde/value-codec.ts'

/** What an object is, for the message. */
export interface WatchedAs {
  readonly code: 'STATE_MUTATED' | 'RECORD_MUTATED'
  /** `a record sent over the channel a[0] -> b[0]` */
  readonly what: string
  /** What to do instead. */
  readonly mend: string
}

/** An object that was changed, in words. */
export interface FoundMutation {
  readonly code: WatchedAs['code']
  readonly text: string
}

/** Objects noted at a time: the oldest is compared once more when there are more, and let go of. */
const NOTES_MAX = 10_000

/** What is known of the objects of one run. An object may be a record and part of state at once. */
export class MutationLedger {
  readonly records = new MutationNotes()
  readonly state = new MutationNotes()

  /** The first object of state that was found changed, or the first record: STATE_MUTATED, RECORD_MUTATED. The cause is what came of it. */
  mistake(cause?: unknown): StreamError | undefined {
    const found = this.state.found ?? this.records.found
    if (found === undefined) return undefined
    return new StreamError(found.code, found.text, cause === undefined ? {} : { cause })
  }

  /** Compares all objects: at a snapshot, and at the end. */
  checkAll(): void {
    this.records.checkAll()
    this.state.checkAll()
  }
}

/** Objects of one kind, as they were when they were noted. */
export class MutationNotes {
  private readonly notes = new Map<object, { readonly bytes: Uint8Array; readonly as: WatchedAs }>()
  private readonly out = new ByteWriter()
  private first: FoundMutation | undefined

  /** The first object that was found changed. */
  get found(): FoundMutation | undefined {
    return this.first
  }

  /** Notes an object as it is now; what is no object needs no watching. */
  note(value: unknown, as: WatchedAs): void {
    if (typeof value !== 'object' || value === null) return
    const bytes = this.encoded(value)
    if (bytes === undefined) return
    this.notes.set(value, { bytes: bytes.slice(), as })
    if (this.notes.size <= NOTES_MAX) return
    const [oldest] = this.notes.keys()
    this.check(oldest, 'later')
    this.forget(oldest)
  }

  /** Compares one object with what was noted of it, if anything was. `when` says in the message when it was changed. */
  check(value: unknown, when: string): void {
    const noted = this.notes.get(value as object)
    if (noted === undefined || this.first !== undefined) return
    const { bytes, as } = noted
    const now = this.encoded(value as object)
    if (now?.length === bytes.length && bytes.every((byte, at) => byte === now[at])) return
    const before = preview(readValue(new ByteReader(bytes)))
    const text = `${as.what} was changed in place ${when}: it was ${before} and is ${preview(value)}; ${as.mend}`
    this.first = { code: as.code, text }
  }

  checkAll(): void {
    for (const value of this.notes.keys()) this.check(value, 'later')
  }

  /** Watches an object no longer: it may be changed from now on. */
  forget(value: unknown): void {
    this.notes.delete(value as object)
  }

  private encoded(value: object): Uint8Array | undefined {
    this.out.reset()
    try {
      writeValue(this.out, value)
    } catch {
      return undefined
    }
    return this.out.view()
  }
}
