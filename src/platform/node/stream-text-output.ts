// The text output port on a writable stream of Node, such as standard output.
import type { Writable } from 'node:stream'
import { errorText, StreamError } from '../../base/errors.ts'
import type { TextOutput } from '../../base/text-output.ts'

/** A stream to write to, with its name for messages. */
export interface TextStream {
  /** `standard output` */
  readonly name: string
  /** Asked once, at the first write. */
  readonly stream: () => Writable
}

const READER_GONE: readonly string[] = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']

/** Writes to a stream and waits until the stream has handed the text on; a reader that went away is SINK_FAILED. */
export class StreamTextOutput implements TextOutput {
  private readonly name: string
  private readonly open: () => Writable
  private stream: Writable | undefined

  constructor({ name, stream }: TextStream) {
    this.name = name
    this.open = stream
  }

  write(text: string): Promise<void> {
    this.stream ??= this.opened()
    const { stream } = this
    return new Promise((resolve, reject) => {
      stream.write(text, 'utf8', error => {
        if (error === null || error === undefined) resolve()
        else reject(this.failure(error))
      })
    })
  }

  private opened(): Writable {
    const stream = this.open()
    // Errors arrive with the write that met them; without a listener they would end the process as well.
    stream.on('error', () => {})
    return stream
  }

  private failure(error: Error & { readonly code?: string }): StreamError {
    const isGone = READER_GONE.includes(error.code ?? '')
    const reason = isGone ? `the reader of ${this.name} is gone` : `cannot write to ${this.name}: ${errorText(error)}`
    return new StreamError('SINK_FAILED', reason, { cause: error })
  }
}

/** The standard output of the process. */
export const standardOutput: TextOutput = new StreamTextOutput({
  name: 'standard output',
  stream: () => process.stdout,
})
