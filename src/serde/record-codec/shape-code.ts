// Record path (bench/micro/record-codec.ts). What takes records of one shape apart into columns and puts them together again: from
// generated source where code may be generated, else from closures. Names go into the source as JSON only.

/** Objects of the same fields in the same order, or arrays of the same length. */
export interface ShapeOutline {
  readonly isTuple: boolean
  /** The fields of an object; of an array its indexes. */
  readonly names: readonly string[]
}

/** The two directions of a shape. */
export interface ShapeCode {
  /**
   * Appends the fields of the first `count` values to the columns, a row for each value of the shape, from row 0; the indexes of the other
   * values go to `others`. Returns the number of rows.
   */
  readonly takeApart: (
    values: readonly unknown[],
    count: number,
    columns: readonly unknown[][],
    others: number[],
  ) => number
  /** Fills `target` from index 0 with one new record for each of `count` rows. */
  readonly putTogether: (columns: readonly (readonly unknown[])[], count: number, target: unknown[]) => void
}

type Fields = Record<string | number, unknown>

/** True for a plain object of exactly these fields in this order. What an object inherits counts too: it then has another shape. */
function isObjectOf(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false
  let seen = 0
  for (const name in value) {
    if (seen === names.length || name !== names[seen]) return false
    seen++
  }
  return seen === names.length
}

function isTupleOf(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length === length && Object.getPrototypeOf(value) === Array.prototype
}

/** The code as closures over the outline. */
export function closureCode({ isTuple, names }: ShapeOutline): ShapeCode {
  const width = names.length
  const has = isTuple ? (value: unknown) => isTupleOf(value, width) : (value: unknown) => isObjectOf(value, names)
  const steps: readonly (string | number)[] = isTuple ? names.map(Number) : names
  return {
    takeApart(values, count, columns, others) {
      let row = 0
      for (let i = 0; i < count; i++) {
        const value = values[i]
        if (!has(value)) {
          others.push(i)
          continue
        }
        for (let field = 0; field < width; field++) {
          ;(columns[field] as unknown[])[row] = (value as Fields)[steps[field] as string]
        }
        row++
      }
      return row
    },
    putTogether(columns, count, target) {
      for (let i = 0; i < count; i++) {
        const record: Fields = (isTuple ? [] : {}) as Fields
        for (let field = 0; field < width; field++) {
          record[steps[field] as string] = (columns[field] as readonly unknown[])[i]
        }
        target[i] = record
      }
    },
  }
}

// The check is written out: a call for each record would see the records of all shapes, and be slow for each.
function takeApartSource({ isTuple, names }: ShapeOutline): string {
  const columns = names.map((_, field) => `const c${field} = columns[${field}];`).join(' ')
  const stores = names
    .map((name, field) => `c${field}[row] = value[${isTuple ? field : JSON.stringify(name)}];`)
    .join(' ')
  const check = isTuple
    ? `if (!isArray(value) || value.length !== ${names.length} || prototypeOf(value) !== arrayPrototype) { others.push(i); continue; }`
    : `if (typeof value !== 'object' || value === null || prototypeOf(value) !== objectPrototype) { others.push(i); continue; }
    let seen = 0;
    for (const name in value) {
      if (seen === ${names.length} || name !== names[seen]) { seen = -1; break; }
      seen++;
    }
    if (seen !== ${names.length}) { others.push(i); continue; }`
  return `(values, count, columns, others) => {
  ${columns}
  let row = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i];
    ${check}
    ${stores}
    row++;
  }
  return row;
}`
}

function putTogetherSource({ isTuple, names }: ShapeOutline): string {
  const columns = names.map((_, field) => `const c${field} = columns[${field}];`).join(' ')
  const record = isTuple
    ? `[${names.map((_, field) => `c${field}[i]`).join(', ')}]`
    : `{ ${names.map((name, field) => `${JSON.stringify(name)}: c${field}[i]`).join(', ')} }`
  return `(columns, count, target) => {
  ${columns}
  for (let i = 0; i < count; i++) target[i] = ${record};
}`
}

/** The code from generated source: a literal for each record, so that all have one hidden class. Undefined where generating is forbidden. */
export function generatedCode(outline: ShapeOutline): ShapeCode | undefined {
  const source = `'use strict'; return { takeApart: ${takeApartSource(outline)}, putTogether: ${putTogetherSource(outline)} };`
  const parameters = ['names', 'isArray', 'prototypeOf', 'objectPrototype', 'arrayPrototype']
  try {
    const make = new Function(...parameters, source)
    return make(outline.names, Array.isArray, Object.getPrototypeOf, Object.prototype, Array.prototype) as ShapeCode
  } catch (error) {
    if (error instanceof EvalError) return undefined
    throw error
  }
}
