// Runs of the operator harness that are interrupted: snapshotted by barriers and restored into fresh operators between lines of the script, as
// one subtask or as two. Like the run without a restore it only notes what happened, line by line.
import type { OperatorSpec } from '../model/operator-spec.ts'
import type { OperatorCounters } from '../operators/operator.ts'
import { VirtualClock } from '../runtime/simulated-scheduler.ts'
import { type HarnessRun, OperatorDriver, type OperatorSetup, type Variant } from './operator-driver.ts'
import { asError } from './operator-run.ts'
import type { OutputElement, ScriptStep } from './operator-script.ts'
import type { KeyGroupRange, TakenSnapshot } from './snapshot-operator.ts'

/**
 * Where and how a run is interrupted, before the line with the index `cut`:
 * - `full`: one snapshot, of everything
 * - `changes`: a snapshot before every line up to there, each of what changed since the one before
 * - `every-line`: it is restored before every line from the cut on, each time upon all snapshots so far
 * - `rescaled`: restored as two subtasks, and two lines later as one again; `middle` is the first key group of the second
 */
export type RestorePlan =
  | { readonly kind: 'full' | 'changes' | 'every-line'; readonly cut: number }
  | { readonly kind: 'rescaled'; readonly cut: number; readonly middle: number }

/** The operator, which may be made anew for each restore, as a new process makes it. */
export interface RestorableSetup extends OperatorSetup {
  readonly remake?: () => OperatorSpec
}

/** What a run sent, line by line; watermarks and statuses that only repeat what was sent before a restore are left out. */
export interface LinedRun extends HarnessRun {
  readonly lines: readonly ReadonlyMap<string, readonly OutputElement[]>[]
}

/** What every run here is like: lines are worked off one by one, with room for what they send. */
const PLAIN: Variant = { batch: 'one', outbox: 'roomy', budget: 1000 }

/** Lines that two subtasks work off before they become one again. */
const RESCALED_LINES = 2

/** Runs the script without an interruption. */
export function runLined(setup: OperatorSetup, script: readonly ScriptStep[]): Promise<LinedRun> {
  return new InterruptedRun(setup, script).run(undefined)
}

/** Runs the script with interruptions. They may only come before the last line that the operator works on. */
export function runRestored(
  setup: RestorableSetup,
  script: readonly ScriptStep[],
  plan: RestorePlan,
): Promise<LinedRun> {
  return new InterruptedRun(setup, script).run(plan)
}

/** Counters that are compared, summed over the operators of a run. */
export const COUNTED = [
  'lateRecordsDropped',
  'duplicatesDropped',
  'timersDropped',
  'closedWindowRecordsDropped',
  'unfiredRecordsDropped',
  'futureTimestamps',
] as const satisfies readonly (keyof OperatorCounters)[]

type Counted = { -readonly [Name in (typeof COUNTED)[number]]: number }

type Outputs = ReadonlyMap<string, readonly OutputElement[]>

class InterruptedRun {
  private readonly setup: RestorableSetup
  private readonly script: readonly ScriptStep[]
  private readonly joined = new JoinedOutputs()
  private readonly lines: Outputs[] = []
  /** What a restore sent, and a source just before it: it belongs to the line after it. */
  private early: Outputs = new Map()
  private readonly counted = Object.fromEntries(COUNTED.map(name => [name, 0])) as Counted
  private running: readonly OperatorDriver[] = []
  /** The snapshots that the one operator that runs is built upon. */
  private snapshots: TakenSnapshot[] = []
  private snapshotId = 0

  constructor(setup: RestorableSetup, script: readonly ScriptStep[]) {
    this.setup = { ...setup, clock: setup.clock ?? new VirtualClock(0) }
    this.script = script
  }

  async run(plan: RestorePlan | undefined): Promise<LinedRun> {
    this.running = [await this.deploy(plan !== undefined)]
    let failure: Error | undefined
    try {
      for (const driver of this.running) await driver.open()
      for (const [line, step] of this.script.entries()) {
        if (plan !== undefined) await this.interrupt(plan, line)
        await this.runLine(step)
      }
      for (const driver of this.running) await driver.complete(this.script)
    } catch (error) {
      failure = asError(error)
    }
    try {
      await this.retire()
    } catch (error) {
      failure ??= asError(error)
    }
    this.setup.ledger?.checkAll()
    failure = this.setup.ledger?.mistake(failure) ?? failure
    const [last] = this.running
    // There is no operator when the restore failed: that is no failure of the script.
    if (last === undefined) throw failure
    this.lines.push(this.takeOutputs())
    const results = this.running.map(driver => driver.result(failure, this.script))
    const outputs = this.lines.reduce(joinLines)
    return { ...(results[0] as HarnessRun), ...this.counted, keysHeld: keysHeldBy(results), outputs, lines: this.lines }
  }

  private async interrupt(plan: RestorePlan, line: number): Promise<void> {
    const { cut } = plan
    switch (plan.kind) {
      case 'full':
        if (line === cut) await this.restart()
        return
      case 'changes':
        if (line < cut) await this.snapshot()
        else if (line === cut) await this.restart()
        return
      case 'every-line':
        if (line >= cut) await this.restart()
        return
      case 'rescaled': {
        if (line === cut) await this.restart(halves(plan.middle))
        // Behind the end of the input there is nothing to restore.
        const isEnough = line === cut + RESCALED_LINES || this.script[line]?.kind === 'end'
        if (line > cut && isEnough && this.running.length > 1) await this.restart()
      }
    }
  }

