// All connectors that Node has: the portable ones, and those of files, standard input and sockets.
import { parse, resolve, sep } from 'node:path'
import type { Readable } from 'node:stream'
import type { Files } from '../base/storage.ts'
import type { ConnectorResolver } from '../model/connector.ts'
import { fileLinesSource } from './file/file-lines.ts'
import { fileSink } from './file/file-sink.ts'
import { transactionalFileSink } from './file/transactional-file-sink.ts'
import { type PortablePorts, portableTable } from './portable.ts'
import { postgresSink } from './postgres/postgres-sink.ts'
import { connectorResolver } from './resolver.ts'
import { socketTextSource } from './socket/socket-text.ts'
import { stdinLinesSource } from './stdin/stdin-lines.ts'
import { loggable } from './write-ahead-log/logged-source.ts'

/** What Node's connectors need of their surroundings. */
export interface NodePorts extends PortablePorts {
  /** What `stdin-lines` reads; the process's standard input unless said otherwise. */
  readonly stdin?: () => Readable
  /** The machine's file system from its root; `file-directory` and write-ahead logs need it. */
  readonly files?: Files
}

/**
 * Resolves the portable connectors, `file-lines`, `stdin-lines`, `socket-text`, `file`, `file-directory`, `postgres` and `custom`; other names
 * are CONNECTOR_UNKNOWN.
 */
export function nodeConnectors(ports: NodePorts): ConnectorResolver {
  const portable = portableTable('millrace', ports)
  const { files } = ports
  const stdin = ports.stdin ?? (() => process.stdin)
  const logs = files && { files, pathOf: pathFromRoot }
  return connectorResolver({
    entry: portable.entry,
    sources: {
      ...portable.sources,
      'file-lines': fileLinesSource,
      'stdin-lines': loggable((spec, readFor) => stdinLinesSource(spec, stdin, readFor), logs),
      'socket-text': loggable(socketTextSource, logs),
    },
    sinks: {
      ...portable.sinks,
      ...(files && { 'file-directory': spec => transactionalFileSink(spec, { files, pathOf: pathFromRoot }) }),
      file: fileSink,
      postgres: postgresSink,
    },
  })
}

function pathFromRoot(directory: string): string {
  const path = resolve(directory)
  return path.slice(parse(path).root.length).replaceAll(sep, '/')
}
