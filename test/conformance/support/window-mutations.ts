// Deliberately broken variants of the window operator: one textual replacement each, in a copy of the sources. The oracle must notice every
// one of them.

/** A variant. The text to replace must stand in the file exactly once. */
export interface Mutation {
  readonly name: string
  /** The path from `src`. */
  readonly file: string
  readonly from: string
  readonly to: string
}

const CORE = 'operators/window/window-core.ts'
const MERGING = 'operators/window/merging-cells.ts'
const DISCRETE = 'operators/window/discrete-windows.ts'
const PANES = 'operators/window/pane-output.ts'
const TIMESTAMPS = 'operators/window/result-timestamps.ts'
const COMPOSITES = 'window/triggers/composite-triggers.ts'
const LEAVES = 'window/triggers/leaf-triggers.ts'
const SESSIONS = 'window/merging-windows.ts'

/** The variants. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a window ends 1 ms later',
    file: CORE,
    from: 'if (timeMs > this.site.timeMs) this.site.timeMs = timeMs',
    to: 'if (timeMs - 1 > this.site.timeMs) this.site.timeMs = timeMs - 1',
  },
  {
    name: 'a window ends 1 ms earlier',
    file: CORE,
    from: 'return window.end - 1 <= this.site.timeMs',
    to: 'return window.end - 2 <= this.site.timeMs',
  },
  {
    name: 'the allowed lateness is 1 ms longer',
    file: CORE,
    from: 'return window.end - 1 + this.spec.allowedLatenessMs <= this.site.timeMs',
    to: 'return window.end + this.spec.allowedLatenessMs <= this.site.timeMs',
  },
  {
    name: 'the allowed lateness is 1 ms shorter',
    file: CORE,
    from: 'return window.end - 1 + this.spec.allowedLatenessMs <= this.site.timeMs',
    to: 'return window.end - 2 + this.spec.allowedLatenessMs <= this.site.timeMs',
  },
  {
    name: 'the timer of a merged session is lost',
    file: MERGING,
    from: '    this.schedule(target)\n',
    to: '    this.core.timeDeadlines.cancel(target.deadline)\n',
  },
  {
    name: 'sessions that touch are joined where they should not be',
    file: SESSIONS,
    from: 'a.start < b.end && b.start < a.end',
    to: 'a.start <= b.end && b.start < a.end',
  },
  {
    name: 'merged cells are joined in the order of their coming',
    file: MERGING,
    from: '.sort((a, b) => a.window.start - b.window.start)',
    to: '',
  },
  {
    name: 'merged windows count their panes on',
    file: CORE,
    from: '    target.history?.beginAnew()\n',
    to: '',
  },
  {
    name: 'what merged windows emitted is not taken back',
    file: CORE,
    from: '      moveEmitted(target, cell)\n',
    to: '',
  },
  {
    name: 'a refinement does not take back what it replaces',
    file: PANES,
    from: '    if (this.isRemembering) this.takeBack(cell, window)\n',
    to: '',
  },
  {
    name: 'a retraction has the timestamp of what replaces it',
    file: PANES,
    from: '      record.timestamp = timestamp\n      output(value)',
    to: '      output(value)',
  },
  {
    name: 'the index of a pane counts from 1',
    file: PANES,
    from: '    index: panes,',
    to: '    index: panes + 1,',
  },
  {
    name: 'early panes count as non-speculative',
    file: PANES,
    from: `if (timing !== 'early') own.nonSpeculativePanes++`,
    to: 'own.nonSpeculativePanes++',
  },
  {
    name: 'the last pane does not say so',
    file: CORE,
    from: 'this.emitPane(cell, isFinished || this.isClosed(cell.window))',
    to: 'this.emitPane(cell, isFinished)',
  },
  {
    name: 'records count as new for ever',
    file: CORE,
    from: '      cell.unfired = 0\n    }\n',
    to: '    }\n',
  },
  {
    name: 'discarding keeps the records',
    file: CORE,
    from: 'if (isPurging || isFinished) purge(cell)',
    to: 'if (isFinished) purge(cell)',
  },
  {
    name: 'the earliest timestamp is the latest',
    file: TIMESTAMPS,
    from: 'this.isEarliest ? before <= timestampMs : before >= timestampMs',
    to: 'before >= timestampMs',
  },
  {
    name: 'a hold is never released',
    file: TIMESTAMPS,
    from: 'if (this.isHolding) this.holds.remove(history.combinedMs)',
    to: '',
  },
  {
    name: 'what is behind the output watermark holds it',
    file: TIMESTAMPS,
    from: 'if (this.isHolding && timestampMs <= this.newestOutput) return',
    to: '',
  },
  {
    name: 'a repeated trigger does not begin anew',
    file: COMPOSITES,
    from: 'if (this.repeated.isFinished(site)) this.repeated.reset(site)',
    to: '',
  },
  {
    name: 'a merge makes a trigger late although its window goes on',
    file: COMPOSITES,
    from: 'const isLate = hasEnded(site) && merged.every',
    to: 'const isLate = merged.every',
  },
  {
    name: 'merged counts are not summed',
    file: LEAVES,
    from: 'for (const { slots } of merged) sum += (slots[this.index] as number | undefined) ?? 0',
    to: 'for (const { slots } of merged) sum = (slots[this.index] as number | undefined) ?? 0',
  },
  {
    name: 'a finished window takes records',
    file: CORE,
    from: 'history.isClosed = true',
    to: 'history.isClosed = false',
  },
  {
    name: 'records that no pane held are not counted',
    file: CORE,
    from: 'this.context.counters.unfiredRecordsDropped += cell.unfired',
    to: '',
  },
  {
    name: 'an empty pane leaves on time though it should not',
    file: CORE,
    from: `if (isOnTime && this.spec.onTimePane === 'always') return true`,
    to: 'if (isOnTime) return true',
  },
  {
    name: 'a window that closes forgets its last pane',
    file: DISCRETE,
    from: 'else this.core.close(next.value)',
    to: 'else this.core.release(next.value)',
  },
]
