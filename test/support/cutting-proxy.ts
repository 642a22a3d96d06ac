// A TCP proxy that breaks a connection at a request it is told: before the server gets it, or after the server has answered and before the
// client hears of it. So a test decides what the client cannot know.
import { connect as connectTo, createServer, type Socket } from 'node:net'

/** When to break the connection. */
export type CutMoment = 'before-request' | 'before-answer'

/** A running proxy. */
export interface CuttingProxy {
  readonly port: number
  /** From now on, breaks each connection that sends the text. */
  cutAt(text: string, moment: CutMoment): void
  /** Lets everything pass again. */
  heal(): void
  /** How many connections were broken. */
  readonly cuts: number
  close(): Promise<void>
}

/** Starts a proxy to a port of the loopback. */
export async function cuttingProxy(target: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>()
  let cut: { readonly text: string; readonly moment: CutMoment } | undefined
  let cuts = 0
  const server = createServer(client => {
    const upstream = connectTo(target, '127.0.0.1')
    let isCutting = false
    const end = (): void => {
      for (const socket of [client, upstream]) {
        sockets.delete(socket)
        socket.destroy()
      }
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', end)
      socket.on('close', end)
    }
    client.on('data', chunk => {
      if (cut !== undefined && chunk.includes(cut.text)) {
        cuts++
        if (cut.moment === 'before-request') return end()
        isCutting = true
      }
      upstream.write(chunk)
    })
    upstream.on('data', chunk => (isCutting ? end() : client.write(chunk)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { readonly port: number }).port,
    cutAt(text, moment) {
      cut = { text, moment }
    },
    heal() {
      cut = undefined
    },
    get cuts() {
      return cuts
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
