/**
 * Who may connect: `max.connections`, `max.connections.per.ip` and its overrides. It counts and decides; closing and
 * waiting are the server's business.
 */

export interface ConnectionQuotas {
  readonly maxConnections: number
  readonly maxConnectionsPerIp: number
  /** Address → limit, instead of `maxConnectionsPerIp`. */
  readonly maxConnectionsPerIpOverrides: ReadonlyMap<string, number>
}

export class ConnectionCounts {
  readonly #quotas: () => ConnectionQuotas
  readonly #byAddress = new Map<string, number>()
  #total = 0

  /** @param quotas - asked at each connection, because the limits can be changed while the broker runs. */
  constructor(quotas: () => ConnectionQuotas) {
    this.#quotas = quotas
  }

  /** Whether one more connection would exceed `max.connections`. */
  get full(): boolean {
    return this.#total >= this.#quotas().maxConnections
  }

  /** Whether one more connection from this address would exceed the limit for it. */
  fullFor(address: string): boolean {
    const { maxConnectionsPerIp, maxConnectionsPerIpOverrides } = this.#quotas()
    const limit = maxConnectionsPerIpOverrides.get(address) ?? maxConnectionsPerIp
    return (this.#byAddress.get(address) ?? 0) >= limit
  }

  add(address: string): void {
    this.#total += 1
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1)
  }

  remove(address: string): void {
    this.#total -= 1
    const left = (this.#byAddress.get(address) ?? 0) - 1
    if (left > 0) this.#byAddress.set(address, left)
    else this.#byAddress.delete(address)
  }
}
