/**
 * From records to images: `evolve`, the only way to a new `ClusterImage`.
 *
 * Applying a list at once or in pieces gives the same image. Each call copies what its records touch once, however
 * many they are; to replay a long log in pieces, keep one `ImageBuilder` and freeze it at the end.
 * A record that does not fit throws `InvalidMetadataRecord`, and the image it was meant for stays as it is.
 */
import { brokerAtEpoch, changedBroker, registeredBroker } from './broker-evolution.ts'
import type { BrokerImage, ClientQuotaImage, ClusterImage, ConfigResourceType } from './cluster-image.ts'
import { clientQuotaKey, configResourceKey } from './cluster-image.ts'
import { CopyOnWriteMap, CopyOnWriteMaps } from './copy-on-write-map.ts'
import { InvalidMetadataRecord } from './invalid-metadata-record.ts'
import type {
  AccessControlEntryRecord,
  ClientQuotaRecord,
  ConfigRecord,
  DelegationTokenRecord,
  MetadataRecord,
  RegisterControllerRecord,
  UserScramCredentialRecord,
} from './metadata-record.ts'
import { TopicsBuilder } from './topic-evolution.ts'
import type { Uuid } from '../uuid.ts'

/** Where in the metadata log an image stands. */
export interface ImagePosition {
  /** The offset of the last record. */
  readonly offset: bigint
  /** The epoch of the leader that wrote it. */
  readonly epoch: number
}

/** Kafka's codes of `ConfigResourceType`, as ConfigRecord and the config APIs hold them. */
export const configResourceCodes: Readonly<Record<ConfigResourceType, number>> = {
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
}

const configResourceTypes: ReadonlyMap<number, ConfigResourceType> = new Map(
  Object.entries(configResourceCodes).map(([name, code]) => [code, name as ConfigResourceType]),
)

/** The resource type that a code stands for, or null. */
export function configResourceType(code: number): ConfigResourceType | null {
  return configResourceTypes.get(code) ?? null
}

/** The image before the first record. */
export function emptyImage(clusterId: string): ClusterImage {
  return {
    clusterId,
    offset: -1n,
    epoch: -1,
    topicsByName: new Map(),
    topicsById: new Map(),
    brokers: new Map(),
    controllers: new Map(),
    features: new Map(),
    configs: new Map(),
    nextProducerId: 0n,
    acls: new Map(),
    scramCredentials: new Map(),
    clientQuotas: new Map(),
    delegationTokens: new Map(),
    openTransaction: null,
  }
}

/** The image after `records`. Without a position it moves on by one offset per record, in the same epoch. */
export function evolve(
  image: ClusterImage,
  records: readonly MetadataRecord[],
  position?: ImagePosition,
): ClusterImage {
  const builder = new ImageBuilder(image)
  for (const record of records) builder.apply(record)
  return builder.freeze(position)
}

/** Applies records one by one; `freeze` gives the image so far, and the builder may go on from there. */
export class ImageBuilder {
  readonly #clusterId: string
  readonly #topics: TopicsBuilder
  readonly #brokers: CopyOnWriteMap<number, BrokerImage>
  readonly #controllers: CopyOnWriteMap<number, RegisterControllerRecord>
  readonly #features: CopyOnWriteMap<string, number>
  readonly #configs: CopyOnWriteMaps<string, string, string>
  readonly #acls: CopyOnWriteMap<Uuid, AccessControlEntryRecord>
  readonly #scramCredentials: CopyOnWriteMaps<string, number, UserScramCredentialRecord>
  readonly #clientQuotas: CopyOnWriteMap<string, ClientQuotaImage>
  readonly #delegationTokens: CopyOnWriteMap<string, DelegationTokenRecord>
  #nextProducerId: bigint
  #openTransaction: MetadataRecord[] | null
  #offset: bigint
  #epoch: number

  constructor(image: ClusterImage) {
    this.#clusterId = image.clusterId
    this.#topics = new TopicsBuilder(image.topicsById, image.topicsByName)
    this.#brokers = new CopyOnWriteMap(image.brokers)
    this.#controllers = new CopyOnWriteMap(image.controllers)
    this.#features = new CopyOnWriteMap(image.features)
    this.#configs = new CopyOnWriteMaps(image.configs)
    this.#acls = new CopyOnWriteMap(image.acls)
    this.#scramCredentials = new CopyOnWriteMaps(image.scramCredentials)
    this.#clientQuotas = new CopyOnWriteMap(image.clientQuotas)
    this.#delegationTokens = new CopyOnWriteMap(image.delegationTokens)
    this.#nextProducerId = image.nextProducerId
    this.#openTransaction = image.openTransaction === null ? null : [...image.openTransaction]
    this.#offset = image.offset
    this.#epoch = image.epoch
  }

