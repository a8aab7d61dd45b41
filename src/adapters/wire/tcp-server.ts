/**
 * The broker's listeners: accepts connections, holds them to the limits on their number and idleness, and stops them
 * in order. PLAINTEXT only.
 *
 * Node offers no way to set the sizes of a TCP socket's kernel buffers, so `socket.send.buffer.bytes` and
 * `socket.receive.buffer.bytes` have no effect: the operating system tunes them.
 */
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Logger } from '../../application/ports/logger.ts'
import type { Timers } from '../../application/ports/timers.ts'
import { Connection } from './connection.ts'
import type { ConnectionLimits, ConnectionSurroundings } from './connection-surroundings.ts'
import { ConnectionCounts, type ConnectionQuotas } from './connection-counts.ts'
import type { FramePool } from './frame-pool.ts'
import { Framer } from './framer.ts'
import type { ConnectionInfo } from './handler.ts'
import { IdleWatch } from './idle-watch.ts'
import { IncomingBudget } from './incoming-budget.ts'
import { acceptQueueMin, close, listen } from './listening.ts'
import type { RequestResponder } from './reply.ts'
import { RequestBudget } from './request-budget.ts'

/** One configured listener. */
export interface Listener {
  /** Upper case. */
  readonly name: string
  /** '' = all addresses of the machine, in both families. */
  readonly host: string
  /** 0 = a free one. */
  readonly port: number
}

/** A listener that listens. */
export interface BoundListener extends Listener {
  /** The actual addresses, at least one. */
  readonly addresses: readonly string[]
}

export interface ListeningSettings {
  readonly listeners: readonly Listener[]
  readonly socketListenBacklogSize: number
}

export interface TcpServerSettings extends ConnectionQuotas, ListeningSettings {
  readonly connectionsMaxIdleMs: number
  readonly socketRequestMaxBytes: number
  /** `queued.max.request.bytes`, when positive: of requests under way (pipelining waits), and of those half arrived. */
  readonly queuedRequestBytesMax: number
  readonly connectionLimits: ConnectionLimits
}

/** Reasonable bounds for one connection: enough to keep a pipelining producer busy, little enough for hundreds. */
export const defaultConnectionLimits: ConnectionLimits = {
  inFlightRequestsMax: 100,
  inFlightBytesMax: 4 * 1024 * 1024,
  unsentBytesMax: 2 * 1024 * 1024,
}

/** What is read in one go while nothing is pending; one buffer for the whole server. */
const scratchBytes = 65_536

export interface TcpServerPorts {
  readonly responder: RequestResponder
  readonly pool: FramePool
  readonly logger: Logger
  readonly timers: Timers
}

/** An accepted socket that waits: for the start, or for a place below `max.connections`. */
interface Waiting {
  readonly socket: Socket
  readonly listener: Listener
  readonly address: string
}

export class TcpServer {
  readonly #ports: TcpServerPorts
  readonly #settings: () => TcpServerSettings
  readonly #counts: ConnectionCounts
  readonly #connections = new Map<Connection, string>()
  readonly #waiting: Waiting[] = []
  readonly #scratch = Buffer.allocUnsafeSlow(scratchBytes)
  #servers: Server[] = []
  #bound: BoundListener[] = []
  #idle: IdleWatch<Connection> | null = null
  #surroundings: ConnectionSurroundings<Connection> | null = null
  #frameBytesMax = 0
  #lastConnectionNumber = 0
  #stopping = false
  #onEmpty: (() => void) | null = null
  /** Accepted before the server started: nobody listens to them yet. */
  readonly #early: Omit<Waiting, 'address'>[] = []

  /** @param settings - limits on connections are asked at each one; all else is taken when the server starts. */
  constructor(ports: TcpServerPorts, settings: () => TcpServerSettings) {
    this.#ports = ports
    this.#settings = settings
    this.#counts = new ConnectionCounts(settings)
  }

