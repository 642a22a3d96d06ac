// The other threads of a job, seen from the main thread: started when they are first needed, and anew when one is lost.
import { errorText, type StreamError } from '../../../base/errors.ts'
import type { EventLoop } from '../../../base/event-loop.ts'
import type { Logger } from '../../../base/logger.ts'
import { describeGraph } from '../../../model/describe.ts'
import type { Vertex } from '../../../model/graph.ts'
import type { JobMetrics, NoOutput } from '../../../model/job.ts'
import type { Chain, PhysicalPlan } from '../../../plan/physical-plan.ts'
import { createRingMemory } from '../../../platform/ring/ring-memory.ts'
import { createWakeMemory, ThreadWake } from '../../../platform/ring/thread-wake.ts'
import type { Crew, CrewEvents, CrewOrder, Exchanging } from '../../../runtime/crew.ts'
import { type Deployment, isConnected } from '../../../runtime/deployment.ts'
import { type JobTask, taskId } from '../../../runtime/job-task.ts'
import { connectRings } from './crew-member.ts'
import { type Placement, placeSubtasks } from './placement.ts'
import { RemoteTask } from './remote-task.ts'
import type { RingExchange } from './ring-exchange.ts'
import { receiveError } from './sent-error.ts'
import type { Report, RingPlace, ThreadStart } from './thread-messages.ts'
import type { StartThread } from './thread-port.ts'
import { ThreadSlot } from './thread-slot.ts'

/** Bytes of the ring between two subtasks, a power of two; where there are many rings, each is smaller. */
const RING_BYTES_MAX = 1 << 18
const RING_BYTES_MIN = 1 << 14
/** What the rings of a region take together, unless they are more than can be that small. */
const RINGS_BYTES_MAX = 1 << 26

/** What a crew is made of. */
export interface ThreadCrewInit {
  readonly plan: PhysicalPlan
  /** How many threads there are beside the main one. */
  readonly threads: number
  readonly startThread: StartThread
  /** What each thread is told; the crew adds what differs. */
  readonly start: Omit<ThreadStart, 'thread' | 'wakes' | 'heartbeat'>
  readonly eventLoop: EventLoop
  readonly logger: Logger
  /** Steps of this thread go on. */
  readonly wake: () => void
  /** How long (ms) a thread may go without a turn of its event loop before it counts as lost. */
  readonly silenceMsMax: number
}

/** A region as it is deployed. */
interface DeployedRegion {
  readonly attempt: number
  readonly rings: readonly RingPlace[]
  readonly tasks: readonly RemoteTask[]
  exchange: RingExchange | undefined
  /** False until the run of the job steps its tasks: before that it hears of no failure. */
  hasBegun: boolean
  /** That a thread was lost, which the run of the job has not heard of. */
  lost: StreamError | undefined
}

/** The bytes of each of so many rings: their number grows with the square of the parallelism. */
export function ringBytes(rings: number): number {
  const share = 2 ** Math.floor(Math.log2(RINGS_BYTES_MAX / Math.max(1, rings)))
  return Math.min(RING_BYTES_MAX, Math.max(RING_BYTES_MIN, share))
}

/** Runs subtasks in threads. */
export class ThreadCrew implements Crew {
  private readonly init: ThreadCrewInit
  private readonly placement: Placement
  private readonly wakes: readonly SharedArrayBuffer[]
  private readonly slots: readonly ThreadSlot[]
  private readonly regions = new Map<number, DeployedRegion>()
  private events: CrewEvents | undefined

  constructor(init: ThreadCrewInit) {
    const { plan, threads, start, startThread, eventLoop, silenceMsMax } = init
    this.init = init
    this.placement = placeSubtasks(plan, threads)
    this.wakes = Array.from({ length: threads + 1 }, createWakeMemory)
    const graph = describeGraph(plan.graph)
    this.slots = Array.from({ length: threads }, (_, index) => {
      const thread = index + 1
      return new ThreadSlot({
        thread,
        graph,
        eventLoop,
        silenceMsMax,
        start: (heartbeat, events) => startThread({ ...start, thread, wakes: this.wakes, heartbeat }, events),
        onReport: report => this.onReport(thread, report),
        onLost: error => this.onLost(thread, error),
      })
    })
  }

  isHere(chain: Chain, subtaskIndex: number): boolean {
    return this.placement(chain, subtaskIndex) === 0
  }

  listen(events: CrewEvents): void {
    this.events = events
  }

  async deploy(order: CrewOrder): Promise<readonly JobTask[]> {
    const { region, attempt, chains } = order
    const rings = this.ringsOf(order)
    const tasks = chains.flatMap(chain => this.tasksOf(chain, region))
    const deployed: DeployedRegion = { attempt, rings, tasks, exchange: undefined, hasBegun: false, lost: undefined }
    this.regions.set(region, deployed)
    const used = new Set(tasks.map(({ thread }) => thread))
    await Promise.all(
      [...used].map(thread => {
        const own = rings.filter(ring => ring.senderThread === thread || ring.receiverThread === thread)
        const ids = chains.map(({ id }) => id)
        return this.slot(thread).deploy({ ...order, kind: 'deploy', chains: ids, rings: own })
      }),
    )
    if (deployed.lost !== undefined) throw deployed.lost
    return tasks
  }

