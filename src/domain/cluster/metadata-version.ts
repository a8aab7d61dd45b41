/**
 * Features and metadata levels (KIP-584, KIP-778): which levels exist, what `metadata.version` allows in the metadata
 * log, and which levels a new cluster starts with. Facts of Apache Kafka 4.4.0.
 */
import type { MetadataRecord } from './metadata-record.ts'

export interface FeatureRange {
  readonly name: string
  readonly minSupportedVersion: number
  readonly maxSupportedVersion: number
}

/** What a Kafka 4.4 broker supports, in the order of ApiVersions' answer. */
export const supportedFeatures: readonly FeatureRange[] = [
  { name: 'eligible.leader.replicas.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: 'group.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: 'kraft.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 33 },
  { name: 'share.version', minSupportedVersion: 0, maxSupportedVersion: 2 },
  { name: 'streams.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: 'transaction.version', minSupportedVersion: 0, maxSupportedVersion: 2 },
]

/** The level of a directory that we format: 4.2-IV1, the newest that Kafka 4.2, 4.3 and 4.4 all open. */
export const FORMAT_LEVEL = 29

const versionNames: readonly string[] = [
  ...['3.3-IV3', '3.4-IV0', '3.5-IV0', '3.5-IV1', '3.5-IV2', '3.6-IV0', '3.6-IV1', '3.6-IV2', '3.7-IV0'],
  ...['3.7-IV1', '3.7-IV2', '3.7-IV3', '3.7-IV4', '3.8-IV0', '3.9-IV0', '4.0-IV0', '4.0-IV1', '4.0-IV2'],
  ...['4.0-IV3', '4.1-IV0', '4.1-IV1', '4.2-IV0', '4.2-IV1', '4.3-IV0', '4.4-IV0', '4.4-IV1', '4.4-IV2'],
]

/** The release that a `metadata.version` level belongs to, such as `4.2-IV1`, or null for one that we do not know. */
export function metadataVersionName(level: number): string | null {
  return versionNames[level - 7] ?? null
}

/** From which level on something may stand in the metadata log. */
const since = {
  controlledShutdown: 8,
  scram: 11,
  metadataTransactions: 13,
  delegationTokens: 14,
  controllerRegistration: 15,
  directories: 17,
  eligibleLeaderReplicas: 23,
  cordonedLogDirs: 30,
  cidrAcls: 32,
  controllerUnregistration: 33,
} as const

export type MetadataCapability = keyof typeof since

export function metadataVersionAllows(level: number, capability: MetadataCapability): boolean {
  return level >= since[capability]
}

export interface FeatureLevel {
  readonly name: string
  readonly level: number
}

/** The features, `metadata.version` first, that `kafka-storage format --release-version …` gives a level. */
export function formatFeatures(level: number): readonly FeatureLevel[] {
  const others = [
    { name: 'eligible.leader.replicas.version', level: level >= 26 ? 1 : 0 },
    { name: 'group.version', level: level >= 22 ? 1 : 0 },
    { name: 'share.version', level: level >= 31 ? 2 : level >= 28 ? 1 : 0 },
    { name: 'streams.version', level: level >= 29 ? 1 : 0 },
    { name: 'transaction.version', level: level >= 24 ? 2 : 0 },
  ]
  return [{ name: 'metadata.version', level }, ...others.filter((feature) => feature.level > 0)]
}

/**
 * The first records of a new cluster, as Kafka's controller writes them. With eligible leader replicas on, the
 * broker's `min.insync.replicas` becomes the cluster's default: all brokers must agree on it (KIP-966).
 */
export function bootstrapRecords(features: readonly FeatureLevel[], minInsyncReplicas: number): MetadataRecord[] {
  const records: MetadataRecord[] = features.map(({ name, level }) => {
    return { type: 'FeatureLevelRecord', name, featureLevel: level }
  })
  if (features.some(({ name, level }) => name === 'eligible.leader.replicas.version' && level > 0)) {
    const value = String(minInsyncReplicas)
    records.push({ type: 'ConfigRecord', resourceType: 4, resourceName: '', name: 'min.insync.replicas', value })
  }
  return records
}

/** A record in the version and shape that a level allows. */
export interface WritableRecord {
  readonly version: number
  readonly record: MetadataRecord
}

/**
 * The record as it may be written at a level: in the version that Kafka writes there, without the fields that this
 * version lacks, or null when the level knows no such record and Kafka goes without.
 */
export function recordAtLevel(record: MetadataRecord, level: number): WritableRecord | null {
  switch (record.type) {
    case 'RegisterBrokerRecord': {
      const version = level >= 30 ? 4 : level >= 17 ? 3 : level >= 8 ? 2 : 1
      if (version >= 4) return { version, record }
      return { version, record: { ...record, logDirs: version >= 3 ? record.logDirs : [], cordonedLogDirs: null } }
    }
    case 'PartitionRecord': {
      const version = placementVersion(level)
      if (version >= 2) return { version, record }
      const directories = version >= 1 ? record.directories : []
      return { version, record: { ...record, directories, eligibleLeaderReplicas: null, lastKnownElr: null } }
    }
    case 'PartitionChangeRecord': {
      const version = placementVersion(level)
      if (version >= 2) return { version, record }
      const directories = version >= 1 ? record.directories : null
      return { version, record: { ...record, directories, eligibleLeaderReplicas: null, lastKnownElr: null } }
    }
    case 'BrokerRegistrationChangeRecord': {
      const inControlledShutdown = level >= since.controlledShutdown ? record.inControlledShutdown : 0
      const logDirs = level >= since.directories ? record.logDirs : []
      const cordonedLogDirs = level >= since.cordonedLogDirs ? record.cordonedLogDirs : null
      // The lowest version that holds what it says, as Kafka chooses it.
      const version = cordonedLogDirs !== null ? 3 : logDirs.length > 0 ? 2 : inControlledShutdown !== 0 ? 1 : 0
      return { version, record: { ...record, inControlledShutdown, logDirs, cordonedLogDirs } }
    }
    default:
      return isKnownAt(record, level) ? { version: 0, record } : null
  }
}

function placementVersion(level: number): number {
  return level >= since.eligibleLeaderReplicas ? 2 : level >= since.directories ? 1 : 0
}

function isKnownAt(record: MetadataRecord, level: number): boolean {
  switch (record.type) {
    case 'UserScramCredentialRecord':
    case 'RemoveUserScramCredentialRecord':
      return level >= since.scram
    case 'BeginTransactionRecord':
    case 'EndTransactionRecord':
    case 'AbortTransactionRecord':
      return level >= since.metadataTransactions
    case 'DelegationTokenRecord':
    case 'RemoveDelegationTokenRecord':
      return level >= since.delegationTokens
    case 'RegisterControllerRecord':
      return level >= since.controllerRegistration
    case 'UnregisterControllerRecord':
      return level >= since.controllerUnregistration
    case 'ClearElrRecord':
      return level >= since.eligibleLeaderReplicas
    default:
      return true
  }
}
