/** What the KRaft adapter is told and what it stands on. */
import type { Checksum } from '../../application/ports/checksum.ts'
import type { Clock } from '../../application/ports/clock.ts'
import type { Logger } from '../../application/ports/logger.ts'
import type { LogStore } from '../../application/ports/log-store.ts'
import type { Timers } from '../../application/ports/timers.ts'
import type { Random } from '../../application/ports/random.ts'
import type { BrokerEndpoint, ControllerEndpoint } from '../../domain/cluster/metadata-record.ts'
import type { MetadataFiles } from './metadata-files.ts'

/** When a snapshot is taken and how long it stays, by the names of Kafka's `metadata.…` keys. */
export interface SnapshotPolicy {
  /** `metadata.log.max.record.bytes.between.snapshots`. */
  readonly maxRecordBytesBetweenSnapshots: number
  /** `metadata.log.max.snapshot.interval.ms`; 0 = never for this reason. */
  readonly maxSnapshotIntervalMs: number
  /** `metadata.max.retention.bytes`; -1 = without bound. */
  readonly maxRetentionBytes: number
  /** `metadata.max.retention.ms`; -1 = without bound. */
  readonly maxRetentionMs: number
}

export interface KraftMetadataOptions extends SnapshotPolicy {
  readonly nodeId: number
  /** Absolute paths (`log.dirs`). */
  readonly logDirs: readonly string[]
  /** The directory that holds `__cluster_metadata-0` (`metadata.log.dir`, else the first of `logDirs`). */
  readonly metadataLogDir: string
  /** The cluster that the directories must belong to, or the id of a new one; absent = theirs, or a random one. */
  readonly clusterId?: string
  /** Where clients reach this broker; asked for at `start`, when the listeners are bound. */
  readonly endPoints: () => readonly BrokerEndpoint[]
  readonly controllerEndPoints: () => readonly ControllerEndpoint[]
  readonly rack: string | null
  /** `min.insync.replicas`: a new cluster with eligible leader replicas on makes it the default of all brokers. */
  readonly minInsyncReplicas: number
  /** `metadata.log.segment.bytes`, `metadata.log.segment.ms`. */
  readonly segmentBytes: number
  readonly segmentMs: bigint
}

export interface KraftMetadataPorts {
  readonly logStore: LogStore
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  readonly checksum: Checksum
  /** Absent = the machine's own. */
  readonly files?: MetadataFiles
}
