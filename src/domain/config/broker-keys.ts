/**
 * Every broker key of Apache Kafka 4.4, from tables by area, and what no table says: synonyms and the rules of
 * dynamic updates. Not here: values (`broker-config.ts`).
 */
import { controllerBrokerKeys } from './broker-keys/controller.ts'
import { groupBrokerKeys } from './broker-keys/group.ts'
import { logBrokerKeys } from './broker-keys/log.ts'
import { remoteBrokerKeys } from './broker-keys/remote.ts'
import { replicationBrokerKeys } from './broker-keys/replication.ts'
import { securityBrokerKeys } from './broker-keys/security.ts'
import { serverBrokerKeys } from './broker-keys/server.ts'
import { transactionBrokerKeys } from './broker-keys/transaction.ts'
import { defineBrokerKeys, type ConfigDefinition } from './config-definition.ts'

export const brokerKeys = defineBrokerKeys([
  controllerBrokerKeys,
  groupBrokerKeys,
  logBrokerKeys,
  remoteBrokerKeys,
  replicationBrokerKeys,
  securityBrokerKeys,
  serverBrokerKeys,
  transactionBrokerKeys,
])

/** Read by the standard authorizer straight from the file: known, but without a type (Kafka describes them so too). */
export const authorizerKeys: ReadonlySet<string> = new Set(['super.users', 'allow.everyone.if.no.acl.found'])

const LISTENER_PREFIX = /^listener\.name\.[^.]*\.(.*)$/

/** `max.connections` for `listener.name.plaintext.max.connections`, null for a key without that prefix. */
export function listenerBaseKey(name: string): string | null {
  return LISTENER_PREFIX.exec(name)?.[1] ?? null
}

/** The definition behind a key, with or without a listener's prefix. */
export function brokerKey(name: string): ConfigDefinition | undefined {
  return brokerKeys.get(name) ?? brokerKeys.get(listenerBaseKey(name) ?? '')
}

const synonymGroups: readonly (readonly string[])[] = [
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
]

/** The names that are looked up for a broker key, the strongest first. */
export function brokerSynonyms(name: string, options: { listenerOverrides: boolean }): readonly string[] {
  const group = synonymGroups.find((names) => names.includes(name))
  // `log.flush.scheduler.interval.ms` has a meaning of its own: it is a fallback, but has none.
  if (group !== undefined && name !== 'log.flush.scheduler.interval.ms') return group
  const base = options.listenerOverrides ? listenerBaseKey(name) : null
  return base === null ? [name] : [name, base]
}

/** Refused at run time unless they carry a listener's prefix. */
export const listenerOnlyKeys: ReadonlySet<string> = new Set([
  'ssl.keystore.type',
  'ssl.keystore.location',
  'ssl.keystore.password',
  'ssl.key.password',
  'ssl.truststore.type',
  'ssl.truststore.location',
  'ssl.truststore.password',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.truststore.certificates',
])

const clusterWideListenerKeys: ReadonlySet<string> = new Set([
  'max.connections',
  'max.connection.creation.rate',
  'num.network.threads',
])

/** Whether a key can be set for one broker only, not for all of them. */
export function isPerBrokerOnly(name: string): boolean {
  const base = listenerBaseKey(name)
  if (base !== null) return !clusterWideListenerKeys.has(base)
  return brokerKeys.get(name)?.update === 'per-broker'
}
