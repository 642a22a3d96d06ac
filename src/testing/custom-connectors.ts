// The resolver of the kit: sources and sinks carry their implementation. Connectors by name belong to the entries of the package.
import { StreamError } from '../base/errors.ts'
import type { ConnectorResolver, SinkSpec, SourceSpec } from '../model/connector.ts'

/** Resolves specs that carry their implementation; throws CONNECTOR_UNKNOWN for others. */
export const customConnectors: ConnectorResolver = {
  source: spec => implementationOf(spec),
  sink: spec => implementationOf(spec),
}

function implementationOf<I>(spec: (SourceSpec | SinkSpec) & { readonly implementation?: I }): I {
  if (spec.implementation !== undefined) return spec.implementation
  throw new StreamError(
    'CONNECTOR_UNKNOWN',
    `${spec.description}: the connector ${spec.connector} carries no implementation; give the simulation the connectors of an entry, or a source or sink of the test kit`,
  )
}
