import type { ClientAddress } from '../../domain/cluster/endpoints.ts'
import type { ConnectionInfo } from './handler.ts'

/** Where a request came in, for answers that name brokers. */
export function clientAddress({ listener, localAddress, localPort }: ConnectionInfo): ClientAddress {
  return { listener, dialled: { host: localAddress, port: localPort } }
}
