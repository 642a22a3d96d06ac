// What the handles of declared state act on: the slots of the current key, which the operator sets before each record and timer.

/** The slots of the current key. Reading and writing throw STATE_UNDECLARED where there is none. */
export interface CurrentSlots {
  /** What is stored in a slot; undefined when nothing is. Whoever changes it in place, or hands it out to be changed, calls `touch` before. */
  read(slot: number): unknown
  /** The current key's entry is about to change in place: a running snapshot keeps it as it was, and the next has it again. */
  touch(): void
  /** Stores a value; undefined stores nothing, as `clear` does. */
  write(slot: number, stored: unknown): void
  /** Forgets what is stored in a slot. */
  clear(slot: number): void
  /** Processing time, epoch ms. */
  nowMs(): number
}
