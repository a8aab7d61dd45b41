/**
 * The effective configuration of a topic: every topic key with its value, typed.
 *
 * Units are those of the keys: milliseconds and LONG values are bigint, INT and DOUBLE values are numbers.
 */

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
