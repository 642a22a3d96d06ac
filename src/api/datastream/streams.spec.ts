// The graphs that calls on streams build, as the stable text of a graph. Two subtasks unless a test says otherwise.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { describeGraph } from '../../model/describe.ts'
import type { Collector } from '../../model/functions.ts'
import { outputTag } from '../../model/output-tag.ts'
import { value } from '../../model/state.ts'
import { forBoundedOutOfOrderness, forMonotonousTimestamps } from '../../time/watermark-strategies.ts'
import { StreamEnvironment } from './environment.ts'

interface Word {
  readonly word: string
  readonly frequency: number
}

/** Builds a job and returns the lines of its graph's text. */
function graphOf(build: (env: StreamEnvironment) => void): string[] {
  const env = new StreamEnvironment({
    defaultParallelism: 2,
    launch: () => assert.fail('nothing may run'),
    explain: graph => ({ text: describeGraph(graph), json: undefined }),
  })
  build(env)
  return env.explain().text.split('\n')
}

/** The same without uids and the usual number of key groups, for tests that are not about them. */
function shapeOf(build: (env: StreamEnvironment) => void): string[] {
  return graphOf(build).map(line => line.replace(/^(\d+) [^"]+"/, '$1 "').replaceAll('/128', ''))
}

function words(env: StreamEnvironment) {
  return env.fromElements<Word>({ word: 'be', frequency: 1 })
}

describe('the word counts', () => {
  test('windowed from a socket: chained up to the key, processing time', () => {
    const graph = graphOf(env =>
      env
        .socketTextStream('localhost', 9999)
        .flatMap(line => line.split(' '))
        .map(word => ({ word, frequency: 1 }))
        .keyBy('word')
        .timeWindow(5000)
        .sum('frequency')
        .print(),
    )
    assert.deepEqual(graph, [
      '0 source-socket-text-0 "socket-text" source socket localhost:9999 parallelism=1/128',
      '1 transform-flat-map-e69752c4-0 "flat-map" flat-map parallelism=2/128',
      '2 transform-map-e69752c4-0 "map" map parallelism=2/128',
      '3 window-word-e69752c4-0 "time-window(5000) sum(frequency)" tumbling window 5000 ms of processing time key=word parallelism=2/128',
      '4 sink-print-4170fef5-0 "print" sink print parallelism=2/128',
      '0 -> 1:0 rebalance',
      '1 -> 2:0 forward',
      '2 -> 3:0 hash(word)',
      '3 -> 4:0 forward',
    ])
  })

  test('rolling', () => {
    const graph = shapeOf(env => words(env).keyBy('word').sum('frequency').print('counts'))
    assert.deepEqual(graph, [
      '0 "collection" source 1 element parallelism=1',
      '1 "sum(frequency)" rolling key=word parallelism=2',
      '2 "print" sink print parallelism=2',
      '0 -> 1:0 hash(word)',
      '1 -> 2:0 forward',
    ])
  })
})

describe('a union', () => {
  test('is no step: the next step reads all its streams, each in its own partitioning', () => {
    const graph = shapeOf(env => {
      const first = env.fromElements('a')
      const second = env.fromElements('b').map(text => text.length)
      first.broadcast().union(second.shuffle()).union(env.fromElements(true)).map(String).print()
    })
    assert.deepEqual(graph.slice(3), [
      '3 "collection" source 1 element parallelism=1',
      '4 "map" map parallelism=2',
      '5 "print" sink print parallelism=2',
      '1 -> 2:0 rebalance',
      '0 -> 4:0 broadcast',
      '2 -> 4:0 shuffle',
      '3 -> 4:0 rebalance',
      '4 -> 5:0 forward',
    ])
  })

  test('of a stream with itself gives every record twice', () => {
    const graph = shapeOf(env => {
      const numbers = env.fromElements(1)
      numbers.union(numbers).print()
    })
    assert.deepEqual(graph.slice(2), ['0 -> 1:0 rebalance', '0 -> 1:0 rebalance'])
  })
})

describe('partitioning calls', () => {
  test('are said on the edge to the next step, the last one counts', () => {
    const graph = shapeOf(env => {
      const stream = words(env).setParallelism(1)
      stream.rebalance().print()
      stream.rescale().print()
      stream.shuffle().print()
      stream.broadcast().print()
      stream.global().print()
      stream.localOrShuffle().print()
      stream.partialKey('word').print()
      stream.partialKey(['word', 'frequency']).print()
      stream.direct(record => record.frequency % 2).print()
      stream.partitionCustom((key, subtaskCount) => key.length % subtaskCount, 'word').print()
      stream
        .partitionCustom(
          (key: number, subtaskCount) => key % subtaskCount,
          record => record.frequency,
        )
        .print()
      stream.broadcast().global().print()
    })
    assert.deepEqual(graph.slice(13), [
      '0 -> 1:0 rebalance',
      '0 -> 2:0 rescale',
      '0 -> 3:0 shuffle',
      '0 -> 4:0 broadcast',
      '0 -> 5:0 global',
      '0 -> 6:0 local-or-shuffle',
      '0 -> 7:0 partial-key(word)',
      '0 -> 8:0 partial-key([word, frequency])',
      '0 -> 9:0 direct',
      '0 -> 10:0 custom(word)',
      '0 -> 11:0 custom(function)',
      '0 -> 12:0 global',
    ])
  })

  test('forward asks for equal parallelism when the graph is built', () => {
    assert.throws(() => shapeOf(env => words(env).forward().print()), /GRAPH_INVALID[\s\S]*rebalance\(\)/)
  })
})

describe('a keyed stream', () => {
  test('keeps its partitioning, but not its key, for steps that know no key', () => {
    const graph = shapeOf(env =>
      words(env)
        .keyBy('word')
        .map(record => record.frequency)
        .print(),
    )
    assert.deepEqual(graph.slice(1), [
      '1 "map" map parallelism=2',
      '2 "print" sink print parallelism=2',
      '0 -> 1:0 hash(word)',
      '1 -> 2:0 forward',
    ])
  })

  test('has a key of fields, of one field in a list, or of a function', () => {
    const graph = shapeOf(env => {
      words(env).keyBy(['word', 'frequency']).max('frequency').print()
      words(env).keyBy(['word']).minBy('frequency').print()
      words(env)
        .keyBy(record => record.word.length)
        .reduce(earlier => earlier)
        .print()
    })
    const keyed = graph.filter(line => line.includes('key=')).map(line => line.replace(/ rolling-\S+?(, \S+)? "/, ' "'))
    assert.deepEqual(keyed, [
      '1 "max(frequency)" rolling key=[word, frequency] parallelism=2',
      '4 "minBy(frequency)" rolling key=[word] parallelism=2',
      '7 "reduce" rolling key=function parallelism=2',
    ])
  })

  test('processes with state and a side output that is read by its tag', () => {
    const short = outputTag<string>('short')
    const graph = shapeOf(env => {
      const counted = words(env)
        .keyBy('word')
        .process({
          state: { count: value(0) },
          onRecord(record, ctx, out: Collector<number>) {
            ctx.state.count.set(ctx.state.count.get() + record.frequency)
            if (ctx.key.length < 3) ctx.output(short, record.word)
            out.collect(ctx.state.count.get())
          },
        })
        .name('count')
      counted.print()
      counted.sideOutput(short).rebalance().print()
    })
    assert.deepEqual(graph.slice(1), [
      '1 "count" keyed-process key=word parallelism=2',
      '2 "print" sink print parallelism=2',
      '3 "print" sink print parallelism=2',
      '0 -> 1:0 hash(word)',
      '1 -> 2:0 forward',
      '1 -> 3:0 rebalance tag=short',
    ])
  })
})

describe('a window', () => {
  const timed = forMonotonousTimestamps<Word>({ timestamp: record => record.frequency })

  function windowLines(build: (env: StreamEnvironment) => void): string[] {
    return shapeOf(build).filter(line => line.includes('window'))
  }

  test('goes by event time when a strategy is anywhere upstream', () => {
    const lines = windowLines(env => {
      const stream = words(env).assignTimestampsAndWatermarks(timed)
      stream
        .map(record => ({ ...record }))
        .keyBy('word')
        .timeWindow(10)
        .sum('frequency')
        .print()
      words(env)
        .union(stream)
        .keyBy('word')
        .timeWindow(10, 5)
        .reduce(later => later)
        .print()
    })
    assert.deepEqual(lines, [
      '3 "time-window(10) sum(frequency)" tumbling window 10 ms of event time key=word parallelism=2',
      '6 "time-window(10, 5) reduce" sliding window 10 ms every 5 ms of event time key=word parallelism=2',
    ])
  })

  test('goes by event time when the source gives timestamps', () => {
    const lines = windowLines(env => {
      const make = (index: number): Word => ({ word: 'be', frequency: index })
      env
        .generate(make, { timestamp: (_, index) => index })
        .keyBy('word')
        .timeWindow(10)
        .sum('frequency')
        .print()
      env.generate(make).keyBy('word').timeWindow(10).sum('frequency').print()
    })
    assert.deepEqual(lines, [
      '1 "time-window(10) sum(frequency)" tumbling window 10 ms of event time key=word parallelism=2',
      '4 "time-window(10) sum(frequency)" tumbling window 10 ms of processing time key=word parallelism=2',
    ])
  })

  test('goes by event time when the source makes watermarks', () => {
    const lines = windowLines(env => {
      const make = (index: number): Word => ({ word: 'be', frequency: index })
      env.generate(make, { watermarks: timed }).keyBy('word').timeWindow(10).sum('frequency').print()
    })
    assert.deepEqual(lines, [
      '1 "time-window(10) sum(frequency)" tumbling window 10 ms of event time key=word parallelism=2',
    ])
  })

  test('of a stream beside one with timestamps goes by processing time', () => {
    const lines = windowLines(env => {
      const stream = words(env)
      stream.assignTimestampsAndWatermarks(timed).print()
      stream.keyBy('word').timeWindow(10).max('frequency').print()
    })
    assert.deepEqual(lines, [
      '3 "time-window(10) max(frequency)" tumbling window 10 ms of processing time key=word parallelism=2',
    ])
  })

  test('may wait for late records, and send what comes too late to a side output', () => {
    const late = outputTag<Word>('late')
    const graph = shapeOf(env => {
      const sums = words(env)
        .assignTimestampsAndWatermarks(forBoundedOutOfOrderness(3, timed))
        .keyBy('word')
        .timeWindow(10)
        .allowedLateness(20)
        .sideOutputLateData(late)
        .sum('frequency')
      sums.sideOutput(late).print()
    })
    assert.deepEqual(graph.slice(2), [
      '2 "time-window(10) sum(frequency)" tumbling window 10 ms of event time, allowed lateness 20 ms key=word parallelism=2',
      '3 "print" sink print parallelism=2',
      '0 -> 1:0 rebalance',
      '1 -> 2:0 hash(word)',
      '2 -> 3:0 forward tag=late',
    ])
  })

  test('by count purges when it fires; with a slide it keeps the newest records', () => {
    const lines = windowLines(env => {
      words(env).keyBy('word').countWindow(3).maxBy('frequency').print()
      words(env)
        .keyBy('word')
        .countWindow(4, 2)
        .apply((key, _window, elements, out: Collector<string>) => out.collect(`${key} ${elements.length}`))
        .print()
    })
    assert.deepEqual(lines, [
      '1 "count-window(3) maxBy(frequency)" count window 3 key=word parallelism=2',
      '4 "count-window(4, 2) apply" count window 4 every 2 key=word parallelism=2',
    ])
  })
})

describe('connected streams', () => {
  test('are the two inputs of one step', () => {
    const graph = shapeOf(env => {
      const numbers = env.fromElements(1)
      words(env)
        .connect(numbers)
        .coMap(
          record => record.word,
          number => number * 2,
        )
        .print()
      words(env)
        .connect(numbers)
        .coFlatMap(
          record => [record.word],
          number => new Set([number]),
        )
        .print()
      words(env)
        .connect(numbers)
        .coProcess({ onFirst() {}, onSecond() {} })
        .print()
    })
    const steps = graph.filter(line => line.includes('co-process'))
    assert.deepEqual(steps, [
      '2 "co-map" co-process parallelism=2',
      '5 "co-flat-map" co-process parallelism=2',
      '8 "co-process" co-process parallelism=2',
    ])
    assert.ok(graph.includes('1 -> 2:0 rebalance') && graph.includes('0 -> 2:1 rebalance'))
  })

  test('of which one has no key are not keyed', () => {
    const graph = shapeOf(env => {
      words(env)
        .keyBy('word')
        .connect(env.fromElements(1))
        .coMap(record => record.word, String)
        .print()
    })
    assert.equal(graph[2], '2 "co-map" co-process parallelism=2')
    assert.deepEqual(graph.slice(4, 6), ['0 -> 2:0 hash(word)', '1 -> 2:1 rebalance'])
  })

  test('that are both keyed share the key, and its state', () => {
    const graph = shapeOf(env => {
      const limits = env.fromElements({ name: 'be', limit: 2 }).keyBy('name')
      const counts = words(env).keyBy(record => record.word)
      counts
        .connect(limits)
        .coProcess({
          state: { limit: value(0) },
          onFirst(record, ctx, out: Collector<string>) {
            if (record.frequency > ctx.state.limit.get()) out.collect(ctx.key)
          },
          onSecond(record, ctx) {
            ctx.state.limit.set(record.limit)
          },
        })
        .print()
      counts
        .connect(limits)
        .coMap(
          record => record.frequency,
          record => record.limit,
        )
        .print()
    })
    assert.deepEqual(graph.slice(2, 5), [
      '2 "co-process" keyed-co-process key=function/name parallelism=2',
      '3 "print" sink print parallelism=2',
      '4 "co-map" keyed-co-process key=function/name parallelism=2',
    ])
    assert.deepEqual(graph.slice(6, 8), ['1 -> 2:0 hash(function)', '0 -> 2:1 hash(name)'])
  })

  test('keyed by different numbers of fields are a mistake of the graph', () => {
    const build = (env: StreamEnvironment) => {
      const both = words(env).keyBy(['word', 'frequency'])
      // The types refuse this; without them the graph does.
      const one = words(env).keyBy('word') as unknown as typeof both
      both
        .connect(one)
        .coMap(
          record => record,
          record => record,
        )
        .print()
    }
    assert.throws(() => graphOf(build), /keyed by \[word, frequency\] with one keyed by word/)
  })
})

describe('an iteration', () => {
  test('closes its loop with a feedback edge to its head', () => {
    const graph = shapeOf(env => {
      const left = env.fromElements(40).iterate(loop => {
        const halves = loop.map(number => number / 2)
        return {
          feedback: halves.filter(number => number > 1).rebalance(),
          output: halves.filter(number => number <= 1),
        }
      })
      left.print()
    })
    assert.deepEqual(graph, [
      '0 "collection" source 1 element parallelism=1',
      '1 "iterate" feedback head parallelism=2',
      '2 "map" map parallelism=2',
      '3 "filter" filter parallelism=2',
      '4 "filter" filter parallelism=2',
      '5 "print" sink print parallelism=2',
      '0 -> 1:0 rebalance',
      '1 -> 2:0 forward',
      '2 -> 3:0 forward',
      '2 -> 4:0 forward',
      '3 -> 1:0 rebalance feedback',
      '4 -> 5:0 forward',
    ])
  })
})

describe('settings', () => {
  test('apply to the step that made the stream, or to the sink', () => {
    const graph = graphOf(env => {
      env.setMaxParallelism(256)
      words(env)
        .map(record => record.word)
        .name('words')
        .uid('words-1')
        .setParallelism(3)
        .setMaxParallelism(64)
        .disableChaining()
        .print()
        .name('out')
        .uid('out-1')
        .setParallelism(1)
        .setMaxParallelism(32)
        .disableChaining()
    })
    assert.deepEqual(graph, [
      '0 source-collection-0 "collection" source 1 element parallelism=1/256',
      '1 words-1 "words" map parallelism=3/64 chaining=disabled',
      '2 out-1 "out" sink print parallelism=1/32 chaining=disabled',
      '0 -> 1:0 rebalance',
      '1 -> 2:0 rebalance',
    ])
  })

  test('of a source apply to the source', () => {
    const graph = shapeOf(env => env.generate(String).name('texts').setParallelism(4).print())
    assert.equal(graph[0], '0 "texts" source generator parallelism=4')
  })
})

describe('sinks', () => {
  test('are a file with one writer, functions on the main thread, and sinks of your own', () => {
    const graph = shapeOf(env => {
      const stream = words(env)
      stream.writeToFile('counts.txt')
      stream.addSink(() => {})
      stream.addSink({ open: () => ({ write() {}, close() {} }) })
      stream.addSink(
        { open: () => ({ write() {}, close() {} }) },
        { description: 'shelf', parallelismMax: 1, placement: 'main-thread' },
      )
    })
    assert.deepEqual(graph.slice(1, 5), [
      '1 "file" sink file counts.txt parallelism=1',
      '2 "callback" sink callback parallelism=2 placement=main-thread',
      '3 "custom" sink custom sink parallelism=2',
      '4 "custom" sink shelf parallelism=1 placement=main-thread',
    ])
  })
})
