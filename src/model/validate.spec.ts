import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GraphSketch, operators } from '../../test/support/graphs.ts'
import type { GraphDefaults } from './graph-builder.ts'
import { fieldSelector, functionSelector, tupleSelector } from './key.ts'
import { stepText } from './validate.ts'

const WORD = fieldSelector('word')

function at(line: number) {
  return { location: { file: 'file:///app/job.ts', line, column: 3 } }
}

/** What the graph is refused with, without the code. */
function refusal(draw: (sketch: GraphSketch) => void, defaults: Partial<GraphDefaults> = {}): string {
  const sketch = new GraphSketch()
  draw(sketch)
  try {
    sketch.build(defaults)
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'GRAPH_INVALID')
    return (error as Error).message.replace('GRAPH_INVALID: ', '')
  }
  return 'it is valid'
}

function assertOneMistake(draw: (sketch: GraphSketch) => void, mistake: string): void {
  assert.equal(refusal(draw), `the job "job" has a mistake:\n  1. ${mistake}`)
}

describe('a valid graph', () => {
  it('is not refused', () => {
    const draw = (sketch: GraphSketch): void => {
      const lines = sketch.step('lines', operators.source())
      const head = sketch.step('head', operators.feedback(), { from: [lines] })
      const count = sketch.step('count', operators.rolling(), { key: WORD, from: [head] })
      const both = sketch.step('both', operators.keyedCoProcess(), {
        key: WORD,
        from: [count, { step: lines, input: 1 }],
      })
      sketch.feedback(both, head)
      sketch.step('print', operators.sink(), { from: [both, { step: both, outputTag: 'late' }, lines] })
    }
    assert.equal(refusal(draw), 'it is valid')
    assert.equal(refusal(draw, { parallelism: 4, maxParallelism: 4 }), 'it is valid')
  })
})

describe('a mistake of an edge', () => {
  it('is an input that does not exist', () => {
    assertOneMistake(sketch => {
      sketch.step('lines', operators.source())
      sketch.builder.addEdge({ from: 0, to: 7 })
    }, 'an edge leads to vertex 7, which does not exist; add the vertex before the edge')
  })

  it('is an unknown step to read from', () => {
    assertOneMistake(sketch => {
      const map = sketch.step('map', operators.transform(), at(12))
      const lines = sketch.step('lines', operators.source())
      sketch.builder.addEdge({ from: lines.id, to: map.id })
      sketch.builder.addEdge({ from: 7, to: map.id })
    }, 'step "map" (/app/job.ts:12) reads from vertex 7, which does not exist; connect it to a step of the same environment')
  })

  it('is an input that the step does not have', () => {
    assertOneMistake(sketch => {
      const lines = sketch.step('lines', operators.source())
      sketch.step('map', operators.transform(), { from: [lines, { step: lines, input: 1 }], ...at(12) })
    }, 'step "map" (/app/job.ts:12) has one input but an edge leads to input 1; inputs count from 0')
    assertOneMistake(sketch => {
      const lines = sketch.step('lines', operators.source())
      const from = [-1, 0, 1].map(input => ({ step: lines, input }))
      sketch.step('both', operators.coProcess(), { from, ...at(12) })
    }, 'step "both" (/app/job.ts:12) has 2 inputs but an edge leads to input -1; inputs count from 0')
  })

  it('is a source that reads', () => {
    assertOneMistake(sketch => {
      const lines = sketch.step('lines', operators.source(), at(11))
      sketch.step('words', operators.source(), { from: [lines], ...at(12) })
    }, 'step "words" (/app/job.ts:12) is a source but step "lines" (/app/job.ts:11) leads to it; a source has no input, use union()')
  })

  it('is a sink that is read, also by a side output', () => {
    for (const outputTag of [undefined, 'late']) {
      assertOneMistake(sketch => {
        const lines = sketch.step('lines', operators.source())
        const print = sketch.step('print', operators.sink(), { from: [lines], ...at(12) })
        sketch.step('map', operators.transform(), {
          from: [outputTag === undefined ? print : { step: print, outputTag }],
          ...at(13),
        })
      }, 'step "map" (/app/job.ts:13) reads from step "print" (/app/job.ts:12), a sink, which has no output; read from the step before it')
    }
  })

  it('is a forward edge between different parallelisms', () => {
    assertOneMistake(sketch => {
      const lines = sketch.step('lines', operators.source(), at(11))
      sketch.step('map', operators.transform(), {
        from: [{ step: lines, partitioning: { kind: 'forward' } }],
        parallelism: 3,
        ...at(12),
      })
    }, 'step "map" (/app/job.ts:12) has parallelism 3 but a forward edge from step "lines" (/app/job.ts:11) with 1; use rebalance() between them')
  })

  it('is a feedback edge to what is not the head of an iteration', () => {
    assertOneMistake(sketch => {
      const lines = sketch.step('lines', operators.source())
      const map = sketch.step('map', operators.transform(), { from: [lines], ...at(12) })
      sketch.feedback(map, map)
    }, 'a feedback edge leads to step "map" (/app/job.ts:12); only the head of an iteration may take one, use iterate()')
  })
})

