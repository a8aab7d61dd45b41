/**
 * The records of the metadata log, one interface each, in the shape of Kafka's newest versions (4.4).
 *
 * A record decoded from an older version holds the field's default where that version lacks the field. Which version
 * is written is the adapter's concern (it follows `metadata.version`, see `adapters/kraft-metadata`).
 * Types in Kafka's units: epochs and ids as numbers, offsets, timestamps and producer ids as bigint.
 */
import type { Uuid } from '../uuid.ts'

export interface BrokerEndpoint {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly securityProtocol: number
}

export interface BrokerFeature {
  readonly name: string
  readonly minSupportedVersion: number
  readonly maxSupportedVersion: number
}

export interface EntityData {
  readonly entityType: string
  readonly entityName: string | null
}

export interface ControllerEndpoint {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly securityProtocol: number
}

export interface ControllerFeature {
  readonly name: string
  readonly minSupportedVersion: number
  readonly maxSupportedVersion: number
}

export interface RegisterBrokerRecord {
  readonly type: 'RegisterBrokerRecord'
  readonly brokerId: number
  readonly isMigratingZkBroker: boolean
  readonly incarnationId: Uuid
  readonly brokerEpoch: bigint
  readonly endPoints: readonly BrokerEndpoint[]
  readonly features: readonly BrokerFeature[]
  readonly rack: string | null
  readonly fenced: boolean
  readonly inControlledShutdown: boolean
  readonly logDirs: readonly Uuid[]
  readonly cordonedLogDirs: readonly Uuid[] | null
}

export interface UnregisterBrokerRecord {
  readonly type: 'UnregisterBrokerRecord'
  readonly brokerId: number
  readonly brokerEpoch: bigint
}

export interface TopicRecord {
  readonly type: 'TopicRecord'
  readonly name: string
  readonly topicId: Uuid
}

export interface PartitionRecord {
  readonly type: 'PartitionRecord'
  readonly partitionId: number
  readonly topicId: Uuid
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly leader: number
  readonly leaderRecoveryState: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly directories: readonly Uuid[]
  readonly eligibleLeaderReplicas: readonly number[] | null
  readonly lastKnownElr: readonly number[] | null
}

export interface ConfigRecord {
  readonly type: 'ConfigRecord'
  readonly resourceType: number
  readonly resourceName: string
  readonly name: string
  readonly value: string | null
}

export interface PartitionChangeRecord {
  readonly type: 'PartitionChangeRecord'
  readonly partitionId: number
  readonly topicId: Uuid
  readonly isr: readonly number[] | null
  readonly leader: number
  readonly replicas: readonly number[] | null
  readonly removingReplicas: readonly number[] | null
  readonly addingReplicas: readonly number[] | null
  readonly leaderRecoveryState: number
  readonly directories: readonly Uuid[] | null
  readonly eligibleLeaderReplicas: readonly number[] | null
  readonly lastKnownElr: readonly number[] | null
}

export interface FenceBrokerRecord {
  readonly type: 'FenceBrokerRecord'
  readonly id: number
  readonly epoch: bigint
}

export interface UnfenceBrokerRecord {
  readonly type: 'UnfenceBrokerRecord'
  readonly id: number
  readonly epoch: bigint
}

export interface RemoveTopicRecord {
  readonly type: 'RemoveTopicRecord'
  readonly topicId: Uuid
}

export interface DelegationTokenRecord {
  readonly type: 'DelegationTokenRecord'
  readonly owner: string
  readonly requester: string
  readonly renewers: readonly string[]
  readonly issueTimestamp: bigint
  readonly maxTimestamp: bigint
  readonly expirationTimestamp: bigint
  readonly tokenId: string
}

export interface UserScramCredentialRecord {
  readonly type: 'UserScramCredentialRecord'
  readonly name: string
  readonly mechanism: number
  readonly salt: Uint8Array
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
  readonly iterations: number
}

export interface FeatureLevelRecord {
  readonly type: 'FeatureLevelRecord'
  readonly name: string
  readonly featureLevel: number
}

export interface ClientQuotaRecord {
  readonly type: 'ClientQuotaRecord'
  readonly entity: readonly EntityData[]
  readonly key: string
  readonly value: number
  readonly remove: boolean
}

export interface ProducerIdsRecord {
  readonly type: 'ProducerIdsRecord'
  readonly brokerId: number
  readonly brokerEpoch: bigint
  readonly nextProducerId: bigint
}

export interface BrokerRegistrationChangeRecord {
  readonly type: 'BrokerRegistrationChangeRecord'
  readonly brokerId: number
  readonly brokerEpoch: bigint
  readonly fenced: number
  readonly inControlledShutdown: number
  readonly logDirs: readonly Uuid[]
  readonly cordonedLogDirs: readonly Uuid[] | null
}

export interface AccessControlEntryRecord {
  readonly type: 'AccessControlEntryRecord'
  readonly id: Uuid
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

export interface RemoveAccessControlEntryRecord {
  readonly type: 'RemoveAccessControlEntryRecord'
  readonly id: Uuid
}

export interface NoOpRecord {
  readonly type: 'NoOpRecord'
}

export interface ZkMigrationStateRecord {
  readonly type: 'ZkMigrationStateRecord'
  readonly zkMigrationState: number
}

export interface RemoveUserScramCredentialRecord {
  readonly type: 'RemoveUserScramCredentialRecord'
  readonly name: string
  readonly mechanism: number
}

export interface BeginTransactionRecord {
  readonly type: 'BeginTransactionRecord'
  readonly name: string | null
}

export interface EndTransactionRecord {
  readonly type: 'EndTransactionRecord'
}

export interface AbortTransactionRecord {
  readonly type: 'AbortTransactionRecord'
  readonly reason: string | null
}

export interface RemoveDelegationTokenRecord {
  readonly type: 'RemoveDelegationTokenRecord'
  readonly tokenId: string
}

export interface RegisterControllerRecord {
  readonly type: 'RegisterControllerRecord'
  readonly controllerId: number
  readonly incarnationId: Uuid
  readonly zkMigrationReady: boolean
  readonly endPoints: readonly ControllerEndpoint[]
  readonly features: readonly ControllerFeature[]
}

export interface ClearElrRecord {
  readonly type: 'ClearElrRecord'
  readonly topicName: string
}

export interface UnregisterControllerRecord {
  readonly type: 'UnregisterControllerRecord'
  readonly controllerId: number
}

export type MetadataRecord =
  | RegisterBrokerRecord
  | UnregisterBrokerRecord
  | TopicRecord
  | PartitionRecord
  | ConfigRecord
  | PartitionChangeRecord
  | FenceBrokerRecord
  | UnfenceBrokerRecord
  | RemoveTopicRecord
  | DelegationTokenRecord
  | UserScramCredentialRecord
  | FeatureLevelRecord
  | ClientQuotaRecord
  | ProducerIdsRecord
  | BrokerRegistrationChangeRecord
  | AccessControlEntryRecord
  | RemoveAccessControlEntryRecord
  | NoOpRecord
  | ZkMigrationStateRecord
  | RemoveUserScramCredentialRecord
  | BeginTransactionRecord
  | EndTransactionRecord
  | AbortTransactionRecord
  | RemoveDelegationTokenRecord
  | RegisterControllerRecord
  | ClearElrRecord
  | UnregisterControllerRecord
