// The source `socket-text` against real servers on the loopback.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { QUEUED_BYTES_MAX } from '../../../src/connectors/chunk-queue.ts'
import { socketTextSource } from '../../../src/connectors/socket/socket-text.ts'
import type { ReadStatus, SplitReader } from '../../../src/model/connector.ts'
import { ManualClock, ReaderDriver, RecordingOutput, sourceSpec } from './support/reader-driver.ts'

type Serve = (socket: Socket, connectionNumber: number) => void

describe('the source socket-text', () => {
  const cleanups: (() => void | Promise<void>)[] = []

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  /** A server on a free port that hands each connection to `serve`, with its number from 1. */
  async function serverOf(serve: Serve): Promise<{ readonly port: number; readonly server: Server }> {
    let connections = 0
    const server = createServer(socket => {
      // A client that is closed while data is under way resets the connection.
      socket.on('error', () => {})
      cleanups.push(() => void socket.destroy())
      serve(socket, ++connections)
    })
    cleanups.push(() => new Promise<void>(resolve => void server.close(() => resolve())))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { port: (server.address() as AddressInfo).port, server }
  }

  async function freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await new Promise<void>(resolve => void server.close(() => resolve()))
    return port
  }

  async function open(options: Record<string, unknown>, driver: ReaderDriver): Promise<SplitReader<string, null>> {
    const source = socketTextSource(sourceSpec('socket-text', { host: '127.0.0.1', retryDelayMs: 1, ...options }))
    const [split] = await source.splits(1)
    const reader = await source.open(split, driver)
    cleanups.push(() => reader.close())
    return reader
  }

  /** Reads to the end of the input. */
  async function linesFrom(serve: Serve, options: Record<string, unknown> = {}) {
    const { port } = await serverOf(serve)
    const driver = new ReaderDriver()
    const output = new RecordingOutput<string>(options['roomPerRead'] as number | undefined)
    const { roomPerRead: _, ...rest } = options
    await driver.readUntil(await open({ port, ...rest }, driver), output)
    return { lines: output.records, emittedWhileFull: output.emittedWhileFull }
  }

  it('reads lines until the server ends the stream, also when the output is full each time', async () => {
    for (const roomPerRead of [1, 1000]) {
      const { lines, emittedWhileFull } = await linesFrom(socket => socket.end('storm dublin\r\nflink\n\n'), {
        roomPerRead,
      })
      assert.deepEqual(lines, ['storm dublin', 'flink', ''])
      assert.equal(emittedWhileFull, 0)
    }
  })

  it('takes a last line without line end as a line', async () => {
    const { lines } = await linesFrom(socket => socket.end('a\nhalf'))
    assert.deepEqual(lines, ['a', 'half'])
  })

  it('has no lines where the server ends at once', async () => {
    assert.deepEqual((await linesFrom(socket => socket.end())).lines, [])
  })

  it('cuts at another delimiter, and then keeps carriage returns', async () => {
    const { lines } = await linesFrom(socket => socket.end('a;b\r\nc\r;d'), { delimiter: ';' })
    assert.deepEqual(lines, ['a', 'b\r\nc\r', 'd'])
  })

  it('gives a line as soon as it is there', async () => {
    let peer: Socket | undefined
    const { port } = await serverOf(socket => {
      peer = socket
      socket.write('one\ntw')
    })
    const driver = new ReaderDriver()
    const reader = await open({ port }, driver)
    const output = new RecordingOutput<string>()
    await driver.readUntil(reader, output, () => output.records.length === 1)
    assert.deepEqual(output.records, ['one'])
    peer?.write('o\n')
    await driver.readUntil(reader, output, () => output.records.length === 2)
    assert.deepEqual(output.records, ['one', 'two'])
  })

  it('fails at once when the first connection is refused, saying what to do', async () => {
    const port = await freePort()
    for (const host of ['127.0.0.1', 'localhost']) {
      const driver = new ReaderDriver()
      const reader = await open({ host, port }, driver)
      const isClear = new RegExp(
        `^SOCKET_CONNECT_FAILED: the socket-text: could not connect to ${host}:${port} \\(.*ECONNREFUSED.*\\); .*nc -lk ${port}$`,
      )
      await assert.rejects(driver.readUntil(reader, new RecordingOutput()), { message: isClear })
      assert.throws(() => reader.read(new RecordingOutput()), /SOCKET_CONNECT_FAILED/)
    }
  })

  it('fails at once when the name is unknown', async () => {
    const driver = new ReaderDriver()
    const reader = await open({ host: 'no-such-host.invalid', port: 9999 }, driver)
    await assert.rejects(
      driver.readUntil(reader, new RecordingOutput()),
      /SOCKET_CONNECT_FAILED: .*no-such-host\.invalid:9999/,
    )
  })

  it('gives up on a first connection that nobody answers', async () => {
    const { port } = await serverOf(() => {})
    const clock = new ManualClock()
    const driver = new ReaderDriver(clock)
    const reader = await open({ port }, driver)
    const output = new RecordingOutput<string>()
    // Read before the event loop turned, so that the connection cannot have been made yet.
    assert.equal(reader.read(output), 'waiting')
    assert.equal(reader.wakeAtMs, clock.now() + 30_000)
    clock.advance(30_000)
    assert.throws(() => reader.read(output), /SOCKET_CONNECT_FAILED: .*no answer in 30 s/)
  })

  it('connects again after a reset and goes on', async () => {
    const peers: Socket[] = []
    const { port } = await serverOf((socket, connection) => {
      peers.push(socket)
      if (connection < 3) socket.write(`from ${connection}\n`)
      else socket.end('the end')
    })
    const driver = new ReaderDriver()
    const output = new RecordingOutput<string>()
    const reader = await open({ port, retries: 1 }, driver)
    for (const connection of [1, 2]) {
      await driver.readUntil(reader, output, () => output.records.length === connection)
      peers[connection - 1]?.resetAndDestroy()
    }
    await driver.readUntil(reader, output)
    assert.deepEqual(output.records, ['from 1', 'from 2', 'the end'])
    // Data in between made the count begin anew: one retry is enough for two resets.
    assert.deepEqual(
      driver.logger.entries.map(entry => [entry.level, entry.fields['attempt']]),
      [
        ['warn', 1],
        ['warn', 1],
      ],
    )
  })

  it('drops a half line at a reset and logs its bytes', async () => {
    let peer: Socket | undefined
    const { port } = await serverOf((socket, connection) => {
      peer = socket
      if (connection === 1) socket.write('whole\nhälf')
      else socket.end('after\n')
    })
    const driver = new ReaderDriver()
    const output = new RecordingOutput<string>()
    const reader = await open({ port }, driver)
    await driver.readUntil(reader, output, () => output.records.length === 1)
    peer?.resetAndDestroy()
    await driver.readUntil(reader, output)
    assert.deepEqual(output.records, ['whole', 'after'])
    const dropped = driver.logger.entries.filter(entry => entry.message.includes('within a line'))
    assert.deepEqual(
      dropped.map(entry => [entry.level, entry.fields]),
      [['warn', { bytes: 5 }]],
    )
  })

  it('takes a reset as such also when it comes together with the connection', async () => {
    const { lines } = await linesFrom((socket, connection) => {
      if (connection === 1) socket.resetAndDestroy()
      else socket.end('after\n')
    })
    assert.deepEqual(lines, ['after'])
  })

  it('survives a server that is away for a while', async () => {
    let peer: Socket | undefined
    const { port, server } = await serverOf((socket, connection) => {
      peer = socket
      if (connection === 1) socket.write('first\n')
      else socket.end('back\n')
    })
    const driver = new ReaderDriver()
    const output = new RecordingOutput<string>()
    const reader = await open({ port, retries: 1000 }, driver)
    await driver.readUntil(reader, output, () => output.records.length === 1)
    server.close()
    peer?.resetAndDestroy()
    await driver.readUntil(reader, output, () => driver.logger.entries.length >= 2)
    server.listen(port, '127.0.0.1')
    await driver.readUntil(reader, output)
    assert.deepEqual(output.records, ['first', 'back'])
  })

  it('gives up after so many attempts without data', async () => {
    let connections = 0
    let peer: Socket | undefined
    const { port } = await serverOf((socket, connection) => {
      connections = connection
      peer = socket
      if (connection === 1) socket.write('only\n')
      else socket.resetAndDestroy()
    })
    const driver = new ReaderDriver()
    const output = new RecordingOutput<string>()
    const reader = await open({ port, retries: 3 }, driver)
    await driver.readUntil(reader, output, () => output.records.length === 1)
    peer?.resetAndDestroy()
    await assert.rejects(
      driver.readUntil(reader, output),
      /SOCKET_LOST: .*lost \(.*\) and 3 attempts to make it again failed/,
    )
    assert.deepEqual(output.records, ['only'])
    assert.equal(connections, 4)
  })

  it('does not connect again where no retries are asked for', async () => {
    const { port } = await serverOf(socket => socket.resetAndDestroy())
    const driver = new ReaderDriver()
    const reader = await open({ port, retries: 0 }, driver)
    await assert.rejects(driver.readUntil(reader, new RecordingOutput()), /SOCKET_LOST/)
  })

  it('waits twice as long before each attempt, up to a bound', async () => {
    const { port } = await serverOf(socket => socket.resetAndDestroy())
    const clock = new ManualClock()
    const driver = new ReaderDriver(clock)
    const reader = await open({ port, retries: 9, retryDelayMs: 100 }, driver)
    const output = new RecordingOutput<string>()
    const delays: number[] = []
    let status: ReadStatus = reader.read(output)
    for (let attempt = 1; attempt <= 9; attempt++) {
      while (driver.logger.entries.length < attempt) {
        await driver.woken()
        status = reader.read(output)
      }
      assert.equal(status, 'waiting')
      delays.push((reader.wakeAtMs as number) - clock.now())
      clock.advance(delays.at(-1) as number)
      status = reader.read(output)
    }
    assert.deepEqual(delays, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
  })

  it('holds the server back while nobody reads', async () => {
    let sent = 0
    let isHeldBack: () => void = () => {}
    const heldBack = new Promise<void>(resolve => {
      isHeldBack = resolve
    })
    const total = 64 * 1024 * 1024
    const chunk = Buffer.from(`${'x'.repeat(1023)}\n`.repeat(64))
    const { port } = await serverOf(socket => {
      const send = (): void => {
        while (sent < total) {
          sent += chunk.length
          if (socket.write(chunk)) continue
          // The kernel's buffers are full once the socket stays undrained while the loop turns idle again and again.
          void idleTurns().then(() => socket.writableNeedDrain && isHeldBack())
          socket.once('drain', send)
          return
        }
        socket.end()
      }
      send()
    })
    const driver = new ReaderDriver()
    const before = process.memoryUsage().arrayBuffers
    const reader = await open({ port }, driver)
    await heldBack
    assert.ok(sent < total, 'the server could not send all')
    const output = { count: 0, emit: () => ++output.count % 1000 !== 0 }
    let peak = 0
    for (let status = reader.read(output); status !== 'end'; status = reader.read(output)) {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
      if (status === 'waiting') await driver.woken()
    }
    assert.equal(output.count, total / 1024)
    assert.ok(peak < 32 * 1024 * 1024, `${peak} bytes were held for a queue of ${QUEUED_BYTES_MAX}`)
  })

  it('closes its connection at once', async () => {
    let peer: Socket | undefined
    const { port } = await serverOf(socket => {
      peer = socket
      socket.write('a\n')
    })
    const driver = new ReaderDriver()
    const reader = await open({ port }, driver)
    const output = new RecordingOutput<string>()
    await driver.readUntil(reader, output, () => output.records.length === 1)
    const closed = once(peer as Socket, 'close')
    peer?.resume()
    await reader.close()
    await closed
    assert.equal(reader.read(output), 'end')
  })

  it('wakes nobody after it was closed while connecting', async () => {
    const { port } = await serverOf(() => {})
    const driver = new ReaderDriver()
    const reader = await open({ port }, driver)
    await reader.close()
    await idleTurns()
    assert.equal(driver.wakes, 0)
  })

  it('fails at a line that is too long, and at invalid UTF-8 where that is asked for', async () => {
    await assert.rejects(
      linesFrom(socket => socket.end('abcdef\n'), { lineBytesMax: 5 }),
      /LINE_TOO_LONG/,
    )
    await assert.rejects(
      linesFrom(socket => socket.end(Buffer.from([0xff, 0x0a])), { encodingErrors: 'fail' }),
      /TEXT_INVALID/,
    )
  })

  it('refuses options that make no sense', async () => {
    for (const options of [
      {},
      { port: 0 },
      { port: 65_536 },
      { port: '80' },
      { port: 1, host: '' },
      { port: 1, retries: -1 },
    ]) {
      await assert.rejects(open(options, new ReaderDriver()), /OPTION_INVALID: the socket-text/)
    }
  })
})

/** Lets the event loop turn some times, each with a phase for I/O. */
async function idleTurns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise<void>(resolve => void setImmediate(resolve))
}
