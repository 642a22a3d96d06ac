// The windowings of Beam's transcripts: expressions such as `AfterWatermark(early=AfterCount(3))`, read and put into our words. What has
// no counterpart is an Untranslatable.
import type { TriggerSpec } from '../../../src/model/trigger-spec.ts'
import { type AssignerSpec, WINDOW_DEFAULTS, type WindowSpec } from '../../../src/model/window-spec.ts'

/** A call with positional and named arguments, or a number. */
export type Expression = number | Call

/** `name(positional, ..., key=value, ...)`; the parentheses may be left out. */
export interface Call {
  readonly name: string
  readonly positional: readonly Expression[]
  readonly named: Readonly<Record<string, Expression>>
}

/** Beam has it, we do not. */
export class Untranslatable extends Error {}

/** Reads a whole expression. */
export function parseExpression(text: string): Expression {
  const tokens = text.match(/[A-Za-z_]\w*|\d+|[(),=]/g) ?? []
  let at = 0
  const expression = read()
  if (at < tokens.length) throw new Error(`${text}: ${tokens[at]} is left over`)
  return expression

  function read(): Expression {
    const token = tokens[at++]
    if (token === undefined || /^[(),=]$/.test(token)) throw new Error(`${text}: an expression is missing`)
    if (/^\d/.test(token)) return Number(token)
    const positional: Expression[] = []
    const named: Record<string, Expression> = {}
    if (tokens[at] === '(') {
      at++
      while (tokens[at] !== ')') {
        if (tokens[at + 1] === '=') {
          const name = tokens[at] as string
          at += 2
          named[name] = read()
        } else positional.push(read())
        if (tokens[at] === ',') at++
        else if (tokens[at] !== ')') throw new Error(`${text}: a closing parenthesis is missing`)
      }
      at++
    }
    return { name: token, positional, named }
  }
}

function call(text: string): Call {
  const expression = parseExpression(text)
  if (typeof expression === 'number') throw new Error(`${text} is a number`)
  return expression
}

function numberAt({ name, positional }: Call, index: number): number {
  const argument = positional[index]
  if (typeof argument !== 'number') throw new Untranslatable(`${name}: argument ${index + 1} is no number`)
  return argument
}

function assigner(text: string): AssignerSpec {
  const windows = call(text)
  switch (windows.name) {
    // Its own timestamps count for one combiner only, which is refused.
    case 'CustomTimestampingFixedWindowsWindowFn':
    case 'FixedWindows':
      return { kind: 'tumbling', sizeMs: numberAt(windows, 0), offsetMs: 0 }
    case 'SlidingWindows':
      return { kind: 'sliding', sizeMs: numberAt(windows, 0), slideMs: numberAt(windows, 1), offsetMs: 0 }
    case 'Sessions':
      return { kind: 'session', gapMs: numberAt(windows, 0), touching: 'separate', end: 'after-gap' }
    case 'GlobalWindows':
      return { kind: 'global', restarts: false }
    default:
      throw new Untranslatable(`the windows ${windows.name}`)
  }
}

/** A trigger of Beam in our words. */
export function triggerOf(expression: Expression): TriggerSpec {
  if (typeof expression === 'number') throw new Error(`a trigger ${expression}`)
  const { name, positional, named } = expression
  const inner = positional.map(argument => (typeof argument === 'number' ? undefined : triggerOf(argument)))
  const triggers = inner.filter(trigger => trigger !== undefined)
  const [first, second] = triggers
  switch (name) {
    case 'Default':
    case 'DefaultTrigger':
      return { kind: 'on-window-end' }
    case 'AfterCount':
      return { kind: 'after-count', count: numberAt(expression, 0) }
    case 'AfterWatermark': {
      const { early, late } = named
      return {
        kind: 'after-watermark',
        ...(early === undefined ? {} : { early: triggerOf(early) }),
        ...(late === undefined ? {} : { late: triggerOf(late) }),
      }
    }
    case 'Repeatedly':
      if (first !== undefined) return { kind: 'repeatedly', trigger: first }
      break
    case 'AfterAny':
    case 'AfterFirst':
      return { kind: 'after-first', triggers }
    case 'AfterAll':
      return { kind: 'after-all', triggers }
    case 'AfterEach':
      return { kind: 'after-each', triggers }
    case 'OrFinally':
      if (first !== undefined && second !== undefined) return { kind: 'or-finally', trigger: first, until: second }
  }
  throw new Untranslatable(`the trigger ${name}`)
}

const COMBINERS = {
  OUTPUT_AT_EOW: 'end-of-window',
  OUTPUT_AT_EARLIEST: 'earliest',
  OUTPUT_AT_LATEST: 'latest',
} as const

/** What a transcript says of its windowing; what it leaves out is Beam's default. */
export interface BeamWindowing {
  readonly window_fn?: string
  readonly trigger_fn?: string
  readonly timestamp_combiner?: string
  readonly accumulation_mode?: string
  readonly allowed_lateness?: number
}

/** The windowing of a transcript without its function. */
export function windowingOf(beam: BeamWindowing): Omit<WindowSpec, 'function'> {
  const { window_fn, trigger_fn, timestamp_combiner, accumulation_mode, allowed_lateness } = beam
  const combiner = timestamp_combiner ?? 'OUTPUT_AT_EOW'
  if (!Object.hasOwn(COMBINERS, combiner)) throw new Untranslatable(`the timestamp combiner ${combiner}`)
  const accumulation = (accumulation_mode ?? 'accumulating').toLowerCase()
  if (accumulation !== 'accumulating' && accumulation !== 'discarding')
    throw new Untranslatable(`the accumulation mode ${accumulation}`)
  return {
    ...WINDOW_DEFAULTS,
    timeDomain: 'event-time',
    assigner: assigner(window_fn ?? 'GlobalWindows'),
    trigger: triggerOf(parseExpression(trigger_fn ?? 'Default')),
    accumulation,
    allowedLatenessMs: allowed_lateness ?? 0,
    timestampCombiner: COMBINERS[combiner as keyof typeof COMBINERS],
  }
}
