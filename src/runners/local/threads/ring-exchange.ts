// Record path (bench/exchange.ts). What one thread exchanges with others for one region of a job: takes what its tasks sent out of their
// channels, encodes it into rings, and puts what comes out of other rings into the channels of its tasks. A scheduler steps it like a task.
import { ByteReader } from '../../../base/byte-reader.ts'
import { ByteWriter } from '../../../base/byte-writer.ts'
import { NODE_TEXT_DECODING } from '../../../platform/ring/node-text-decoding.ts'
import { CONTROL_FRAME, RECORDS_FRAME } from '../../../platform/ring/ring-memory.ts'
import type { RingReader } from '../../../platform/ring/ring-reader.ts'
import type { RingWriter } from '../../../platform/ring/ring-writer.ts'
import type { ThreadWake } from '../../../platform/ring/thread-wake.ts'
import type { Batch, ControlElement } from '../../../runtime/batch.ts'
import type { Channel } from '../../../runtime/channel.ts'
import type { Crossing } from '../../../runtime/deployment.ts'
import type { Steppable, TaskStatus } from '../../../runtime/steppable.ts'
import { RecordDecoder } from '../../../serde/record-codec/record-decoder.ts'
import { RecordEncoder } from '../../../serde/record-codec/record-encoder.ts'
import { readValue, writeValue } from '../../../serde/value-codec.ts'

/** Frames that one ring gives or takes in one step: others have their turn. */
const FRAMES_PER_STEP = 64

/** A channel to another thread. */
class OutRing {
  readonly channel: Channel
  private readonly writer: RingWriter
  private readonly encoder: RecordEncoder
  private readonly control = new ByteWriter()
  /** A frame that found no room. */
  private pending: Uint8Array | undefined
  private pendingKind = 0
  private pendingRecords = 0
  private announcedId = 0

  constructor({ channel }: Crossing, writer: RingWriter) {
    this.channel = channel
    this.writer = writer
    this.encoder = new RecordEncoder(channel.name)
  }

  /** Sends what there is room for; true when anything was sent. */
  send(): boolean {
    let isAnySent = false
    for (let frames = 0; frames < FRAMES_PER_STEP; frames++) {
      if (this.pending === undefined && !this.next()) return isAnySent
      if (!this.writer.tryWrite(this.pendingKind, this.pending as Uint8Array)) {
        this.announce()
        return isAnySent
      }
      isAnySent = true
      this.pending = undefined
      if (this.pendingRecords > 0) this.channel.consumed(this.pendingRecords)
    }
    return isAnySent
  }

  get isBlocked(): boolean {
    return this.pending !== undefined && this.writer.isBlocked
  }

  get hasWork(): boolean {
    return this.pending !== undefined ? !this.writer.isBlocked : this.channel.hasElements
  }

  private next(): boolean {
    const element = this.channel.poll()
    if (element === undefined) return false
    if (element.kind === 'batch') {
      this.pending = this.encoder.encode(element)
      this.pendingKind = RECORDS_FRAME
      this.pendingRecords = element.values.length
      return true
    }
    this.control.reset()
    writeValue(this.control, element)
    this.pending = this.control.view()
    this.pendingKind = CONTROL_FRAME
    this.pendingRecords = 0
    return true
  }

  // A barrier behind records that find no room is told of, so that the reader makes room: it may overtake them there.
  private announce(): void {
    const barrier = this.channel.queuedBarrier
    if (barrier === undefined || barrier.snapshotId === this.announcedId) return
    this.announcedId = barrier.snapshotId
    this.writer.announce(barrier.snapshotId | 0)
  }
}

/** A channel from another thread. */
class InRing {
  private readonly crossing: Crossing
  private readonly reader: RingReader
  private readonly decoder = new RecordDecoder({ texts: NODE_TEXT_DECODING })
  /** The newest barrier that came. */
  private arrivedId = 0
  private isEnded = false

