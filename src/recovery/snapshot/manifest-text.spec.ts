import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crc32 } from '../../base/crc32.ts'
import { StreamError } from '../../base/errors.ts'
import { decodeUtf8, encodeUtf8 } from '../../base/utf8.ts'
import { sampleManifest } from '../../testing/sample-snapshots.ts'
import { decodeManifest, encodeManifest } from './manifest-text.ts'

const MANIFEST = sampleManifest(7, undefined, [], 'käse')

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof StreamError) return error.code
    throw error
  }
  return 'none'
}

describe('manifest text', () => {
  test('comes back as it was', () => {
    assert.deepEqual(decodeManifest(encodeManifest(MANIFEST), 'm'), MANIFEST)
  })

  test('begins with format, checksum and length, and goes on with JSON', () => {
    const text = decodeUtf8(encodeManifest(MANIFEST))
    assert.match(text, /^millrace snapshot 1 crc32 [0-9a-f]{8} bytes \d+\n\{/)
    assert.equal(JSON.parse(text.slice(text.indexOf('\n'))).job, 'käse')
  })

  test('any change of any byte is found', () => {
    const bytes = encodeManifest(MANIFEST)
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 1; bit < 256; bit *= 2) {
        const damaged = bytes.slice()
        damaged[at] = (damaged[at] as number) ^ bit
        assert.equal(
          codeOf(() => decodeManifest(damaged, 'm')),
          'SNAPSHOT_DAMAGED',
          `byte ${at}, bit ${bit}`,
        )
      }
    }
  })

  test('a manifest cut anywhere, or with anything behind it, is found', () => {
    const bytes = encodeManifest(MANIFEST)
    for (let size = 0; size < bytes.length; size++)
      assert.equal(
        codeOf(() => decodeManifest(bytes.slice(0, size), 'm')),
        'SNAPSHOT_DAMAGED',
        `${size} bytes`,
      )
    assert.equal(
      codeOf(() => decodeManifest(new Uint8Array([...bytes, 10]), 'm')),
      'SNAPSHOT_DAMAGED',
    )
  })

  test('a whole manifest of a later format is refused with both versions', () => {
    const bytes = encodeManifest({ ...MANIFEST, format: 2 })
    assert.throws(() => decodeManifest(bytes, 'm'), /SNAPSHOT_VERSION: m has snapshot format 2, .* up to 1;/)
  })

  test('sound text that is no manifest is damaged', () => {
    for (const json of ['', 'null', '[]', '{"job":"x"}']) {
      const checksum = crc32(encodeUtf8(`millrace snapshot 1${json}`))
        .toString(16)
        .padStart(8, '0')
      const text = encodeUtf8(`millrace snapshot 1 crc32 ${checksum} bytes ${json.length}\n${json}`)
      assert.equal(
        codeOf(() => decodeManifest(text, 'm')),
        'SNAPSHOT_DAMAGED',
        json,
      )
    }
  })
})
