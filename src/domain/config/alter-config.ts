/**
 * Decides changes to the configs of resources: IncrementalAlterConfigs (set, delete, append, subtract) and the older
 * AlterConfigs (replaces everything). Each resource succeeds or fails for itself, with the words of a real broker.
 *
 * Differences, on purpose: `listeners` and `listener.security.protocol.map` cannot change at run time here and are
 * refused as read-only keys are; the checks of a change at run time do not carry a Java class name in their text; an
 * operation that does not exist is INVALID_REQUEST for every resource (Kafka: UNKNOWN_SERVER_ERROR for topics);
 * values of type CLASS name nothing that could be loaded.
 */
import { configResourceCodes, configResourceType } from '../cluster/cluster-evolution.ts'
import { configsOf, type ClusterImage, type ConfigResourceType } from '../cluster/cluster-image.ts'
import type { ConfigRecord } from '../cluster/metadata-record.ts'
import { topicNameProblem } from '../cluster/topic-name.ts'
import type { KafkaError } from '../errors.ts'
import type { BrokerConfig, ConfigTexts } from './broker-config.ts'
import { brokerKeys } from './broker-keys.ts'
import { validateDynamicBrokerTexts } from './broker-rules.ts'
import { groupKeys } from './group-keys.ts'
import { validateClientMetricsTexts, validateGroupTexts, type ConfigRefusal } from './resource-rules.ts'
import { topicKeys } from './topic-keys.ts'
import { validateTopicTexts } from './topic-rules.ts'

export type ConfigOperation = 'SET' | 'DELETE' | 'APPEND' | 'SUBTRACT'

export interface ConfigChange {
  readonly name: string
  /** A number = the code of an operation that does not exist. */
  readonly operation: ConfigOperation | number
  readonly value: string | null
}

export interface ConfigAlteration {
  /** Kafka's code; it need not be one that exists. */
  readonly resourceType: number
  readonly resourceName: string
  readonly changes: readonly ConfigChange[]
}

export interface AlterationResult {
  readonly error: KafkaError | 'NONE'
  readonly message: string | null
}

export interface AlterationDecision {
  readonly records: readonly ConfigRecord[]
  /** One for each alteration, in their order. */
  readonly results: readonly AlterationResult[]
}

type Mode = 'incremental' | 'replace'

type Decided = ConfigRefusal | { readonly error: null; readonly records: readonly ConfigRecord[] }

/** IncrementalAlterConfigs: the changes are made to what is set. */
export function decideIncrementalAlterConfigs(
  image: ClusterImage,
  broker: BrokerConfig,
  alterations: readonly ConfigAlteration[],
): AlterationDecision {
  return decideAll(image, broker, alterations, 'incremental')
}

/** AlterConfigs: what is not named is no longer set. The changes are all SET. */
export function decideAlterConfigs(
  image: ClusterImage,
  broker: BrokerConfig,
  alterations: readonly ConfigAlteration[],
): AlterationDecision {
  return decideAll(image, broker, alterations, 'replace')
}

function decideAll(
  image: ClusterImage,
  broker: BrokerConfig,
  alterations: readonly ConfigAlteration[],
  mode: Mode,
): AlterationDecision {
  const seen = new Map<string, number>()
  const keyOf = ({ resourceType, resourceName }: ConfigAlteration) => `${resourceType}:${resourceName}`
  for (const alteration of alterations) seen.set(keyOf(alteration), (seen.get(keyOf(alteration)) ?? 0) + 1)
  const records: ConfigRecord[] = []
  const results = alterations.map((alteration): AlterationResult => {
    const twice = (seen.get(keyOf(alteration)) ?? 0) > 1
    const decided = twice
      ? invalidRequest('Each resource must appear at most once.')
      : decideOne(image, broker, alteration, mode)
    if (decided.error !== null) return decided
    records.push(...decided.records)
    return { error: 'NONE', message: null }
  })
  return { records, results }
}

