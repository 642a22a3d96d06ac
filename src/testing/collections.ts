// Sources and sinks for tests that carry their implementation: records from memory, records into memory. They need no connector.
import { StreamError } from '../base/errors.ts'
import type {
  ConnectorResolver,
  ReadStatus,
  Sink,
  SinkSpec,
  SinkWriter,
  Source,
  SourceOutput,
  SourceSpec,
  SplitReader,
} from '../model/connector.ts'

/** A record with its event time in epoch ms. */
export interface TimedRecord<T> {
  readonly value: T
  readonly timestamp: number | undefined
}

/** Resolves specs that carry their implementation, and no others. */
export const customConnectors: ConnectorResolver = Object.freeze({
  source: (spec: SourceSpec) => implementationOf(spec),
  sink: (spec: SinkSpec) => implementationOf(spec),
})

/** The spec of a source of your own. */
export function customSource(source: Source<unknown>, rest: Partial<SourceSpec> = {}): SourceSpec {
  return {
    connector: 'custom',
    options: {},
    description: 'custom source',
    placement: 'any',
    isBounded: true,
    hasTimestamps: false,
    implementation: source,
    ...rest,
  }
}

/** The spec of a sink of your own. */
export function customSink(sink: Sink<unknown>, rest: Partial<SinkSpec> = {}): SinkSpec {
  return {
    connector: 'custom',
    options: {},
    description: 'custom sink',
    placement: 'any',
    implementation: sink,
    ...rest,
  }
}

/** A source that emits the given values in order, dealt in turn to as many splits as it has subtasks. */
export function valuesSource(values: readonly unknown[]): SourceSpec {
  return recordsSource(
    values.map(value => ({ value, timestamp: undefined })),
    { hasTimestamps: false },
  )
}

/** A source that emits the given records with their timestamps. */
export function timedSource(records: readonly TimedRecord<unknown>[]): SourceSpec {
  return recordsSource(records, { hasTimestamps: true })
}

/** A sink that collects what all its subtasks write, in the order written. */
export interface CollectingSink<T> {
  readonly spec: SinkSpec
  readonly records: readonly T[]
  readonly timestamps: readonly (number | undefined)[]
  /** How many of its writers were opened and closed. */
  readonly writers: { opened: number; closed: number }
}

/** Makes a collecting sink. */
export function collectingSink<T>(): CollectingSink<T> {
  const records: T[] = []
  const timestamps: (number | undefined)[] = []
  const writers = { opened: 0, closed: 0 }
  const open = (): SinkWriter<unknown> => {
    writers.opened++
    return {
      write(record, timestampMs) {
        records.push(record as T)
        timestamps.push(timestampMs)
      },
      close() {
        writers.closed++
      },
    }
  }
  return { spec: customSink({ open }, { description: 'collecting sink' }), records, timestamps, writers }
}

function recordsSource(records: readonly TimedRecord<unknown>[], rest: Pick<SourceSpec, 'hasTimestamps'>): SourceSpec {
  const source: Source<unknown> = {
    splits: parallelism => Array.from({ length: parallelism }, (_, index) => ({ id: `split ${index}`, position: 0 })),
    open: (split, { parallelism }) => {
      const index = Number(split.id.slice('split '.length))
      return new RecordsReader(records.filter((_, position) => position % parallelism === index))
    },
  }
  return customSource(source, { description: `${records.length} records`, ...rest })
}

class RecordsReader implements SplitReader<unknown, number> {
  private readonly records: readonly TimedRecord<unknown>[]
  private next = 0

  constructor(records: readonly TimedRecord<unknown>[]) {
    this.records = records
  }

  read(output: SourceOutput<unknown>): ReadStatus {
    while (this.next < this.records.length) {
      const { value, timestamp } = this.records[this.next++] as TimedRecord<unknown>
      if (!output.emit(value, timestamp)) break
    }
    return this.next < this.records.length ? 'more' : 'end'
  }

  position(): number {
    return this.next
  }

  close(): void {}
}

function implementationOf<I>(spec: { readonly connector: string; readonly implementation?: I }): I {
  if (spec.implementation !== undefined) return spec.implementation
  throw new StreamError(
    'CONNECTOR_UNKNOWN',
    `a test asked for the connector ${spec.connector}; give simulateRun() the connectors, or use a custom source or sink`,
  )
}
