// A stable text of a graph and its hash. File and line are left out: moving code does not change the graph.
import { hashText } from '../base/hash.ts'
import type { Edge, Graph, Vertex } from './graph.ts'
import { keySelectorText } from './key.ts'
import type { OperatorSpec } from './operator-spec.ts'
import { partitioningText } from './partitioning.ts'
import type { WindowSpec } from './window-spec.ts'

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
      return `source ${spec.source.description}`
    case 'sink':
      return `sink ${spec.sink.description}`
    case 'transform':
      return spec.shape
    case 'window':
      return windowText(spec.window)
    case 'timestamps':
      return `timestamps and watermarks, ${spec.strategy.description}`
    case 'feedback':
      return 'feedback head'
    case 'keyed-process':
    case 'keyed-co-process':
      return spec.description ?? spec.kind
    default:
      return spec.kind
  }
}

/** A windowing in words. */
export function windowText(window: WindowSpec): string {
  const { assigner, trigger, evictor } = window
  const time = window.timeDomain === 'event-time' ? 'event time' : 'processing time'
  const late = window.allowedLatenessMs > 0 ? `, allowed lateness ${window.allowedLatenessMs} ms` : ''
  const offset = assigner.kind !== 'global' && assigner.offsetMs !== 0 ? `, offset ${assigner.offsetMs} ms` : ''
  switch (assigner.kind) {
    case 'tumbling':
      return `tumbling window ${assigner.sizeMs} ms of ${time}${offset}${late}`
    case 'sliding':
      return `sliding window ${assigner.sizeMs} ms every ${assigner.slideMs} ms of ${time}${offset}${late}`
    case 'global': {
      const count = trigger.kind === 'count' ? trigger.count : 'end'
      return evictor === undefined ? `count window ${count}` : `count window ${evictor.count} every ${count}`
    }
  }
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