  /** Records inside a metadata transaction wait for its end and go with its abort (KIP-868). */
  apply(record: MetadataRecord): void {
    this.#offset += 1n
    switch (record.type) {
      case 'BeginTransactionRecord':
        if (this.#openTransaction !== null) throw new InvalidMetadataRecord('a transaction begins inside another')
        this.#openTransaction = []
        return
      case 'EndTransactionRecord': {
        const records = this.#openTransaction
        if (records === null) throw new InvalidMetadataRecord('a transaction ends that never began')
        this.#openTransaction = null
        for (const held of records) this.#applyNow(held)
        return
      }
      case 'AbortTransactionRecord':
        if (this.#openTransaction === null) throw new InvalidMetadataRecord('a transaction is aborted that never began')
        this.#openTransaction = null
        return
      default:
        if (this.#openTransaction === null) this.#applyNow(record)
        else this.#openTransaction.push(record)
    }
  }

  /** The cluster's `kraft.version`, which control records carry instead of a FeatureLevelRecord. */
  setFeature(name: string, level: number): void {
    if (level === 0) this.#features.delete(name)
    else this.#features.set(name, level)
  }

  freeze(position?: ImagePosition): ClusterImage {
    if (position !== undefined) {
      this.#offset = position.offset
      this.#epoch = position.epoch
    }
    const topics = this.#topics.freeze()
    return {
      clusterId: this.#clusterId,
      offset: this.#offset,
      epoch: this.#epoch,
      topicsByName: topics.byName,
      topicsById: topics.byId,
      brokers: this.#brokers.freeze(),
      controllers: this.#controllers.freeze(),
      features: this.#features.freeze(),
      configs: this.#configs.freeze(),
      nextProducerId: this.#nextProducerId,
      acls: this.#acls.freeze(),
      scramCredentials: this.#scramCredentials.freeze(),
      clientQuotas: this.#clientQuotas.freeze(),
      delegationTokens: this.#delegationTokens.freeze(),
      openTransaction: this.#openTransaction === null ? null : [...this.#openTransaction],
    }
  }

  #applyNow(record: MetadataRecord): void {
    switch (record.type) {
      case 'TopicRecord':
        this.#topics.addTopic(record.name, record.topicId)
        return
      // The topic's configs go too: Kafka 4.3 keeps them in its log, where a new topic of that name finds them.
      case 'RemoveTopicRecord':
        this.#configs.deleteAll(configResourceKey('TOPIC', this.#topics.removeTopic(record.topicId)))
        return
      case 'PartitionRecord':
        this.#topics.putPartition(record)
        return
      case 'PartitionChangeRecord':
        this.#topics.changePartition(record)
        return
      case 'ClearElrRecord':
        this.#topics.clearElr(record.topicName)
        return
      case 'ConfigRecord':
        this.#applyConfig(record)
        return
      case 'FeatureLevelRecord':
        this.setFeature(record.name, record.featureLevel)
        return
      case 'ProducerIdsRecord':
        this.#nextProducerId = record.nextProducerId
        return
      case 'AccessControlEntryRecord':
        this.#acls.set(record.id, record)
        return
      case 'RemoveAccessControlEntryRecord':
        this.#acls.delete(record.id)
        return
      case 'UserScramCredentialRecord':
        this.#scramCredentials.set(record.name, record.mechanism, record)
        return
      case 'RemoveUserScramCredentialRecord':
        this.#scramCredentials.delete(record.name, record.mechanism)
        return
      case 'ClientQuotaRecord':
        this.#applyQuota(record)
        return
      case 'DelegationTokenRecord':
        this.#delegationTokens.set(record.tokenId, record)
        return
      case 'RemoveDelegationTokenRecord':
        this.#delegationTokens.delete(record.tokenId)
        return
      case 'BeginTransactionRecord':
      case 'EndTransactionRecord':
      case 'AbortTransactionRecord':
      case 'NoOpRecord':
      case 'ZkMigrationStateRecord': // Without meaning since 4.0, which has no ZooKeeper to migrate from.
        return
      default:
        this.#applyNode(record)
    }
  }

  #applyNode(
    record: Extract<
      MetadataRecord,
      {
        type:
          | 'RegisterBrokerRecord'
          | 'UnregisterBrokerRecord'
          | 'BrokerRegistrationChangeRecord'
          | 'FenceBrokerRecord'
          | 'UnfenceBrokerRecord'
          | 'RegisterControllerRecord'
          | 'UnregisterControllerRecord'
      }
    >,
  ): void {
    switch (record.type) {
      case 'RegisterBrokerRecord':
        this.#brokers.set(record.brokerId, registeredBroker(record))
        return
      case 'UnregisterBrokerRecord':
        this.#broker(record.brokerId, record.brokerEpoch)
        this.#brokers.delete(record.brokerId)
        return
      case 'BrokerRegistrationChangeRecord':
        this.#brokers.set(record.brokerId, changedBroker(this.#broker(record.brokerId, record.brokerEpoch), record))
        return
      case 'FenceBrokerRecord':
        this.#brokers.set(record.id, { ...this.#broker(record.id, record.epoch), fenced: true })
        return
      case 'UnfenceBrokerRecord':
        this.#brokers.set(record.id, { ...this.#broker(record.id, record.epoch), fenced: false })
        return
      case 'RegisterControllerRecord':
        this.#controllers.set(record.controllerId, record)
        return
      case 'UnregisterControllerRecord':
        this.#controllers.delete(record.controllerId)
        return
    }
  }

  #broker(id: number, epoch: bigint): BrokerImage {
    return brokerAtEpoch(this.#brokers.get(id), id, epoch)
  }

  #applyConfig(record: ConfigRecord): void {
    const type = configResourceType(record.resourceType)
    if (type === null) {
      throw new InvalidMetadataRecord(`config ${record.name} is set on unknown resource type ${record.resourceType}`)
    }
    const key = configResourceKey(type, record.resourceName)
    if (record.value === null) this.#configs.delete(key, record.name)
    else this.#configs.set(key, record.name, record.value)
  }

  #applyQuota(record: ClientQuotaRecord): void {
    const key = clientQuotaKey(record.entity)
    const before = this.#clientQuotas.get(key)
    const quotas = new Map(before?.quotas)
    if (record.remove) quotas.delete(record.key)
    else quotas.set(record.key, record.value)
    if (quotas.size === 0) this.#clientQuotas.delete(key)
    else this.#clientQuotas.set(key, { entity: before?.entity ?? record.entity, quotas })
  }
}
