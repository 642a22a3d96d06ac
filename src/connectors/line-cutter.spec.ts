import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RecordingLogger, RecordingOutput } from '../../test/integration/connectors/support/reader-driver.ts'
import { StreamError } from '../base/errors.ts'
import { emitLines, LineCutter, type LineInput, logReplacements } from './line-cutter.ts'

interface Cut {
  readonly lines: string[]
  /** The position after each line. */
  readonly positions: number[]
  readonly cutter: LineCutter
}

function input(overrides: Partial<LineInput> = {}): LineInput {
  return {
    description: 'the input',
    lineBytesMax: 1_000_000,
    encodingErrors: 'replace',
    logger: new RecordingLogger(),
    ...overrides,
  }
}

/** Pushes the chunks through one buffer that is overwritten each time, as a reader with few buffers does. */
function cut(chunks: readonly Uint8Array[], overrides: Partial<LineInput> = {}): Cut {
  const cutter = new LineCutter(input(overrides))
  const lines: string[] = []
  const positions: number[] = []
  const take = (line: string | undefined): boolean => {
    if (line === undefined) return false
    lines.push(line)
    positions.push(cutter.position())
    return true
  }
  const memory = new Uint8Array(chunks.reduce((max, chunk) => Math.max(max, chunk.length), 0))
  for (const chunk of chunks) {
    memory.fill(0x0a)
    memory.set(chunk)
    cutter.push(memory.subarray(0, chunk.length))
    while (take(cutter.next()));
  }
  memory.fill(0x0a)
  take(cutter.finish())
  return { lines, positions, cutter }
}

/** The chunks of a text that is cut at the given shares of its length. */
function chunksOf(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const borders = [0, ...cuts.map(share => Math.floor(share * bytes.length)).sort((a, b) => a - b), bytes.length]
  return borders.slice(1).map((border, index) => bytes.subarray(borders[index], border))
}

