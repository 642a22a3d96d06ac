// Record path (bench/micro/keyed-columns.ts). Plain windows of an aggregation that replaces one field of the first record: their contents lie
// in columns, and all of them find their keys by one directory. A window costs no table of its own to fill, and a key no object.

import { ByteWriter } from '../../base/byte-writer.ts'
import type { TimeWindow } from '../../model/functions.ts'
import { keyField } from '../../model/key.ts'
import { type ReplacedField, replacedField } from '../../model/replaced-field.ts'
import type { WindowSpec } from '../../model/window-spec.ts'
import { writeValue } from '../../serde/value-codec.ts'
import { ColumnSets } from '../../state/column-sets.ts'
import { KeyDirectory } from '../../state/key-directory.ts'
import { KeyedColumns, type RowFrame } from '../../state/keyed-columns.ts'
import type { KeyedPart } from '../../state/keyed-part.ts'
import type { KeyedTable } from '../../state/keyed-table.ts'
import { RecordForm } from '../../state/record-form.ts'
import { OwnFinder, type RowFinder, SharedFinder } from '../../state/row-finder.ts'
import type { WindowCell } from '../../window/window-cell.ts'
import type { OperatorContext } from '../operator.ts'

/** A window whose keys may be in columns; those that do not fit are cells. */
export interface ColumnWindow {
  readonly window: TimeWindow
  readonly cells: KeyedTable<WindowCell>
  columns: KeyedColumns | undefined
  readonly deadline: { readonly sequence: number } | undefined
}

/** The field that the windowing replaces, where its windows can be in columns: one pane of each, on time, made of an accumulator. */
export function columnField(spec: WindowSpec, context: OperatorContext): ReplacedField | undefined {
  const { assigner, function: definition, trigger } = spec
  const isPlain =
    assigner.kind === 'tumbling' &&
    trigger.kind === 'on-window-end' &&
    spec.inputs === 1 &&
    spec.evictor === undefined &&
    spec.allowedLatenessMs === 0 &&
    spec.accumulation !== 'retracting' &&
    spec.timestampCombiner === 'end-of-window' &&
    spec.finalPane !== 'always'
  if (!isPlain || definition.kind !== 'aggregate' || definition.project !== undefined) return undefined
  return context.takesRetractions ? undefined : replacedField(definition.aggregate)
}

/** Slots that a window may have memory for, however few keys windows have, and for each key of the window before. */
const SLOTS_MIN = 1024
const SLOTS_PER_KEY = 8

/** The columns of the windows of one subtask. */
export class WindowColumns {
  private readonly replaced: ReplacedField
  private readonly field: string
  private readonly context: OperatorContext
  private readonly part: KeyedPart<WindowCell>
  private readonly sets = new ColumnSets()
  private directory = new KeyDirectory()
  /** Keys of the window that was closed last. */
  private lastCount = 0
  private readonly finders = new WeakMap<KeyedColumns, SharedFinder>()
  private form: RecordForm | undefined

  constructor(replaced: ReplacedField, context: OperatorContext, part: KeyedPart<WindowCell>) {
    this.replaced = replaced
    this.field = replaced.field
    this.context = context
    this.part = part
    part.attach(this.sets)
  }

  /** Takes a record; false where it belongs to a cell. Throws FIELD_NOT_NUMBER. */
  add(window: ColumnWindow, key: unknown, record: unknown): boolean {
    const value = (record as Readonly<Record<string, unknown>> | null | undefined)?.[this.field]
    if (typeof value !== 'number') throw this.replaced.notNumber(record)
    const { columns } = window
    if (columns !== undefined) {
      const row = columns.find(key)
      if (row >= 0) {
        columns.addRecord(row, value)
        return true
      }
    }
    if (window.cells.size > 0 && window.cells.peek(key) !== undefined) return false
    return (columns ?? this.open(window, key, record))?.add(key, record, 1) === true
  }

  /** Lets the row of a key leave as the result of its window; nothing where it has left before. */
  fire({ window, columns }: ColumnWindow, row: number): void {
    if (columns === undefined || !columns.holds(row)) return
    const { record: current, output, isCheckpointed } = this.context
    const { timestamp, isRetraction } = current
    const result = columns.recordAt(row)
    if (isCheckpointed) columns.empty(row)
    current.timestamp = window.end - 1
    current.isRetraction = false
    output(result)
    current.timestamp = timestamp
    current.isRetraction = isRetraction
  }

  /** All rows of the window have left. */
  close({ columns }: ColumnWindow): void {
    if (columns === undefined) return
    this.sets.close(columns)
    this.lastCount = columns.count
    this.finders.get(columns)?.release()
  }

  // A directory that knows many more keys than a window has would cost each window memory for all of them.
  private finder(): RowFinder {
    if (this.directory.slotsMax <= Math.max(SLOTS_MIN, SLOTS_PER_KEY * this.lastCount))
      return new SharedFinder(this.directory)
    if (!this.directory.isUnused) return new OwnFinder()
    this.directory = new KeyDirectory()
    return new SharedFinder(this.directory)
  }

  private open(window: ColumnWindow, key: unknown, record: unknown): KeyedColumns | undefined {
    const { field, replacement } = this.replaced
    if (this.form === undefined) {
      if (!RecordForm.accepts(key, record, field)) return undefined
      this.form = new RecordForm(record, field, keyField(this.context.vertex.keySelectors[0]))
    }
    const finder = this.finder()
    const columns = new KeyedColumns({
      form: this.form,
      replacement,
      finder,
      maxParallelism: this.context.vertex.maxParallelism,
      isTracked: this.context.isCheckpointed,
      targetOf: keyGroup => this.part.targetOf(keyGroup),
      frame: () => frameOf(window),
    })
    if (finder instanceof SharedFinder) this.finders.set(columns, finder)
    this.sets.open(columns)
    window.columns = columns
    return columns
  }
}

// As the cells of such a window are written (discrete-windows.ts, cell-rows.ts).
function frameOf({ window, deadline }: ColumnWindow): RowFrame {
  return {
    identityTail: tagged(window.start, window.end),
    payloadHead: tagged(false, deadline?.sequence),
    // The records held, and those since the last pane: there is no pane before the only one.
    counts: 2,
    payloadTail: tagged(undefined, undefined),
  }
}

function tagged(...values: readonly unknown[]): Uint8Array {
  const out = new ByteWriter(32)
  for (const value of values) writeValue(out, value)
  return out.copy()
}
