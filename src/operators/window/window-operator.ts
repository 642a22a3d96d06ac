// The operator of a windowing: chooses how its windows are kept, and drives them by their time.
import type { WindowSpec } from '../../model/window-spec.ts'
import { isMerging } from '../../model/window-spec.ts'
import { alignedWindows } from '../../window/assigner.ts'
import type { Operator, OperatorContext } from '../operator.ts'
import { closeFunction, openFunction } from '../process.ts'
import { DiscreteWindows } from './discrete-windows.ts'
import { MergingCells } from './merging-cells.ts'
import { canShareSlices, SlicedWindows } from './sliced-windows.ts'
import { WindowTime } from './window-time.ts'

/** The operator of a windowing. */
export function windowOperator(spec: WindowSpec, context: OperatorContext): Operator {
  const aligned = alignedWindows(spec.assigner)
  if (aligned !== undefined && canShareSlices(spec)) {
    return drivenOperator(spec, context, new SlicedWindows(spec, aligned, context))
  }
  if (isMerging(spec.assigner)) return cellOperator(spec, context, new MergingCells(spec, context))
  return cellOperator(spec, context, new DiscreteWindows(spec, context))
}

function cellOperator(spec: WindowSpec, context: OperatorContext, windows: DiscreteWindows | MergingCells): Operator {
  const operator = drivenOperator(spec, context, windows)
  const { core } = windows
  return {
    ...operator,
    onWatermark: watermark => {
      core.output.context.watermark = watermark
      return operator.onWatermark?.(watermark) ?? true
    },
    ...(core.holdsWatermark ? { outputWatermark: (watermark: number) => core.outputWatermark(watermark) } : {}),
  }
}

function drivenOperator(
  spec: WindowSpec,
  context: OperatorContext,
  windows: DiscreteWindows | MergingCells | SlicedWindows,
): Operator {
  const time = new WindowTime(spec.timeDomain, context, windows)
  const user = spec.function.kind === 'process' ? spec.function.function : {}
  return {
    inputs: Array.from({ length: spec.inputs }, (_, input) => time.input(input)),
    parts: windows.parts,
    open: () => openFunction(user, context),
    onWatermark: watermark => time.onWatermark(watermark),
    nextTimerMs: () => time.nextTimerMs(),
    onProcessingTime: nowMs => time.onProcessingTime(nowMs),
    close: () => closeFunction(user, context),
    pending: () => ({
      kind: 'windows',
      ...windows.pendingPanes(),
      timeDomain: spec.timeDomain,
      nextProcessingTimeMs: windows.nextProcessingTimeMs(),
    }),
  }
}
