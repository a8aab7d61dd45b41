/**
 * `listeners`, `advertised.listeners`, `listener.security.protocol.map`, `inter.broker.listener.name` and
 * `controller.listener.names`, with the checks and the words of a real broker.
 *
 * Differences, on purpose: a listener without an advertised counterpart answers clients with the address that they
 * dialled, so `0.0.0.0` there is fine; a port that cannot be bound (above 65535, below 0) is refused here and not at
 * the bind; the controller's listener is never bound, so it need not exist when `controller.listener.names` is not set.
 */
import type { BrokerConfig } from '../domain/config/broker-config.ts'

export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

export interface Listener {
  /** Upper case. */
  readonly name: string
  /** Without brackets; '' = every interface (in `advertised`: the address that the client dialled). */
  readonly host: string
  /** 0 = a free one. */
  readonly port: number
  readonly securityProtocol: SecurityProtocol
}

export interface ListenerConfig {
  /** What to bind. */
  readonly listeners: readonly Listener[]
  /** What to tell clients, by listener name; a name that is missing = the address that the client dialled. */
  readonly advertised: ReadonlyMap<string, Listener>
  /** The listeners of the controller, which are not bound. */
  readonly controllerListeners: readonly Listener[]
  readonly controllerListenerNames: readonly string[]
  readonly interBrokerListenerName: string
}

export type ParsedListeners =
  | { readonly config: ListenerConfig; readonly error: null }
  /** `key` is the one to point at. */
  | { readonly config?: never; readonly error: string; readonly key: string }

class Refused extends Error {
  readonly key: string

  constructor(key: string, message: string) {
    super(message)
    this.key = key
  }
}

/** Reads the listener keys, whose own values have been checked before. */
export function parseListeners(broker: BrokerConfig): ParsedListeners {
  try {
    return { config: parse(broker), error: null }
  } catch (error) {
    if (error instanceof Refused) return { error: error.message, key: error.key }
    throw error
  }
}

function parse(broker: BrokerConfig): ListenerConfig {
  const named = broker.isSet('controller.listener.names')
  const controllerListenerNames = named ? broker.list('controller.listener.names') : ['CONTROLLER']
  const protocols = protocolMap(broker, controllerListenerNames)
  const all = parseList('listeners', broker.list('listeners'), protocols)
  checkPorts(all, broker.list('listeners'))

  const isController = (listener: Listener) => controllerListenerNames.includes(listener.name)
  const controllerListeners = all.filter(isController)
  if (named && broker.isSet('listeners') && controllerListeners.length === 0) {
    const what = "controller.listener.names must contain at least one value appearing in the 'listeners' configuration"
    throw new Refused('controller.listener.names', `${what} when running the KRaft controller role`)
  }
  const listeners = all.filter((listener) => !isController(listener))
  const advertised = parseAdvertised(broker, all, protocols).filter((listener) => !isController(listener))
  const reachable = broker.isSet('advertised.listeners') ? advertised : listeners
  if (reachable.length === 0) {
    const what = 'There must be at least one broker advertised listener.'
    throw new Refused('listeners', `${what} Perhaps all listeners appear in controller.listener.names?`)
  }
  return {
    listeners,
    advertised: new Map(advertised.map((listener) => [listener.name, listener])),
    controllerListeners,
    controllerListenerNames,
    interBrokerListenerName: interBrokerName(broker, reachable, protocols),
  }
}

const protocolNames: readonly SecurityProtocol[] = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

function protocolMap(broker: BrokerConfig, controllerNames: readonly string[]): ReadonlyMap<string, SecurityProtocol> {
  const key = 'listener.security.protocol.map'
  const protocols = new Map<string, SecurityProtocol>()
  const text = broker.string(key) ?? ''
  for (const entry of text === '' ? [] : text.split(',')) {
    const colon = entry.lastIndexOf(':')
    if (colon < 0) throw new Refused(key, `Error parsing configuration property '${key}': ${entry.trim()}`)
    const name = entry.slice(0, colon).trim().toUpperCase()
    const wanted = entry.slice(colon + 1).trim()
    const protocol = protocolNames.find((known) => known === wanted.toUpperCase())
    if (protocol === undefined) throw new Refused(key, `Invalid security protocol \`${wanted}\` defined in ${key}`)
    if (protocols.has(name)) throw new Refused(key, `${key} names the listener ${name} twice`)
    protocols.set(name, protocol)
  }
  if (!broker.isSet(key)) {
    for (const name of controllerNames) if (!protocols.has(name)) protocols.set(name, 'PLAINTEXT')
  }
  return protocols
}

