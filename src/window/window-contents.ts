// Record path. What a window holds per key and what it gives when it fires: an accumulator, or the elements themselves.
import { StreamError } from '../base/errors.ts'
import type { AggregateFunction, Collector } from '../model/functions.ts'
import type { Key } from '../model/key.ts'
import type { EvictorContext, WindowContext, WindowProcessContext } from '../model/window-functions.ts'
import type { WindowFunctionSpec, WindowSpec } from '../model/window-spec.ts'
import { ElementBuffer, type StoredElements } from './element-buffer.ts'
import { type Evict, evictors } from './evictors.ts'
import type { WindowCell } from './window-cell.ts'

/** The context of what a cell emits; the operator fills it for each pane. */
export interface PaneContext extends WindowProcessContext<unknown, unknown>, EvictorContext {
  /** Sets what the function sees as new and as taken out. */
  setChanges(added: readonly unknown[], expired: readonly unknown[]): void
}

/** The behaviour of a windowing's function. All change the cell they are given. */
export interface WindowContents {
  add(cell: WindowCell, record: unknown, timestampMs: number, input: number): void
  /** Takes back a record that was added; absent where that is not possible (validation then keeps retractions out). */
  retract?(cell: WindowCell, record: unknown): void
  /** Adds what the second holds to the first, which holds the earlier records. */
  merge(target: WindowCell, source: WindowCell): void
  emit(cell: WindowCell, context: PaneContext, out: Collector<unknown>): void
  /** False when there is no result for no records. */
  readonly hasEmptyResult: boolean
  /** What cells hold, for snapshots: a snapshot of the one is not that of the other. */
  readonly kind: 'accumulator' | 'elements'
  /** The content of a cell as plain data, to be written at once; and the content that such data was made of. */
  stored(content: unknown): unknown
  restored(stored: unknown): unknown
}

/** The accumulator that a user's `add` returned. Throws USER_FUNCTION_RESULT when it forgot to return one. */
export function checkAccumulator(accumulator: unknown, method = 'add'): unknown {
  if (accumulator !== undefined) return accumulator
  throw new StreamError(
    'USER_FUNCTION_RESULT',
    `${method}() of the aggregate returned undefined; let it return the accumulator`,
  )
}

/** The contents for a windowing: incremental where the function allows it, all elements where an evictor or the function needs them. */
export function windowContents(spec: WindowSpec): WindowContents {
  const { function: definition, evictor } = spec
  if (definition.kind === 'aggregate' && evictor === undefined) return new Incremental(definition)
  return new Buffered(definition, evictor === undefined ? undefined : evictors(evictor), spec.inputs)
}

type AggregateSpec = Extract<WindowFunctionSpec, { readonly kind: 'aggregate' }>
type AnyAggregate = AggregateFunction<unknown, unknown, unknown>
type Project = ((result: unknown, context: WindowContext<unknown>) => unknown) | undefined

class Incremental implements WindowContents {
  readonly kind = 'accumulator'
  readonly hasEmptyResult: boolean
  readonly retract?: (cell: WindowCell, record: unknown) => void
  private readonly aggregate: AnyAggregate
  private readonly project: Project

  constructor(definition: AggregateSpec) {
    const aggregate: AnyAggregate = definition.aggregate
    this.aggregate = aggregate
    this.project = definition.project as Project
    this.hasEmptyResult = aggregate.needsRecords !== true
    const retract = aggregate.retract?.bind(aggregate)
    if (retract !== undefined) {
      this.retract = (cell, record) => {
        const before = cell.content ?? aggregate.create()
        cell.content = checkAccumulator(retract(before, record), 'retract')
      }
    }
  }

  add(cell: WindowCell, record: unknown): void {
    const before = cell.content
    const accumulator = this.aggregate.add(before === undefined ? this.aggregate.create() : before, record)
    if (accumulator !== before || accumulator === undefined) cell.content = checkAccumulator(accumulator)
  }

  merge(target: WindowCell, source: WindowCell): void {
    if (source.content === undefined) return
    target.content =
      target.content === undefined
        ? source.content
        : checkAccumulator(this.aggregate.merge(target.content, source.content), 'merge')
  }

  emit(cell: WindowCell, context: PaneContext, out: Collector<unknown>): void {
    const { content } = cell
    const result = this.aggregate.result(content === undefined ? this.aggregate.create() : content)
    out.collect(this.project === undefined ? result : this.project(result, context))
  }

  stored(content: unknown): unknown {
    return content
  }

  restored(stored: unknown): unknown {
    return stored
  }
}

class Buffered implements WindowContents {
  readonly kind = 'elements'
  readonly hasEmptyResult: boolean
  private readonly definition: WindowFunctionSpec
  private readonly evict: Evict | undefined
  private readonly inputs: number

  constructor(definition: WindowFunctionSpec, evict: Evict | undefined, inputs: number) {
    this.inputs = inputs
    this.definition = definition
    this.evict = evict
    this.hasEmptyResult = definition.kind !== 'aggregate' || definition.aggregate.needsRecords !== true
  }

  add(cell: WindowCell, record: unknown, timestampMs: number, input: number): void {
    let buffer = cell.content as ElementBuffer | undefined
    if (buffer === undefined) {
      buffer = new ElementBuffer()
      cell.content = buffer
    }
    buffer.add(record, timestampMs, input)
  }

  merge(target: WindowCell, source: WindowCell): void {
    const added = source.content as ElementBuffer | undefined
    if (added === undefined) return
    const buffer = target.content as ElementBuffer | undefined
    if (buffer === undefined) target.content = added
    else buffer.append(added)
  }

  emit(cell: WindowCell, context: PaneContext, out: Collector<unknown>): void {
    const buffer = (cell.content as ElementBuffer | undefined) ?? new ElementBuffer()
    const { evict } = this
    if (evict !== undefined) buffer.keep(evict.before, context)
    context.setChanges(buffer.added(), buffer.takeExpired())
    this.compute(buffer, context, out)
    buffer.markFired()
    if (evict !== undefined) buffer.keep(evict.after, context)
    cell.held = buffer.length
  }

  stored(content: unknown): unknown {
    return (content as ElementBuffer | undefined)?.stored()
  }

  restored(stored: unknown): unknown {
    return stored === undefined ? undefined : ElementBuffer.restored(stored as StoredElements)
  }

  private compute(buffer: ElementBuffer, context: PaneContext, out: Collector<unknown>): void {
    const { definition } = this
    switch (definition.kind) {
      case 'process':
        // Copies: the function may keep what it is given, while the window goes on collecting.
        definition.function.onWindow(buffer.copy() as never[], context as never, out)
        return
      case 'co-group':
        definition.coGroup(buffer.byInput(this.inputs) as never, context as WindowContext<Key>, out)
        return
      case 'aggregate': {
        const aggregate: AnyAggregate = definition.aggregate
        if (buffer.length === 0 && aggregate.needsRecords === true) return
        let accumulator: unknown = aggregate.create()
        for (const element of buffer.values) accumulator = checkAccumulator(aggregate.add(accumulator, element))
        const result = aggregate.result(accumulator)
        const project = definition.project as Project
        out.collect(project === undefined ? result : project(result, context))
      }
    }
  }
}
