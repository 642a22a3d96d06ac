// Holds that every program shown in a page or a docstring compiles, runs, and prints what the page says, and that links between
// pages lead somewhere.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { after, describe } from 'node:test'
import { ROOT, temporaryFolder, trackedFiles } from '../support/project.ts'
import {
  docstringExamples,
  type Example,
  makeExampleFolder,
  noRunReason,
  pageExamples,
  runExample,
  typeMistakes,
} from './examples.ts'

const pages = trackedFiles().filter(file => /^([A-Z]+|docs\/.*|examples\/.*)\.md$/.test(file))
const sources = trackedFiles().filter(file => /^src\/.*\.ts$/.test(file) && !file.endsWith('.spec.ts'))

function textOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}

const inPages = pages.flatMap(file => pageExamples(file, textOf(file)))
const inDocstrings = sources.flatMap(file => docstringExamples(file, textOf(file)))
const blocks = [...inPages, ...inDocstrings]
const examples = blocks.filter(({ language }) => language === 'ts')

const folder = temporaryFolder({ after })
makeExampleFolder(folder)

function example(code: string, note = ''): Example {
  return { place: 'planted:1', language: 'ts', code, note, output: undefined }
}

describe('the programs of pages and docstrings', () => {
  test('are found, in the README, in pages and in docstrings', () => {
    assert.ok(inPages.some(({ place, language }) => place.startsWith('README.md:') && language === 'ts'))
    assert.ok(pages.some(file => file.startsWith('docs/')))
    const shown = inDocstrings.filter(({ language }) => language === 'ts')
    assert.ok(shown.length >= 10, `${shown.length} in docstrings`)
    const tags = sources.flatMap(file => textOf(file).match(/^\s*\* @example\b/gm) ?? [])
    assert.equal(shown.length, tags.length, 'an @example without a ts block, or a ts block without @example')
  })

  test('are marked as ts, so that none escapes', () => {
    const escaped = blocks.filter(({ language, code }) => language !== 'ts' && /from ['"]millrace/.test(code))
    assert.deepEqual(
      escaped.map(({ place }) => place),
      [],
    )
  })

  test('compile', () => {
    assert.deepEqual(typeMistakes(examples), [])
  })

  test('have a reason where they are not run', () => {
    assert.ok(examples.filter(each => noRunReason(each) === undefined).length >= 10)
  })
})

describe('running', { concurrency: 2 }, () => {
  examples.forEach((each, index) => {
    if (noRunReason(each) !== undefined) return
    test(`the program at ${each.place} ends well`, async () => {
      const { code, signal, stdout, stderr } = await runExample(folder, `example-${index}`, each)
      assert.equal(code, 0, `ended with ${code ?? signal}:\n${stderr}`)
      if (each.output !== undefined) assert.equal(stdout, each.output)
    })
  })
})

describe('a planted page', () => {
  test('with a program that does not compile is caught', () => {
    const [mistake, ...others] = typeMistakes([
      example(`import { environment } from 'millrace'\nenvironment().fromElements({ a: 1 }).keyBy('b')\n`),
      example(`import { environment } from 'millrace'\nenvironment().fromElements({ a: 1 }).keyBy('a')\n`),
    ])
    assert.match(mistake ?? '', /^planted:1 line 2: /)
    assert.deepEqual(others, [])
  })

  test('with a program that fails is caught', async () => {
    const failing = example(`import { environment } from 'millrace'\nenvironment().fromElements(1).print()\n`)
    const { code, stderr } = await runExample(folder, 'planted', failing)
    assert.equal(code, 1)
    assert.match(stderr, /^JOB_NOT_EXECUTED: /)
  })

  test('with a program that is not run needs the reason', () => {
    assert.equal(noRunReason(example('', 'no-run: it has no end')), 'it has no end')
    for (const note of ['no-run', 'no-run:', 'skip'])
      assert.throws(() => noRunReason(example('', note)), /says nothing/)
  })

  test('is read with languages, notes, lines and outputs', () => {
    const fence = '```'
    const page = `# A\n${fence}ts no-run: it waits\na()\n${fence}\nIt prints:\n${fence}text\n1\n${fence}\n${fence}sh\nls\n${fence}\n`
    assert.deepEqual(pageExamples('a.md', page), [
      { place: 'a.md:2', language: 'ts', code: 'a()\n', note: 'no-run: it waits', output: '1\n' },
      { place: 'a.md:6', language: 'text', code: '1\n', note: '', output: undefined },
      { place: 'a.md:9', language: 'sh', code: 'ls\n', note: '', output: undefined },
    ])
    const source = `/**\n * A.\n * ${fence}ts\n * if (a) {\n *   b()\n * }\n * ${fence}\n */\nconst c = 1\n`
    const [found, ...others] = docstringExamples('a.ts', source)
    assert.deepEqual([found?.place, found?.code, others.length], ['a.ts:3', 'if (a) {\n  b()\n}\n', 0])
    assert.throws(() => pageExamples('a.md', `${fence}ts\na()\n`), /does not end/)
  })
})

describe('the links of pages', () => {
  /** The targets of relative links that do not exist, as `page: target`. */
  function brokenLinks(file: string, page: string): readonly string[] {
    const targets = [...page.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(match => match[1] as string)
    return targets.filter(target => !existsSync(join(ROOT, dirname(file), target))).map(target => `${file}: ${target}`)
  }

  test('lead to files that exist', () => {
    assert.deepEqual(
      pages.flatMap(file => brokenLinks(file, textOf(file))),
      [],
    )
  })

  test('that lead nowhere are caught', () => {
    const page = '[a](gone.md) [b](errors.md#x) [c](#here) [d](https://example.org/x)'
    assert.deepEqual(brokenLinks('docs/reference/a.md', page), ['docs/reference/a.md: gone.md'])
  })
})
