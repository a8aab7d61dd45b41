/**
 * Opens the listening sockets of one configured listener.
 *
 * - No host: all addresses of the machine in both families (`::` takes IPv4 too), or IPv4 alone where there is no IPv6.
 * - A host that has several addresses, as `localhost` often does: one socket for each, all on the same port.
 * - The queue of connections that the process has not taken yet is as long as `socket.listen.backlog.size` says, and
 *   never shorter than `acceptQueueMin`: see there.
 * - Port 0: the operating system chooses; the same port is then used for every address of the listener.
 */
import { createServer, isIP, type AddressInfo, type Server, type Socket } from 'node:net'

export interface ListenerOptions {
  readonly name: string
  /** '' = all addresses. */
  readonly host: string
  readonly port: number
  /** `socket.listen.backlog.size`. */
  readonly backlog: number
}

/**
 * Kafka's default of 50 is enough for a thread that does nothing but accept. Here one thread also serves: while it is at
 * work for some milliseconds, a burst of clients (all that reconnect after a restart, say) would overflow 50 places,
 * and the operating system lets each that found none wait a second, then three, then seven. It bounds the queue itself
 * where this is too much (`net.core.somaxconn`).
 */
export const acceptQueueMin = 4096

/** How often another ephemeral port is tried when the chosen one is taken in the other address family. */
const ephemeralAttempts = 10

const noIpv6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL', 'EPROTONOSUPPORT'])

/** Resolves when all sockets listen; rejects with a message for the operator when one cannot. */
export async function listen(options: ListenerOptions, onAccept: (socket: Socket) => void): Promise<Server[]> {
  const addresses = await addressesOf(options)
  for (let attempt = 1; ; attempt += 1) {
    const servers: Server[] = []
    try {
      for (const address of addresses) {
        const first = servers[0]
        const port = first === undefined ? options.port : (first.address() as AddressInfo).port
        const server = await tryListen({ ...options, host: address, port }, onAccept, servers.length > 0)
        if (server !== null) servers.push(server)
      }
      return servers
    } catch (error) {
      await Promise.all(servers.map(close))
      const portTaken = codeOf(error) === 'EADDRINUSE'
      if (portTaken && options.port === 0 && servers.length > 0 && attempt < ephemeralAttempts) continue
      throw new Error(describe(options, error), { cause: error })
    }
  }
}

/** Stops accepting; resolves when the socket is closed. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}

async function addressesOf(options: ListenerOptions): Promise<readonly string[]> {
  const { host } = options
  if (host === '') return ['::']
  if (isIP(host) > 0) return [host]
  try {
    return [...new Set(await lookUp(host))]
  } catch (error) {
    throw new Error(`listener ${options.name}: the host ${host} cannot be resolved`, { cause: error })
  }
}

/** Node's resolver is loaded when a host is a name: few are, and it costs a part of a millisecond of every start. */
async function lookUp(host: string): Promise<string[]> {
  const { lookup } = await import('node:dns')
  return await new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, found) => {
      if (error === null) resolve(found.map((entry) => entry.address))
      else reject(error)
    })
  })
}

/** null: the address family is missing on this machine, and another address already serves the listener. */
async function tryListen(
  options: ListenerOptions,
  onAccept: (socket: Socket) => void,
  optional: boolean,
): Promise<Server | null> {
  try {
    return await open(options, onAccept)
  } catch (error) {
    if (!noIpv6.has(codeOf(error))) throw error
    if (options.host === '::') return open({ ...options, host: '0.0.0.0' }, onAccept)
    if (optional) return null
    throw error
  }
}

function open(options: ListenerOptions, onAccept: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true, allowHalfOpen: true }, onAccept)
    server.once('error', reject)
    server.listen(
      { host: options.host, port: options.port, backlog: Math.max(options.backlog, acceptQueueMin) },
      () => {
        server.off('error', reject)
        resolve(server)
      },
    )
  })
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}

function describe(options: ListenerOptions, error: unknown): string {
  const where = `${options.host === '' ? '*' : options.host}:${options.port}`
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return `listener ${options.name} cannot use ${where}: another process (or listener) already does`
    case 'EACCES':
      return `listener ${options.name} cannot use ${where}: permission denied`
    case 'EADDRNOTAVAIL':
      return `listener ${options.name} cannot use ${where}: this machine does not have that address`
    default:
      return `listener ${options.name} cannot use ${where}: ${error instanceof Error ? error.message : String(error)}`
  }
}
