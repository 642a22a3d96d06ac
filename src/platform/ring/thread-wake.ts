// How a thread sleeps until others have something for it: one word of shared memory per thread, however many rings feed it. Others
// notify it only while its flag says that it sleeps, so a busy thread costs them a look at the flag.
import { assert } from '../../base/assert.ts'

const WORD = 0
const SLEEPS = 16
const SIGNALS = 32
const BYTES = 256
/** Looks before sleeping: some microseconds, less than a sleep and a notification cost. */
const LOOKS_BEFORE_SLEEP = 100

/** What ES2024 has, and the library that the types are checked against has not. */
interface AsyncAtomics {
  waitAsync(words: Int32Array, index: number, expected: number): WaitResult
}
type WaitResult =
  | { readonly async: false; readonly value: string }
  | { readonly async: true; readonly value: Promise<string> }

/** The memory of one thread's ThreadWake, to be shared with all threads that wake it. */
export function createWakeMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(BYTES)
}

/**
 * One thread's place to sleep, seen from that thread (the waiting calls) or from others (`wake`, `signal`). Who makes work for a thread
 * publishes it first and calls `wake` then; who waits gives a function that sees the work. So nothing is missed.
 */
export class ThreadWake {
  private readonly words: Int32Array<SharedArrayBuffer>
  private seenSignals: number
  private pending: Promise<void> | undefined

  constructor(memory: SharedArrayBuffer) {
    assert(memory.byteLength === BYTES, 'the memory of a ThreadWake comes from createWakeMemory')
    this.words = new Int32Array(memory)
    this.seenSignals = Atomics.load(this.words, SIGNALS)
  }

  /** From another thread: wakes the thread if it sleeps. */
  wake(): void {
    const { words } = this
    if (Atomics.load(words, SLEEPS) === 0) return
    Atomics.store(words, SLEEPS, 0)
    Atomics.add(words, WORD, 1)
    Atomics.notify(words, WORD)
  }

  /** From another thread: as `wake`, and where the thread does not sleep yet, its next sleep ends at once. */
  signal(): void {
    Atomics.add(this.words, SIGNALS, 1)
    this.wake()
  }

  /** True once after each `signal` or several of them; until it is called, a signal lets no wait sleep. */
  takeSignals(): boolean {
    const signals = Atomics.load(this.words, SIGNALS)
    const isNew = signals !== this.seenSignals
    this.seenSignals = signals
    return isNew
  }

  /**
   * Blocks the thread until there is work, a signal, something else that wakes it, or the time is over (ms; Infinity: never); true unless
   * it is over. Only where the event loop may stand still meanwhile.
   */
  waitSync(hasWork: () => boolean, timeoutMs: number): boolean {
    for (let look = 0; look < LOOKS_BEFORE_SLEEP; look++) if (this.isReady(hasWork)) return true
    const { words } = this
    const word = Atomics.load(words, WORD)
    Atomics.store(words, SLEEPS, 1)
    const isReady = this.isReady(hasWork)
    const outcome = isReady ? 'ok' : Atomics.wait(words, WORD, word, timeoutMs)
    Atomics.store(words, SLEEPS, 0)
    return outcome !== 'timed-out' || this.isReady(hasWork)
  }

  /**
   * Resolves when another thread woke this one, or at once when there is work or a signal; it may also resolve without either. It does
   * not keep the process alive. Who goes on before it resolves (for a timer, or I/O) calls `stayAwake`, and may wait again later.
   */
  async wait(hasWork: () => boolean): Promise<void> {
    for (let look = 0; look < LOOKS_BEFORE_SLEEP; look++) if (this.isReady(hasWork)) return
    const { words } = this
    const word = Atomics.load(words, WORD)
    Atomics.store(words, SLEEPS, 1)
    if (this.isReady(hasWork)) this.stayAwake()
    else await this.notified(word)
  }

  /** Sleeps again while an earlier `wait` is pending, which resolves when others wake the thread; false when there is work or a signal. */
  sleepAgain(hasWork: () => boolean): boolean {
    Atomics.store(this.words, SLEEPS, 1)
    if (!this.isReady(hasWork)) return true
    this.stayAwake()
    return false
  }

  /** The thread is not asleep any more: others need not notify it. */
  stayAwake(): void {
    Atomics.store(this.words, SLEEPS, 0)
  }

  private isReady(hasWork: () => boolean): boolean {
    return hasWork() || Atomics.load(this.words, SIGNALS) !== this.seenSignals
  }

  // One wait at a time: one that is still pending was never notified, so it stands for the next sleep too.
  private notified(word: number): Promise<void> {
    if (this.pending !== undefined) return this.pending
    const result = (Atomics as unknown as AsyncAtomics).waitAsync(this.words, WORD, word)
    if (!result.async) return Promise.resolve()
    this.pending = result.value.then(() => {
      this.pending = undefined
    })
    return this.pending
  }
}
