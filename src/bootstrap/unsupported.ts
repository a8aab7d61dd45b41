/**
 * Keys that a real broker obeys and this one cannot, and keys of Kafka before 4.0. What would make the broker less
 * safe, or keep data elsewhere, than its operator asked for refuses the start; the rest is warned about.
 */
import type { BrokerConfig } from '../domain/config/broker-config.ts'
import type { ListenerConfig } from './listeners.ts'

export interface Complaint {
  readonly key: string
  readonly message: string
}

const refusedWhenSet: Readonly<Record<string, string>> = {
  'alter.config.policy.class.name': 'policies written in Java cannot be loaded',
  'client.quota.callback.class': 'quota callbacks written in Java cannot be loaded',
  'config.providers': 'config providers cannot be loaded, so values that refer to them stay unresolved',
  'create.topic.policy.class.name': 'policies written in Java cannot be loaded',
  'security.providers': 'security providers written in Java cannot be loaded',
}

const warnedWhenSet: Readonly<Record<string, string>> = {
  'delegation.token.secret.key': 'delegation tokens are not supported',
  'group.streams.topology.description.plugin.class': 'plugins written in Java cannot be loaded',
  'kafka.metrics.reporters': 'metrics reporters written in Java cannot be loaded',
  'replica.selector.class': 'replica selectors written in Java cannot be loaded',
}

/** Features that would be missing although they were asked for: the first one refuses the start. */
export function refusedFeature(broker: BrokerConfig, listeners: ListenerConfig): Complaint | null {
  const secured = listeners.listeners.find((listener) => listener.securityProtocol !== 'PLAINTEXT')
  if (secured !== undefined) {
    const message = `listener ${secured.name} wants ${secured.securityProtocol}: only PLAINTEXT is supported`
    return { key: 'listeners', message }
  }
  return refusedRoles(broker) ?? refusedPlugins(broker)
}

function refusedRoles(broker: BrokerConfig): Complaint | null {
  const roles = broker.list('process.roles')
  if (!roles.includes('broker') || !roles.includes('controller')) {
    const message = `process.roles=${roles.join(',')}: broker and controller always run in one process here`
    return { key: 'process.roles', message: `${message}, set process.roles=broker,controller` }
  }
  const voters = broker.list('controller.quorum.voters')
  for (const voter of voters) {
    if (!/^\d+@.+:\d+$/.test(voter)) {
      const what = 'Invalid configuration value for controller.quorum.voters.'
      return {
        key: 'controller.quorum.voters',
        message: `${what} Each entry should be in the form \`{id}@{host}:{port}\`.`,
      }
    }
  }
  const ids = [...new Set(voters.map((voter) => Number(voter.split('@')[0])))]
  if (ids.length > 0 && !ids.includes(broker.nodeId)) {
    const what = `If process.roles contains the 'controller' role, the node id ${broker.nodeId}`
    const message = `${what} must be included in the set of voters controller.quorum.voters=Set(${ids.join(', ')})`
    return { key: 'controller.quorum.voters', message }
  }
  if (ids.length > 1) {
    const message = `controller.quorum.voters names ${ids.length} nodes: a quorum of several nodes is not supported`
    return { key: 'controller.quorum.voters', message }
  }
  return null
}

function refusedPlugins(broker: BrokerConfig): Complaint | null {
  if (broker.string('authorizer.class.name') !== '') {
    const message = `authorizer.class.name=${broker.string('authorizer.class.name') ?? ''}: no authorizer is supported`
    return { key: 'authorizer.class.name', message: `${message}, so that everyone would be let in` }
  }
  if (broker.boolean('remote.log.storage.system.enable')) {
    const message = 'remote.log.storage.system.enable=true: tiered storage is not supported'
    return { key: 'remote.log.storage.system.enable', message }
  }
  for (const [key, why] of Object.entries(refusedWhenSet)) {
    const text = broker.texts.get(key) ?? ''
    if (text !== '') return { key, message: `${key}=${text}: ${why}` }
  }
  const builder = broker.texts.get('principal.builder.class')
  if (builder !== undefined && !builder.endsWith('.DefaultKafkaPrincipalBuilder')) {
    const message = `principal.builder.class=${builder}: principal builders written in Java cannot be loaded`
    return { key: 'principal.builder.class', message }
  }
  const assignor = broker.list('group.consumer.assignors').find((name) => name !== 'uniform' && name !== 'range')
  if (assignor !== undefined) {
    const message = `group.consumer.assignors=${assignor}: assignors written in Java cannot be loaded`
    return { key: 'group.consumer.assignors', message }
  }
  return null
}

const olderKeys: readonly RegExp[] = [
  /^zookeeper\./,
  /^password\.encoder\./,
  /^control\.plane\.listener\.name$/,
  /^inter\.broker\.protocol\.version$/,
  /^log\.message\.(format\.version|downconversion\.enable|timestamp\.difference\.max\.ms)$/,
  /^(broker\.id\.generation\.enable|reserved\.broker\.max\.id|delegation\.token\.master\.key)$/,
  /^group\.coordinator\.new\.enable$/,
]

/** What an operator should know about a key that is set and known to Kafka, now or once; null = nothing. */
export function warningAbout(key: string): string | null {
  if (key === 'super.users' || key === 'allow.everyone.if.no.acl.found') {
    return `${key} has no effect without an authorizer`
  }
  const why = warnedWhenSet[key]
  if (why !== undefined) return `${key} has no effect: ${why}`
  if (key.startsWith('zookeeper.')) return `${key} has no effect: Kafka 4 has no ZooKeeper`
  if (olderKeys.some((pattern) => pattern.test(key))) return `${key} has no effect: Kafka 4 has no such key any more`
  return null
}