function decideOne(image: ClusterImage, broker: BrokerConfig, alteration: ConfigAlteration, mode: Mode): Decided {
  const { resourceType, resourceName, changes } = alteration
  const type = configResourceType(resourceType)
  const misshapen = checkShape(changes)
  if (misshapen !== null) return misshapen
  if (type === null || (type === 'BROKER_LOGGER' && mode === 'replace')) {
    return invalidRequest(`Unknown resource type ${resourceType}`)
  }
  // The names of nodes are looked at first, those of other resources once the changes could be made (on 4.3.1).
  const misnamed = checkName(image, broker, type, resourceName)
  if (misnamed !== null && (type === 'BROKER' || type === 'BROKER_LOGGER')) return misnamed
  if (type === 'BROKER_LOGGER') return decideLogger(changes)

  const name = type === 'BROKER' && resourceName !== '' ? String(Number(resourceName)) : resourceName
  const before = configsOf(image, type, name)
  const after = mode === 'replace' ? setAll(changes) : applyChanges(type, before, changes)
  if (!(after instanceof Map)) return after
  // In this order on 4.3.1: a bad value is told even for a topic that does not exist.
  const wrong =
    misnamed ??
    checkTexts(image, broker, type, name, after) ??
    checkElrRules(image, type, name, before, after, changes) ??
    checkExists(image, type, name)
  return wrong ?? { error: null, records: recordsBetween(type, name, before, after) }
}

function invalidRequest(message: string): ConfigRefusal {
  return { error: 'INVALID_REQUEST', message }
}

function invalidConfig(message: string): ConfigRefusal {
  return { error: 'INVALID_CONFIG', message }
}

function checkShape(changes: readonly ConfigChange[]): ConfigRefusal | null {
  if (new Set(changes.map((change) => change.name)).size < changes.length) {
    return invalidRequest('Error due to duplicate config keys')
  }
  const nulls = changes.filter((change) => change.operation !== 'DELETE' && change.value === null)
  if (nulls.length > 0) {
    return invalidRequest(`Null value not supported for : ${nulls.map((change) => change.name).join(', ')}`)
  }
  const unknown = changes.find((change) => typeof change.operation === 'number')
  return unknown === undefined ? null : invalidRequest(`Unknown operations type ${unknown.operation}`)
}

function checkName(
  image: ClusterImage,
  broker: BrokerConfig,
  type: ConfigResourceType,
  name: string,
): ConfigRefusal | null {
  switch (type) {
    case 'BROKER':
    case 'BROKER_LOGGER': {
      if (type === 'BROKER' && name === '') return null
      if (!/^[+-]?\d+$/.test(name)) return invalidRequest(`Node id must be an integer, but it is: ${name}`)
      if (Number(name) === broker.nodeId) return null
      return invalidRequest(
        type === 'BROKER'
          ? `Unexpected broker id, expected ${broker.nodeId}, but received ${name}`
          : `Unexpected node id. Expected ${broker.nodeId}, but received ${name}`,
      )
    }
    case 'TOPIC': {
      if (name === '') return invalidRequest('Default topic resources are not allowed.')
      const problem = image.topicsByName.has(name) ? null : topicNameProblem(name)
      return problem === null ? null : { error: 'INVALID_TOPIC_EXCEPTION', message: problem }
    }
    case 'GROUP':
      return name === '' ? invalidRequest('Default group resources are not allowed.') : null
    case 'CLIENT_METRICS':
      return name === '' ? invalidRequest("Subscription name can't be empty") : null
  }
}

function checkExists(image: ClusterImage, type: ConfigResourceType, name: string): ConfigRefusal | null {
  if (type !== 'TOPIC' || image.topicsByName.has(name)) return null
  return { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: `The topic '${name}' does not exist.` }
}

/** There are no loggers by name here, so each change of a level fails as that of a logger that a JVM lacks. */
function decideLogger(changes: readonly ConfigChange[]): Decided {
  for (const { name, operation } of changes) {
    if (operation === 'APPEND' || operation === 'SUBTRACT') {
      return invalidRequest(`${operation} operation is not allowed for the BROKER_LOGGER resource`)
    }
    if (operation === 'DELETE' && name === 'root') {
      return invalidRequest('Removing the log level of the root logger is not allowed')
    }
    return invalidConfig(`Logger ${name} does not exist!`)
  }
  return { error: null, records: [] }
}

function setAll(changes: readonly ConfigChange[]): Map<string, string> {
  return new Map(changes.map(({ name, value }) => [name, value ?? '']))
}

