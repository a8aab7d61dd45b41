/**
 * The settings of each part, read off the broker's keys at the moment they are asked for: values that can be changed
 * while the broker runs are in effect from the next request on.
 */
import type { TcpServerSettings } from '../adapters/wire/tcp-server.ts'
import { defaultConnectionLimits } from '../adapters/wire/tcp-server.ts'
import type { PartitionsSettings } from '../application/partitions.ts'
import type { TransactionCoordinatorSettings } from '../application/transaction-coordinator.ts'
import type { CleanOffsetsSettings } from '../application/use-cases/groups/clean-offsets.ts'
import type { ProduceRecordsSettings } from '../application/use-cases/records/produce-records.ts'
import type { DescribeMetadataSettings } from '../application/use-cases/cluster/describe-metadata.ts'
import type { MissingTopicSettings } from '../application/use-cases/cluster/new-topics.ts'
import type { EndpointSettings } from '../domain/cluster/endpoints.ts'
import type { InternalTopicSettings } from '../domain/cluster/internal-topics.ts'
import type { BrokerConfig } from '../domain/config/broker-config.ts'
import type { ClassicRules } from '../domain/groups/classic-decision.ts'
import type { ServerConfig } from './config.ts'

/** The broker's values as they are now, those set at run time included. */
export type Live = () => BrokerConfig

const MB = 1024 * 1024

/**
 * The bounds on memory that Kafka has no keys for. Together with the code and V8's own heap they keep the process
 * below 150 MB at work.
 */
export const memory = {
  /**
   * What arrives lies in the pool until it is answered, written and pushed out of the tail cache. Past its bound it is
   * thrown away after use, and the garbage grows to hundreds of megabytes before V8 looks at it.
   */
  framePoolBytes: 48 * MB,
  /** Written batches kept for consumers at the tail. */
  tailCacheBytes: 16 * MB,
  /** Batches that wait to be written. */
  writeQueueBytes: 16 * MB,
  /** What was read for fetches whose clients have not taken it yet. */
  fetchBytes: 32 * MB,
  /** All requests under way, when `queued.max.request.bytes` sets no bound. */
  requestBytes: 32 * MB,
  /** Keys that parked fetches wait on. */
  waiterKeys: 1_000_000,
  /** Partitions that all fetch sessions remember. */
  sessionPartitions: 200_000,
} as const

export function endpointSettings({ nodeId, advertised }: ServerConfig): EndpointSettings {
  return { nodeId, advertisedListeners: advertised }
}

function internalTopicSettings(config: BrokerConfig): InternalTopicSettings {
  return {
    offsetsTopicNumPartitions: config.number('offsets.topic.num.partitions'),
    offsetsTopicReplicationFactor: config.number('offsets.topic.replication.factor'),
    offsetsTopicSegmentBytes: config.number('offsets.topic.segment.bytes'),
    transactionStateLogNumPartitions: config.number('transaction.state.log.num.partitions'),
    transactionStateLogReplicationFactor: config.number('transaction.state.log.replication.factor'),
    transactionStateLogSegmentBytes: config.number('transaction.state.log.segment.bytes'),
    transactionStateLogMinIsr: config.number('transaction.state.log.min.isr'),
    shareCoordinatorStateTopicNumPartitions: config.number('share.coordinator.state.topic.num.partitions'),
    shareCoordinatorStateTopicReplicationFactor: config.number('share.coordinator.state.topic.replication.factor'),
    shareCoordinatorStateTopicSegmentBytes: config.number('share.coordinator.state.topic.segment.bytes'),
    shareCoordinatorStateTopicMinIsr: config.number('share.coordinator.state.topic.min.isr'),
  }
}

export function missingTopicSettings(config: BrokerConfig): MissingTopicSettings {
  return {
    ...internalTopicSettings(config),
    numPartitions: config.number('num.partitions'),
    defaultReplicationFactor: config.number('default.replication.factor'),
  }
}

export function describeMetadataSettings(server: ServerConfig, config: BrokerConfig): DescribeMetadataSettings {
  return {
    ...endpointSettings(server),
    ...missingTopicSettings(config),
    autoCreateTopicsEnable: config.boolean('auto.create.topics.enable'),
  }
}

export function classicRules(config: BrokerConfig): ClassicRules {
  return {
    groupMinSessionTimeoutMs: config.number('group.min.session.timeout.ms'),
    groupMaxSessionTimeoutMs: config.number('group.max.session.timeout.ms'),
    groupMaxSize: config.number('group.max.size'),
    groupInitialRebalanceDelayMs: config.number('group.initial.rebalance.delay.ms'),
  }
}

export function offsetSettings(config: BrokerConfig): CleanOffsetsSettings {
  return {
    offsetMetadataMaxBytes: config.number('offset.metadata.max.bytes'),
    offsetsRetentionMs: BigInt(config.number('offsets.retention.minutes')) * 60_000n,
    offsetsRetentionCheckIntervalMs: Number(config.bigint('offsets.retention.check.interval.ms')),
  }
}

export function transactionCoordinatorSettings(config: BrokerConfig): TransactionCoordinatorSettings {
  return {
    transactionStateLogLoadBufferSize: config.number('transaction.state.log.load.buffer.size'),
    addPartitionsToTxnRetryBackoffMaxMs: config.number('add.partitions.to.txn.retry.backoff.max.ms'),
  }
}

/** Asks the broker's keys when a value is read: the partitions are built before the metadata is there. */
export function partitionsSettings(live: Live): PartitionsSettings {
  return {
    writeQueueBytesMax: memory.writeQueueBytes,
    tailCacheBytesMax: memory.tailCacheBytes,
    get decompressedBytesMax() {
      return live().number('socket.request.max.bytes')
    },
    get numRecoveryThreadsPerDataDir() {
      return live().number('num.recovery.threads.per.data.dir')
    },
    get producerIdExpirationMs() {
      return live().number('producer.id.expiration.ms')
    },
    get producerIdExpirationCheckIntervalMs() {
      return live().number('producer.id.expiration.check.interval.ms')
    },
  }
}

export function produceSettings(config: BrokerConfig): ProduceRecordsSettings {
  return { transactionPartitionVerificationEnable: config.boolean('transaction.partition.verification.enable') }
}

export function tcpServerSettings(server: ServerConfig, config: BrokerConfig): TcpServerSettings {
  const queuedBytes = config.bigint('queued.max.request.bytes')
  return {
    listeners: server.listeners,
    connectionsMaxIdleMs: Number(config.bigint('connections.max.idle.ms')),
    socketRequestMaxBytes: config.number('socket.request.max.bytes'),
    socketListenBacklogSize: config.number('socket.listen.backlog.size'),
    queuedRequestBytesMax: queuedBytes > 0n ? Number(queuedBytes) : memory.requestBytes,
    connectionLimits: defaultConnectionLimits,
    maxConnections: config.number('max.connections'),
    maxConnectionsPerIp: config.number('max.connections.per.ip'),
    maxConnectionsPerIpOverrides: new Map(
      (config.string('max.connections.per.ip.overrides') ?? '')
        .split(',')
        .filter((entry) => entry.includes(':'))
        .map((entry) => {
          const colon = entry.lastIndexOf(':')
          return [entry.slice(0, colon).trim(), Number(entry.slice(colon + 1))]
        }),
    ),
  }
}
