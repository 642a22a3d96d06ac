// The attempts of a job, counted over all processes that ever ran in its directory: what transactional sinks tell their leftovers by.
import type { Storage } from '../../base/storage.ts'

const PREFIX = 'attempts/'
/** Older ones are removed; only the newest counts. */
const KEPT = 2

/** Takes the next number of an attempt, from 1. It is durable before it is used, so that no other attempt ever has it. */
export async function claimAttempt(storage: Storage): Promise<number> {
  const names = await storage.list(PREFIX)
  const numbers = names.map(name => Number(name.slice(PREFIX.length))).filter(Number.isSafeInteger)
  const attempt = Math.max(0, ...numbers) + 1
  await storage.put(`${PREFIX}${String(attempt).padStart(10, '0')}`, new Uint8Array(0))
  for (const number of numbers.sort((a, b) => a - b).slice(0, -KEPT)) {
    await storage.remove(`${PREFIX}${String(number).padStart(10, '0')}`)
  }
  return attempt
}
