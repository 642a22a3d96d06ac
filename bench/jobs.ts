// The workloads as a user would write them, in the public API, as a job module: `job(env, args)`. Each sink leaves what it counted in the
// directory for results, a file for each of its subtasks, so that it does not matter on which thread they run.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DataStream, forMonotonousTimestamps, type Sink, type StreamEnvironment, seconds } from 'millrace'
import { CAMPAIGN_WINDOW_MS, campaignsByAd } from './ad-events.ts'
import type { PassResult } from './floors.ts'
import {
  adEventSource,
  type DueReading,
  epochNow,
  lineSource,
  pacedReadingSource,
  type Reading,
  readingSource,
  timedInput,
} from './sources.ts'
import { makeLines, WORDS_PER_LINE } from './workloads.ts'

/** The ids of the workloads; a job of W5 says how many keys it has. */
export type WorkloadId = 'W1' | 'W2' | 'W3-10k' | 'W3-1M' | 'W4' | 'W5-10k' | 'W5-1M'

const KEYS: Readonly<Record<string, number>> = { '10k': 10_000, '1M': 1_000_000 }
/** The rate of W5 over all splits. */
export const LATENCY_RECORDS_PER_SECOND = 100_000

interface Word {
  readonly word: string
  readonly frequency: number
}

interface AdEvent {
  readonly ad_id: string
  readonly event_type: string
  readonly event_time: string
}

interface CampaignViews {
  readonly campaign: string
  readonly views: number
}

/** The arguments of a job: which workload, over how many records, and where its sinks leave what they counted. */
export interface JobArguments {
  readonly id: WorkloadId
  readonly records: number
  readonly resultDirectory: string
}

/** The arguments as a job module takes them. */
export function jobArguments({ id, records, resultDirectory }: JobArguments): readonly string[] {
  return [id, String(records), resultDirectory]
}

/** Builds the workload of the arguments. */
export function job(env: StreamEnvironment, args: readonly string[]): void {
  const [id, count, resultDirectory] = args as readonly [WorkloadId, string, string]
  const records = Number(count)
  const keys = KEYS[id.slice(3)] as number
  if (id === 'W1') rollingJob(env, records).addSink(new SummingSink(resultDirectory, word => word.frequency))
  else if (id === 'W2') windowJob(env, records).addSink(new SummingSink(resultDirectory, word => word.frequency))
  else if (id === 'W4') campaignJob(env, records).addSink(new SummingSink(resultDirectory, seen => seen.views))
  else if (id === 'W3-10k' || id === 'W3-1M')
    keyedSumJob(env, keys, records).addSink(new SummingSink(resultDirectory, reading => reading.value))
  else pacedSumJob(env, keys, records).addSink(new LatencySink(resultDirectory, records))
}

function words(env: StreamEnvironment, count: number): DataStream<Word> {
  return env
    .addSource(lineSource(makeLines(), count / WORDS_PER_LINE), timedInput<string>())
    .flatMap(line => line.split(' '))
    .map(word => ({ word, frequency: 1 }))
}

/** W1: rolling word count. */
function rollingJob(env: StreamEnvironment, count: number): DataStream<Word> {
  return words(env, count).keyBy('word').sum('frequency')
}

/** W2: word count in 5 s windows of event time. */
function windowJob(env: StreamEnvironment, count: number): DataStream<Word> {
  return words(env, count).keyBy('word').timeWindow(seconds(5)).sum('frequency')
}

/** W3: keyed sum over integer keys. */
function keyedSumJob(env: StreamEnvironment, keys: number, records: number): DataStream<Reading> {
  return env.addSource(readingSource(keys, records), timedInput<Reading>()).keyBy('key').sum('value')
}

/** W4: views of each campaign in 10 s windows of event time, from events as JSON. */
function campaignJob(env: StreamEnvironment, count: number): DataStream<CampaignViews> {
  const campaigns = campaignsByAd()
  return env
    .addSource(adEventSource(count), { isBounded: true })
    .map(bytes => JSON.parse(bytes.toString('latin1')) as AdEvent)
    .filter(event => event.event_type === 'view')
    .map(event => ({ ad: event.ad_id, timeMs: Number(event.event_time) }))
    .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: view => view.timeMs }))
    .map(({ ad }) => ({ campaign: campaigns.get(ad) as string, views: 1 }))
    .keyBy('campaign')
    .timeWindow(CAMPAIGN_WINDOW_MS)
    .sum('views')
}

/** W5: the keyed sum at a fixed rate; an update carries when its record was due. */
function pacedSumJob(env: StreamEnvironment, keys: number, records: number): DataStream<DueReading> {
  const pace = { count: records, recordsPerSecond: LATENCY_RECORDS_PER_SECOND }
  return env
    .addSource(pacedReadingSource(keys, pace), timedInput<DueReading>())
    .keyBy('key')
    .reduce((sum, { key, value, dueMs }) => ({ key, value: sum.value + value, dueMs }))
}

/** Counts records and adds up one of their fields. */
class SummingSink<T> implements Sink<T> {
  private readonly resultDirectory: string
  private readonly valueIn: (record: T) => number

  constructor(resultDirectory: string, valueIn: (record: T) => number) {
    this.resultDirectory = resultDirectory
    this.valueIn = valueIn
  }

  open({ subtaskIndex }: { readonly subtaskIndex: number }): { write(record: T): void; close(): void } {
    const { resultDirectory, valueIn } = this
    let rows = 0
    let sum = 0
    return {
      write: record => {
        rows++
        sum += valueIn(record)
      },
      close: () => writeResult(resultDirectory, subtaskIndex, { rows, sum }),
    }
  }
}

/** Adds up values as SummingSink does, and keeps the latency of each update: when it got here less when it was due. */
class LatencySink implements Sink<DueReading> {
  private readonly resultDirectory: string
  private readonly recordsMax: number

  constructor(resultDirectory: string, recordsMax: number) {
    this.resultDirectory = resultDirectory
    this.recordsMax = recordsMax
  }

  open({ subtaskIndex }: { readonly subtaskIndex: number }): { write(record: DueReading): void; close(): void } {
    // Taken at once: a list that grows would be copied while records wait.
    const columns = new Float64Array(2 * this.recordsMax)
    let rows = 0
    let sum = 0
    return {
      write: record => {
        columns[2 * rows] = record.dueMs
        columns[2 * rows + 1] = epochNow() - record.dueMs
        rows++
        sum += record.value
      },
      close: () => {
        writeFileSync(join(this.resultDirectory, `${subtaskIndex}.latencies`), columns.subarray(0, 2 * rows))
        writeResult(this.resultDirectory, subtaskIndex, { rows, sum })
      },
    }
  }
}

function writeResult(directory: string, subtaskIndex: number, result: PassResult): void {
  writeFileSync(join(directory, `${subtaskIndex}.json`), JSON.stringify(result))
}

/** What the sinks of a job counted, over all subtasks. */
export function readResult(directory: string): PassResult {
  const parts = readdirSync(directory)
    .filter(name => name.endsWith('.json'))
    .map(name => JSON.parse(readFileSync(join(directory, name), 'utf8')) as PassResult)
  return parts.reduce((all, part) => ({ rows: all.rows + part.rows, sum: all.sum + part.sum }), { rows: 0, sum: 0 })
}

/** Pairs of when a record was due and how late it got to its sink, in ms, of all subtasks. */
export function readLatencies(directory: string): readonly Float64Array[] {
  return readdirSync(directory)
    .filter(name => name.endsWith('.latencies'))
    .map(name => new Float64Array(new Uint8Array(readFileSync(join(directory, name))).buffer))
}
