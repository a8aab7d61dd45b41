/** The names under which the container knows things: one typed symbol for each port and each assembled part. */
import type { ServiceIdentifier } from 'inversify'
import type { FramePool } from '../adapters/wire/frame-pool.ts'
import type { Handlers } from '../adapters/wire/handlers/served-apis.ts'
import type { TcpServer } from '../adapters/wire/tcp-server.ts'
import type { ClassicGroups } from '../application/classic-groups.ts'
import type { ConsumerGroups } from '../application/consumer-groups.ts'
import type { FetchSessions } from '../application/fetch-sessions.ts'
import type { GroupCoordinator } from '../application/group-coordinator.ts'
import type { GroupRunner } from '../application/group-runner.ts'
import type { ReadablePartition } from '../application/partition.ts'
import type { Partitions } from '../application/partitions.ts'
import type { PartitionEnrolment } from '../application/partition-enrolment.ts'
import type { ProducerIds } from '../application/producer-ids.ts'
import type { TransactionCoordinator } from '../application/transaction-coordinator.ts'
import type { Checksum } from '../application/ports/checksum.ts'
import type { Clock } from '../application/ports/clock.ts'
import type { Compressor } from '../application/ports/compressor.ts'
import type { LogStore } from '../application/ports/log-store.ts'
import type { Logger } from '../application/ports/logger.ts'
import type { MetadataRepository } from '../application/ports/metadata-repository.ts'
import type { Random } from '../application/ports/random.ts'
import type { Timers } from '../application/ports/timers.ts'
import type { ApplyRetention } from '../application/use-cases/maintenance/apply-retention.ts'
import type { CompactLogs } from '../application/use-cases/maintenance/compact-logs.ts'
import type { CleanOffsets } from '../application/use-cases/groups/clean-offsets.ts'
import type { TransactionMarkers } from '../application/transaction-markers.ts'
import type { AbortTimedOut } from '../application/use-cases/transactions/abort-timed-out.ts'
import type { ExpireTransactionalIds } from '../application/use-cases/transactions/expire-transactional-ids.ts'
import type { ReplicaDirectories } from '../application/replica-directories.ts'
import type { ReplicaMoves } from '../application/replica-moves.ts'
import type { Waiters } from '../application/waiters.ts'
import type { BrokerConfig } from '../domain/config/broker-config.ts'
import type { TopicConfigs } from '../domain/config/topic-config.ts'
import type { ServerConfig } from './config.ts'
import type { Live } from './settings.ts'

function token<T>(name: string): ServiceIdentifier<T> {
  return Symbol(name)
}

/** The ports, each of which an embedder may replace. */
export const ports = {
  checksum: token<Checksum>('checksum'),
  clock: token<Clock>('clock'),
  compressor: token<Compressor>('compressor'),
  logStore: token<LogStore>('logStore'),
  logger: token<Logger>('logger'),
  metadata: token<MetadataRepository>('metadata'),
  random: token<Random>('random'),
  timers: token<Timers>('timers'),
}

/** What is assembled from them. */
export const parts = {
  serverConfig: token<ServerConfig>('serverConfig'),
  brokerConfig: token<BrokerConfig>('brokerConfig'),
  live: token<Live>('live'),
  /** The ports that listeners got, by name; filled before the metadata starts. */
  boundPorts: token<ReadonlyMap<string, number>>('boundPorts'),
  /** Told the broker epoch once this start is registered. */
  onRegistered: token<(epoch: bigint) => void>('onRegistered'),
  topicConfigs: token<TopicConfigs>('topicConfigs'),
  waiters: token<Waiters<ReadablePartition>>('waiters'),
  partitions: token<Partitions>('partitions'),
  replicaDirectories: token<ReplicaDirectories>('replicaDirectories'),
  replicaMoves: token<ReplicaMoves>('replicaMoves'),
  fetchSessions: token<FetchSessions>('fetchSessions'),
  groupCoordinator: token<GroupCoordinator>('groupCoordinator'),
  groupRunner: token<GroupRunner>('groupRunner'),
  classicGroups: token<ClassicGroups>('classicGroups'),
  consumerGroups: token<ConsumerGroups>('consumerGroups'),
  cleanOffsets: token<CleanOffsets>('cleanOffsets'),
  groupHandlers: token<GroupHandlers>('groupHandlers'),
  producerIds: token<ProducerIds>('producerIds'),
  transactionMarkers: token<TransactionMarkers>('transactionMarkers'),
  transactionCoordinator: token<TransactionCoordinator>('transactionCoordinator'),
  partitionEnrolment: token<PartitionEnrolment>('partitionEnrolment'),
  abortTimedOut: token<AbortTimedOut>('abortTimedOut'),
  expireTransactionalIds: token<ExpireTransactionalIds>('expireTransactionalIds'),
  transactionHandlers: token<TransactionHandlers>('transactionHandlers'),
  transactionLogHandlers: token<TransactionLogHandlers>('transactionLogHandlers'),
  clusterHandlers: token<ClusterHandlers>('clusterHandlers'),
  recordHandlers: token<RecordHandlers>('recordHandlers'),
  replicaHandlers: token<ReplicaHandlers>('replicaHandlers'),
  framePool: token<FramePool>('framePool'),
  server: token<TcpServer>('server'),
  applyRetention: token<ApplyRetention>('applyRetention'),
  compactLogs: token<CompactLogs>('compactLogs'),
}

export type RecordHandlers = Pick<
  Handlers,
  'Produce' | 'Fetch' | 'ListOffsets' | 'DeleteRecords' | 'OffsetForLeaderEpoch'
>

export type ReplicaHandlers = Pick<
  Handlers,
  'DescribeLogDirs' | 'AlterReplicaLogDirs' | 'AlterPartitionReassignments' | 'ListPartitionReassignments'
>

export type GroupHandlers = Pick<
  Handlers,
  | 'JoinGroup'
  | 'SyncGroup'
  | 'Heartbeat'
  | 'LeaveGroup'
  | 'OffsetCommit'
  | 'OffsetFetch'
  | 'OffsetDelete'
  | 'ConsumerGroupHeartbeat'
  | 'ConsumerGroupDescribe'
  | 'ListGroups'
  | 'DescribeGroups'
  | 'DeleteGroups'
>

export type TransactionHandlers = Pick<
  Handlers,
  'InitProducerId' | 'AddPartitionsToTxn' | 'AddOffsetsToTxn' | 'EndTxn' | 'DescribeTransactions' | 'ListTransactions'
>

export type TransactionLogHandlers = Pick<Handlers, 'WriteTxnMarkers' | 'TxnOffsetCommit' | 'DescribeProducers'>

export type ClusterHandlers = Omit<
  Handlers,
  | keyof RecordHandlers
  | keyof ReplicaHandlers
  | keyof GroupHandlers
  | keyof TransactionHandlers
  | keyof TransactionLogHandlers
>
