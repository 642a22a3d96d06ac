// Record path (bench/micro/keyed-columns.ts). The form that records have in common which lie in columns: their fields in order, and where the
// value of each is. The records are made by generated source, so that each is one literal, or by closures where code may not be generated;
// names go into the source as JSON only.
import { ByteWriter } from '../base/byte-writer.ts'
import { NUMBER_BYTES_MAX, writeText } from '../serde/value-leaves.ts'
import { OBJECT, SHORT_COUNT_MAX, SHORT_OBJECT } from '../serde/value-tags.ts'

/** The cells of a row: its key (0 for a text), records, marks (two 32-bit numbers in one cell), the number that changes, then other numbers. */
export const COUNT = 1
export const MARKS = 2
export const NUMBER = 3

/** A plain record. */
export type Fields = Readonly<Record<string, unknown>>

/** Where the values of a field are. `key`: it is the key; `cell`: a number in the row; `column`: anything else. */
export interface FormField {
  readonly name: string
  readonly kind: 'key' | 'cell' | 'column'
  readonly cell: number
  /** What goes before the value in a snapshot: the name, and before the first name the start of the record. */
  readonly prefix: Uint8Array
}

/** Where the values of rows are. */
export interface FormRows {
  cellAt(row: number, cell: number): number
  /** By the position of the field; empty where its values are elsewhere. */
  readonly columns: readonly (readonly unknown[])[]
}

/** Makes the record of a row, given the number of its changing field and its key. */
export type MakeRecord = (rows: FormRows, row: number, value: number, key: unknown) => Fields

/** One form, which the first record gives. */
export class RecordForm {
  readonly field: string
  /** In the order of the record. */
  readonly fields: readonly FormField[]
  readonly make: MakeRecord
  /** Cells of a row. */
  readonly stride: number
  /** The most bytes that the payload of a row of numbers takes; 0 where fields are no numbers. */
  readonly numbersBytesMax: number

  /** The form of a record that `accepts` allows; `field` is the one that changes, `keyField` the one that the key is taken from, if it is one. */
  constructor(record: Fields, field: string, keyField: string | undefined, mayGenerate = true) {
    this.field = field
    this.fields = fieldsOf(record, field, keyField)
    this.stride = Math.max(NUMBER, ...this.fields.map(({ cell }) => cell)) + 1
    this.numbersBytesMax = numbersBytesMax(this.fields)
    const generated = mayGenerate ? generatedMaker(this.fields, field) : undefined
    this.make = generated ?? composedMaker(this.fields, { ...record }, field)
  }

  /** True when such a record can give a form. */
  static accepts(key: unknown, record: unknown, field: string): record is Fields {
    return (
      isColumnKey(key) && isPlain(record) && typeof record[field] === 'number' && !Object.hasOwn(record, '__proto__')
    )
  }

  /** True for a record of this form. */
  matches(key: unknown, record: unknown): record is Fields {
    if (!isColumnKey(key) || !isPlain(record) || typeof record[this.field] !== 'number') return false
    const { fields } = this
    const names = Object.keys(record)
    if (names.length !== fields.length) return false
    for (let i = 0; i < fields.length; i++) {
      const { name, kind } = fields[i] as FormField
      if (names[i] !== name) return false
      if (kind === 'key' ? !Object.is(record[name], key) : kind === 'cell' && typeof record[name] !== 'number')
        return false
    }
    return true
  }
}

/** The keys that rows can have: other keys do not compare as they do. */
export function isColumnKey(key: unknown): key is number | string {
  return typeof key === 'string' || (typeof key === 'number' && !Number.isNaN(key))
}

function isPlain(record: unknown): record is Fields {
  return (
    typeof record === 'object' &&
    record !== null &&
    Object.getPrototypeOf(record) === Object.prototype &&
    Object.getOwnPropertySymbols(record).length === 0
  )
}

function fieldsOf(record: Fields, changing: string, keyField: string | undefined): readonly FormField[] {
  let cells = NUMBER
  return Object.keys(record).map((name, position, names) => {
    const prefix = prefixOf(name, position === 0 ? names.length : undefined)
    const isNumber = typeof record[name] === 'number'
    const kind = name !== changing && name === keyField ? 'key' : isNumber ? 'cell' : 'column'
    const cell = name === changing ? NUMBER : kind === 'cell' ? ++cells : 0
    return { name, kind, cell, prefix }
  })
}

// As serde/value-codec.ts writes objects.
function prefixOf(name: string, startOf: number | undefined): Uint8Array {
  const out = new ByteWriter(32)
  if (startOf !== undefined && startOf <= SHORT_COUNT_MAX) out.byte(SHORT_OBJECT + startOf)
  else if (startOf !== undefined) {
    out.byte(OBJECT)
    out.varint(startOf)
  }
  writeText(out, name)
  return out.copy()
}

function numbersBytesMax(fields: readonly FormField[]): number {
  if (fields.some(({ kind }) => kind === 'column')) return 0
  return fields.reduce((sum, { prefix }) => sum + prefix.length + NUMBER_BYTES_MAX, 0)
}

function generatedMaker(fields: readonly FormField[], changing: string): MakeRecord | undefined {
  const values = fields.map(({ name, kind, cell }, position) => {
    if (name === changing) return 'value'
    if (kind === 'key') return 'key'
    return kind === 'cell' ? `rows.cellAt(row, ${cell})` : `rows.columns[${position}][row]`
  })
  const literal = fields.map(({ name }, position) => `${JSON.stringify(name)}: ${values[position]}`).join(', ')
  try {
    return new Function(`'use strict'; return (rows, row, value, key) => ({ ${literal} })`)() as MakeRecord
  } catch (error) {
    if (error instanceof EvalError) return undefined
    throw error
  }
}

function composedMaker(fields: readonly FormField[], template: Fields, changing: string): MakeRecord {
  return (rows, row, value, key) => {
    const record: Record<string, unknown> = { ...template }
    for (let i = 0; i < fields.length; i++) {
      const { name, kind, cell } = fields[i] as FormField
      if (name === changing) record[name] = value
      else if (kind === 'key') record[name] = key
      else record[name] = kind === 'cell' ? rows.cellAt(row, cell) : (rows.columns[i] as readonly unknown[])[row]
    }
    return record
  }
}
