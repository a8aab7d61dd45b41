/**
 * What DescribeConfigs says of a resource: each key with its value, where the value comes from and what it would be
 * without that (`synonyms`, the strongest first). Sorted by key; a real broker's order is that of a hash table.
 *
 * Observed of a real broker and kept: a key whose value comes from a synonym only (`log.retention.ms` while
 * `log.retention.hours` is set) counts as a default without synonyms; the values of synonyms are shown as they were
 * written, the value itself as it was understood; keys without a type, and passwords, hide their value.
 * Not here: documentation, which is always null.
 */
import type { BrokerConfig, ConfigTexts } from './broker-config.ts'
import { brokerKey, brokerKeys, brokerSynonyms } from './broker-keys.ts'
import { clientMetricsKeys } from './client-metrics-keys.ts'
import type { ConfigDefinition, ConfigType } from './config-definition.ts'
import { defaultConfig, formatConfig, parseConfig } from './config-value.ts'
import { groupKeys } from './group-keys.ts'
import { topicConfigText, type TopicConfigSource } from './topic-config.ts'
import { topicKeys } from './topic-keys.ts'

/** Kafka's names of the places a value can come from. */
export type ConfigSource = TopicConfigSource | 'DYNAMIC_CLIENT_METRICS_CONFIG' | 'DYNAMIC_GROUP_CONFIG'

export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: ConfigSource
}

export interface DescribedConfig {
  readonly name: string
  /** null = nothing set, or hidden. */
  readonly value: string | null
  readonly readOnly: boolean
  readonly source: ConfigSource
  readonly isSensitive: boolean
  readonly synonyms: readonly ConfigSynonym[]
  readonly type: ConfigType | 'UNKNOWN'
}

/** What a topic with these own texts gets. */
export function describeTopicConfigs(texts: ConfigTexts, broker: BrokerConfig): readonly DescribedConfig[] {
  const names = shownNames(topicKeys, texts)
  return names.map((name) => {
    const key = topicKeys.get(name)
    if (key === undefined) return describeUnknown(name, 'DYNAMIC_TOPIC_CONFIG')
    const value = shown(key, topicConfigText(key, texts, broker).text)
    const server = key.serverSynonyms[0]
    const synonyms: ConfigSynonym[] = texts.has(name) ? [{ name, value, source: 'DYNAMIC_TOPIC_CONFIG' }] : []
    if (server !== undefined) synonyms.push(...synonymsOf(server.name, broker))
    return described(key, value, synonyms)
  })
}

/** Every key of this broker. */
export function describeBrokerConfigs(broker: BrokerConfig): readonly DescribedConfig[] {
  return shownNames(brokerKeys, broker.texts).map((name) => describeBrokerKey(name, broker))
}

/** What is set for all brokers together, and nothing else. */
export function describeDefaultBrokerConfigs(broker: BrokerConfig): readonly DescribedConfig[] {
  const names = [...broker.layers.dynamicDefault.keys()].sort()
  return names.map((name) => {
    const one = describeBrokerKey(name, broker)
    const text = broker.layers.dynamicDefault.get(name) ?? null
    const key = brokerKey(name)
    return {
      ...one,
      value: one.isSensitive || key === undefined ? null : shown(key, text),
      source: 'DYNAMIC_DEFAULT_BROKER_CONFIG',
      synonyms: one.synonyms.filter((synonym) => synonym.source === 'DYNAMIC_DEFAULT_BROKER_CONFIG'),
    }
  })
}

export function describeGroupConfigs(texts: ConfigTexts, broker: BrokerConfig): readonly DescribedConfig[] {
  return shownNames(groupKeys, texts).map((name) => {
    const key = groupKeys.get(name)
    if (key === undefined) return describeUnknown(name, 'DYNAMIC_GROUP_CONFIG')
    const own = texts.get(name)
    const server = key.serverSynonyms[0]?.name
    const value = own === undefined && server !== undefined ? brokerValue(server, broker) : shown(key, own ?? null)
    const synonyms: ConfigSynonym[] = own === undefined ? [] : [{ name, value, source: 'DYNAMIC_GROUP_CONFIG' }]
    if (server !== undefined) synonyms.push(...synonymsOf(server, broker))
    else if (typeof key.defaultValue === 'string') {
      synonyms.push({ name, value: key.defaultValue, source: 'DEFAULT_CONFIG' })
    }
    return described(key, value, synonyms)
  })
}

