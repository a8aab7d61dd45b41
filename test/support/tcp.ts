/** A TcpServer with observable surroundings, and clients that see every byte. */
import net from 'node:net'
import { once } from 'node:events'
import { ManualClock } from '../../src/adapters/system/manual-clock.ts'
import { FramePool } from '../../src/adapters/wire/frame-pool.ts'
import type { RequestResponder } from '../../src/adapters/wire/reply.ts'
import {
  defaultConnectionLimits,
  TcpServer,
  type BoundListener,
  type TcpServerSettings,
} from '../../src/adapters/wire/tcp-server.ts'
import type { Logger } from '../../src/application/ports/logger.ts'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly event: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Keeps what is logged. */
export class LogLines implements Logger {
  readonly lines: LogLine[] = []

  debug(event: string, fields = {}): void {
    this.lines.push({ level: 'debug', event, fields })
  }

  info(event: string, fields = {}): void {
    this.lines.push({ level: 'info', event, fields })
  }

  warn(event: string, fields = {}): void {
    this.lines.push({ level: 'warn', event, fields })
  }

  error(event: string, fields = {}): void {
    this.lines.push({ level: 'error', event, fields })
  }

  /** The lines that somebody should look at. */
  get loud(): LogLine[] {
    return this.lines.filter(({ level }) => level === 'warn' || level === 'error')
  }
}

export interface RunningServer {
  readonly server: TcpServer
  readonly port: number
  readonly log: LogLines
  readonly time: ManualClock
  readonly pool: FramePool
  readonly connect: (options?: Partial<net.TcpNetConnectOpts>) => Promise<TestClient>
  readonly stop: () => Promise<void>
}

export async function startServer(
  responder: RequestResponder,
  settings: Partial<TcpServerSettings> = {},
  log = new LogLines(),
  beforeStart?: (bound: readonly BoundListener[]) => Promise<void>,
): Promise<RunningServer> {
  const time = new ManualClock()
  const pool = new FramePool(16 * 1024 * 1024)
  const all: TcpServerSettings = {
    listeners: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0 }],
    connectionsMaxIdleMs: 600_000,
    socketRequestMaxBytes: 104_857_600,
    socketListenBacklogSize: 50,
    maxConnections: 2_147_483_647,
    maxConnectionsPerIp: 2_147_483_647,
    maxConnectionsPerIpOverrides: new Map(),
    queuedRequestBytesMax: 32 * 1024 * 1024,
    connectionLimits: defaultConnectionLimits,
    ...settings,
  }
  const server = new TcpServer({ responder, pool, logger: log, timers: time }, () => all)
  if (beforeStart !== undefined) await beforeStart(await server.bind(all))
  const [listener] = await server.start()
  const port = listener!.port
  const clients: TestClient[] = []
  return {
    server,
    port,
    log,
    time,
    pool,
    connect: async (options) => {
      const client = new TestClient(net.connect({ host: '127.0.0.1', port, allowHalfOpen: true, ...options }))
      clients.push(client)
      await client.connected
      return client
    },
    stop: async () => {
      for (const client of clients) client.socket.destroy()
      await server.stop(0)
    },
  }
}

export class TestClient {
  readonly socket: net.Socket
  readonly connected: Promise<unknown>
  /** How the server ended the connection, as soon as it has. */
  ending: 'fin' | 'reset' | null = null
  /** Complete response frames, without their sizes. */
  readonly frames: Buffer[] = []
  /** What has come of the next frame. */
  #parts: Buffer[] = []
  #partBytes = 0

  constructor(socket: net.Socket) {
    this.socket = socket
    this.connected = once(socket, 'connect')
    socket.on('data', (data) => this.#take(data))
    socket.on('end', () => (this.ending ??= 'fin'))
    socket.on('error', () => (this.ending ??= 'reset'))
  }

  /** Whether nothing came but complete frames. */
  get betweenFrames(): boolean {
    return this.#partBytes === 0
  }

  #take(data: Buffer): void {
    this.#parts.push(data)
    this.#partBytes += data.length
    while (this.#partBytes >= 4) {
      if (this.#parts[0]!.length < 4) this.#parts = [Buffer.concat(this.#parts)]
      const end = 4 + this.#parts[0]!.readInt32BE(0)
      if (this.#partBytes < end) return
      const all = Buffer.concat(this.#parts)
      this.frames.push(all.subarray(4, end))
      this.#parts = [all.subarray(end)]
      this.#partBytes = all.length - end
    }
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  async receive(count: number): Promise<Buffer[]> {
    await until(() => this.frames.length >= count || this.ending !== null)
    return this.frames
  }

  async ended(): Promise<'fin' | 'reset'> {
    await until(() => this.ending !== null)
    return this.ending!
  }
}

/** Waits for something that the event loop will bring about; fails when it does not. */
export async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new Error(`never came true: ${String(condition)}`)
    await turn()
  }
}

/** Lets the event loop go round, sockets included. */
export async function turns(count = 20): Promise<void> {
  for (let index = 0; index < count; index += 1) await turn()
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A request frame, its size included: 8 bytes of header of which only the correlation id means something, then filler. */
export function requestFrame(correlationId: number, bytes = 8): Buffer {
  const frame = Buffer.alloc(4 + bytes, correlationId & 0xff)
  frame.writeInt32BE(bytes)
  frame.writeInt32BE(correlationId, 8)
  return frame
}

/** A response frame as chunks: the correlation id, then filler. */
export function responseChunks(correlationId: number, bytes = 4): Uint8Array[] {
  const head = Buffer.alloc(8)
  head.writeInt32BE(bytes)
  head.writeInt32BE(correlationId, 4)
  return bytes > 4 ? [head, Buffer.alloc(bytes - 4, correlationId & 0xff)] : [head]
}