function naiveLines(text: string, delimiter: string | RegExp = /\r?\n/): string[] {
  const lines = text.split(delimiter)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

const codeOf = (code: string) => (error: unknown) => error instanceof StreamError && error.code === code

describe('LineCutter', () => {
  it('gives the same lines as a naive split, wherever the chunks are cut', () => {
    const piece = fc.constantFrom('\n', '\r\n', '\r', 'a', 'word', ' ', 'é', '漢字', '😀', '\uFFFD', '\u2028', '\0')
    const text = fc.array(piece, { maxLength: 40 }).map(pieces => pieces.join(''))
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 })
    fc.assert(
      fc.property(text, cuts, (whole, shares) => {
        assert.deepEqual(cut(chunksOf(Buffer.from(whole), shares)).lines, naiveLines(whole))
      }),
      { numRuns: 1000 },
    )
  })

  it('gives the same records as a naive split for any delimiter, wherever the chunks are cut', () => {
    const delimiter = fc.constantFrom(';', '||', 'abab', '\r\n', '§', 'é-')
    const piece = fc.constantFrom('a', 'b', '|', '\r', '\n', '-', 'é', '😀')
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 })
    const records = fc.array(
      fc.array(piece, { maxLength: 6 }).map(pieces => pieces.join('')),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(delimiter, records, cuts, (between, parts, shares) => {
        const whole = parts.join(between)
        const { lines } = cut(chunksOf(Buffer.from(whole), shares), { delimiter: between })
        assert.deepEqual(lines, naiveLines(whole, between))
      }),
      { numRuns: 1000 },
    )
  })

  it('knows the byte offset after each line at every cut of a text of many bytes per character', () => {
    const whole = '\uFEFFgrün\r\n漢字\n\n😀 done\nlast ü'
    const bytes = Buffer.from(whole)
    const expected = { lines: ['grün', '漢字', '', '😀 done', 'last ü'], positions: [10, 17, 18, 28, bytes.length] }
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]
        const { lines, positions } = cut(chunks)
        assert.deepEqual({ lines, positions }, expected, `cut at ${first} and ${second}`)
      }
    }
  })

  it('reads on from any position it told', () => {
    const bytes = Buffer.from('é one\r\n\ntwo\n三\nlast')
    const whole = cut([bytes])
    whole.positions.forEach((position, index) => {
      const rest = cut([bytes.subarray(position)], { startOffset: position })
      assert.deepEqual(rest.lines, whole.lines.slice(index + 1))
      assert.deepEqual(rest.positions, whole.positions.slice(index + 1))
    })
  })

  it('leaves out a byte order mark at offset 0 only', () => {
    const mark = '\uFEFF'
    assert.deepEqual(cut([Buffer.from(`${mark}a\n${mark}b\n`)]).lines, ['a', `${mark}b`])
    assert.deepEqual(cut([Buffer.from(`${mark}a\n`)], { startOffset: 3 }).lines, [`${mark}a`])
  })

  it('takes an empty input, and one of a byte order mark alone, as no lines', () => {
    assert.deepEqual(cut([]).lines, [])
    assert.deepEqual(cut([Buffer.from('\uFEFF')]).lines, [])
    assert.deepEqual(cut([Buffer.from('\uFEFF\n')]).lines, [''])
  })

  it('keeps a carriage return that is not before a line feed', () => {
    assert.deepEqual(cut([Buffer.from('a\rb\r\r\nc\r')]).lines, ['a\rb\r', 'c\r'])
  })

  it('accepts a line of exactly the limit and refuses one byte more, wherever the chunks are cut', () => {
    const bytes = Buffer.from('ab\nabcdef\nab')
    for (let border = 0; border <= bytes.length; border++) {
      const chunks = [bytes.subarray(0, border), bytes.subarray(border)]
      assert.equal(cut(chunks, { lineBytesMax: 6 }).lines.length, 3)
      assert.throws(() => cut(chunks, { lineBytesMax: 5 }), codeOf('LINE_TOO_LONG'))
    }
    assert.throws(() => cut([Buffer.from('a\nabcdef')], { lineBytesMax: 5 }), codeOf('LINE_TOO_LONG'))
    assert.throws(() => cut([Buffer.from('abcdef')], { lineBytesMax: 5, delimiter: '\r\n' }), codeOf('LINE_TOO_LONG'))
  })

  it('names the byte offset of a line that is too long, after the lines before it', () => {
    const cutter = new LineCutter(input({ lineBytesMax: 4 }))
    cutter.push(Buffer.from('é\nlong line\n'))
    assert.equal(cutter.next(), 'é')
    assert.throws(
      () => cutter.next(),
      /LINE_TOO_LONG: the input: the line at byte offset 3 is longer than 4 bytes; .*raise lineBytesMax/,
    )
  })

  it('gives up on an endless line without holding more than the limit', () => {
    const cutter = new LineCutter(input({ lineBytesMax: 1000 }))
    const chunk = Buffer.alloc(300, 0x61)
    for (let pushed = 0; pushed < 3; pushed++) {
      cutter.push(chunk)
      assert.equal(cutter.next(), undefined)
    }
    assert.equal(cutter.unfinishedBytes(), 900)
    cutter.push(chunk)
    assert.throws(() => cutter.next(), codeOf('LINE_TOO_LONG'))
    assert.equal(cutter.unfinishedBytes(), 900)
  })

  it('joins a long line of chunks of one byte', () => {
    const text = 'äb'.repeat(50_000)
    const bytes = Buffer.from(`${text}\nnext\n`)
    const chunks = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))
    assert.deepEqual(cut(chunks).lines, [text, 'next'])
  })

  it('replaces invalid bytes, warns once with the first offset, and counts all places', () => {
    const logger = new RecordingLogger()
    const bytes = Buffer.concat([
      Buffer.from('é \uFFFD ok\nx'),
      Buffer.from([0xff, 0xc3]),
      Buffer.from('\ny\xe9\n', 'latin1'),
    ])
    const { lines, cutter } = cut([bytes], { logger })
    assert.deepEqual(lines, ['é \uFFFD ok', 'x\uFFFD\uFFFD', 'y\uFFFD'])
    assert.equal(cutter.replacements(), 3)
    assert.deepEqual(
      logger.entries.map(entry => [entry.level, entry.fields]),
      [['warn', { byteOffset: bytes.indexOf(0xff) }]],
    )
    logReplacements(cutter, { description: 'the input', logger })
    assert.deepEqual(logger.entries[1]?.fields, { places: 3 })
  })

  it('counts the same replacements wherever the chunks are cut', () => {
    const bytes = Buffer.from([
      0x61, 0xe2, 0x82, 0x0a, 0xf0, 0x9f, 0x98, 0x20, 0xef, 0xbf, 0xbd, 0xc0, 0x80, 0x0a, 0xed, 0xa0, 0x80,
    ])
    const whole = cut([bytes])
    assert.deepEqual(whole.lines, new TextDecoder().decode(bytes).split('\n'))
    for (let border = 0; border <= bytes.length; border++) {
      const { lines, cutter } = cut([bytes.subarray(0, border), bytes.subarray(border)])
      assert.deepEqual(lines, whole.lines)
      assert.equal(cutter.replacements(), whole.cutter.replacements())
    }
  })

  it('fails at invalid bytes with their offset where that is asked for, and takes a real U+FFFD', () => {
    const bytes = Buffer.concat([Buffer.from('ok\n\uFFFDé'), Buffer.from([0xe9]), Buffer.from('\n')])
    const cutter = new LineCutter(input({ encodingErrors: 'fail' }))
    cutter.push(bytes)
    assert.equal(cutter.next(), 'ok')
    assert.throws(
      () => cutter.next(),
      /TEXT_INVALID: the input: the bytes at byte offset 8 are not valid UTF-8; .*encodingErrors/,
    )
    assert.deepEqual(cut([Buffer.from('\uFFFD\n')], { encodingErrors: 'fail' }).lines, ['\uFFFD'])
  })

  it('emits line by line while the output is full each time', () => {
    const cutter = new LineCutter(input())
    const chunks = [Buffer.from('a\nb\nc'), Buffer.from('\nd\n')]
    const output = new RecordingOutput<string>(1)
    const statuses: string[] = []
    do {
      output.startRead()
      statuses.push(emitLines(cutter, () => chunks.shift(), output))
    } while (statuses.at(-1) === 'full')
    assert.deepEqual(output.records, ['a', 'b', 'c', 'd'])
    assert.deepEqual(statuses, ['full', 'full', 'full', 'full', 'dry'])
    assert.equal(output.emittedWhileFull, 0)
  })
})
