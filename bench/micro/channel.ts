// A record through a channel between two tasks of one thread: `node bench/micro/channel.ts`.
import { Channel, overshootLimit } from '../../src/runtime/channel.ts'
import { measure } from './measure.ts'

const OPERATIONS = 10_000_000
const CAPACITY = 1024

function through(hasTimestamps: boolean, hasKeys: boolean): number {
  const senderCapacity = { blocked: 0, budget: 0, untilMonotonicMs: Infinity, isTimeNews: false }
  const limit = overshootLimit('bench', CAPACITY)
  const channel = new Channel({
    name: 'bench',
    capacityRecords: CAPACITY,
    hasTimestamps,
    hasKeys,
    hasRetractions: false,
    senderCapacity,
    ...limit,
  })
  let received = 0
  for (let sent = 0; sent < OPERATIONS; ) {
    while (senderCapacity.blocked === 0 && sent < OPERATIONS) channel.append(sent, sent++, sent)
    for (let element = channel.poll(); element !== undefined; element = channel.poll()) {
      if (element.kind !== 'batch') continue
      received += element.values.length
      channel.consumed(element.values.length)
    }
  }
  return received
}

measure('values', OPERATIONS, () => through(false, false))
measure('values and timestamps', OPERATIONS, () => through(true, false))
measure('values, timestamps and keys', OPERATIONS, () => through(true, true))
