// A part of an operator's state that is not kept by key and writes its rows itself: declared state of operators, and broadcast state.
import { ByteWriter } from '../base/byte-writer.ts'
import type { PartKind, PartRestorer, PartSchema, PartSnapshot, StatePart } from './state-part.ts'

/** What a row part is made of. */
export interface RowPartInit {
  readonly name: string
  readonly kind: Exclude<PartKind, 'keyed'>
  readonly schema: PartSchema
  /** The payloads of all rows at the barrier, as tagged values. */
  payloads(): readonly Uint8Array[]
  /** How to read payloads that were written with a schema. Throws STATE_INCOMPATIBLE. */
  restorer(schema: PartSchema): PartRestorer
}

/** Rows without identity. They are encoded at the barrier, at once: keep them few. */
export class RowPart implements StatePart {
  readonly name: string
  readonly kind: Exclude<PartKind, 'keyed'>
  readonly schema: PartSchema
  private readonly init: RowPartInit
  private readonly out = new ByteWriter()
  private rows = 0

  constructor(init: RowPartInit) {
    this.init = init
    this.name = init.name
    this.kind = init.kind
    this.schema = init.schema
  }

  begin(): void {
    const { out } = this
    const payloads = this.init.payloads()
    out.reset()
    for (const payload of payloads) {
      // An empty identity, then the payload.
      out.byte(0)
      out.varint(payload.length + 1)
      out.raw(payload)
    }
    this.rows = payloads.length
  }

  advance(): boolean {
    return true
  }

  take(): PartSnapshot {
    const sections = this.rows === 0 ? [] : [{ keyGroup: -1, rows: this.rows, bytes: this.out.copy() }]
    return { part: this.name, kind: this.kind, schema: this.schema, isFull: true, sections }
  }

  settle(): void {}

  restorer(schema: PartSchema): PartRestorer {
    return this.init.restorer(schema)
  }
}
