// Whose a storage is: what tells the job in it from others of the same name, such as those that were started from its savepoints. Their
// transactional sinks may write to the same place, and must not take what the others are writing for leftovers of their own.
import type { Storage } from '../../base/storage.ts'

const PREFIX = 'owner/'

/** The id of the owner of a storage, which stays the same over all runs; `fresh` makes that of a new one, which no other job has. */
export async function ownerOf(storage: Storage, fresh: () => string): Promise<string> {
  // What is in sight may not be durable yet, and a lost id would make leftovers those of nobody.
  await storage.confirm?.([PREFIX])
  const [known] = await storage.list(PREFIX)
  if (known !== undefined) return known.slice(PREFIX.length)
  const id = fresh()
  await storage.put(`${PREFIX}${id}`, new Uint8Array(0))
  return id
}
