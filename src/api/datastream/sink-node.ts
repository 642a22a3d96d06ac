// The end of a stream: the settings of a sink's step.
import type { VertexDraft } from '../../model/graph-builder.ts'
import { disableChaining, setMaxParallelism, setName, setParallelism, setUid } from './step-settings.ts'
import type { DataStreamSink } from './streams.ts'

/** The settings of the given step, to be chained. */
export class DataStreamSinkNode implements DataStreamSink {
  private readonly vertex: VertexDraft

  constructor(vertex: VertexDraft) {
    this.vertex = vertex
  }

  name(name: string): this {
    setName(this.vertex, name)
    return this
  }

  uid(uid: string): this {
    setUid(this.vertex, uid)
    return this
  }

  setParallelism(parallelism: number): this {
    setParallelism(this.vertex, parallelism)
    return this
  }

  setMaxParallelism(maxParallelism: number): this {
    setMaxParallelism(this.vertex, maxParallelism)
    return this
  }

  disableChaining(): this {
    disableChaining(this.vertex)
    return this
  }
}