const ENDPOINT = /^(.*):\/\/(?:\[([0-9a-zA-Z\-%._:]*)\]|([0-9a-zA-Z\-%._:]*)):(-?\d+)$/

function parseList(
  key: string,
  texts: readonly string[],
  protocols: ReadonlyMap<string, SecurityProtocol>,
): readonly Listener[] {
  const fail = (why: string): never => {
    throw new Refused(key, `Error creating broker listeners from '[${texts.join(', ')}]': ${why}`)
  }
  const listeners = texts.map((text): Listener => {
    const [, rawName = '', bracketed, plain = '', port = ''] = ENDPOINT.exec(text) ?? []
    if (port === '') fail(`Unable to parse ${text} to a broker endpoint`)
    const name = rawName.toUpperCase()
    const securityProtocol = protocols.get(name) ?? fail(`No security protocol defined for listener ${name}`)
    if (Number(port) < 0 || Number(port) > 65_535) fail(`The port ${port} of ${text} is not between 0 and 65535`)
    return { name, host: bracketed ?? plain, port: Number(port), securityProtocol }
  })
  const names = new Set(listeners.map((listener) => listener.name))
  if (names.size < listeners.length) {
    fail(`Each listener must have a different name, listeners: [${texts.join(', ')}]`)
  }
  return listeners
}

/** Two listeners may share a port when one is IPv4 and the other IPv6. */
function checkPorts(listeners: readonly Listener[], texts: readonly string[]): void {
  const shown = `listeners: [${texts.join(', ')}]`
  const start = `Error creating broker listeners from '[${texts.join(', ')}]'`
  const ports = new Set(listeners.map((listener) => listener.port).filter((port) => port !== 0))
  for (const port of ports) {
    const hosts = listeners.filter((listener) => listener.port === port).map((listener) => listener.host)
    if (hosts.length === 1) continue
    const addresses = hosts.filter((host) => isIpv4(host) || isIpv6(host))
    if (addresses.length < 2 || hosts.length > 2) {
      throw new Refused('listeners', `${start}: Each listener must have a different port, ${shown}`)
    }
    if (hosts.filter(isIpv4).length !== 1) {
      const what = 'If you have two listeners on the same port then one needs to be IPv4 and the other IPv6'
      throw new Refused('listeners', `${start}: ${what}, ${shown}, port: ${port}`)
    }
  }
}

function isIpv4(host: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(host)
}

function isIpv6(host: string): boolean {
  return host.includes(':')
}

function parseAdvertised(
  broker: BrokerConfig,
  all: readonly Listener[],
  protocols: ReadonlyMap<string, SecurityProtocol>,
): readonly Listener[] {
  const key = 'advertised.listeners'
  if (!broker.isSet(key)) return []
  const advertised = parseList(key, broker.list(key), protocols)
  const known = all.map((listener) => listener.name)
  if (advertised.some((listener) => !known.includes(listener.name))) {
    const found = advertised.map((listener) => listener.name).join(',')
    const what = `${key} listener names must be equal to or a subset of the ones defined in listeners.`
    const options = `The valid options based on the current configuration are ${known.join(',')}`
    throw new Refused(key, `${what} Found ${found}. ${options}`)
  }
  if (advertised.some((listener) => listener.host === '0.0.0.0')) {
    throw new Refused(key, `${key} cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.`)
  }
  return advertised
}

function interBrokerName(
  broker: BrokerConfig,
  reachable: readonly Listener[],
  protocols: ReadonlyMap<string, SecurityProtocol>,
): string {
  const key = 'inter.broker.listener.name'
  const set = broker.string(key)
  if (set !== null && broker.isSet('security.inter.broker.protocol')) {
    throw new Refused(key, `Only one of ${key} and security.inter.broker.protocol should be set.`)
  }
  const name = (set ?? broker.string('security.inter.broker.protocol') ?? 'PLAINTEXT').toUpperCase()
  if (set !== null && !protocols.has(name)) {
    throw new Refused(key, `Listener with name ${name} defined in ${key} not found in listener.security.protocol.map.`)
  }
  const names = reachable.map((listener) => listener.name)
  if (!names.includes(name)) {
    const what = `${key} must be a listener name defined in advertised.listeners.`
    const options = `The valid options based on currently configured listeners are ${names.join(',')}`
    throw new Refused(key, `${what} ${options}`)
  }
  return name
}
