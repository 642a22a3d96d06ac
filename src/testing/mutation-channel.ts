// A channel that watches its records: steps share them, so nobody may change one after it was emitted.
import type { Element } from '../runtime/batch.ts'
import { Channel, type ChannelInit } from '../runtime/channel.ts'
import type { MutationLedger, MutationNotes, WatchedAs } from './mutation-ledger.ts'

/** A channel whose records are compared when they are received, when they are worked off, and at the end. */
export class CheckedChannel extends Channel {
  private readonly notes: MutationNotes | undefined
  private readonly as: WatchedAs
  /** Received and not yet worked off. */
  private readonly received: unknown[] = []

  /** Without a ledger it is a channel like any other. */
  constructor(init: ChannelInit, ledger: MutationLedger | undefined) {
    super(init)
    this.notes = ledger?.records
    this.as = {
      code: 'RECORD_MUTATED',
      what: `a record sent over the channel ${init.name}`,
      mend: 'steps share their records, so emit a copy of what will be changed, and change a copy of what was received: { ...record }',
    }
  }

  override append(value: unknown, timestamp: number, key: unknown, isRetraction = false): void {
    // What a step changed and sent on is found here.
    this.notes?.check(value, `before it went over ${this.name} as well`)
    this.notes?.note(value, this.as)
    super.append(value, timestamp, key, isRetraction)
  }

  override poll(): Element | undefined {
    const element = super.poll()
    if (this.notes === undefined || element?.kind !== 'batch') return element
    for (const value of element.values) {
      this.notes.check(value, 'by its sender, or by another receiver')
      this.received.push(value)
    }
    return element
  }

  override consumed(records: number): void {
    super.consumed(records)
    for (const value of this.received.splice(0, records)) this.notes?.check(value, 'by its receiver')
  }
}
