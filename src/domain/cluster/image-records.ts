/**
 * From an image to the records that make it again: the content of a snapshot, in Kafka's order (4.4): features,
 * brokers, controllers, each topic with its partitions, configs, quotas, producer ids, ACLs, SCRAM, tokens.
 *
 * Not in it: the position, an open transaction, and `kraft.version`, which a snapshot holds as a control record.
 */
import { configResourceCodes } from './cluster-evolution.ts'
import type { BrokerImage, ClusterImage, ConfigResourceType, PartitionImage } from './cluster-image.ts'
import type { MetadataRecord } from './metadata-record.ts'
import type { Uuid } from '../uuid.ts'

export function* imageRecords(image: ClusterImage): Generator<MetadataRecord, void> {
  yield* featureRecords(image)
  for (const broker of image.brokers.values()) yield brokerRecord(broker)
  yield* image.controllers.values()
  for (const { name, id, partitions } of image.topicsById.values()) {
    yield { type: 'TopicRecord', name, topicId: id }
    for (const partition of partitions) yield partitionRecord(id, partition)
  }
  yield* configRecords(image)
  for (const { entity, quotas } of image.clientQuotas.values()) {
    for (const [key, value] of quotas) yield { type: 'ClientQuotaRecord', entity, key, value, remove: false }
  }
  if (image.nextProducerId > 0n) {
    yield { type: 'ProducerIdsRecord', brokerId: -1, brokerEpoch: -1n, nextProducerId: image.nextProducerId }
  }
  yield* image.acls.values()
  for (const credentials of image.scramCredentials.values()) yield* credentials.values()
  yield* image.delegationTokens.values()
}

/** `metadata.version` first, because it decides how everything after it is read. */
function* featureRecords({ features }: ClusterImage): Generator<MetadataRecord, void> {
  const level = features.get('metadata.version')
  if (level !== undefined) yield { type: 'FeatureLevelRecord', name: 'metadata.version', featureLevel: level }
  for (const [name, featureLevel] of features) {
    if (name !== 'metadata.version' && name !== 'kraft.version')
      yield { type: 'FeatureLevelRecord', name, featureLevel }
  }
}

function brokerRecord(broker: BrokerImage): MetadataRecord {
  return {
    type: 'RegisterBrokerRecord',
    brokerId: broker.id,
    isMigratingZkBroker: false,
    incarnationId: broker.incarnationId,
    brokerEpoch: broker.epoch,
    endPoints: broker.endPoints,
    features: broker.features,
    rack: broker.rack,
    fenced: broker.fenced,
    inControlledShutdown: broker.inControlledShutdown,
    logDirs: broker.logDirs,
    cordonedLogDirs: broker.cordonedLogDirs,
  }
}

function partitionRecord(topicId: Uuid, partition: PartitionImage): MetadataRecord {
  const { eligibleLeaderReplicas, lastKnownElr, ...rest } = partition
  return {
    type: 'PartitionRecord',
    topicId,
    ...rest,
    eligibleLeaderReplicas: eligibleLeaderReplicas.length > 0 ? eligibleLeaderReplicas : null,
    lastKnownElr: lastKnownElr.length > 0 ? lastKnownElr : null,
  }
}

function* configRecords({ configs }: ClusterImage): Generator<MetadataRecord, void> {
  for (const [key, values] of configs) {
    const colon = key.indexOf(':')
    const resourceType = configResourceCodes[key.slice(0, colon) as ConfigResourceType]
    const resourceName = key.slice(colon + 1)
    for (const [name, value] of values) yield { type: 'ConfigRecord', resourceType, resourceName, name, value }
  }
}
