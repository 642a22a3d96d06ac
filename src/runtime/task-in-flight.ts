// What barriers overtook on the way into the operators of one task: each stateful one has a log of its own, since a job that starts from the
// snapshot may chain an operator that had channels in front of it.
import { isStateful } from '../model/operator-spec.ts'
import { type CurrentRecord, type Emit, NO_TIMESTAMP } from '../operators/operator.ts'
import type { ChainNode } from './chain-instance.ts'
import { InFlightLog, type InFlightRow } from './in-flight-log.ts'
import type { InputChannel } from './input-channel.ts'
import { mayOvertake, type OvertakableTask, Overtaking } from './overtaking.ts'
import { groupsOf } from './restore-groups.ts'

/** The logs of one task. */
export class TaskInFlight {
  /** By the id of the vertex. */
  readonly logs: ReadonlyMap<number, InFlightLog>
  /** Undefined where barriers stay in line in front of the task. */
  readonly overtaking: Overtaking | undefined
  /** What has no channel of its own any more, and goes into the first operator. */
  private readonly unplaced: InFlightRow[] = []
  private readonly subtaskIndex: number
  private readonly parallelism: number

  constructor(init: OvertakableTask & { readonly subtaskIndex: number; readonly alignmentTimeoutMs?: number }) {
    const { graph, chain, subtaskIndex, snapshots, alignmentTimeoutMs = Infinity } = init
    this.subtaskIndex = subtaskIndex
    this.parallelism = chain.parallelism
    const logs = new Map<number, InFlightLog>()
    for (const id of snapshots === undefined ? [] : chain.vertices) {
      const operator = graph.vertices[id]?.operator
      if (operator === undefined || !isStateful(operator)) continue
      if (operator.kind === 'source' || operator.kind === 'feedback') continue
      logs.set(id, new InFlightLog({ subtaskIndex, parallelism: chain.parallelism }))
    }
    this.logs = logs
    const log = logs.get(chain.vertices[0] as number)
    this.overtaking = log === undefined || !mayOvertake(init) ? undefined : new Overtaking(log, alignmentTimeoutMs)
  }

  /** True when anything of a snapshot waits to come in again. */
  get hasRestored(): boolean {
    return [...this.logs.values()].some(log => log.hasRestored)
  }

  /** Puts what was on its way into the task back into its channels. */
  replay(root: ChainNode, channels: readonly InputChannel[]): void {
    this.replayLog(root, row => {
      const target = row.channel === undefined ? undefined : channels[row.channel]
      // Where the channels are others, what follows a record may come over another one: it goes in before all of them.
      if (target?.input !== row.input) this.unplaced.push(row)
      else if (row.watermark === undefined) target.channel.append(row.value, row.timestamp, row.key, row.isRetraction)
      else target.channel.control({ kind: 'watermark', watermark: row.watermark })
    })
  }

  /** Hands what was on its way into operators that have no channels any more to them. */
  replayChained(nodes: readonly ChainNode[], record: CurrentRecord): void {
    const take = (node: ChainNode, row: InFlightRow): void => {
      if (row.watermark !== undefined) return
      record.timestamp = row.timestamp
      record.key = row.key
      record.isRetraction = row.isRetraction
      ;(node.operator.inputs[row.input] as Emit)(row.value)
    }
    for (const row of this.unplaced.splice(0)) take(nodes[0] as ChainNode, row)
    for (const node of nodes) {
      if (this.logs.get(node.vertex.id)?.hasRestored === true) this.replayLog(node, row => take(node, row))
    }
    record.timestamp = NO_TIMESTAMP
    record.isRetraction = false
  }

  private replayLog({ vertex }: ChainNode, visit: (row: InFlightRow) => void): void {
    const groups = groupsOf(this.subtaskIndex, this.parallelism, vertex.maxParallelism)
    this.logs.get(vertex.id)?.replay(groups, vertex.maxParallelism, visit)
  }
}
