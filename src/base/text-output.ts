// The port for text that a job prints. The platform decides where it goes.

/** Takes pieces of text in order. */
export interface TextOutput {
  /**
   * Writes one piece of text as it is. A promise means: not handed on yet, write no more until it resolves.
   * Throws or rejects with SINK_FAILED when the text cannot be written.
   */
  write(text: string): void | Promise<void>
}
