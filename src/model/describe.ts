// A stable text of a graph and its hash. File and line are left out: moving code does not change the graph.
import { hashText } from '../base/hash.ts'
import { asyncText } from './async-spec.ts'
import type { Edge, Graph, Vertex } from './graph.ts'
import { keySelectorText } from './key.ts'
import { mixedWindowText } from './mixed-window-spec.ts'
import type { OperatorSpec } from './operator-spec.ts'
import { partitioningText } from './partitioning.ts'
import { perRecordWindowText } from './per-record-window-spec.ts'
import type { WatermarkStrategy } from './watermark-strategy.ts'
import { windowText } from './window-text.ts'

/** The graph as lines of text: one per vertex, one per edge. Equal graphs give equal texts in every process. */
export function describeGraph(graph: Graph): string {
  return [...graph.vertices.map(vertexLine), ...graph.edges.map(edgeLine)].join('\n')
}

/** The identity of the graph as 8 hexadecimal digits. */
export function graphHash(graph: Graph): string {
  return hashText(describeGraph(graph)).toString(16).padStart(8, '0')
}

/** What an operator does, in words: `map`, `source socket localhost:9999`, `tumbling window 5000 ms of event time`. */
export function operatorText(spec: OperatorSpec): string {
  switch (spec.kind) {
    case 'source':
      if (spec.strategy === undefined) return `source ${spec.source.description}`
      return `source ${spec.source.description}, watermarks per split: ${strategyText(spec.strategy)}`
    case 'sink':
      return `sink ${spec.sink.description}`
    case 'transform':
      return spec.shape
    case 'window':
      return windowText(spec.window)
    case 'mixed-window':
      return mixedWindowText(spec.window)
    case 'per-record-window':
      return perRecordWindowText(spec.window)
    case 'timestamps':
      return `timestamps and watermarks, ${strategyText(spec.strategy)}`
    case 'feedback':
      return 'feedback head'
    case 'async':
      return asyncText(spec.async)
    case 'keyed-process':
    case 'keyed-co-process':
      return spec.description ?? spec.kind
    default:
      return spec.kind
  }
}

function strategyText({ description, emit = 'per-batch', alignment }: WatermarkStrategy<never>): string {
  const when =
    emit === 'per-batch'
      ? ''
      : emit === 'per-record'
        ? ', after each record'
        : `, every ${emit.everyMs} ms of processing time`
  const aligned = alignment === undefined ? '' : `, aligned in "${alignment.group}" within ${alignment.maxDriftMs} ms`
  return `${description}${when}${aligned}`
}

function vertexLine(vertex: Vertex): string {
  const key = vertex.keySelectors.length > 0 ? ` key=${vertex.keySelectors.map(keySelectorText).join('/')}` : ''
  const pinned = vertex.placement === 'any' ? '' : ` placement=${vertex.placement}`
  const chaining = vertex.chaining === 'allowed' ? '' : ' chaining=disabled'
  const { bootstrap } = vertex
  const first = bootstrap === undefined ? '' : ` bootstrap=${bootstrap.input} until=${bootstrap.untilMs ?? 'end'}`
  return `${vertex.id} ${vertex.uid} ${JSON.stringify(vertex.name)} ${operatorText(vertex.operator)}${key} parallelism=${vertex.parallelism}/${vertex.maxParallelism}${pinned}${chaining}${first}`
}

function edgeLine(edge: Edge): string {
  const tag = edge.outputTag === undefined ? '' : ` tag=${edge.outputTag}`
  return `${edge.from} -> ${edge.to}:${edge.input} ${partitioningText(edge.partitioning)}${tag}${edge.isFeedback ? ' feedback' : ''}`
}
