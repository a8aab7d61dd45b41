/**
 * The effective configuration of a topic: every topic key with its value, typed.
 *
 * Units are those of the keys: milliseconds and LONG values are bigint, INT and DOUBLE values are numbers.
 * A value comes from the topic, else from the broker key that is its counterpart (this broker's dynamic values, those
 * of all brokers, the properties file), else it is the default.
 */
import { configsOf, type ClusterImage } from '../cluster/cluster-image.ts'
import type { BrokerConfig, ConfigTexts } from './broker-config.ts'
import type { ConfigDefinition } from './config-definition.ts'
import { defaultConfig, parseConfig, type ConfigValue } from './config-value.ts'
import { topicKeys } from './topic-keys.ts'

/** `cleanup.policy`: both false = an empty policy (KIP-1175: neither deletes nor compacts). */
export interface CleanupPolicy {
  readonly compact: boolean
  readonly delete: boolean
}

export type CompressionType = 'uncompressed' | 'zstd' | 'lz4' | 'snappy' | 'gzip' | 'producer'

export type TimestampType = 'CreateTime' | 'LogAppendTime'

export interface TopicConfig {
  readonly cleanupPolicy: CleanupPolicy
  readonly compressionType: CompressionType
  /** -1 = the codec's own default. */
  readonly compressionGzipLevel: number
  readonly compressionLz4Level: number
  readonly compressionZstdLevel: number
  readonly deleteRetentionMs: bigint
  readonly errorsDeadLetterQueueGroupEnable: boolean
  readonly fileDeleteDelayMs: bigint
  /** `flush.messages`: fsync after this many records. */
  readonly flushMessages: bigint
  readonly flushMs: bigint
  readonly followerReplicationThrottledReplicas: readonly string[]
  readonly indexIntervalBytes: number
  readonly leaderReplicationThrottledReplicas: readonly string[]
  /** -2 = as `retentionBytes`. */
  readonly localRetentionBytes: bigint
  /** -2 = as `retentionMs`. */
  readonly localRetentionMs: bigint
  readonly maxCompactionLagMs: bigint
  readonly maxDecompressedMessageBytes: number
  readonly maxMessageBytes: number
  readonly messageTimestampAfterMaxMs: bigint
  readonly messageTimestampBeforeMaxMs: bigint
  readonly messageTimestampType: TimestampType
  readonly minCleanableDirtyRatio: number
  readonly minCompactionLagMs: bigint
  readonly minInsyncReplicas: number
  readonly preallocate: boolean
  /** -1 = as `localRetentionBytes`. */
  readonly remoteCopyLagBytes: bigint
  readonly remoteCopyLagMs: bigint
  readonly remoteLogCopyDisable: boolean
  readonly remoteLogDeleteOnDisable: boolean
  readonly remoteStorageEnable: boolean
  /** -1 = no limit. */
  readonly retentionBytes: bigint
  /** -1 = no limit. */
  readonly retentionMs: bigint
  /** `internal.segment.bytes` where it is set, else `segment.bytes`. */
  readonly segmentBytes: number
  /** `segment.index.bytes`. */
  readonly segmentIndexBytes: number
  readonly segmentJitterMs: bigint
  readonly segmentMs: bigint
  readonly uncleanLeaderElectionEnable: boolean
}

/** Where a value comes from, with Kafka's names (`configSource`). */
export type TopicConfigSource =
  | 'DYNAMIC_TOPIC_CONFIG'
  | 'DYNAMIC_BROKER_CONFIG'
  | 'DYNAMIC_DEFAULT_BROKER_CONFIG'
  | 'STATIC_BROKER_CONFIG'
  | 'DEFAULT_CONFIG'

/** The text in force for a topic key: the topic's own, else the broker's (in the unit of the topic key). */
export function topicConfigText(
  key: ConfigDefinition,
  texts: ConfigTexts,
  broker: BrokerConfig,
): { readonly text: string | null; readonly source: TopicConfigSource } {
  const own = texts.get(key.name)
  if (own !== undefined) return { text: own, source: 'DYNAMIC_TOPIC_CONFIG' }
  const { dynamicBroker, dynamicDefault, static: file } = broker.layers
  const layers = [
    [dynamicBroker, 'DYNAMIC_BROKER_CONFIG'],
    [dynamicDefault, 'DYNAMIC_DEFAULT_BROKER_CONFIG'],
    [file, 'STATIC_BROKER_CONFIG'],
  ] as const
  for (const [layer, source] of layers) {
    for (const synonym of key.serverSynonyms) {
      const text = layer.get(synonym.name)
      if (text !== undefined) return { text: ofServer(key.name, synonym.factor, text), source }
    }
  }
  return { text: key.defaultValue ?? null, source: 'DEFAULT_CONFIG' }
}

/** A broker's text for a topic key. Broker values are checked before they get here, so it is a number where one belongs. */
function ofServer(key: string, factor: bigint, text: string): string {
  // A broker may say "for ever" with any negative number, of any unit; a topic only with -1.
  if (key === 'retention.ms' && text.trim().startsWith('-')) return '-1'
  return factor === 1n ? text : String(BigInt(text.trim().replace(/^\+/, '')) * factor)
}

