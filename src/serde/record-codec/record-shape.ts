// Record path (bench/micro/record-codec.ts). The shape that records of an edge have in common, its bytes in a frame, and its code: closures
// at first, generated source once it has proved frequent. Schemas that a job declares would tell nothing more: what a record holds is seen
// here anyway, and is what has to arrive.
import { ByteReader } from '../../base/byte-reader.ts'
import { ByteWriter } from '../../base/byte-writer.ts'
import { readValue, writeValue } from '../value-codec.ts'
import { closureCode, generatedCode, type ShapeCode, type ShapeOutline } from './shape-code.ts'

/** Wider records are written by the tagged codec. */
const FIELDS_MAX = 128
/** Rows of a shape after which generating source pays. */
export const GENERATE_AFTER_ROWS = 512
/** Objects used as dictionaries have ever new shapes: so many are remembered, and so many get source of their own. */
const SHAPES_MAX = 256
const GENERATED_MAX = 64

/** One shape as one side of an edge knows it. */
export class RecordShape {
  readonly outline: ShapeOutline
  /** The outline as it stands in frames. */
  readonly bytes: Uint8Array
  private current: ShapeCode
  private rows = 0
  private isYoung = true
  private readonly shapes: ShapeTable

  constructor(outline: ShapeOutline, bytes: Uint8Array, shapes: ShapeTable) {
    this.outline = outline
    this.bytes = bytes
    this.shapes = shapes
    this.current = closureCode(outline)
  }

  /** The code, which counts the rows that it is asked for. */
  codeFor(rows: number): ShapeCode {
    if (this.isYoung) {
      this.rows += rows
      this.isYoung = this.rows < this.shapes.generateAfterRows
      if (!this.isYoung) this.current = this.shapes.generate(this.outline) ?? this.current
    }
    return this.current
  }
}

/** The shapes that one side of an edge has met. */
export class ShapeTable {
  private readonly shapes = new Map<string, RecordShape>()
  private generated = 0
  readonly generateAfterRows: number

  /** Infinity: no source is ever generated. */
  constructor(generateAfterRows: number) {
    this.generateAfterRows = generateAfterRows
  }

  /** The shape of a plain object or array; undefined for what has none: too wide, or a field that no literal can have. */
  of(value: object): RecordShape | undefined {
    const isTuple = Array.isArray(value)
    if (isTuple && value.length > FIELDS_MAX) return undefined
    const names = isTuple ? Array.from(value, (_, index) => String(index)) : Object.keys(value)
    if (names.length > FIELDS_MAX || names.includes('__proto__')) return undefined
    return this.named({ isTuple, names })
  }

  /** The shape that stands in a frame. */
  at(bytes: Uint8Array, from: number, to: number): RecordShape {
    const input = new ByteReader(bytes, from, to)
    return this.named({ isTuple: input.byte() === 1, names: readValue(input) as readonly string[] })
  }

  /** Generated code for an outline, while there are not too many. */
  generate(outline: ShapeOutline): ShapeCode | undefined {
    if (this.generated === GENERATED_MAX) return undefined
    this.generated++
    return generatedCode(outline)
  }

  private named(outline: ShapeOutline): RecordShape {
    const key = `${outline.isTuple ? '[' : '{'}${JSON.stringify(outline.names)}`
    const known = this.shapes.get(key)
    if (known !== undefined) return known
    if (this.shapes.size === SHAPES_MAX) this.shapes.clear()
    const out = new ByteWriter()
    out.byte(outline.isTuple ? 1 : 0)
    writeValue(out, outline.names)
    const shape = new RecordShape(outline, out.copy(), this)
    this.shapes.set(key, shape)
    return shape
  }
}
