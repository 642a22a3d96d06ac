// The options that all text sources share.
import { constants } from 'node:buffer'
import type { ConnectorOptions } from './options.ts'

/** What to do with bytes that are not valid UTF-8. */
export type EncodingErrors = 'replace' | 'fail'

/** How lines are read. */
export interface TextOptions {
  /** A longer line is LINE_TOO_LONG; bytes, without the line end. */
  readonly lineBytesMax: number
  readonly encodingErrors: EncodingErrors
}

/** The names of the options. */
export const TEXT_OPTION_NAMES = ['lineBytesMax', 'encodingErrors'] as const

/** Longer lines than this are an error unless the source says otherwise. */
export const LINE_BYTES_MAX_DEFAULT = 16 * 1024 * 1024

/** The text options of a spec; throws OPTION_INVALID. */
export function textOptions(options: ConnectorOptions): TextOptions {
  return {
    lineBytesMax: options.wholeNumber('lineBytesMax', {
      min: 1,
      max: constants.MAX_STRING_LENGTH,
      default: LINE_BYTES_MAX_DEFAULT,
    }),
    encodingErrors: options.oneOf('encodingErrors', ['replace', 'fail'], 'replace'),
  }
}
