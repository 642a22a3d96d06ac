// A sink that writes each record as a line of one file, which it creates or empties. One subtask only.
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { StreamError } from '../../base/errors.ts'
import type { Sink, SinkSpec, SinkWriter, WriterContext } from '../../model/connector.ts'
import { LineBuffer } from '../line-buffer.ts'
import { ConnectorOptions } from '../options.ts'
import { recordText } from '../record-text.ts'
import { writeError } from './file-errors.ts'

const PIECE_LENGTH = 65_536

/**
 * Makes the sink `file` of the option `path`; throws OPTION_INVALID. Records are written as `print` shows them, without a prefix, in UTF-8.
 * Opening and writing fail with SINK_FAILED. The file is complete when the writer is closed; it is not synced to the disk.
 */
export function fileSink(spec: SinkSpec): Sink<unknown> {
  const options = new ConnectorOptions(spec, ['path'])
  const path = resolve(options.text('path'))
  const { description } = spec
  return {
    async open({ parallelism }: WriterContext) {
      if (parallelism > 1) {
        throw new StreamError(
          'OPTION_INVALID',
          `${description}: one file cannot be written by ${parallelism} subtasks; call setParallelism(1) on the sink`,
        )
      }
      try {
        return new FileWriter(description, path, await open(path, 'w'))
      } catch (error) {
        throw writeError(description, path, error)
      }
    },
  }
}

class FileWriter implements SinkWriter<unknown> {
  private readonly description: string
  private readonly path: string
  private readonly file: FileHandle
  private readonly lines: LineBuffer
  private isClosed = false

  constructor(description: string, path: string, file: FileHandle) {
    this.description = description
    this.path = path
    this.file = file
    this.lines = new LineBuffer({ description, write: text => this.append(text), pieceLength: PIECE_LENGTH })
  }

  write(record: unknown): void | Promise<void> {
    return this.lines.add(recordText(record))
  }

  flush(): void | Promise<void> {
    return this.lines.flush()
  }

  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    try {
      await this.lines.close()
    } finally {
      await this.closeFile()
    }
  }

  private async append(text: string): Promise<void> {
    try {
      // Unlike write(), this goes on until all bytes are written.
      await this.file.appendFile(text, 'utf8')
    } catch (error) {
      throw writeError(this.description, this.path, error)
    }
  }

  private async closeFile(): Promise<void> {
    try {
      await this.file.close()
    } catch (error) {
      throw writeError(this.description, this.path, error)
    }
  }
}
