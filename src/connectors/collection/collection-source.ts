// A source of values that are in memory already. One split; the position is the index of the next value.
import { assert } from '../../base/assert.ts'
import type { ReadStatus, Source, SourceOutput, SourceSpec, Split, SplitReader } from '../../model/connector.ts'
import { ConnectorOptions } from '../options.ts'

/** Makes the source `collection` of the option `values`, an array; throws OPTION_INVALID. */
export function collectionSource(spec: SourceSpec): Source<unknown, number> {
  const options = new ConnectorOptions(spec, ['values'])
  const values = options.raw('values')
  if (!Array.isArray(values)) throw options.invalid('values', 'an array')
  return {
    splits: () => [{ id: 'collection', position: 0 }],
    open: (split: Split<number>) => new CollectionReader(values, split.position),
  }
}

class CollectionReader implements SplitReader<unknown, number> {
  private readonly values: readonly unknown[]
  private index: number

  constructor(values: readonly unknown[], index: number) {
    assert(Number.isInteger(index) && index >= 0, `the position of a collection is an index, found ${index}`)
    this.values = values
    this.index = index
  }

  read(output: SourceOutput<unknown>): ReadStatus {
    const { values } = this
    while (this.index < values.length) {
      const value = values[this.index]
      this.index++
      if (!output.emit(value)) break
    }
    return this.index < values.length ? 'more' : 'end'
  }

  position(): number {
    return this.index
  }

  close(): void {}
}
