// Turns tables of connectors by name into a resolver of specs. Which connectors an entry has is said in portable.ts and node.ts.
import { StreamError } from '../base/errors.ts'
import type { ConnectorResolver, Sink, SinkSpec, Source, SourceSpec } from '../model/connector.ts'

/** The connectors of an entry: makers by the name that specs use. */
export interface ConnectorTable {
  /** The name of the entry in messages: `millrace/browser`. */
  readonly entry: string
  readonly sources: Readonly<Record<string, (spec: SourceSpec) => Source<unknown>>>
  readonly sinks: Readonly<Record<string, (spec: SinkSpec) => Sink<unknown>>>
}

/** The connectors that need Node, with the entry that has them; said to those who ask for one elsewhere. */
const NODE_ENTRY = 'millrace'
const NODE_SOURCES: readonly string[] = ['file-lines', 'stdin-lines', 'socket-text']
const NODE_SINKS: readonly string[] = ['file', 'file-directory', 'postgres']

/**
 * A resolver over the tables. `custom` gives the spec's own implementation.
 * Its methods throw CONNECTOR_UNKNOWN for a name that the entry does not have, OPTION_INVALID for options that cannot be used.
 */
export function connectorResolver(table: ConnectorTable): ConnectorResolver {
  return {
    source(spec) {
      if (spec.connector === 'custom') return implementationOf('source', spec)
      const make = Object.hasOwn(table.sources, spec.connector) ? table.sources[spec.connector] : undefined
      if (make === undefined) throw unknownConnector('source', spec, table.entry, Object.keys(table.sources))
      return make(spec)
    },
    sink(spec) {
      if (spec.connector === 'custom') return implementationOf('sink', spec)
      const make = Object.hasOwn(table.sinks, spec.connector) ? table.sinks[spec.connector] : undefined
      if (make === undefined) throw unknownConnector('sink', spec, table.entry, Object.keys(table.sinks))
      return make(spec)
    },
  }
}

type Kind = 'source' | 'sink'

function implementationOf<I>(kind: Kind, spec: { readonly description: string; readonly implementation?: I }): I {
  if (spec.implementation !== undefined) return spec.implementation
  throw new StreamError(
    'CONNECTOR_UNKNOWN',
    `${spec.description}: a custom ${kind} must carry its implementation, found none; pass an object with open()`,
  )
}

function unknownConnector(
  kind: Kind,
  spec: SourceSpec | SinkSpec,
  entry: string,
  names: readonly string[],
): StreamError {
  const { connector, description } = spec
  const isOfNode = (kind === 'source' ? NODE_SOURCES : NODE_SINKS).includes(connector)
  const mend = isOfNode
    ? `it needs Node: import from '${NODE_ENTRY}' instead`
    : `no entry of Millrace has it; correct the name, or pass your own ${kind}`
  return new StreamError(
    'CONNECTOR_UNKNOWN',
    `${description}: '${entry}' has no ${kind} named ${connector} (it has ${names.join(', ')}); ${mend}`,
  )
}
