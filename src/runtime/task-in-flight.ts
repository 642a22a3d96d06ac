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
  private readonly unplaced: { readonly node: ChainNode; readonly row: InFlightRow }[] = []
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
      if (target?.input !== row.input) this.unplaced.push({ node: root, row })
      else if (row.watermark === undefined) target.channel.append(row.value, row.timestamp, row.key, row.isRetraction)
      else target.channel.control({ kind: 'watermark', watermark: row.watermark })
    })
  }

  /**
   * Hands what was on its way and has no channel any more to its operators, up to the next watermark that was on its way too: that is the
   * restored one of its step then. True when nothing is left.
   */
  replayChained(nodes: readonly ChainNode[], record: CurrentRecord): boolean {
    for (const node of nodes) {
      if (this.logs.get(node.vertex.id)?.hasRestored !== true) continue
      this.replayLog(node, row => {
        if (row.watermark === undefined || row.isOnly) this.unplaced.push({ node, row })
      })
    }
    for (let next = this.unplaced.shift(); next !== undefined; next = this.unplaced.shift()) {
      const { node, row } = next
      if (row.watermark !== undefined) {
        node.restoredWatermark = Math.max(node.restoredWatermark, row.watermark)
        break
      }
      record.timestamp = row.timestamp
      record.key = row.key
      record.isRetraction = row.isRetraction
      ;(node.operator.inputs[row.input] as Emit)(row.value)
    }
    record.timestamp = NO_TIMESTAMP
    record.isRetraction = false
    return this.unplaced.length === 0
  }

  private replayLog({ vertex }: ChainNode, visit: (row: InFlightRow) => void): void {
    const groups = groupsOf(this.subtaskIndex, this.parallelism, vertex.maxParallelism)
    this.logs.get(vertex.id)?.replay(groups, vertex.maxParallelism, visit)
  }
}