describe('a mistake of parallelism', () => {
  it('is one that is not a whole number from 1', () => {
    for (const parallelism of [0, -1, 1.5, Number.NaN]) {
      assertOneMistake(
        sketch => sketch.step('lines', operators.source(), { parallelism, ...at(12) }),
        `step "lines" (/app/job.ts:12) has parallelism ${parallelism}; give a whole number from 1`,
      )
    }
  })

  it('is a maxParallelism out of bounds', () => {
    for (const maxParallelism of [0, 2.5, 32_769]) {
      assertOneMistake(
        sketch => sketch.step('lines', operators.source(), { maxParallelism, ...at(12) }),
        `step "lines" (/app/job.ts:12) has maxParallelism ${maxParallelism}; give a whole number from 1 to 32768`,
      )
    }
    assert.equal(
      refusal(sketch => sketch.step('lines', operators.source(), { maxParallelism: 32_768 })),
      'it is valid',
    )
  })

  it('is a parallelism above maxParallelism', () => {
    assertOneMistake(
      sketch => sketch.step('lines', operators.source(), { parallelism: 5, maxParallelism: 4, ...at(12) }),
      'step "lines" (/app/job.ts:12) has parallelism 5 but maxParallelism 4; lower the parallelism, or raise setMaxParallelism() before there is state',
    )
  })

  it('is more than a source or sink can run with', () => {
    const spec = { parallelismMax: 1, description: 'socket localhost:9999' }
    assertOneMistake(
      sketch => sketch.step('lines', operators.source(spec), { parallelism: 2, ...at(12) }),
      'step "lines" (/app/job.ts:12) has parallelism 2 but socket localhost:9999 can run with 1 at most; remove setParallelism() there',
    )
    assertOneMistake(sketch => {
      const lines = sketch.step('lines', operators.source())
      sketch.step('print', operators.sink(spec), { from: [lines], parallelism: 2, ...at(12) })
    }, 'step "print" (/app/job.ts:12) has parallelism 2 but socket localhost:9999 can run with 1 at most; remove setParallelism() there')
  })
})

describe('a mistake of inputs', () => {
  it('is one with nothing connected', () => {
    assertOneMistake(
      sketch => sketch.step('map', operators.transform(), at(12)),
      'step "map" (/app/job.ts:12) has nothing connected to input 0; connect a stream to it',
    )
    assertOneMistake(sketch => {
      const lines = sketch.step('lines', operators.source())
      sketch.step('both', operators.coProcess(), { from: [lines], ...at(12) })
    }, 'step "both" (/app/job.ts:12) has nothing connected to input 1; connect a stream to it')
  })

  it('is an iteration that only its own feedback leads to', () => {
    assertOneMistake(sketch => {
      const head = sketch.step('head', operators.feedback(), at(12))
      const map = sketch.step('map', operators.transform(), { from: [head] })
      sketch.feedback(map, head)
    }, 'step "head" (/app/job.ts:12) has nothing connected to input 0; connect a stream to it')
  })
})

describe('a mistake of keys', () => {
  it('is a keyed operation without a key', () => {
    for (const operator of [operators.rolling(), operators.tumbling(1000), operators.keyedProcess()]) {
      assertOneMistake(sketch => {
        const lines = sketch.step('lines', operators.source())
        sketch.step('count', operator, { from: [lines], ...at(12) })
      }, 'step "count" (/app/job.ts:12) works per key but input 0 has no key; call keyBy() before it')
    }
  })

  it('is a second input without a key', () => {
    assertOneMistake(sketch => {
      const lines = sketch.step('lines', operators.source())
      const hashed = { step: lines, partitioning: { kind: 'hash', key: WORD } } as const
      sketch.step('both', operators.keyedCoProcess(), {
        from: [hashed, { ...hashed, input: 1 }],
        keySelectors: [WORD],
        ...at(12),
      })
    }, 'step "both" (/app/job.ts:12) works per key but input 1 has no key; call keyBy() before it')
  })

  it('is a keyed operation whose records do not come by key', () => {
    assertOneMistake(sketch => {
      const lines = sketch.step('lines', operators.source())
      const from = [{ step: lines, partitioning: { kind: 'rebalance' } } as const]
      sketch.step('count', operators.rolling(), { key: WORD, from, ...at(12) })
    }, 'step "count" (/app/job.ts:12) works per key but takes its input by rebalance; let keyBy() be the last call before it')
  })

  it('is a connection of streams whose keys can never be equal', () => {
    const mistakeOf = (first = WORD, second = WORD): string =>
      refusal(sketch => {
        const lines = sketch.step('lines', operators.source())
        sketch.step('both', operators.keyedCoProcess(), {
          from: [
            { step: lines, partitioning: { kind: 'hash', key: first } },
            { step: lines, input: 1, partitioning: { kind: 'hash', key: second } },
          ],
          keySelectors: [first, second],
          ...at(12),
        })
      })
    for (const [first, second, texts] of [
      [WORD, tupleSelector(['word', 'day']), 'keyed by word with one keyed by [word, day]'],
      [tupleSelector(['word']), WORD, 'keyed by [word] with one keyed by word'],
      [tupleSelector(['a', 'b']), tupleSelector(['a', 'b', 'c']), 'keyed by [a, b] with one keyed by [a, b, c]'],
    ] as const) {
      assert.equal(
        mistakeOf(first, second),
        `the job "job" has a mistake:\n  1. step "both" (/app/job.ts:12) connects a stream ${texts}, whose keys can never be equal; key both by one field, or both by a list of as many fields`,
      )
    }
    assert.equal(mistakeOf(WORD, fieldSelector('name')), 'it is valid')
    assert.equal(mistakeOf(tupleSelector(['a', 'b']), tupleSelector(['c', 'd'])), 'it is valid')
    assert.equal(
      mistakeOf(
        tupleSelector(['a', 'b']),
        functionSelector(() => 1),
      ),
      'it is valid',
    )
  })
})

