/**
 * Where a client is told to connect: every answer that names brokers shows the cluster through the listener that the
 * client came in on.
 *
 * This node is shown at its `advertised.listeners` entry for that listener; without one, at the address that the
 * client dialled, so that mapped ports, host names and both address families work without configuration. Other brokers
 * are shown as they registered.
 */
import type { BrokerImage, ClusterImage } from './cluster-image.ts'

export interface Endpoint {
  /** Host name or address, IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

/** The cluster as a client on one listener sees it. */
export interface ClientView {
  /** This node. */
  readonly nodeId: number
  /** The name of the listener that the client came in on, upper case. */
  readonly listener: string
  /** Where such a client reaches this node. */
  readonly own: Endpoint
}

export interface VisibleBroker {
  readonly id: number
  readonly endpoint: Endpoint
  readonly rack: string | null
  readonly fenced: boolean
}

/** Where a request came in. */
export interface ClientAddress {
  /** The name of the listener, upper case. */
  readonly listener: string
  /** The address of this node that the client dialled. */
  readonly dialled: Endpoint
}

export interface EndpointSettings {
  /** `node.id`. */
  readonly nodeId: number
  /** `advertised.listeners` by listener name, upper case; empty when it is not set. */
  readonly advertisedListeners: ReadonlyMap<string, Endpoint>
}

export function clientView({ nodeId, advertisedListeners }: EndpointSettings, client: ClientAddress): ClientView {
  const { listener, dialled } = client
  return { nodeId, listener, own: ownEndpoint(advertisedListeners, listener, dialled) }
}

/** An entry of `advertised.listeners` without a host keeps the dialled one. */
function ownEndpoint(advertised: ReadonlyMap<string, Endpoint>, listener: string, dialled: Endpoint): Endpoint {
  const entry = advertised.get(listener)
  if (entry === undefined) return dialled
  return entry.host === '' ? { host: dialled.host, port: entry.port } : entry
}

/** Where a client reaches a broker, or null when it is not registered or not on that listener. */
export function endpointOf(image: ClusterImage, brokerId: number, view: ClientView): Endpoint | null {
  if (brokerId === view.nodeId) return view.own
  const entry = image.brokers.get(brokerId)?.endPoints.find(({ name }) => name === view.listener)
  return entry === undefined ? null : { host: entry.host, port: entry.port }
}

/** The brokers that a client can reach, fenced ones included, by id. This node is always one of them. */
export function visibleBrokers(image: ClusterImage, view: ClientView): readonly VisibleBroker[] {
  const ids = new Set(image.brokers.keys()).add(view.nodeId)
  const visible: VisibleBroker[] = []
  for (const id of [...ids].sort((a, b) => a - b)) {
    const endpoint = endpointOf(image, id, view)
    if (endpoint === null) continue
    const broker = image.brokers.get(id)
    visible.push({ id, endpoint, rack: broker?.rack ?? null, fenced: !isAlive(broker, id, view) })
  }
  return visible
}

/** Whether clients may be sent to a broker. This node answers, so it is alive whatever its registration says. */
export function isAlive(broker: BrokerImage | undefined, id: number, view: ClientView): boolean {
  return id === view.nodeId || (broker !== undefined && !broker.fenced)
}
