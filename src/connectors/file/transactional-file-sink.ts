// The sink `file-directory`: each record is in exactly one finished file of a directory, whatever fails. All it does goes through the file
// system port, so that a simulated disk can show a mistake in it.
import { errorText, preview, StreamError } from '../../base/errors.ts'
import type { Files } from '../../base/storage.ts'
import type { Sink, SinkSpec } from '../../model/connector.ts'
import { ConnectorOptions } from '../options.ts'
import { recordText } from '../record-text.ts'
import { type FileWriterInit, TransactionalFileWriter } from './transactional-file-writer.ts'

/** The file system that directories are in. */
export interface FilesPort {
  readonly files: Files
  /** The path in it of a directory as the user names it. */
  readonly pathOf: (directory: string) => string
}

const OPTION_NAMES = ['directory', 'prefix', 'suffix', 'rollBytes', 'rollMs', 'encode'] as const
const ROLL_BYTES_DEFAULT = 128 * 1024 * 1024

/**
 * Makes the sink `file-directory` of `directory`, `prefix`, `suffix`, `rollBytes`, `rollMs` and `encode`; throws OPTION_INVALID. A finished file
 * is called by prefix, sink, subtask, attempt, a running number, and suffix: `part-1c5d2f7a-00-0001-000000.txt`. Writing, preparing, committing
 * and recovering fail with STORAGE_FAILED or DIRECTORY_NOT_WRITABLE, with TRANSACTION_FAILED where a file of a snapshot is gone, and with
 * SINK_FAILED for a record that is no JSON.
 */
export function transactionalFileSink(spec: SinkSpec, { files, pathOf }: FilesPort): Sink<unknown> {
  const options = new ConnectorOptions(spec, OPTION_NAMES)
  const { description } = spec
  const encoding = options.oneOf('encode', ['text', 'json'], 'text')
  const init: FileWriterInit = {
    description,
    files,
    directory: pathOf(options.text('directory')),
    prefix: namePart(options, 'prefix', 'part'),
    suffix: options.raw('suffix') === '' ? '' : namePart(options, 'suffix', '.txt'),
    rollBytes: options.wholeNumber('rollBytes', { min: 1, max: Number.MAX_SAFE_INTEGER, default: ROLL_BYTES_DEFAULT }),
    rollMs: rollMs(options),
    encode: encoding === 'text' ? recordText : record => jsonText(description, record),
  }
  return { open: context => new TransactionalFileWriter(init, context) }
}

function namePart(options: ConnectorOptions, name: 'prefix' | 'suffix', fallback: string): string {
  const text = options.text(name, fallback)
  const isHidden = name === 'prefix' && text.startsWith('.')
  if (isHidden || /[/\\\0]/.test(text))
    throw options.invalid(name, `a part of a file name without slashes${name === 'prefix' ? ' or a dot in front' : ''}`)
  return text
}

function rollMs(options: ConnectorOptions): number {
  const value = options.raw('rollMs') ?? Infinity
  if (value === Infinity) return Infinity
  return options.wholeNumber('rollMs', { min: 1, max: Number.MAX_SAFE_INTEGER })
}

function jsonText(description: string, record: unknown): string {
  let reason = 'it has no form in JSON'
  try {
    const text: string | undefined = JSON.stringify(record)
    if (text !== undefined) return text
  } catch (error) {
    reason = errorText(error)
  }
  throw new StreamError(
    'SINK_FAILED',
    `${description}: record ${preview(record)} cannot be written as JSON: ${reason}; map() it to plain values first, or write with encode: 'text'`,
  )
}