/** The effective values of a topic with the given own texts. A text that does not parse counts as not set. */
export function topicConfigOf(texts: ConfigTexts, broker: BrokerConfig): TopicConfig {
  const value = (name: string): ConfigValue => {
    const key = topicKeys.get(name)
    if (key === undefined) throw new TypeError(`${name} is no topic key`)
    const { text } = topicConfigText(key, texts, broker)
    const parsed = text === null ? null : parseConfig(key, text)
    return parsed === null ? null : parsed.error === null ? parsed.value : defaultConfig(key)
  }
  const policy = value('cleanup.policy') as readonly string[]
  return {
    cleanupPolicy: { compact: policy.includes('compact'), delete: policy.includes('delete') },
    compressionType: value('compression.type') as CompressionType,
    compressionGzipLevel: value('compression.gzip.level') as number,
    compressionLz4Level: value('compression.lz4.level') as number,
    compressionZstdLevel: value('compression.zstd.level') as number,
    deleteRetentionMs: value('delete.retention.ms') as bigint,
    errorsDeadLetterQueueGroupEnable: value('errors.deadletterqueue.group.enable') as boolean,
    fileDeleteDelayMs: value('file.delete.delay.ms') as bigint,
    flushMessages: value('flush.messages') as bigint,
    flushMs: value('flush.ms') as bigint,
    followerReplicationThrottledReplicas: value('follower.replication.throttled.replicas') as readonly string[],
    indexIntervalBytes: value('index.interval.bytes') as number,
    leaderReplicationThrottledReplicas: value('leader.replication.throttled.replicas') as readonly string[],
    localRetentionBytes: value('local.retention.bytes') as bigint,
    localRetentionMs: value('local.retention.ms') as bigint,
    maxCompactionLagMs: value('max.compaction.lag.ms') as bigint,
    maxDecompressedMessageBytes: value('max.decompressed.message.bytes') as number,
    maxMessageBytes: value('max.message.bytes') as number,
    messageTimestampAfterMaxMs: value('message.timestamp.after.max.ms') as bigint,
    messageTimestampBeforeMaxMs: value('message.timestamp.before.max.ms') as bigint,
    messageTimestampType: value('message.timestamp.type') as TimestampType,
    minCleanableDirtyRatio: value('min.cleanable.dirty.ratio') as number,
    minCompactionLagMs: value('min.compaction.lag.ms') as bigint,
    minInsyncReplicas: value('min.insync.replicas') as number,
    preallocate: value('preallocate') as boolean,
    remoteCopyLagBytes: value('remote.copy.lag.bytes') as bigint,
    remoteCopyLagMs: value('remote.copy.lag.ms') as bigint,
    remoteLogCopyDisable: value('remote.log.copy.disable') as boolean,
    remoteLogDeleteOnDisable: value('remote.log.delete.on.disable') as boolean,
    remoteStorageEnable: value('remote.storage.enable') as boolean,
    retentionBytes: value('retention.bytes') as bigint,
    retentionMs: value('retention.ms') as bigint,
    segmentBytes: (value('internal.segment.bytes') ?? value('segment.bytes')) as number,
    segmentIndexBytes: value('segment.index.bytes') as number,
    segmentJitterMs: value('segment.jitter.ms') as bigint,
    segmentMs: value('segment.ms') as bigint,
    uncleanLeaderElectionEnable: value('unclean.leader.election.enable') as boolean,
  }
}

/** The effective values of a topic; `broker` with the image's dynamic values (`BrokerConfig.at`) is taken care of. */
export function effectiveTopicConfig(image: ClusterImage, topic: string, broker: BrokerConfig): TopicConfig {
  return topicConfigOf(configsOf(image, 'TOPIC', topic), broker.at(image))
}

/**
 * The effective values of all topics, kept: a look-up while no config changes costs one map access and allocates
 * nothing. A topic's `TopicConfig` stays the same object until its own configs or the broker's change.
 */
export class TopicConfigs {
  readonly #broker: BrokerConfig
  #seen: ClusterImage['configs'] | null = null
  #current = new Map<string, CachedTopic>()
  #before = new Map<string, CachedTopic>()

  constructor(broker: BrokerConfig) {
    this.#broker = broker
  }

  of(image: ClusterImage, topic: string): TopicConfig {
    if (image.configs !== this.#seen) {
      this.#seen = image.configs
      this.#before = this.#current
      this.#current = new Map()
    }
    return this.#current.get(topic)?.config ?? this.#load(image, topic)
  }

  #load(image: ClusterImage, topic: string): TopicConfig {
    const texts = configsOf(image, 'TOPIC', topic)
    const broker = this.#broker.at(image)
    const known = this.#before.get(topic)
    const fresh = known?.texts === texts && known.broker === broker
    const entry = fresh ? known : { texts, broker, config: topicConfigOf(texts, broker) }
    // Names of topics that do not exist must not pile up here.
    if (image.topicsByName.has(topic)) this.#current.set(topic, entry)
    return entry.config
  }
}

interface CachedTopic {
  readonly texts: ConfigTexts
  readonly broker: BrokerConfig
  readonly config: TopicConfig
}
