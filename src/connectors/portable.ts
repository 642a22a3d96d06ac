// The connectors that work anywhere, in a browser too: nothing here, nor in what it imports, is of Node.
import type { TextOutput } from '../base/text-output.ts'
import type { ConnectorResolver } from '../model/connector.ts'
import { callbackSink } from './callback/callback-sink.ts'
import { collectionSource } from './collection/collection-source.ts'
import { generatorSource } from './generator/generator-source.ts'
import { iterableSource } from './iterable/iterable-source.ts'
import { printSink } from './print/print-sink.ts'
import { type ConnectorTable, connectorResolver } from './resolver.ts'

/** What the portable connectors need of their surroundings. */
export interface PortablePorts {
  /** Where the sink `print` writes. */
  readonly text: TextOutput
}

/** The portable connectors by name, for an entry of that name. */
export function portableTable(entry: string, ports: PortablePorts): ConnectorTable {
  return {
    entry,
    sources: { collection: collectionSource, iterable: iterableSource, generator: generatorSource },
    sinks: { print: spec => printSink(spec, ports.text), callback: callbackSink },
  }
}

/** Resolves `collection`, `iterable`, `generator`, `print`, `callback` and `custom`; other names are CONNECTOR_UNKNOWN. */
export function portableConnectors(ports: PortablePorts): ConnectorResolver {
  return connectorResolver(portableTable('millrace/browser', ports))
}
