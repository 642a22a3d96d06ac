// From a trigger as data to its nodes, with what the operator needs to know of it in advance.
import { unreachable } from '../../base/assert.ts'
import type { TriggerSpec } from '../../model/trigger-spec.ts'
import {
  AfterAllNode,
  AfterEachNode,
  AfterFirstNode,
  AfterWatermarkNode,
  OrFinallyNode,
  PurgingNode,
  RepeatedlyNode,
} from './composite-triggers.ts'
import { CustomNode } from './custom-trigger.ts'
import { ContinuousNode, CountNode, DeltaNode, NeverNode, ProcessingDelayNode, WindowEndNode } from './leaf-triggers.ts'
import type { TriggerNode } from './trigger-node.ts'

/** A trigger made ready to run. */
export interface CompiledTrigger {
  readonly root: TriggerNode
  /** The number of slots; 0 when the trigger has no state. */
  readonly slots: number
  /** True when it may fire a pane at the end of the window, even an empty one. */
  readonly hasOnTimePane: boolean
}

/** Makes the nodes of a trigger. Equal specs give equal nodes, so states move between processes. */
export function compileTrigger(spec: TriggerSpec): CompiledTrigger {
  let next = 0
  const compile = (trigger: TriggerSpec): TriggerNode => {
    const index = next++
    return makeNode(trigger, index, compile, () => next++)
  }
  const root = compile(spec)
  const isStateless = spec.kind === 'on-window-end' || spec.kind === 'never'
  return { root, slots: isStateless ? 0 : next, hasOnTimePane: hasOnTimePane(spec) }
}

function makeNode(
  spec: TriggerSpec,
  index: number,
  compile: (trigger: TriggerSpec) => TriggerNode,
  nextIndex: () => number,
): TriggerNode {
  const repeated = (trigger: TriggerSpec | undefined): RepeatedlyNode | undefined =>
    trigger === undefined ? undefined : new RepeatedlyNode(nextIndex(), compile(trigger))
  switch (spec.kind) {
    case 'on-window-end':
      return new WindowEndNode(index)
    case 'never':
      return new NeverNode(index)
    case 'after-count':
      return new CountNode(index, spec.count)
    case 'after-processing-time':
      return new ProcessingDelayNode(index, spec.delayMs, spec.alignMs)
    case 'continuous-event-time':
    case 'continuous-processing-time':
      return new ContinuousNode(index, spec.intervalMs, spec.kind === 'continuous-processing-time')
    case 'delta':
      return new DeltaNode(index, spec.threshold, spec.delta as (from: unknown, to: unknown) => number)
    case 'repeatedly':
      return new RepeatedlyNode(index, compile(spec.trigger))
    case 'purging':
      return new PurgingNode(index, compile(spec.trigger))
    case 'after-watermark':
      return new AfterWatermarkNode(index, repeated(spec.early), repeated(spec.late))
    case 'after-each':
      return new AfterEachNode(index, spec.triggers.map(compile))
    case 'after-all':
      return new AfterAllNode(index, spec.triggers.map(compile))
    case 'after-first':
      return new AfterFirstNode(index, spec.triggers.map(compile))
    case 'or-finally':
      return new OrFinallyNode(index, compile(spec.trigger), compile(spec.until))
    case 'custom':
      return new CustomNode(index, spec.trigger as never)
    default:
      return unreachable(spec, 'compileTrigger')
  }
}

function hasOnTimePane(spec: TriggerSpec): boolean {
  switch (spec.kind) {
    case 'on-window-end':
    case 'after-watermark':
    case 'continuous-event-time':
    case 'continuous-processing-time':
    case 'custom':
      return true
    case 'repeatedly':
    case 'purging':
      return hasOnTimePane(spec.trigger)
    case 'after-each':
    case 'after-all':
    case 'after-first':
      return spec.triggers.some(hasOnTimePane)
    case 'or-finally':
      return hasOnTimePane(spec.trigger) || hasOnTimePane(spec.until)
    default:
      return false
  }
}
