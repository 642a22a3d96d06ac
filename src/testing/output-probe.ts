// The far end of an operator's outputs: channels that watch what is sent into them, and what came out of them.
import type { Edge } from '../model/graph.ts'
import type { Capacity } from '../operators/operator.ts'
import type { Chain, PhysicalPlan } from '../plan/physical-plan.ts'
import type { ControlElement } from '../runtime/batch.ts'
import type { OutputEdge } from '../runtime/chain-instance.ts'
import { Channel, type ChannelInit, overshootLimit } from '../runtime/channel.ts'
import type { OutputElement } from './operator-script.ts'
import { VerificationError } from './verification-error.ts'

/** A side output's tag; undefined: the main output. */
export type ReaderName = string | undefined

interface Reader {
  readonly edge: Edge
  readonly channel: WatchedChannel
  readonly elements: OutputElement[]
}

/** The outputs of one subtask. */
export class OutputProbe {
  readonly outputs: readonly OutputEdge[]
  private readonly readers: readonly Reader[]

  constructor(plan: PhysicalPlan, chain: Chain, capacity: Capacity, capacityRecords: number) {
    this.readers = plan.exchanges
      .filter(({ fromChain }) => fromChain === chain.id)
      .map(({ edge, columns }): Reader => {
        const name = `operator -> ${edge.outputTag ?? 'output'}`
        const init = { name, capacityRecords, hasTimestamps: columns.includes('timestamp'), hasKeys: false, senderCapacity: capacity }
        return { edge, channel: new WatchedChannel({ ...init, ...overshootLimit(name, capacityRecords) }, capacity), elements: [] }
      })
    this.outputs = this.readers.map(({ edge, channel }) => ({ edge, channels: [channel] }))
  }

  /** Records sent so far over all outputs. */
  get emittedRecords(): number {
    return this.readers.reduce((sum, { channel }) => sum + channel.sentRecords, 0)
  }

  /** Records that wait to be read. */
  get queuedRecords(): number {
    return this.readers.reduce((sum, { channel }) => sum + channel.heldRecords, 0)
  }

  /** What was read from an output so far. */
  elements(name: ReaderName): readonly OutputElement[] {
    return this.readers.find(({ edge }) => edge.outputTag === name)?.elements ?? []
  }

  /** Reads everything that is there; returns the number of elements. */
  drain(): number {
    let drained = 0
    for (const { channel, elements } of this.readers) {
      for (let next = channel.poll(); next !== undefined; next = channel.poll()) {
        if (next.kind === 'batch') {
          next.values.forEach((value, index) => {
            const timestamp = next.timestamps?.[index] ?? -Infinity
            elements.push({ kind: 'record', value, timestamp: timestamp === -Infinity ? undefined : timestamp })
          })
          channel.consumed(next.values.length)
          drained += next.values.length
        } else {
          if (next.kind === 'watermark' || next.kind === 'status') elements.push(next)
          drained++
        }
      }
    }
    return drained
  }
}

/** A channel that holds its sender to the contract of outputs. */
class WatchedChannel extends Channel {
  sentRecords = 0
  private readonly sender: Capacity
  /** The budget that was left when the unit of work began which filled an output; each unit has its own. */
  private budgetAtFull = NaN
  private watermark = -Infinity
  private isEnded = false

  constructor(init: ChannelInit, sender: Capacity) {
    super(init)
    this.sender = sender
  }

  override append(value: unknown, timestamp: number, key: unknown): void {
    const { blocked, budget } = this.sender
    if (this.isEnded) throw new VerificationError(`${this.name}: a record was emitted after the end`)
    if (blocked > 0 && this.heldRecords > 0 && budget !== this.budgetAtFull) {
      throw new VerificationError(`${this.name}: another record or timer was worked off although the output was full`)
    }
    super.append(value, timestamp, key)
    this.sentRecords++
    if (this.sender.blocked > 0) this.budgetAtFull = budget
  }

  override control(element: ControlElement): void {
    if (element.kind === 'watermark') {
      if (element.watermark <= this.watermark) {
        throw new VerificationError(`${this.name}: the watermark goes from ${this.watermark} to ${element.watermark}; it must rise`)
      }
      this.watermark = element.watermark
    }
    if (element.kind === 'end') this.isEnded = true
    super.control(element)
  }
}
