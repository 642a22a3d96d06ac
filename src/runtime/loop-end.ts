// How a loop finds out that it is empty. When the input of its head has ended, the head sends an end marker round; every task passes it
// on when it came over all its open channels. A marker that came back after a round in which no head got a record means: empty.
// (Heads put nothing into the loop but what they get, and channels keep order, so what was sent before a marker returns before it.)
import type { LoopEnd } from './batch.ts'
import type { InputChannel } from './input-channel.ts'

const NONE: readonly number[] = []

interface Arrival {
  readonly round: number
  readonly from: Set<InputChannel>
  isDirty: boolean
}

/** A head sends its next round when the last came back, so the heads of a loop are at most one round apart. */
const ROUNDS_KEPT = 2

/**
 * Collects the markers of each loop over the channels of one task. The head of one subtask may be a round ahead of another's, so a
 * marker of the next round may arrive over one channel before that of this round over the last; each round is collected for itself.
 */
export class LoopMarkers {
  /** The rounds under way of each loop, oldest first. */
  private readonly arrivals = new Map<number, Arrival[]>()

  /** Notes a marker. */
  note(marker: LoopEnd, from: InputChannel): void {
    let rounds = this.arrivals.get(marker.loop)
    if (rounds === undefined) {
      rounds = []
      this.arrivals.set(marker.loop, rounds)
    }
    let arrival = rounds.find(({ round }) => round === marker.round)
    if (arrival === undefined) {
      arrival = { round: marker.round, from: new Set(), isDirty: false }
      rounds.push(arrival)
      // Behind a loop its markers may never be complete, since another input goes on: they must not pile up.
      if (rounds.length > ROUNDS_KEPT) rounds.shift()
    }
    arrival.from.add(from)
    arrival.isDirty ||= marker.isDirty
  }

  /** Takes the oldest marker of a loop if it came over all the channels expected. */
  takeIfComplete(loop: number, expected: readonly InputChannel[]): LoopEnd | undefined {
    const rounds = this.arrivals.get(loop)
    const oldest = rounds?.[0]
    if (rounds === undefined || oldest === undefined) return undefined
    if (!expected.every(channel => oldest.from.has(channel))) return undefined
    rounds.shift()
    if (rounds.length === 0) this.arrivals.delete(loop)
    return { kind: 'loop-end', loop, round: oldest.round, isDirty: oldest.isDirty }
  }

  /** The loops with a marker under way. */
  loops(): readonly number[] {
    return this.arrivals.size === 0 ? NONE : [...this.arrivals.keys()]
  }
}

/**
 * The head's side. `open`: records come in; `draining`: a marker is under way; `settled`: the loop is empty after its input has ended,
 * and the final watermark may go round; `empty`: it is empty after that too, for good. A marker of another loop (this one is nested in
 * it, or behind it) is passed on after a clean round of its own.
 */
export class LoopHead {
  private state: 'open' | 'draining' | 'settled' | 'empty' = 'open'
  private wasSettled = false
  private round = 0
  private recordsSinceMarker = 0
  private readonly foreign: LoopEnd[] = []
  private readonly loop: number
  private readonly send: (marker: LoopEnd) => void

  constructor(loop: number, send: (marker: LoopEnd) => void) {
    this.loop = loop
    this.send = send
  }

  get isEmpty(): boolean {
    return this.state === 'empty'
  }

  /** True from the moment the final watermark may go round. */
  get isSettled(): boolean {
    return this.wasSettled
  }

  onFeedbackRecords(count: number): void {
    this.recordsSinceMarker += count
  }

  /** The input has ended: begins to drain unless a marker is under way. */
  drain(): void {
    if (this.state === 'open' || this.state === 'settled') this.beginDraining()
  }

  /** A marker of another loop arrived over all channels. */
  drainFor(marker: LoopEnd): void {
    this.foreign.push(marker)
    if (this.state === 'open') this.beginDraining()
  }

  /** The own marker came back over all feedback channels. Only what it says counts, so that all heads of a loop decide alike. */
  onReturn(marker: LoopEnd, isInputEnded: boolean): void {
    if (marker.isDirty) {
      this.sendMarker(this.recordsSinceMarker > 0)
      return
    }
    for (const foreign of this.foreign.splice(0)) this.send(foreign)
    this.state = !isInputEnded ? 'open' : this.wasSettled ? 'empty' : 'settled'
    this.wasSettled ||= isInputEnded
  }

  // The first round says nothing about what was under way before it, so it counts as dirty.
  private beginDraining(): void {
    this.sendMarker(true)
  }

  private sendMarker(isDirty: boolean): void {
    this.state = 'draining'
    this.round++
    this.recordsSinceMarker = 0
    this.send({ kind: 'loop-end', loop: this.loop, round: this.round, isDirty })
  }
}
