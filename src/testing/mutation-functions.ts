// Puts a watch around the functions of an operator that have declared state, and around the handles that they get for it. An object of state may
// be changed in place only during a call in which the state handed it out or took it, and never where the state is declared immutable.
import type { Graph } from '../model/graph.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import type { StateDescriptor, StateDescriptors } from '../model/state.ts'
import { type Watcher, watchedHandle } from './mutation-handles.ts'
import type { MutationLedger, MutationNotes, WatchedAs } from './mutation-ledger.ts'

/** The operator with a watch around its functions; others than those with declared state stay as they are. */
export function checkedOperator(operator: OperatorSpec, step: string, ledger: MutationLedger): OperatorSpec {
  const watch = new StateWatch(step, ledger)
  switch (operator.kind) {
    case 'keyed-process':
    case 'keyed-co-process':
      return { ...operator, function: watch.function(operator.function as never) } as OperatorSpec
    case 'broadcast-process':
    case 'keyed-broadcast-process':
      return { ...operator, function: watch.function(operator.function as never, operator.broadcast) } as OperatorSpec
    case 'window': {
      const { window } = operator
      if (window.function.kind !== 'process') return operator
      const user = watch.function(window.function.function as never)
      return { ...operator, window: { ...window, function: { ...window.function, function: user as never } } }
    }
    default:
      return operator
  }
}

/** The graph with a watch around the functions of all its steps. */
export function checkedGraph(graph: Graph, ledger: MutationLedger): Graph {
  const vertices = graph.vertices.map(vertex => ({
    ...vertex,
    operator: checkedOperator(vertex.operator, vertex.name, ledger),
  }))
  return { ...graph, vertices }
}

/** What any function with declared state may have. */
type AnyFunction = { readonly [Name in (typeof CALLBACKS)[number]]?: (...args: unknown[]) => unknown } & {
  readonly state?: StateDescriptors
  readonly globalState?: StateDescriptors
}

/** The context is the second argument of each but the first two. */
const CALLBACKS = ['open', 'close', 'onRecord', 'onFirst', 'onSecond', 'onBroadcast', 'onTimer', 'onWindow'] as const

/** The declared state of a context, by the field that has the handles. */
type Declared = Readonly<Record<'state' | 'globalState' | 'broadcast', StateDescriptors>>

interface AnyContext {
  readonly state?: Readonly<Record<string, unknown>>
  applyToKeyedState?(name: string, fn: (key: unknown, handle: unknown) => unknown): void
}

/** What the functions of one step do with the objects of their state. */
export class StateWatch {
  private readonly step: string
  private readonly notes: MutationNotes
  /** Objects that may be changed until the call ends. */
  private readonly inHand = new Map<object, WatchedAs>()

  constructor(step: string, ledger: MutationLedger) {
    this.step = step
    this.notes = ledger.state
  }

  /** The function, watched. */
  function(user: AnyFunction, broadcast: StateDescriptors = {}): AnyFunction {
    const declared: Declared = { state: user.state ?? {}, globalState: user.globalState ?? {}, broadcast }
    const contexts = new WeakMap<object, object>()
    const watched = (ctx: unknown): unknown => {
      if (typeof ctx !== 'object' || ctx === null) return ctx
      const known = contexts.get(ctx) ?? this.context(ctx, declared)
      contexts.set(ctx, known)
      return known
    }
    const calls = CALLBACKS.flatMap(name => {
      const callback = user[name]
      if (typeof callback !== 'function') return []
      const value = (...args: unknown[]) => this.call(() => callback.apply(user, withSecond(args, watched)))
      return [[name, { value }] as const]
    })
    // What it says of itself stays what it says; its own methods and fields are those of the original.
    return Object.create(user, Object.fromEntries(calls)) as AnyFunction
  }

  /** What is told of the objects of one state. */
  private watcher(as: WatchedAs, isImmutable: boolean): Watcher {
    const handOver = (value: unknown): void => {
      if (typeof value !== 'object' || value === null || this.inHand.has(value)) return
      if (isImmutable) this.notes.note(value, as)
      else {
        this.notes.forget(value)
        this.inHand.set(value, as)
      }
    }
    const checkKept = (value: unknown): void => {
      if (!this.inHand.has(value as object)) this.notes.check(value, isImmutable ? 'later' : 'outside its turn')
    }
    return {
      out(value) {
        checkKept(value)
        handOver(value)
        return value
      },
      in(value) {
        if (isImmutable) checkKept(value)
        handOver(value)
        return value
      },
      gone: value => {
        checkKept(value)
        this.notes.forget(value)
        this.inHand.delete(value as object)
      },
    }
  }

  private context(ctx: AnyContext, declared: Declared): object {
    const fields = (Object.keys(declared) as (keyof Declared)[]).flatMap(field => {
      const handles = (ctx as Readonly<Record<string, Readonly<Record<string, unknown>>>>)[field]
      return handles === undefined ? [] : [[field, { value: this.handles(handles, declared[field]) }] as const]
    })
    const watched = Object.create(ctx, Object.fromEntries(fields)) as AnyContext
    if (ctx.applyToKeyedState === undefined) return watched
    const applyToKeyedState: AnyContext['applyToKeyedState'] = (name, fn) => {
      ctx.applyToKeyedState?.(name, (key, handle) => fn(key, this.handles({ [name]: handle }, declared.state)[name]))
    }
    return Object.defineProperty(watched, 'applyToKeyedState', { value: applyToKeyedState })
  }

  private handles(
    handles: Readonly<Record<string, unknown>>,
    descriptors: StateDescriptors,
  ): Readonly<Record<string, unknown>> {
    const watched = Object.entries(descriptors).flatMap(([name, descriptor]) =>
      handles[name] === undefined
        ? []
        : [
            [
              name,
              watchedHandle(
                handles[name],
                descriptor,
                this.watcher(this.as(name, descriptor), descriptor.isImmutable === true),
              ),
            ],
          ],
    )
    return Object.fromEntries(watched) as Readonly<Record<string, unknown>>
  }

  private as(name: string, { isImmutable }: StateDescriptor): WatchedAs {
    return {
      code: 'STATE_MUTATED',
      what: `step "${this.step}", state "${name}": an object`,
      mend:
        isImmutable === true
          ? 'the state is declared with isImmutable, so set a changed copy instead, or declare it without'
          : 'snapshots may miss such a change, so take the object from the state anew in each call that changes it, and give the state a copy of what is kept elsewhere',
    }
  }

  private call(run: () => unknown): unknown {
    try {
      return run()
    } finally {
      for (const [value, as] of this.inHand) this.notes.note(value, as)
      this.inHand.clear()
    }
  }
}

function withSecond(args: readonly unknown[], change: (arg: unknown) => unknown): unknown[] {
  return args.map((arg, index) => (index === 1 ? change(arg) : arg))
}
