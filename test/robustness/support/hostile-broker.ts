/** A whole broker over real sockets whose log lines and unexpected throws a test sees. */
import { createBroker, type BrokerProperties } from '../../../src/bootstrap/create-broker.ts'
import type { Adapters } from '../../../src/bootstrap/adapters.ts'
import { LogLines } from '../../support/tcp.ts'
import { WireClient } from '../../support/wire-client.ts'

export interface HostileBroker {
  readonly host: string
  readonly port: number
  readonly log: LogLines
  /** What nobody caught while the broker ran. */
  readonly uncaught: readonly unknown[]
  connect(): Promise<WireClient>
  close(): Promise<void>
}

export async function hostileBroker(
  properties: BrokerProperties = {},
  adapters: Adapters = {},
  log = new LogLines(),
): Promise<HostileBroker> {
  const uncaught: unknown[] = []
  const note = (error: unknown): void => void uncaught.push(error)
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
  const unhook = (): void => {
    process.off('uncaughtException', note)
    process.off('unhandledRejection', note)
  }
  const broker = createBroker(properties, { logger: log, ...adapters })
  try {
    await broker.start()
  } catch (error) {
    unhook()
    throw error
  }
  const { host, port } = broker.address()
  const clients: WireClient[] = []
  return {
    host,
    port,
    log,
    uncaught,
    async connect() {
      const client = await WireClient.connect(host, port)
      clients.push(client)
      return client
    },
    async close() {
      for (const client of clients) client.close()
      await broker.close().finally(unhook)
    },
  }
}

/** The numbers of the runs that `ODRADEK_SEEDS` asks for, or the one that `ODRADEK_SEED` names; a failure names its own. */
export function seeds(usual: number): readonly number[] {
  const one = process.env['ODRADEK_SEED']
  if (one !== undefined) return [Number(one)]
  const count = Number(process.env['ODRADEK_SEEDS'] ?? usual)
  return Array.from({ length: count }, (_, index) => index + 1)
}

/** Numbers that a seed determines (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed * 0x9e3779b9
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
