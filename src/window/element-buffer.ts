// Record path. The elements of a window in the order of arrival, as columns, with what was new and what was taken out since the last pane.
import { preview, StreamError } from '../base/errors.ts'
import type { TimestampedElement } from '../model/window-functions.ts'

/** Chooses the elements that stay; undefined: all do. */
export type Keep<Context> =
  | ((elements: readonly TimestampedElement<unknown>[], context: Context) => readonly TimestampedElement<unknown>[])
  | undefined

interface Element extends TimestampedElement<unknown> {
  readonly position: number
}

function copied(element: unknown): StreamError {
  return new StreamError(
    'USER_FUNCTION_RESULT',
    `the evictor returned ${preview(element)}, which is none of the elements it was given; return those that stay themselves, not copies`,
  )
}

/** A buffer as plain data, for snapshots: its columns, where the new elements begin, and what was taken out. */
export type StoredElements = readonly [
  values: readonly unknown[],
  timestamps: readonly number[],
  inputs: readonly number[],
  firstAdded: number,
  expired: readonly unknown[],
]

/** A growing list of elements; adding costs O(1). */
export class ElementBuffer {
  values: unknown[] = []
  private timestamps: number[] = []
  private inputs: number[] = []
  /** The position from which elements are new since the last pane. */
  private firstAdded = 0
  private expired: unknown[] = []

  get length(): number {
    return this.values.length
  }

  add(value: unknown, timestampMs: number, input: number): void {
    this.values.push(value)
    this.timestamps.push(timestampMs)
    this.inputs.push(input)
  }

  /** Adds the elements of another buffer behind these; those of either that were in a pane count as old. */
  append(other: ElementBuffer): void {
    const added = [...this.positions(this.firstAdded)].map(at => this.at(at))
    this.truncate(this.firstAdded)
    for (let at = 0; at < other.firstAdded; at++) this.take(other, at)
    this.firstAdded = this.length
    for (const { value, timestamp, input } of added) this.add(value, timestamp, input)
    for (let at = other.firstAdded; at < other.length; at++) this.take(other, at)
    this.expired.push(...other.expired)
  }

  /** The buffer as data, which goes on changing with it: to be written at once. */
  stored(): StoredElements {
    return [this.values, this.timestamps, this.inputs, this.firstAdded, this.expired]
  }

  /** The buffer that data was made of, which belongs to it from here on. */
  static restored([values, timestamps, inputs, firstAdded, expired]: StoredElements): ElementBuffer {
    const buffer = new ElementBuffer()
    buffer.values = values as unknown[]
    buffer.timestamps = timestamps as number[]
    buffer.inputs = inputs as number[]
    buffer.firstAdded = firstAdded
    buffer.expired = expired as unknown[]
    return buffer
  }

  /** A copy of all elements. */
  copy(): unknown[] {
    return this.values.slice()
  }

  /** Copies of the elements of each of so many inputs. */
  byInput(inputs: number): readonly (readonly unknown[])[] {
    const groups: unknown[][] = Array.from({ length: inputs }, () => [])
    for (let at = 0; at < this.length; at++) (groups[this.inputs[at] as number] as unknown[]).push(this.values[at])
    return groups
  }

  /** The elements that came since the last pane. */
  added(): unknown[] {
    return this.values.slice(this.firstAdded)
  }

  /** The elements taken out since the last call. */
  takeExpired(): unknown[] {
    const { expired } = this
    this.expired = []
    return expired
  }

  markFired(): void {
    this.firstAdded = this.length
  }

  /** Takes out the elements that are not among those chosen. */
  keep<Context>(choose: Keep<Context>, context: Context): void {
    if (choose === undefined) return
    const elements: Element[] = this.values.map((value, position) => ({
      value,
      timestamp: this.timestamps[position] as number,
      position,
    }))
    const kept = new Set(choose(elements, context))
    const given = new Set<unknown>(elements)
    for (const element of kept) if (!given.has(element)) throw copied(element)
    if (kept.size === elements.length) return
    const { values, timestamps, inputs, firstAdded } = this
    this.truncate(0)
    let addedFrom = 0
    for (const element of elements) {
      const { position } = element
      if (!kept.has(element)) this.expired.push(values[position])
      else {
        if (position < firstAdded) addedFrom++
        this.add(values[position], timestamps[position] as number, inputs[position] as number)
      }
    }
    this.firstAdded = addedFrom
  }

  private take(other: ElementBuffer, at: number): void {
    const { value, timestamp, input } = other.at(at)
    this.add(value, timestamp, input)
  }

  private at(position: number): { value: unknown; timestamp: number; input: number } {
    return {
      value: this.values[position],
      timestamp: this.timestamps[position] as number,
      input: this.inputs[position] as number,
    }
  }

  private positions(from: number): number[] {
    return Array.from({ length: this.length - from }, (_, offset) => from + offset)
  }

  private truncate(length: number): void {
    this.values = this.values.slice(0, length)
    this.timestamps = this.timestamps.slice(0, length)
    this.inputs = this.inputs.slice(0, length)
  }
}
