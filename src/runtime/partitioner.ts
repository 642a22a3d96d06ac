// Record path. Spreads the records of one subtask over the channels of one edge.
import { unreachable } from '../base/assert.ts'
import { preview } from '../base/errors.ts'
import { finishHash } from '../base/hash.ts'
import type { Prng } from '../base/prng.ts'
import type { Edge, Vertex } from '../model/graph.ts'
import type { KeySelector } from '../model/key.ts'
import { keySelectorText } from '../model/key.ts'
import { keyGroupOf, subtaskOfKeyGroup } from '../model/key-groups.ts'
import type { CurrentRecord, Emit } from '../operators/operator.ts'
import { failOnRecord, failWith } from '../operators/user-failure.ts'
import { hashKey } from '../serde/key-encoding.ts'
import type { Channel } from './channel.ts'

/** What a partitioner needs to know. `channels` lead to the target's subtasks this subtask may send to, in order of their index. */
export interface PartitionerInit {
  readonly edge: Edge
  readonly target: Vertex
  readonly channels: readonly Channel[]
  readonly subtaskIndex: number
  readonly record: CurrentRecord
  readonly prng: Prng
}

/** The function that sends a record on over an edge. */
export function partitioner(init: PartitionerInit): Emit {
  const { edge, channels, record, prng } = init
  const { partitioning } = edge
  const count = channels.length
  switch (partitioning.kind) {
    case 'forward':
    case 'global':
      return toOne(channels[0] as Channel, record)
    case 'rebalance':
    case 'rescale': {
      // Subtasks begin at different targets, so that few records still spread.
      let next = init.subtaskIndex % count
      return value => {
        const channel = channels[next] as Channel
        next = next + 1 === count ? 0 : next + 1
        channel.append(value, record.timestamp, undefined, record.isRetraction)
      }
    }
    case 'local-or-shuffle':
      return count === 1 ? toOne(channels[0] as Channel, record) : shuffling(channels, record, prng)
    case 'shuffle':
      return shuffling(channels, record, prng)
    case 'broadcast':
      return value => {
        for (let i = 0; i < count; i++)
          (channels[i] as Channel).append(value, record.timestamp, undefined, record.isRetraction)
      }
    case 'hash':
      return hashing(init, partitioning.key)
    case 'partial-key':
      return partialKey(init, partitioning.key)
    case 'direct':
      return byIndex(init, partitioning.target as (value: unknown) => number)
    case 'custom': {
      const keyOf = keyReader(partitioning.key, init.target)
      const partition = partitioning.partition as (key: unknown, subtaskCount: number) => number
      return byIndex(init, value => partition(keyOf(value as never), count))
    }
    default:
      return unreachable(partitioning, 'partitioner')
  }
}

/** Reads and checks the key of a record. Throws KEY_UNDEFINED naming the keyed step. */
export function keyReader(selector: KeySelector, vertex: Vertex): (record: never) => unknown {
  const { fields, isTuple } = selector
  if (fields !== undefined && !isTuple) return fieldReader(fields[0] as string, selector, vertex)
  const select = selector.select as (record: unknown) => unknown
  return (record: unknown) => {
    let key: unknown
    try {
      key = select(record)
    } catch (error) {
      failOnRecord(vertex, record, error)
    }
    if (key === undefined) failUndefinedKey(selector, record, vertex)
    return key
  }
}

// A call less for each record than by the selector's function; what is no record has no field either.
function fieldReader(field: string, selector: KeySelector, vertex: Vertex): (record: never) => unknown {
  return (record: unknown) => {
    const key = (record as Readonly<Record<string, unknown>> | null | undefined)?.[field]
    if (key === undefined) failUndefinedKey(selector, record, vertex)
    return key
  }
}

function failUndefinedKey(selector: KeySelector, record: unknown, vertex: Vertex): never {
  const what = selector.fields === undefined ? 'the key selector' : `key field ${keySelectorText(selector)}`
  failWith(
    vertex,
    'KEY_UNDEFINED',
    `${what} gives undefined on record ${preview(record)}`,
    'return a value, or drop such records before keyBy() with filter()',
  )
}

function toOne(channel: Channel, record: CurrentRecord): Emit {
  return value => channel.append(value, record.timestamp, undefined, record.isRetraction)
}

function shuffling(channels: readonly Channel[], record: CurrentRecord, prng: Prng): Emit {
  return value =>
    (channels[prng.below(channels.length)] as Channel).append(value, record.timestamp, undefined, record.isRetraction)
}

function hashing(init: PartitionerInit, selector: KeySelector): Emit {
  const { channels, record, target } = init
  const { maxParallelism } = target
  const keyOf = keyReader(selector, target)
  const channelOfGroup = Array.from(
    { length: maxParallelism },
    (_, group) => channels[subtaskOfKeyGroup(group, channels.length, maxParallelism)] as Channel,
  )
  return value => {
    const key = keyOf(value as never)
    const group = keyGroupOf(hashOf(key, value, target), maxParallelism)
    ;(channelOfGroup[group] as Channel).append(value, record.timestamp, key, record.isRetraction)
  }
}

// Two choices per key (Nasir et al., "The power of both choices", ICDE 2015): the one this subtask has sent fewer records to.
function partialKey(init: PartitionerInit, selector: KeySelector): Emit {
  const { channels, record, target } = init
  const keyOf = keyReader(selector, target)
  const sent = channels.map(() => 0)
  return value => {
    const hash = hashOf(keyOf(value as never), value, target)
    const first = hash % channels.length
    const second = otherChoice(hash, first, channels.length)
    const chosen = (sent[first] as number) <= (sent[second] as number) ? first : second
    sent[chosen] = (sent[chosen] as number) + 1
    ;(channels[chosen] as Channel).append(value, record.timestamp, undefined, record.isRetraction)
  }
}

// Never the first choice again, and independent of it: a mere multiple of the hash has the same low bits, so the same remainder.
function otherChoice(hash: number, first: number, count: number): number {
  return count === 1 ? 0 : (first + 1 + (finishHash(~hash) % (count - 1))) % count
}

function byIndex(init: PartitionerInit, indexOf: (value: unknown) => number): Emit {
  const { channels, record, target } = init
  return value => {
    let index: number
    try {
      index = indexOf(value)
    } catch (error) {
      failOnRecord(target, value, error)
    }
    const channel = channels[index]
    if (channel === undefined) {
      failWith(
        target,
        'PARTITION_INVALID',
        `the partitioner before it gave ${preview(index)} on record ${preview(value)}; expected a whole number from 0 to ${channels.length - 1}`,
        'mend the partitioner; it gets the number of subtasks as its second argument',
      )
    }
    channel.append(value, record.timestamp, undefined, record.isRetraction)
  }
}

function hashOf(key: unknown, value: unknown, target: Vertex): number {
  try {
    return hashKey(key)
  } catch (error) {
    failOnRecord(target, value, error)
  }
}