export function describeClientMetricsConfigs(texts: ConfigTexts): readonly DescribedConfig[] {
  return shownNames(clientMetricsKeys, texts).map((name) => {
    const key = clientMetricsKeys.get(name)
    if (key === undefined) return describeUnknown(name, 'DYNAMIC_CLIENT_METRICS_CONFIG')
    const own = texts.get(name)
    const value = shown(key, own ?? null)
    return described(key, value, own === undefined ? [] : [{ name, value, source: 'DYNAMIC_CLIENT_METRICS_CONFIG' }])
  })
}

/** One line of what CreateTopics answers from version 5 on: the text as it was written, not as it was understood. */
export interface CreatedTopicConfig {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly source: ConfigSource
  readonly isSensitive: boolean
}

/** The values in force for a new topic with these own texts, sorted by key. */
export function createdTopicConfigs(texts: ConfigTexts, broker: BrokerConfig): readonly CreatedTopicConfig[] {
  return shownNames(topicKeys, texts).flatMap((name) => {
    const key = topicKeys.get(name)
    if (key === undefined) return []
    const { text, source } = topicConfigText(key, texts, broker)
    return [{ name, value: text, readOnly: false, source, isSensitive: false }]
  })
}

function shownNames(keys: ReadonlyMap<string, ConfigDefinition>, texts: ConfigTexts): readonly string[] {
  const names = new Set(texts.keys())
  for (const key of keys.values()) if (!key.internal && !key.dynamicOnly) names.add(key.name)
  return [...names].sort()
}

/** The text of a value as it was understood; of the default when nothing, or nonsense, is set. */
function shown(key: ConfigDefinition, text: string | null): string | null {
  const parsed = text === null ? null : parseConfig(key, text)
  return formatConfig(key.type, parsed?.error === null ? parsed.value : defaultConfig(key))
}

function described(key: ConfigDefinition, value: string | null, synonyms: readonly ConfigSynonym[]): DescribedConfig {
  return {
    name: key.name,
    value,
    readOnly: false,
    source: synonyms[0]?.source ?? 'DEFAULT_CONFIG',
    isSensitive: false,
    synonyms,
    type: key.type,
  }
}

function describeUnknown(name: string, source: ConfigSource): DescribedConfig {
  const synonyms = [{ name, value: null, source }]
  return { name, value: null, readOnly: false, source, isSensitive: true, synonyms, type: 'UNKNOWN' }
}

function describeBrokerKey(name: string, broker: BrokerConfig): DescribedConfig {
  const type = brokerKey(name)?.type ?? 'UNKNOWN'
  const isSensitive = hidden(name)
  const synonyms = synonymsOf(name, broker)
  return {
    name,
    value: isSensitive ? null : brokerValue(name, broker),
    readOnly: (brokerKeys.get(name)?.update ?? 'read-only') === 'read-only',
    source: synonyms[0]?.source ?? 'DEFAULT_CONFIG',
    isSensitive,
    synonyms,
    type,
  }
}

function hidden(name: string): boolean {
  const type = brokerKey(name)?.type
  return type === undefined || type === 'PASSWORD'
}

function brokerValue(name: string, broker: BrokerConfig): string | null {
  return formatConfig(brokerKey(name)?.type ?? 'STRING', broker.ownValue(name))
}

function synonymsOf(name: string, broker: BrokerConfig): readonly ConfigSynonym[] {
  const names = brokerSynonyms(name, { listenerOverrides: true })
  const all: ConfigSynonym[] = []
  const add = (text: (synonym: string) => string | null | undefined, source: ConfigSource): void => {
    for (const synonym of names) {
      const value = text(synonym)
      if (value !== undefined && value !== null) {
        all.push({ name: synonym, value: hidden(name) ? null : value, source })
      }
    }
  }
  const { dynamicBroker, dynamicDefault, static: file } = broker.layers
  add((synonym) => dynamicBroker.get(synonym), 'DYNAMIC_BROKER_CONFIG')
  add((synonym) => dynamicDefault.get(synonym), 'DYNAMIC_DEFAULT_BROKER_CONFIG')
  add((synonym) => file.get(synonym), 'STATIC_BROKER_CONFIG')
  add((synonym) => defaultText(synonym), 'DEFAULT_CONFIG')
  const own = all.findIndex((synonym) => synonym.name === name)
  return own < 0 ? [] : all.slice(own)
}

function defaultText(name: string): string | null {
  const key = brokerKeys.get(name)
  return key === undefined || key.dynamicOnly ? null : (key.defaultValue ?? null)
}
