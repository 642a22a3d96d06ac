// The parts of an operator's state that are not kept by key: a list of plain values, one row each.
import { ByteWriter } from '../base/byte-writer.ts'
import { readValue, writeValue } from '../serde/value-codec.ts'
import type { PartKind, PartRestorer, PartSchema, PartSnapshot, StatePart } from './state-part.ts'

/** A list of plain values as a part. It is encoded at the barrier, at once: keep it short. */
export class ListPart implements StatePart {
  readonly name: string
  readonly kind: Exclude<PartKind, 'keyed'>
  readonly schema: PartSchema
  private readonly elements: () => readonly unknown[]
  private readonly restored: (elements: readonly unknown[]) => void
  private readonly out = new ByteWriter()
  private rows = 0

  /** `elements` gives the values at the barrier; `restored` takes those that fell to this subtask, once, if there are any. */
  constructor(
    name: string,
    kind: Exclude<PartKind, 'keyed'>,
    layout: string,
    elements: () => readonly unknown[],
    restored: (elements: readonly unknown[]) => void,
  ) {
    this.name = name
    this.kind = kind
    this.schema = { layout, states: [] }
    this.elements = elements
    this.restored = restored
  }

  begin(): void {
    const { out } = this
    out.reset()
    const elements = this.elements()
    for (const element of elements) {
      // An empty identity, then the payload.
      out.byte(0)
      const payload = out.openLength()
      writeValue(out, element)
      out.fillLength(payload, 1)
    }
    this.rows = elements.length
  }

  advance(): boolean {
    return true
  }

  take(): PartSnapshot {
    const sections = this.rows === 0 ? [] : [{ keyGroup: -1, rows: this.rows, bytes: this.out.copy() }]
    return { part: this.name, kind: this.kind, schema: this.schema, isFull: true, sections }
  }

  settle(): void {}

  restorer(): PartRestorer {
    const elements: unknown[] = []
    return {
      row: (_keyGroup, _identity, payload) => elements.push(readValue(payload)),
      finish: () => this.restored(elements),
    }
  }
}
