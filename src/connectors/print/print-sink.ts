// A sink that prints each record as a line. Where the text goes is a port; the lines of a turn leave in one piece.
import type { TextOutput } from '../../base/text-output.ts'
import type { Sink, SinkSpec, SinkWriter, WriterContext } from '../../model/connector.ts'
import { LineBuffer } from '../line-buffer.ts'
import { ConnectorOptions } from '../options.ts'
import { linePrefix, recordText } from '../record-text.ts'

/**
 * Makes the sink `print` with the optional `prefix`; throws OPTION_INVALID. Strings are printed as they are, other values as JSON on one line.
 * A retraction begins with `- `. With several subtasks each line begins with `2> ` (the subtask, from 1), with a prefix `name> ` or `name:2> `: Flink's format.
 */
export function printSink(spec: SinkSpec, output: TextOutput): Sink<unknown> {
  const options = new ConnectorOptions(spec, ['prefix'])
  const name = options.optionalText('prefix')
  return {
    open: ({ subtaskIndex, parallelism }: WriterContext) => {
      const lines = new LineBuffer({ description: spec.description, write: text => output.write(text) })
      return new PrintWriter(lines, linePrefix({ name, subtaskIndex, parallelism }))
    },
  }
}

/** Stands before a record that takes back an equal one printed before. */
const RETRACTION_MARK = '- '

class PrintWriter implements SinkWriter<unknown> {
  private readonly lines: LineBuffer
  private readonly prefix: string

  constructor(lines: LineBuffer, prefix: string) {
    this.lines = lines
    this.prefix = prefix
  }

  write(record: unknown, _timestampMs?: number, isRetraction = false): void | Promise<void> {
    return this.lines.add(this.prefix + (isRetraction ? RETRACTION_MARK : '') + recordText(record))
  }

  flush(): void | Promise<void> {
    return this.lines.flush()
  }

  close(): void | Promise<void> {
    return this.lines.close()
  }
}