  connect(region: number, { crossings }: Deployment): Exchanging {
    const deployed = this.regions.get(region) as DeployedRegion
    const { rings, attempt } = deployed
    const wakes = this.wakes.map(memory => new ThreadWake(memory))
    deployed.exchange = connectRings({ crossings, rings, epoch: attempt, thread: 0, wakes }, this.init.wake)
    return deployed.exchange
  }

  // Other regions may not be deployed yet. The run of the job takes notice of what ends or fails in this one only when it steps its tasks.
  start(region: number): void {
    const deployed = this.regions.get(region)
    deployed?.exchange?.beforeFirstStep(() => {
      if (deployed.lost !== undefined) throw deployed.lost
      deployed.hasBegun = true
      this.tell(region, 'start')
    })
  }

  halt(region: number): void {
    this.tell(region, 'halt')
  }

  async close(region: number): Promise<{ readonly error: unknown } | undefined> {
    const used = this.threadsOf(region)
    if (used.length === 0) return undefined
    const errors = await Promise.all(used.map(thread => this.slot(thread).close(region)))
    this.regions.delete(region)
    const error = errors.find(candidate => candidate !== undefined)
    return error === undefined ? undefined : { error }
  }

  metrics(): readonly JobMetrics[] {
    return this.slots.flatMap(({ readings }) => (readings === undefined ? [] : [readings.metrics]))
  }

  noOutput(): readonly NoOutput[] {
    return this.slots.flatMap(({ readings }) => readings?.noOutput ?? [])
  }

  /** Ends all threads. */
  async end(): Promise<void> {
    await Promise.all(this.slots.map(slot => slot.end()))
  }

  private slot(thread: number): ThreadSlot {
    return this.slots[thread - 1] as ThreadSlot
  }

  private threadsOf(region: number): readonly number[] {
    return [...new Set(this.regions.get(region)?.tasks.map(({ thread }) => thread) ?? [])]
  }

  private tell(region: number, kind: 'start' | 'halt'): void {
    for (const thread of this.threadsOf(region)) this.slot(thread).send({ kind, region })
  }

  private tasksOf(chain: Chain, region: number): readonly RemoteTask[] {
    const root = this.init.plan.graph.vertices[chain.vertices[0] as number] as Vertex
    return chain.subtasks.flatMap(({ index }) => {
      const thread = this.placement(chain, index)
      if (thread === 0) return []
      return new RemoteTask({
        chain,
        subtaskIndex: index,
        region,
        isSource: root.operator.kind === 'source',
        thread,
        send: command => this.slot(thread).send(command),
      })
    })
  }

  private ringsOf({ chains, attempt }: CrewOrder): readonly RingPlace[] {
    const { plan } = this.init
    const places = plan.exchanges
      .filter(({ fromChain }) => chains.some(({ id }) => id === fromChain))
      .flatMap(exchange => {
        const [from, to] = [plan.chains[exchange.fromChain] as Chain, plan.chains[exchange.toChain] as Chain]
        const pairs = from.subtasks.flatMap(sender =>
          to.subtasks.map(receiver => [sender.index, receiver.index] as const),
        )
        return pairs.flatMap(([sender, receiver]) => {
          const [senderThread, receiverThread] = [this.placement(from, sender), this.placement(to, receiver)]
          if (senderThread === receiverThread) return []
          if (!isConnected(exchange, sender, receiver, from.parallelism, to.parallelism)) return []
          return { exchange: exchange.id, sender, receiver, senderThread, receiverThread }
        })
      })
    const bytes = ringBytes(places.length)
    return places.map(place => ({ ...place, memory: createRingMemory(bytes, attempt) }))
  }

  private onReport(thread: number, report: Report): void {
    switch (report.kind) {
      case 'log':
        this.init.logger.log(report.level, report.message, { thread, ...report.fields })
        return
      case 'snapshot': {
        const task = this.find(report)
        if (task === undefined) return
        const { snapshotId, snapshot, end } = report
        if (end === undefined) this.events?.onSnapshot(task, snapshotId, snapshot)
        else this.events?.onFinalSnapshot(task, snapshot, end)
        return
      }
      case 'finished': {
        const task = this.find(report)
        if (task === undefined) return
        task.onFinished(report.end)
        this.events?.onTaskFinished(task)
        return
      }
      case 'split-states': {
        const task = this.find(report)
        if (task !== undefined) this.events?.onSplitStates(task, report.states)
        return
      }
      case 'failed': {
        const region = this.regions.get(report.region)
        const task = region?.tasks.find(candidate => candidate.thread === thread)
        if (task !== undefined && region?.attempt === report.attempt)
          this.events?.onFailure(receiveError(report.error), task)
      }
    }
  }

  private onLost(thread: number, error: StreamError): void {
    this.init.logger.log('error', 'a thread of the job was lost', { thread, error: errorText(error) })
    for (const region of this.regions.values()) {
      const task = region.tasks.find(candidate => candidate.thread === thread)
      if (task === undefined) continue
      if (region.hasBegun) this.events?.onFailure(error, task)
      else region.lost = error
    }
  }

  /** The task of a report, unless that is of an attempt before. */
  private find({
    region,
    attempt,
    task,
  }: {
    readonly region: number
    readonly attempt: number
    readonly task: string
  }): RemoteTask | undefined {
    const deployed = this.regions.get(region)
    return deployed?.attempt === attempt ? deployed.tasks.find(candidate => taskId(candidate) === task) : undefined
  }
}
