/**
 * What the rest of the broker may ask of one open partition.
 *
 * A partition is found synchronously (`PartitionDirectory.find`) and opens in the background: `await whenOpen()` before
 * anything else when `state` is 'opening'. In state 'offline' (I/O failed once) everything answers KAFKA_STORAGE_ERROR.
 */
import type { AbortedTransaction } from '../domain/log/aborted-transaction.ts'
import type { LeaderEpochEntry } from '../domain/log/leader-epochs.ts'
import type { KafkaError } from '../domain/errors.ts'
import type { TopicPartition } from '../domain/topic-partition.ts'
import type { Uuid } from '../domain/uuid.ts'
import type { LogSlice, TimestampOffset } from './ports/log-store.ts'

/** Up to where a read may go: the end that is written, or also below the first open transaction (KIP-98). */
export type Isolation = 'read uncommitted' | 'read committed'

export interface PartitionReadLimits {
  readonly bytesMax: number
  /** The first batch comes whole even when it is larger than `bytesMax`. */
  readonly atLeastOne: boolean
}

export interface ReadablePartition {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  readonly state: 'opening' | 'open' | 'offline' | 'closed'
  /** Resolves when the partition is open, offline or closed; never rejects. */
  whenOpen(): Promise<void>

  /** The offsets below hold from 'open' on. */
  readonly logStartOffset: bigint
  /** The end of what is written, and so of what readers see: a single node has no other replica to wait for. */
  readonly highWatermark: bigint
  /** The first offset of the first open transaction, or the high watermark. */
  readonly lastStableOffset: bigint
  /** From the newest image. */
  readonly leaderEpoch: number
  leaderEpochs(): readonly LeaderEpochEntry[]
  sizeBytes(): number
  /** Of the log directory that holds the partition. */
  directory(): string

  /**
   * Whole batches from the one that holds `from`, which must be within [logStartOffset, highWatermark]. Synchronous
   * when the batches are still in memory (the tail); the caller releases the slice once.
   * @throws StorageError (also as a rejection); the partition is offline then
   */
  read(from: bigint, limits: PartitionReadLimits, isolation: Isolation): LogSlice | Promise<LogSlice>
  /**
   * The aborted transactions with offsets in [from, before), for readers who skip their records (KIP-98).
   * @throws StorageError as a rejection; the partition is offline then
   */
  abortedTransactions(from: bigint, before: bigint): Promise<readonly AbortedTransaction[]>
  /** Below the bound that `isolation` sets; null when no record is that late. */
  offsetForTimestamp(timestamp: bigint, isolation: Isolation): Promise<TimestampOffset | null>
  /** The record with the largest timestamp, the earliest of several; null for an empty log. */
  offsetOfMaxTimestamp(): Promise<TimestampOffset | null>
  /** Moves the log start offset up to `before`, at most to the high watermark (DeleteRecords). */
  trim(before: bigint): Promise<KafkaError | null>
}

/** The copy of a partition that is on its way to another log directory (KIP-113). */
export interface FutureReplica {
  readonly directory: string
  readonly sizeBytes: number
  /** How far it is behind the log. */
  readonly offsetLag: bigint
}

export interface PartitionDirectory {
  /** The partition by the newest image, opened on its first use; null = the image has no such partition. */
  find(topic: string, partition: number): ReadablePartition | null
}
