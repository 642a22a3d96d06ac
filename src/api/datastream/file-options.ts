// What `writeToFiles()` is told, and the spec of the sink that follows from it. The connector checks the values once more in detail.
import { preview } from '../../base/errors.ts'
import type { SinkSpec } from '../../model/connector.ts'
import { optionInvalid, requireText, requireWhole } from './arguments.ts'

/**
 * Files in a directory as a sink. Given checkpoints and sources that can be replayed, each record is in exactly one finished file, whatever
 * fails. A file is finished when its checkpoint is complete; before that it is hidden (its name begins with a dot).
 */
export interface FileDirectoryOptions {
  /** What names of finished files begin with; `part` unless given. Different sinks may share a directory and a prefix. */
  readonly prefix?: string
  /** What names of finished files end with; `.txt` unless given. */
  readonly suffix?: string
  /** A file ends, between two records, when it has about so many bytes; 128 MiB unless given. It ends at each checkpoint too. */
  readonly rollBytes?: number
  /** A file ends with the first record that comes so long after its first one; never, but for checkpoints, unless given. */
  readonly rollMs?: number
  /** `text` writes records as print shows them (the default); `json` writes each as JSON, and fails with SINK_FAILED for what has no form in it. */
  readonly encode?: 'text' | 'json'
}

const CALL = 'writeToFiles()'

/** The spec of the sink `file-directory`. Throws OPTION_INVALID. */
export function fileDirectorySpec(directory: string, options: FileDirectoryOptions = {}): SinkSpec {
  requireText(CALL, 'the directory', directory)
  if (typeof options !== 'object' || options === null) throw optionInvalid(CALL, 'expected an object of options')
  const { prefix, suffix, rollBytes, rollMs, encode } = options
  if (prefix !== undefined) requireNamePart('prefix', prefix)
  if (suffix !== undefined && suffix !== '') requireNamePart('suffix', suffix)
  if (rollBytes !== undefined) requireWhole(CALL, 'rollBytes', rollBytes, { min: 1 })
  if (rollMs !== undefined && rollMs !== Infinity) requireWhole(CALL, 'rollMs', rollMs, { min: 1 })
  if (encode !== undefined && encode !== 'text' && encode !== 'json')
    throw optionInvalid(CALL, `encode is ${preview(encode)}; give 'text' or 'json'`)
  return {
    connector: 'file-directory',
    options: { ...options, directory },
    description: `files in ${directory}`,
    placement: 'any',
    delivery: 'transactional',
  }
}

function requireNamePart(what: 'prefix' | 'suffix', text: unknown): void {
  requireText(CALL, `the ${what}`, text)
  const isHidden = what === 'prefix' && String(text).startsWith('.')
  if (isHidden || /[/\\\0]/.test(String(text)))
    throw optionInvalid(
      CALL,
      `the ${what} is ${preview(text)}; give a part of a file name, without slashes${what === 'prefix' ? ' or a dot in front' : ''}`,
    )
}