  private async runLine(step: ScriptStep): Promise<void> {
    try {
      for (const driver of this.running) {
        await driver.run(step)
        if (step.kind === 'end') await driver.complete(this.script)
      }
    } finally {
      this.lines.push(joinLines(this.early, this.takeOutputs()))
      this.early = new Map()
    }
  }

  /** Takes a snapshot of each operator; undefined when one has come to its end. */
  private async snapshot(): Promise<readonly TakenSnapshot[] | undefined> {
    this.snapshotId++
    const snapshots: TakenSnapshot[] = []
    for (const driver of this.running) {
      // Of two subtasks each changes on its own what both were restored from, so that each has to hold all that it has.
      const taken = await driver.snapshot(this.snapshotId, this.running.length > 1 ? 'savepoint' : 'checkpoint')
      if (taken === undefined) return undefined
      snapshots.push(taken)
    }
    if (snapshots.length === 1) this.snapshots.push(...snapshots)
    return snapshots
  }

  /** Takes a snapshot, and goes on with fresh operators that are restored from it: one, or one for each range of key groups. */
  private async restart(ranges: readonly (KeyGroupRange | undefined)[] = [undefined]): Promise<void> {
    const taken = await this.snapshot()
    if (taken === undefined) return
    const { running } = this
    for (const driver of running) driver.dropAfterBarrier()
    const sent = this.takeOutputs()
    await this.retire()
    this.running = []
    const chains = running.length > 1 ? taken.map(snapshot => [snapshot]) : [this.snapshots]
    const { times } = running[0] as OperatorDriver
    const restored: OperatorDriver[] = []
    for (const keyGroups of ranges) {
      const driver = await this.deploy(true, keyGroups)
      driver.restore(chains)
      await driver.open()
      await driver.resume(times)
      restored.push(driver)
    }
    this.running = restored
    this.joined.restart()
    this.early = joinLines(this.early, joinLines(sent, this.takeOutputs()))
  }

  private takeOutputs(): Outputs {
    return this.joined.join(this.running.map(driver => driver.takeOutputs()))
  }

  private deploy(isCheckpointed: boolean, keyGroups?: KeyGroupRange): Promise<OperatorDriver> {
    const { setup, snapshotId } = this
    const { remake } = setup
    return OperatorDriver.deploy({
      setup: snapshotId === 0 || remake === undefined ? setup : { ...setup, operator: remake() },
      variant: PLAIN,
      isCheckpointed,
      ...(keyGroups === undefined ? {} : { keyGroups }),
    })
  }

  private async retire(): Promise<void> {
    for (const driver of this.running) {
      for (const name of COUNTED) this.counted[name] += driver.counters[name]
      await driver.close()
    }
  }
}

/** The outputs of operators that follow each other, and of those that run side by side, as one. */
class JoinedOutputs {
  private readonly newest = new Map<string, number>()
  private readonly idle = new Map<string, boolean>()
  /** The watermark of each operator that runs, by output. */
  private watermarks = new Map<string, number[]>()

  /** Fresh operators follow: they begin with the time that was sent before. */
  restart(): void {
    this.watermarks = new Map()
  }

  join(outputs: readonly Outputs[]): Outputs {
    return new Map([...(outputs[0]?.keys() ?? [])].map(name => [name, this.joinOutput(name, outputs)]))
  }

  private joinOutput(name: string, outputs: readonly Outputs[]): readonly OutputElement[] {
    const watermarks = this.watermarks.get(name) ?? outputs.map(() => -Infinity)
    this.watermarks.set(name, watermarks)
    const joined: OutputElement[] = []
    for (const [operator, output] of outputs.entries()) {
      for (const element of output.get(name) ?? []) {
        if ('watermark' in element) {
          watermarks[operator] = element.watermark
          const watermark = Math.min(...watermarks)
          if (watermark <= (this.newest.get(name) ?? -Infinity)) continue
          this.newest.set(name, watermark)
          joined.push({ watermark })
        } else if ('isIdle' in element) {
          // All get the same statuses from their senders.
          if (operator > 0 || element.isIdle === (this.idle.get(name) ?? false)) continue
          this.idle.set(name, element.isIdle)
          joined.push(element)
        } else joined.push(element)
      }
    }
    return joined
  }
}

function joinLines(first: Outputs, second: Outputs): Outputs {
  const names = new Set([...first.keys(), ...second.keys()])
  return new Map([...names].map(name => [name, [...(first.get(name) ?? []), ...(second.get(name) ?? [])]]))
}

function halves(middle: number): readonly KeyGroupRange[] {
  return [
    { first: 0, last: middle - 1 },
    { first: middle, last: Infinity },
  ]
}

function keysHeldBy(results: readonly HarnessRun[]): number | undefined {
  if (results.every(({ keysHeld }) => keysHeld === undefined)) return undefined
  return results.reduce((total, { keysHeld = 0 }) => total + keysHeld, 0)
}
