// Where asynchronous results enter a task. Letters run at the start of the task's next step, in the order posted.
import type { Mailbox } from '../operators/operator.ts'

/** The mailbox of one task; `onPost` wakes the scheduler. */
export class TaskMailbox implements Mailbox {
  private letters: (() => void)[] = []
  private readonly onPost: () => void

  constructor(onPost: () => void) {
    this.onPost = onPost
  }

  get isEmpty(): boolean {
    return this.letters.length === 0
  }

  post(letter: () => void): void {
    this.letters.push(letter)
    this.onPost()
  }

  /** Runs all letters; a letter that throws fails the task. Returns how many ran. */
  deliver(): number {
    if (this.letters.length === 0) return 0
    const letters = this.letters
    this.letters = []
    for (const letter of letters) letter()
    return letters.length
  }
}