  constructor(crossing: Crossing, reader: RingReader) {
    this.crossing = crossing
    this.reader = reader
  }

  /** Takes what there is room for; true when anything came. */
  receive(): boolean {
    let frames = 0
    while (frames < FRAMES_PER_STEP && this.hasRoom) {
      const frame = this.reader.tryRead()
      if (frame === undefined) break
      frames++
      if (this.reader.kind === RECORDS_FRAME) this.takeBatch(frame)
      else this.takeControl(readValue(new ByteReader(frame)) as ControlElement)
    }
    this.reader.release()
    return frames > 0
  }

  get hasWork(): boolean {
    return !this.isEnded && this.hasRoom && this.reader.hasData
  }

  private get hasRoom(): boolean {
    return this.crossing.room.blocked === 0 || (this.reader.announced | 0) > (this.arrivedId | 0)
  }

  private takeBatch(frame: Uint8Array): void {
    const batch: Batch = { kind: 'batch', ...this.decoder.decode(frame) }
    this.crossing.channel.appendBatch(batch)
  }

  private takeControl(element: ControlElement): void {
    if (element.kind === 'barrier') this.arrivedId = element.snapshotId
    if (element.kind === 'end') this.isEnded = true
    this.crossing.channel.control(element)
  }
}

/** What a thread's side of a region's exchanges is made of. */
export interface RingExchangeInit {
  readonly outs: readonly { readonly crossing: Crossing; readonly writer: RingWriter }[]
  readonly ins: readonly { readonly crossing: Crossing; readonly reader: RingReader }[]
  /** Where this thread sleeps. */
  readonly ownWake: ThreadWake
  /** Steps go on. */
  readonly wake: () => void
}

/** The exchanges of one region with other threads. */
export class RingExchange implements Steppable {
  readonly name = 'exchange'
  readonly ordinal = 0xfffe
  readonly status: TaskStatus = 'waiting'
  didWork = false
  private readonly outs: readonly OutRing[]
  private readonly ins: readonly InRing[]
  private readonly init: RingExchangeInit
  private isHalted = false
  private isWaiting = false
  private onFirstStep: (() => void) | undefined

  constructor(init: RingExchangeInit) {
    this.init = init
    this.outs = init.outs.map(({ crossing, writer }) => new OutRing(crossing, writer))
    this.ins = init.ins.map(({ crossing, reader }) => new InRing(crossing, reader))
  }

  step(): TaskStatus {
    this.didWork = false
    if (this.isHalted) return this.status
    this.init.ownWake.stayAwake()
    if (this.onFirstStep !== undefined) this.takeFirstStep(this.onFirstStep)
    for (let i = 0; i < this.outs.length; i++) if ((this.outs[i] as OutRing).send()) this.didWork = true
    for (let i = 0; i < this.ins.length; i++) if ((this.ins[i] as InRing).receive()) this.didWork = true
    return this.status
  }

  /** Has the action done before anything else, when a scheduler steps this for the first time; what it throws fails the step. */
  beforeFirstStep(action: () => void): void {
    this.onFirstStep = action
  }

  private takeFirstStep(action: () => void): void {
    this.onFirstStep = undefined
    action()
  }

  deadlineMs(): number {
    return Infinity
  }

  onSleep(): void {
    if (this.isHalted) return
    if (this.isWaiting) {
      if (!this.init.ownWake.sleepAgain(this.hasWork)) this.init.wake()
      return
    }
    this.isWaiting = true
    void this.init.ownWake.wait(this.hasWork).then(() => {
      this.isWaiting = false
      this.init.wake()
    })
  }

  /** Nothing is sent or taken any more. */
  halt(): void {
    this.isHalted = true
  }

  private readonly hasWork = (): boolean =>
    this.isHalted || this.outs.some(out => out.hasWork) || this.ins.some(ring => ring.hasWork)
}
