import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { insertText, quotedName, quotedTable, quotedText, replacingText } from './sql-text.ts'

describe('the SQL of the sink postgres', () => {
  test('numbers the parameters row by row', () => {
    assert.equal(insertText('"t"', ['a', 'b'], 2), 'INSERT INTO "t" ("a", "b") VALUES ($1, $2), ($3, $4)')
  })

  test('replaces all but the key, or nothing where all is key', () => {
    const replacing = ' ON CONFLICT ("a") DO UPDATE SET "b" = EXCLUDED."b", "c" = EXCLUDED."c"'
    assert.equal(replacingText(['b', 'a', 'c'], ['a']), replacing)
    assert.equal(replacingText(['a', 'b'], ['b', 'a']), ' ON CONFLICT ("b", "a") DO NOTHING')
  })

  test('lets no name and no text end its quotes', () => {
    const ends = (quoted: string, quote: string): boolean =>
      !quoted.startsWith(quote) ||
      !quoted.endsWith(quote) ||
      quoted
        .slice(1, -1)
        .replaceAll(quote + quote, '')
        .includes(quote)
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', "'", 'a', ';', '\\', '.') }), text => {
        assert.equal(ends(quotedName(text), '"'), false)
        assert.equal(ends(quotedText(text), "'"), false)
      }),
    )
    assert.equal(quotedTable('a".b', 'c'), '"a"".b"."c"')
    assert.equal(quotedTable(undefined, 'a.b'), '"a.b"')
  })
})
