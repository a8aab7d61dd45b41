/**
 * The cluster as the metadata log describes it: immutable, replaced as a whole by each commit.
 *
 * Readers take the image once and use it to the end of their work. `evolve` (cluster-evolution.ts) is the only way to
 * a new one; untouched parts are shared between images.
 */
import type { Uuid } from '../uuid.ts'
import type {
  AccessControlEntryRecord,
  BrokerEndpoint,
  BrokerFeature,
  DelegationTokenRecord,
  EntityData,
  MetadataRecord,
  RegisterControllerRecord,
  UserScramCredentialRecord,
} from './metadata-record.ts'

export interface PartitionImage {
  readonly partitionId: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
  /** Log directory ids, one for each replica; reserved ones in directory-id.ts. */
  readonly directories: readonly Uuid[]
  readonly eligibleLeaderReplicas: readonly number[]
  readonly lastKnownElr: readonly number[]
  /** -1 = no leader. */
  readonly leader: number
  readonly leaderRecoveryState: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
}

export interface TopicImage {
  readonly name: string
  readonly id: Uuid
  /** Indexed by partition id, without holes. */
  readonly partitions: readonly PartitionImage[]
}

export interface BrokerImage {
  readonly id: number
  readonly epoch: bigint
  readonly incarnationId: Uuid
  readonly endPoints: readonly BrokerEndpoint[]
  readonly features: readonly BrokerFeature[]
  readonly rack: string | null
  readonly fenced: boolean
  readonly inControlledShutdown: boolean
  readonly logDirs: readonly Uuid[]
  /** null = the registration says nothing about it. */
  readonly cordonedLogDirs: readonly Uuid[] | null
}

/** The resources that hold configs, with Kafka's codes (`configResourceType`). */
export type ConfigResourceType = 'TOPIC' | 'BROKER' | 'BROKER_LOGGER' | 'CLIENT_METRICS' | 'GROUP'

export interface ClientQuotaImage {
  readonly entity: readonly EntityData[]
  /** Quota key → value. */
  readonly quotas: ReadonlyMap<string, number>
}

export interface ClusterImage {
  readonly clusterId: string
  /** The offset of the last record in it, -1 before the first: ApiVersions' `finalizedFeaturesEpoch`. */
  readonly offset: bigint
  /** The epoch of the leader that wrote that record. */
  readonly epoch: number
  readonly topicsByName: ReadonlyMap<string, TopicImage>
  readonly topicsById: ReadonlyMap<Uuid, TopicImage>
  readonly brokers: ReadonlyMap<number, BrokerImage>
  readonly controllers: ReadonlyMap<number, RegisterControllerRecord>
  /** Finalized feature levels, `metadata.version` included; level 0 is absent. */
  readonly features: ReadonlyMap<string, number>
  /** By `configResourceKey(type, name)`; the default of all brokers has the name ''. Values as they were set. */
  readonly configs: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** The first producer id of the next block to hand out. */
  readonly nextProducerId: bigint
  readonly acls: ReadonlyMap<Uuid, AccessControlEntryRecord>
  /** By user name, then by mechanism code. */
  readonly scramCredentials: ReadonlyMap<string, ReadonlyMap<number, UserScramCredentialRecord>>
  /** By `clientQuotaKey(entity)`. */
  readonly clientQuotas: ReadonlyMap<string, ClientQuotaImage>
  readonly delegationTokens: ReadonlyMap<string, DelegationTokenRecord>
  /** Records of a metadata transaction that has begun and not ended (KIP-868): not in effect yet. null = none is open. */
  readonly openTransaction: readonly MetadataRecord[] | null
}

/** The key of a resource in `ClusterImage.configs`. */
export function configResourceKey(type: ConfigResourceType, name: string): string {
  return `${type}:${name}`
}

/** The key of an entity in `ClusterImage.clientQuotas`, the same for every order of its parts. */
export function clientQuotaKey(entity: readonly EntityData[]): string {
  const parts = entity.map(({ entityType, entityName }) => [entityType, entityName] as const)
  return JSON.stringify(parts.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

const noConfigs: ReadonlyMap<string, string> = new Map()

/** The configs set on a resource, empty when there are none. */
export function configsOf(image: ClusterImage, type: ConfigResourceType, name: string): ReadonlyMap<string, string> {
  return image.configs.get(configResourceKey(type, name)) ?? noConfigs
}
