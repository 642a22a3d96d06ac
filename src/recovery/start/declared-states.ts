// What the steps of a job can take of a snapshot, read off their operators as data.
import type { OperatorKind, OperatorSpec } from '../../model/operator-spec.ts'
import type { StateDescriptors } from '../../model/state.ts'
import { isMerging, type WindowSpec } from '../../model/window-spec.ts'

/** The state that a function declares, by name, whichever part of a snapshot it is in. */
export function declaredStates(spec: OperatorSpec): StateDescriptors {
  switch (spec.kind) {
    case 'process':
    case 'co-process':
    case 'keyed-process':
    case 'keyed-co-process':
      return declaredBy(spec.function)
    case 'broadcast-process':
    case 'keyed-broadcast-process':
      return { ...declaredBy(spec.function), ...spec.broadcast }
    case 'window':
      return spec.window.function.kind === 'process' ? declaredBy(spec.window.function.function) : {}
    default:
      return {}
  }
}

/** Kinds of operators that keep their state alike: a step may change from one to the other and keep it. */
export function stateFamily(kind: string): string {
  switch (kind as OperatorKind) {
    case 'keyed-process':
    case 'keyed-co-process':
    case 'keyed-broadcast-process':
      return 'a function with keyed state'
    case 'process':
    case 'co-process':
    case 'broadcast-process':
      return 'a function'
    default:
      return kind
  }
}

/** The layouts in which the windows of a step may be written; undefined for steps that leave no choice. */
export function windowLayouts(spec: OperatorSpec): readonly string[] | undefined {
  return spec.kind === 'window' ? layoutsOf(spec.window) : undefined
}

// Whether sliding windows share slices is for their operator to decide: both are possible here.
function layoutsOf(window: WindowSpec): readonly string[] {
  const keepsElements = window.function.kind !== 'aggregate' || window.evictor !== undefined
  if (isMerging(window.assigner)) return [keepsElements ? 'session-elements' : 'sessions']
  return keepsElements ? ['window-elements'] : ['windows', 'slices']
}

/** The fields under which a function declares state. */
interface Declares {
  readonly state?: StateDescriptors
  readonly globalState?: StateDescriptors
  readonly operatorState?: Readonly<Record<string, unknown>>
}

function declaredBy(declares: object): StateDescriptors {
  const { state, globalState, operatorState } = declares as Declares
  return { ...(operatorState as StateDescriptors | undefined), ...globalState, ...state }
}