describe('a mistake of uids', () => {
  it('is one that several steps have', () => {
    assertOneMistake(sketch => {
      const lines = sketch.step('lines', operators.source(), { uid: 'same', ...at(11) })
      const map = sketch.step('map', operators.transform(), { from: [lines], uid: 'same', ...at(12) })
      sketch.step('print', operators.sink(), { from: [map], uid: 'same' })
    }, 'step "lines" (/app/job.ts:11) and step "map" (/app/job.ts:12) and step "print" have the same uid "same"; give each its own with uid()')
  })

  it('is a given one that is derived for another step', () => {
    assertOneMistake(sketch => {
      const lines = sketch.step('lines', operators.source(), at(11))
      sketch.step('print', operators.sink(), { from: [lines], uid: 'source-collection-0', ...at(12) })
    }, 'step "lines" (/app/job.ts:11) and step "print" (/app/job.ts:12) have the same uid "source-collection-0"; give each its own with uid()')
  })
})

describe('an illegal cycle', () => {
  it('is one without a feedback edge', () => {
    assertOneMistake(sketch => {
      const lines = sketch.step('lines', operators.source())
      const first = sketch.step('first', operators.transform(), { from: [lines], ...at(12) })
      const second = sketch.step('second', operators.transform(), { from: [first] })
      sketch.builder.addEdge({ from: second.id, to: first.id })
    }, 'step "first" (/app/job.ts:12) is part of a cycle that is not marked as feedback; build loops with iterate()')
  })

  it('may be a single step', () => {
    assertOneMistake(sketch => {
      const lines = sketch.step('lines', operators.source())
      const map = sketch.step('map', operators.transform(), { from: [lines], ...at(12) })
      sketch.builder.addEdge({ from: map.id, to: map.id })
    }, 'step "map" (/app/job.ts:12) is part of a cycle that is not marked as feedback; build loops with iterate()')
  })

  it('is not a diamond', () => {
    const mistake = refusal(sketch => {
      const lines = sketch.step('lines', operators.source())
      const [left, right] = ['left', 'right'].map(name => sketch.step(name, operators.transform(), { from: [lines] }))
      if (left !== undefined && right !== undefined)
        sketch.step('print', operators.sink(), { from: [left, right, lines] })
    })
    assert.equal(mistake, 'it is valid')
  })
})

describe('all mistakes', () => {
  it('are reported together, in the order edges, steps, uids, cycles', () => {
    const message = refusal(
      sketch => {
        const lines = sketch.step('lines', operators.source(), { uid: 'x', parallelism: 0, ...at(1) })
        const first = sketch.step('first', operators.transform(), { from: [lines], uid: 'x', ...at(2) })
        sketch.builder.addEdge({ from: first.id, to: first.id })
        sketch.builder.addEdge({ from: first.id, to: 9 })
        sketch.step('count', operators.rolling(), { from: [first], ...at(3) })
        sketch.step('alone', operators.coProcess(), { parallelism: 300, ...at(4) })
      },
      { parallelism: 2 },
    )
    assert.equal(
      message,
      `the job "job" has 8 mistakes:
  1. an edge leads to vertex 9, which does not exist; add the vertex before the edge
  2. step "lines" (/app/job.ts:1) has parallelism 0; give a whole number from 1
  3. step "count" (/app/job.ts:3) works per key but input 0 has no key; call keyBy() before it
  4. step "alone" (/app/job.ts:4) has parallelism 300 but maxParallelism 128; lower the parallelism, or raise setMaxParallelism() before there is state
  5. step "alone" (/app/job.ts:4) has nothing connected to input 0; connect a stream to it
  6. step "alone" (/app/job.ts:4) has nothing connected to input 1; connect a stream to it
  7. step "lines" (/app/job.ts:1) and step "first" (/app/job.ts:2) have the same uid "x"; give each its own with uid()
  8. step "first" (/app/job.ts:2) is part of a cycle that is not marked as feedback; build loops with iterate()`,
    )
  })
})

describe('stepText', () => {
  it('names the step, and its place where it is known', () => {
    const sketch = new GraphSketch()
    sketch.step('lines', operators.source(), at(12))
    sketch.step('more', operators.source())
    assert.deepEqual(sketch.build().vertices.map(stepText), ['step "lines" (/app/job.ts:12)', 'step "more"'])
  })
})
