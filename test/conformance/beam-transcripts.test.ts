// The trigger transcripts that Apache Beam ships for its runners, run on our window operator: most must hold, some have wrong expectations
// on purpose, of which our comparison must complain as the transcript says.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { parseExpression, Untranslatable } from './support/beam-language.ts'
import { beamTranscripts, skipBeam } from './support/beam-package.ts'
import { parseTranscripts, runTranscript, type Transcript } from './support/beam-transcript.ts'

const TRANSCRIPTS = 18
const HOLDING = 13
const REFUSED_MAX = 2

/** What Beam has and we leave out on purpose, by what the refusal says. */
const REFUSED: Readonly<Record<string, string>> = {
  'the timestamp combiner OUTPUT_AT_EARLIEST_TRANSFORMED':
    'our windows do not move the timestamps of records, and only a test of Beam has such windows',
}

/** How a transcript went: undefined when it holds, or the reason why it was refused. */
async function refusalOf(transcript: Transcript): Promise<string | undefined> {
  try {
    await runTranscript(transcript)
    return undefined
  } catch (error) {
    const reason = error instanceof Untranslatable ? REFUSED[error.message] : undefined
    if (reason === undefined) throw error
    return `${(error as Error).message}: ${reason}`
  }
}

describe('the trigger transcripts of Beam', { skip: skipBeam }, () => {
  test('hold, or fail as they say', async t => {
    const transcripts = parseTranscripts(await beamTranscripts())
    assert.equal(transcripts.length, TRANSCRIPTS)
    const failing = transcripts.filter(({ error }) => error !== undefined)
    const holding = transcripts.filter(({ error }) => error === undefined)
    assert.equal(holding.length, HOLDING)
    const refused: string[] = []
    for (const transcript of holding) {
      await t.test(transcript.name, async () => {
        const refusal = await refusalOf(transcript)
        if (refusal === undefined) return
        refused.push(refusal)
        t.diagnostic(`refused ${transcript.name}: ${refusal}`)
      })
    }
    for (const transcript of failing) {
      await t.test(`${transcript.name} is reported`, async () => {
        await assert.rejects(runTranscript(transcript), new RegExp(transcript.error as string))
      })
    }
    assert.ok(refused.length <= REFUSED_MAX, refused.join('\n'))
  })
})

describe('the language of the transcripts', () => {
  test('has calls, with and without arguments, and numbers', () => {
    assert.deepEqual(parseExpression('Default'), { name: 'Default', positional: [], named: {} })
    assert.deepEqual(parseExpression('Default()'), { name: 'Default', positional: [], named: {} })
    assert.deepEqual(parseExpression('AfterWatermark(early=AfterCount(3), late=Default)'), {
      name: 'AfterWatermark',
      positional: [],
      named: {
        early: { name: 'AfterCount', positional: [3], named: {} },
        late: { name: 'Default', positional: [], named: {} },
      },
    })
  })

  test('is refused where it ends early', () => {
    for (const text of ['AfterCount(', 'AfterCount(3', 'AfterCount(3))', 'AfterWatermark(early=)', '']) {
      assert.throws(() => parseExpression(text), /missing|left over/, text)
    }
  })
})
