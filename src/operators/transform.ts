// Record path (bench/micro/chain.ts). Stateless functions of one record: map, filter, flat-map.
import { preview } from '../base/errors.ts'
import type { Change } from '../model/functions.ts'
import type { Vertex } from '../model/graph.ts'
import type { TransformShape } from '../model/operator-spec.ts'
import type { Emit, Operator, OperatorContext } from './operator.ts'
import { failOnRecord, failWith } from './user-failure.ts'

type UserFunction = (record: unknown) => unknown

/** The operator of a stateless function. */
export function transformOperator(shape: TransformShape, user: UserFunction, context: OperatorContext): Operator {
  const { vertex, output } = context
  switch (shape) {
    case 'map':
      return { inputs: [mapping(user, output, vertex)] }
    case 'filter':
      return { inputs: [filtering(user, output, vertex)] }
    case 'flat-map':
      return { inputs: [flatMapping(user, output, vertex)] }
    case 'changelog':
      return { inputs: [changelog(context)] }
  }
}

// Only the first result is checked for being a promise: a check per record would cost every job.
function mapping(user: UserFunction, output: Emit, vertex: Vertex): Emit {
  let isChecked = false
  return record => {
    let result: unknown
    try {
      result = user(record)
    } catch (error) {
      failOnRecord(vertex, record, error)
    }
    if (!isChecked) {
      isChecked = true
      if (result instanceof Promise) failAsync(record, vertex)
    }
    output(result)
  }
}

// What was a sign is data from here on.
function changelog({ output, record: current }: OperatorContext): Emit {
  return record => {
    const { isRetraction } = current
    current.isRetraction = false
    output({ isRetraction, record } satisfies Change<unknown>)
    current.isRetraction = isRetraction
  }
}

function failAsync(record: unknown, vertex: Vertex): never {
  failWith(
    vertex,
    'USER_FUNCTION_ASYNC',
    `its function returned a promise on record ${preview(record)}`,
    'return the value itself; do asynchronous work with mapAsync(), or in a source or a sink',
  )
}

function filtering(user: UserFunction, output: Emit, vertex: Vertex): Emit {
  return record => {
    let isKept: unknown
    try {
      isKept = user(record)
    } catch (error) {
      failOnRecord(vertex, record, error)
    }
    if (isKept === true) output(record)
    else if (isKept !== false && isTruthy(isKept, record, vertex)) output(record)
  }
}

// A promise is truthy, so an asynchronous predicate would let every record pass without a word.
function isTruthy(result: unknown, record: unknown, vertex: Vertex): boolean {
  if (result instanceof Promise) {
    failWith(
      vertex,
      'USER_FUNCTION_ASYNC',
      `its predicate returned a promise on record ${preview(record)}`,
      'return a boolean',
    )
  }
  return Boolean(result)
}

function flatMapping(user: UserFunction, output: Emit, vertex: Vertex): Emit {
  return record => {
    let results: unknown
    try {
      results = user(record)
    } catch (error) {
      failOnRecord(vertex, record, error)
    }
    emitAll(results, record, output, vertex)
  }
}

/** Emits each element of what a function returned for a record. Fails with USER_FUNCTION_RESULT unless that is an iterable object. */
export function emitAll(results: unknown, record: unknown, output: Emit, vertex: Vertex): void {
  if (Array.isArray(results)) for (let i = 0; i < results.length; i++) output(results[i])
  else emitIterable(results, record, output, vertex)
}

function emitIterable(results: unknown, record: unknown, output: Emit, vertex: Vertex): void {
  const isIterable = typeof results === 'object' && results !== null && Symbol.iterator in results
  if (!isIterable) {
    const found = results instanceof Promise ? 'a promise' : preview(results)
    failWith(
      vertex,
      results instanceof Promise ? 'USER_FUNCTION_ASYNC' : 'USER_FUNCTION_RESULT',
      `its function returned ${found} on record ${preview(record)}; expected an array or another iterable`,
      'return [] for no record and [x] for one',
    )
  }
  const iterator = (results as Iterable<unknown>)[Symbol.iterator]()
  let step = nextOf(iterator, record, vertex)
  while (step.done !== true) {
    output(step.value)
    step = nextOf(iterator, record, vertex)
  }
}

// Only the user's generator is guarded, not what happens downstream of an emission.
function nextOf(iterator: Iterator<unknown>, record: unknown, vertex: Vertex): IteratorResult<unknown> {
  try {
    return iterator.next()
  } catch (error) {
    failOnRecord(vertex, record, error)
  }
}