function applyChanges(
  type: ConfigResourceType,
  before: ConfigTexts,
  changes: readonly ConfigChange[],
): Map<string, string> | ConfigRefusal {
  const after = new Map(before)
  for (const { name, operation, value } of changes) {
    if (operation === 'DELETE') after.delete(name)
    else if (operation === 'SET') after.set(name, value ?? '')
    else {
      const key = keysWithLists(type)?.get(name)
      if (key?.type !== 'LIST') return notAList(type, name, operation)
      // What is not set counts as Kafka's default here, not as what the properties file says (observed).
      const old = listParts(after.get(name) ?? key.defaultValue ?? '').filter((part) => part !== '')
      after.set(name, combine(old, listParts(value ?? ''), operation === 'APPEND').join(','))
    }
  }
  return after
}

/** A client metrics subscription has lists, but no key of it can be appended to (observed). */
function keysWithLists(type: ConfigResourceType): typeof brokerKeys | null {
  switch (type) {
    case 'TOPIC':
      return topicKeys
    case 'BROKER':
      return brokerKeys
    case 'GROUP':
      return groupKeys
    case 'CLIENT_METRICS':
    case 'BROKER_LOGGER':
      return null
  }
}

function notAList(type: ConfigResourceType, name: string, operation: ConfigOperation | number): ConfigRefusal {
  if (type !== 'BROKER') return invalidConfig(`Can't ${operation} to key ${name} because its type is not LIST.`)
  if (!brokerKeys.has(name)) return invalidConfig(`Unknown config name: ${name}`)
  return invalidConfig(`Config value ${String(operation).toLowerCase()} is not allowed for config key: ${name}`)
}

/** Java's `split(",")`: no trimming, and empty parts at the end are dropped unless there is nothing else. */
function listParts(text: string): readonly string[] {
  const parts = text.split(',')
  while (parts.length > 1 && parts.at(-1) === '') parts.pop()
  return parts
}

function combine(old: readonly string[], parts: readonly string[], append: boolean): readonly string[] {
  if (!append) return old.filter((part) => !parts.includes(part))
  return [...old, ...parts.filter((part, index) => !old.includes(part) && parts.indexOf(part) === index)]
}

/** While eligible leader replicas are on, `min.insync.replicas` is kept at cluster level (KIP-966). */
function checkElrRules(
  image: ClusterImage,
  type: ConfigResourceType,
  name: string,
  before: ConfigTexts,
  after: ConfigTexts,
  changes: readonly ConfigChange[],
): ConfigRefusal | null {
  const key = 'min.insync.replicas'
  const elr = (image.features.get('eligible.leader.replicas.version') ?? 0) >= 1
  if (type !== 'BROKER' || !elr) return null
  const named = changes.some((change) => change.name === key)
  if (name !== '' && (named || (before.has(key) && !after.has(key)))) {
    return invalidConfig(`Broker-level ${key} cannot be altered while ELR is enabled.`)
  }
  if (name === '' && !after.has(key) && (named || before.has(key))) {
    return invalidConfig(`Cluster-level ${key} cannot be removed while ELR is enabled.`)
  }
  return null
}

function checkTexts(
  image: ClusterImage,
  broker: BrokerConfig,
  type: ConfigResourceType,
  name: string,
  after: ConfigTexts,
): ConfigRefusal | null {
  switch (type) {
    case 'TOPIC': {
      const message = validateTopicTexts(after)
      return message === null ? null : invalidConfig(message)
    }
    case 'GROUP':
      return validateGroupTexts(after, broker.at(image))
    case 'CLIENT_METRICS':
      return validateClientMetricsTexts(after)
    case 'BROKER': {
      const message = validateDynamicBrokerTexts(image, broker, name, after)
      return message === null ? null : invalidRequest(message)
    }
    case 'BROKER_LOGGER':
      return null
  }
}

function recordsBetween(
  type: ConfigResourceType,
  resourceName: string,
  before: ConfigTexts,
  after: ConfigTexts,
): readonly ConfigRecord[] {
  const resourceType = configResourceCodes[type]
  const record = (name: string, value: string | null): ConfigRecord => {
    return { type: 'ConfigRecord', resourceType, resourceName, name, value }
  }
  const set = [...after].filter(([name, value]) => before.get(name) !== value)
  const deleted = [...before.keys()].filter((name) => !after.has(name))
  return [...set.map(([name, value]) => record(name, value)), ...deleted.map((name) => record(name, null))]
}
