// All connectors that Node has: the portable ones, and those of files, standard input and sockets.
import type { Readable } from 'node:stream'
import type { ConnectorResolver } from '../model/connector.ts'
import { fileLinesSource } from './file/file-lines.ts'
import { fileSink } from './file/file-sink.ts'
import { type PortablePorts, portableTable } from './portable.ts'
import { connectorResolver } from './resolver.ts'
import { socketTextSource } from './socket/socket-text.ts'
import { stdinLinesSource } from './stdin/stdin-lines.ts'

/** What Node's connectors need of their surroundings. */
export interface NodePorts extends PortablePorts {
  /** What `stdin-lines` reads; the process's standard input unless said otherwise. */
  readonly stdin?: () => Readable
}

/** Resolves the portable connectors, `file-lines`, `stdin-lines`, `socket-text`, `file` and `custom`; other names are CONNECTOR_UNKNOWN. */
export function nodeConnectors(ports: NodePorts): ConnectorResolver {
  const portable = portableTable('millrace', ports)
  const stdin = ports.stdin ?? (() => process.stdin)
  return connectorResolver({
    entry: portable.entry,
    sources: {
      ...portable.sources,
      'file-lines': fileLinesSource,
      'stdin-lines': spec => stdinLinesSource(spec, stdin),
      'socket-text': socketTextSource,
    },
    sinks: { ...portable.sinks, file: fileSink },
  })
}
