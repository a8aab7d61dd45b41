/** What retention and compaction may ask of the partitions and do to their logs. */
import type { TopicConfig } from '../domain/config/topic-config.ts'
import type { LastOfProducer } from '../domain/log/producer-state.ts'
import type { TopicPartition } from '../domain/topic-partition.ts'
import type { PartitionLog } from './ports/log-store.ts'

/** An open partition as its upkeep sees it: a look at the moment it was asked for, and the log itself. */
export interface Upkeep {
  readonly log: PartitionLog
  readonly config: TopicConfig
  readonly highWatermark: bigint
  readonly lastStableOffset: bigint
  /** The newest thing that each producer which is still known has written. */
  lastOfProducers(): ReadonlyMap<bigint, LastOfProducer>
  /** Ends the active segment, unless something is being written: then `conflict`, and a later pass may. */
  roll(): Promise<'rolled' | 'conflict'>
  /** Closed segments hold something else now: whatever is cached of them goes. */
  rewritten(): void
  /** Takes the partition offline when its storage failed. */
  failed(during: string, cause: unknown): void
}

export interface UpkeptPartition {
  readonly topicPartition: TopicPartition
  /** Resolves when the partition is open, offline or closed; never rejects. */
  whenOpen(): Promise<void>
  /** null = not open. */
  upkeep(): Upkeep | null
}

export interface UpkeptPartitions {
  /** The partitions of the topics whose configs are `wanted`, opened if they are not yet. */
  upkept(wanted: (config: TopicConfig) => boolean): readonly UpkeptPartition[]
}
