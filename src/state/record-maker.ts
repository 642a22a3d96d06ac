// Record path (bench/micro/keyed-columns.ts). Makes the records of rows that lie in columns: from generated source, so that each is one
// literal, or from closures where code may not be generated. Names go into the source as JSON only.

/** Where the value of a field is: it is the key, in a cell of the row, or in a column. */
export interface MadeField {
  readonly name: string
  readonly kind: 'key' | 'cell' | 'column'
  readonly cell: number
  readonly values: readonly unknown[]
}

type Fields = Readonly<Record<string, unknown>>
type CellOf = (row: number, cell: number) => number

/** Makes the record of a row, given the number of its changing field and its key. */
export type RecordMaker = (value: number, key: unknown, row: number) => Fields

/** A maker for records like the template, of which one field changes. */
export function recordMaker(
  fields: readonly MadeField[],
  template: Fields,
  changing: string,
  cellOf: CellOf,
  mayGenerate = true,
): RecordMaker {
  return (mayGenerate ? generated(fields, changing, cellOf) : undefined) ?? composed(fields, template, changing, cellOf)
}

function generated(fields: readonly MadeField[], changing: string, cellOf: CellOf): RecordMaker | undefined {
  const values = fields.map(({ name, kind, cell }, position) => {
    if (name === changing) return 'value'
    if (kind === 'key') return 'key'
    return kind === 'cell' ? `cellOf(row, ${cell})` : `columns[${position}][row]`
  })
  const literal = fields.map(({ name }, position) => `${JSON.stringify(name)}: ${values[position]}`).join(', ')
  try {
    const make = new Function('cellOf', 'columns', `'use strict'; return (value, key, row) => ({ ${literal} })`)
    const columns = fields.map(field => field.values)
    return make(cellOf, columns) as RecordMaker
  } catch (error) {
    if (error instanceof EvalError) return undefined
    throw error
  }
}

function composed(fields: readonly MadeField[], template: Fields, changing: string, cellOf: CellOf): RecordMaker {
  const others = fields.filter(({ name }) => name !== changing)
  return (value, key, row) => {
    const record: Record<string, unknown> = { ...template }
    record[changing] = value
    for (let i = 0; i < others.length; i++) {
      const { name, kind, cell, values } = others[i] as MadeField
      record[name] = kind === 'key' ? key : kind === 'cell' ? cellOf(row, cell) : values[row]
    }
    return record
  }
}
