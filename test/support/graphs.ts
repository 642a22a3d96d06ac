// Small graphs for the tests of model and plan: operators that only say what they are, and a shorter way to connect them. Nothing runs.
import type { SinkSpec, SourceSpec } from '../../src/model/connector.ts'
import type { AggregateFunction, TimeDomain } from '../../src/model/functions.ts'
import type { Graph } from '../../src/model/graph.ts'
import { GraphBuilder, type GraphDefaults, type VertexDraft, type VertexInit } from '../../src/model/graph-builder.ts'
import type { KeySelector } from '../../src/model/key.ts'
import type { OperatorSpec, TransformShape } from '../../src/model/operator-spec.ts'
import type { Partitioning } from '../../src/model/partitioning.ts'
import type { WindowSpec } from '../../src/model/window-spec.ts'

const COUNT: AggregateFunction<unknown, number, number> = {
  create: () => 0,
  add: count => count + 1,
  merge: (a, b) => a + b,
  result: count => count,
}

/** Operators of every kind. */
export const operators = {
  source: (spec: Partial<SourceSpec> = {}): OperatorSpec => ({
    kind: 'source',
    source: {
      connector: 'collection',
      options: {},
      description: 'collection of 3 records',
      placement: 'any',
      isBounded: true,
      hasTimestamps: false,
      ...spec,
    },
  }),
  sink: (spec: Partial<SinkSpec> = {}): OperatorSpec => ({
    kind: 'sink',
    sink: { connector: 'print', options: {}, description: 'print', placement: 'any', ...spec },
  }),
  transform: (shape: TransformShape = 'map'): OperatorSpec => ({
    kind: 'transform',
    shape,
    function: record => record,
  }),
  process: (): OperatorSpec => ({ kind: 'process', function: { onRecord: () => {} } }),
  keyedProcess: (): OperatorSpec => ({ kind: 'keyed-process', function: { onRecord: () => {} } }),
  keyedTimers: (): OperatorSpec => ({ kind: 'keyed-process', function: { onRecord: () => {}, onTimer: () => {} } }),
  coProcess: (): OperatorSpec => ({ kind: 'co-process', function: { onFirst: () => {}, onSecond: () => {} } }),
  keyedCoProcess: (): OperatorSpec => ({
    kind: 'keyed-co-process',
    function: { onFirst: () => {}, onSecond: () => {} },
  }),
  keyedCoTimers: (): OperatorSpec => ({
    kind: 'keyed-co-process',
    function: { onFirst: () => {}, onSecond: () => {}, onTimer: () => {} },
  }),
  rolling: (): OperatorSpec => ({ kind: 'rolling', aggregate: COUNT }),
  timestamps: (): OperatorSpec => ({
    kind: 'timestamps',
    strategy: {
      description: 'monotonous timestamps',
      generator: () => ({ onRecord: () => {}, current: () => -Infinity }),
    },
  }),
  feedback: (): OperatorSpec => ({ kind: 'feedback', queuedRecordsMax: 1000 }),
  tumbling: (sizeMs: number, timeDomain: TimeDomain = 'event-time'): OperatorSpec => ({
    kind: 'window',
    window: windowSpec({ timeDomain, assigner: { kind: 'tumbling', sizeMs, offsetMs: 0 } }),
  }),
  window: (spec: Partial<WindowSpec>): OperatorSpec => ({ kind: 'window', window: windowSpec(spec) }),
} as const

/** A windowing that counts; tumbling by the second unless said otherwise. */
export function windowSpec(spec: Partial<WindowSpec> = {}): WindowSpec {
  return {
    timeDomain: 'event-time',
    assigner: { kind: 'tumbling', sizeMs: 1000, offsetMs: 0 },
    trigger: { kind: 'on-window-end' },
    allowedLatenessMs: 0,
    function: { kind: 'aggregate', aggregate: COUNT },
    ...spec,
  }
}

/** What a step reads: the main output of another, or an edge with its particulars. */
export type From =
  | VertexDraft
  | {
      readonly step: VertexDraft
      readonly input?: number
      readonly partitioning?: Partitioning
      readonly outputTag?: string
    }

/** What may be said of a step beside its name and operator. */
export interface StepOptions
  extends Pick<VertexInit, 'parallelism' | 'placement' | 'location' | 'keySelectors'>,
    Pick<Partial<VertexDraft>, 'uid' | 'maxParallelism' | 'chaining'> {
  /** The key of every input: its edges go by hash, unless they say otherwise. */
  readonly key?: KeySelector
  readonly from?: readonly From[]
}

/** A graph being drawn. */
export class GraphSketch {
  readonly builder = new GraphBuilder()

  step(name: string, operator: OperatorSpec, options: StepOptions = {}): VertexDraft {
    const { key, from = [], uid, maxParallelism, chaining, keySelectors, ...init } = options
    const draft = this.builder.addVertex({
      name,
      operator,
      keySelectors: keySelectors ?? (key === undefined ? [] : [key, key]),
      ...init,
    })
    if (uid !== undefined) draft.uid = uid
    if (maxParallelism !== undefined) draft.maxParallelism = maxParallelism
    if (chaining !== undefined) draft.chaining = chaining
    for (const edge of from) {
      const { step, ...rest } = 'step' in edge ? edge : { step: edge }
      const byKey = key === undefined ? undefined : ({ kind: 'hash', key } as const)
      this.builder.addEdge({ from: step.id, to: draft.id, partitioning: byKey, ...rest })
    }
    return draft
  }

  /** Closes a loop: from the last step of an iteration to its head. */
  feedback(from: VertexDraft, head: VertexDraft): void {
    this.builder.addEdge({ from: from.id, to: head.id, isFeedback: true })
  }

  build(defaults: Partial<GraphDefaults> = {}): Graph {
    return this.builder.build('job', { parallelism: 1, ...defaults })
  }
}

/** A graph as a function draws it. */
export function graphOf(draw: (sketch: GraphSketch) => void, defaults: Partial<GraphDefaults> = {}): Graph {
  const sketch = new GraphSketch()
  draw(sketch)
  return sketch.build(defaults)
}