  /** What `start` resolved with. */
  get listeners(): readonly BoundListener[] {
    return this.#bound
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /**
   * Takes the ports before anything can be answered: whoever connects waits for `start`. Resolves when every listener
   * listens; when one cannot, none does.
   */
  async bind({ listeners, socketListenBacklogSize }: ListeningSettings): Promise<readonly BoundListener[]> {
    try {
      for (const listener of listeners) await this.#listen(listener, socketListenBacklogSize)
    } catch (error) {
      await this.stop(0)
      throw error
    }
    return this.#bound
  }

  /** Serves clients; binds the listeners of the settings where that was not done before. */
  async start(): Promise<readonly BoundListener[]> {
    const settings = this.#settings()
    if (this.#bound.length === 0) await this.bind(settings)
    this.#idle = new IdleWatch(this.#ports.timers, settings.connectionsMaxIdleMs, (connection: Connection) =>
      this.#closeIdle(connection),
    )
    this.#frameBytesMax = settings.socketRequestMaxBytes
    this.#surroundings = {
      responder: this.#ports.responder,
      limits: settings.connectionLimits,
      budget: new RequestBudget(settings.queuedRequestBytesMax),
      incoming: new IncomingBudget(settings.queuedRequestBytesMax, this.#ports.timers),
      logger: this.#ports.logger,
      activity: this.#idle,
      timers: this.#ports.timers,
      onClosed: (connection) => this.#onClosed(connection),
    }
    for (const { name, addresses, port } of this.#bound) {
      this.#ports.logger.info('listening', { listener: name, addresses, port })
    }
    for (const { socket, listener } of this.#early.splice(0)) this.#accept(socket, listener)
    return this.#bound
  }

  /**
   * Stops accepting, lets requests under way be answered and sent for at most `graceMs`, then drops what is left.
   * Resolves when no socket is open any more.
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    for (const { socket, address } of this.#waiting.splice(0)) this.#drop(socket, address)
    for (const { socket } of this.#early.splice(0)) socket.destroy()
    const closed = this.#servers.splice(0).map(close)
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve
      if (this.#connections.size === 0) resolve()
    })
    for (const connection of [...this.#connections.keys()]) {
      if (graceMs > 0) connection.drain()
      else connection.destroy()
    }
    const deadline = this.#ports.timers.after(graceMs, () => {
      for (const connection of this.#connections.keys()) connection.destroy()
    })
    await empty
    deadline.cancel()
    await Promise.all(closed)
    this.#bound = []
    this.#ports.pool.clear()
  }

  async #listen(listener: Listener, backlog: number): Promise<void> {
    const servers = await listen({ ...listener, backlog }, (socket) => {
      if (this.#surroundings !== null) this.#accept(socket, listener)
      else if (this.#early.length >= Math.max(backlog, acceptQueueMin)) socket.destroy()
      else this.#early.push({ socket: socket.on('error', () => socket.destroy()), listener })
    })
    this.#servers.push(...servers)
    const addresses = servers.map((server) => server.address() as AddressInfo)
    for (const server of servers) {
      server.on('error', (error) => this.#ports.logger.error('accepting failed', { listener: listener.name, error }))
    }
    this.#bound.push({ ...listener, port: addresses[0]!.port, addresses: addresses.map(({ address }) => address) })
  }

  #accept(socket: Socket, listener: Listener): void {
    const { remoteAddress } = socket
    // A socket that was reset before we looked at it has no address any more.
    if (remoteAddress === undefined || this.#stopping) {
      socket.destroy()
      return
    }
    const address = withoutMapping(remoteAddress)
    if (this.#counts.fullFor(address)) {
      this.#refuse(socket, listener, address, 'max.connections.per.ip is reached')
      return
    }
    const wait = this.#counts.full
    if (wait && this.#waiting.length >= this.#settings().socketListenBacklogSize) {
      this.#refuse(socket, listener, address, 'max.connections is reached and the backlog is full')
      return
    }
    if (wait) {
      // As with Kafka, the client is connected but nobody listens to it until another one leaves.
      socket.on('error', () => socket.destroy())
      this.#waiting.push({ socket, listener, address })
    } else this.#open({ socket, listener, address })
  }

  #refuse(socket: Socket, listener: Listener, address: string, reason: string): void {
    this.#ports.logger.warn('connection refused', { listener: listener.name, client: `/${address}`, reason })
    socket.destroy()
  }

  #drop(socket: Socket, address: string): void {
    this.#ports.logger.debug('connection dropped before it was served', { client: `/${address}` })
    socket.destroy()
  }

  #open({ socket, listener, address }: Waiting): void {
    const { localAddress, localPort, remotePort } = socket
    if (localAddress === undefined || localPort === undefined || remotePort === undefined) {
      this.#drop(socket, address)
      return
    }
    const info = new ClientConnectionInfo({
      listener: listener.name,
      localAddress: withoutMapping(localAddress),
      localPort,
      remoteAddress: address,
      remotePort,
      number: (this.#lastConnectionNumber += 1),
    })
    const arrival = this.#surroundings!.incoming.arrival()
    const memory = { pool: this.#ports.pool, scratch: this.#scratch, mayGrow: arrival.mayGrow }
    const framer = new Framer({ ...memory, frameBytesMax: this.#frameBytesMax })
    const connection = new Connection(socket, info, framer, arrival, this.#surroundings!)
    this.#counts.add(address)
    this.#connections.set(connection, address)
    this.#idle!.add(connection)
    connection.open()
  }

  #closeIdle(connection: Connection): void {
    const { id, listener, clientHost } = connection.info
    this.#ports.logger.debug('connection closed: idle', { connection: id, listener, client: clientHost })
    connection.destroy()
  }

  #onClosed(connection: Connection): void {
    this.#idle!.remove(connection)
    const address = this.#connections.get(connection)
    if (address === undefined) return
    this.#connections.delete(connection)
    this.#counts.remove(address)
    while (this.#waiting.length > 0 && !this.#counts.full) this.#open(this.#waiting.shift()!)
    if (this.#connections.size === 0) this.#onEmpty?.()
  }
}

interface ClientAddress {
  readonly listener: string
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  readonly number: number
}

class ClientConnectionInfo implements ConnectionInfo {
  readonly id: string
  readonly listener: string
  readonly localAddress: string
  readonly localPort: number
  readonly clientHost: string
  readonly principal = 'User:ANONYMOUS'
  software: string | null = null

  constructor(address: ClientAddress) {
    const { listener, localAddress, localPort, remoteAddress, remotePort, number } = address
    // The form of Kafka's connection ids: local address, remote address, a number that is not used twice.
    this.id = `${localAddress}:${localPort}-${remoteAddress}:${remotePort}-${number}`
    this.listener = listener
    this.localAddress = localAddress
    this.localPort = localPort
    this.clientHost = `/${remoteAddress}`
  }

  identify(softwareName: string, softwareVersion: string): void {
    this.software = `${softwareName} ${softwareVersion}`
  }
}

/** IPv4 clients of a dual-stack socket show up as `::ffff:1.2.3.4`. */
function withoutMapping(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}
