/** Random metadata records over few names and ids, so that they meet each other. */
import fc from 'fast-check'
import type { MetadataRecord } from '../../src/domain/cluster/metadata-record.ts'

const ids = ['a-1pfa5CTuyJCm6LWHApwg', 'XqMV80qeQ-Wq6Tb7Zm8LUw', 'b9zyT_AyHcmo3HFwZ10cFA'] as const
const uuid = fc.constantFrom(...ids)
const name = fc.constantFrom('t', 'u', 'v')
const node = fc.integer({ min: 1, max: 2 })
const nodes = fc.uniqueArray(node, { maxLength: 2 })
const maybeNodes = fc.option(nodes)
const maybeName: fc.Arbitrary<string | null> = fc.option(name)
const maybeDirs: fc.Arbitrary<readonly string[] | null> = fc.option(fc.array(uuid, { maxLength: 2 }))
const bytes = fc.uint8Array({ maxLength: 4 })
const time = fc.bigInt({ min: 0n, max: 1n << 40n })
const epoch = fc.constantFrom(3n, 4n)
const endPoint = fc.record({ name, host: name, port: fc.nat(65535), securityProtocol: fc.constant(0) })
const feature = fc.record({ name, minSupportedVersion: fc.constant(0), maxSupportedVersion: fc.nat(9) })
const flag = fc.constantFrom(-1, 0, 1)
const partitionId = fc.nat(2)

function type<Name extends MetadataRecord['type']>(value: Name): fc.Arbitrary<Name> {
  return fc.constant(value)
}

function record<Type extends MetadataRecord>(fields: {
  [Field in keyof Type]: fc.Arbitrary<Type[Field]>
}): fc.Arbitrary<Type> {
  return fc.record(fields)
}

const topics: fc.Arbitrary<MetadataRecord>[] = [
  record({ type: type('TopicRecord'), name, topicId: uuid }),
  record({ type: type('RemoveTopicRecord'), topicId: uuid }),
  nodes.chain((replicas) =>
    record({
      type: type('PartitionRecord'),
      partitionId,
      topicId: uuid,
      replicas: fc.constant(replicas),
      isr: nodes,
      removingReplicas: nodes,
      addingReplicas: nodes,
      leader: flag,
      leaderRecoveryState: fc.nat(1),
      leaderEpoch: fc.nat(5),
      partitionEpoch: fc.nat(5),
      directories: fc.tuple(...replicas.map(() => uuid)),
      eligibleLeaderReplicas: maybeNodes,
      lastKnownElr: maybeNodes,
    }),
  ),
  maybeNodes.chain((replicas) =>
    record({
      type: type('PartitionChangeRecord'),
      partitionId,
      topicId: uuid,
      isr: maybeNodes,
      leader: fc.constantFrom(-2, -1, 1),
      replicas: fc.constant(replicas),
      removingReplicas: maybeNodes,
      addingReplicas: maybeNodes,
      leaderRecoveryState: flag,
      directories: fc.constant(null),
      eligibleLeaderReplicas: maybeNodes,
      lastKnownElr: maybeNodes,
    }),
  ),
  record({ type: type('ClearElrRecord'), topicName: fc.constantFrom('', 't', 'u') }),
  record({
    type: type('ConfigRecord'),
    resourceType: fc.constantFrom(2, 4, 8, 16, 32),
    resourceName: fc.constantFrom('', 't', 'u:v'),
    name,
    value: maybeName,
  }),
]

const nodesOfTheCluster: fc.Arbitrary<MetadataRecord>[] = [
  record({
    type: type('RegisterBrokerRecord'),
    brokerId: node,
    isMigratingZkBroker: fc.constant(false),
    incarnationId: uuid,
    brokerEpoch: epoch,
    endPoints: fc.array(endPoint, { maxLength: 2 }),
    features: fc.array(feature, { maxLength: 2 }),
    rack: maybeName,
    fenced: fc.boolean(),
    inControlledShutdown: fc.boolean(),
    logDirs: fc.array(uuid, { maxLength: 2 }),
    cordonedLogDirs: maybeDirs,
  }),
  record({ type: type('UnregisterBrokerRecord'), brokerId: node, brokerEpoch: epoch }),
  record({
    type: type('BrokerRegistrationChangeRecord'),
    brokerId: node,
    brokerEpoch: epoch,
    fenced: flag,
    inControlledShutdown: fc.nat(1),
    logDirs: fc.array(uuid, { maxLength: 2 }),
    cordonedLogDirs: maybeDirs,
  }),
  record({ type: type('FenceBrokerRecord'), id: node, epoch }),
  record({ type: type('UnfenceBrokerRecord'), id: node, epoch }),
  record({
    type: type('RegisterControllerRecord'),
    controllerId: node,
    incarnationId: uuid,
    zkMigrationReady: fc.boolean(),
    endPoints: fc.array(endPoint, { maxLength: 2 }),
    features: fc.array(feature, { maxLength: 2 }),
  }),
  record({ type: type('UnregisterControllerRecord'), controllerId: node }),
]

const security: fc.Arbitrary<MetadataRecord>[] = [
  record({
    type: type('AccessControlEntryRecord'),
    id: uuid,
    resourceType: fc.nat(7),
    resourceName: name,
    patternType: fc.nat(4),
    principal: name,
    host: name,
    operation: fc.nat(15),
    permissionType: fc.nat(3),
  }),
  record({ type: type('RemoveAccessControlEntryRecord'), id: uuid }),
  record({
    type: type('UserScramCredentialRecord'),
    name,
    mechanism: fc.integer({ min: 1, max: 2 }),
    salt: bytes,
    storedKey: bytes,
    serverKey: bytes,
    iterations: fc.nat(16384),
  }),
  record({ type: type('RemoveUserScramCredentialRecord'), name, mechanism: fc.integer({ min: 1, max: 2 }) }),
  record({
    type: type('DelegationTokenRecord'),
    owner: name,
    requester: name,
    renewers: fc.array(name, { maxLength: 2 }),
    issueTimestamp: time,
    maxTimestamp: time,
    expirationTimestamp: time,
    tokenId: name,
  }),
  record({ type: type('RemoveDelegationTokenRecord'), tokenId: name }),
]

const others: fc.Arbitrary<MetadataRecord>[] = [
  record({
    type: type('FeatureLevelRecord'),
    name: fc.constantFrom('metadata.version', 'group.version', 'share.version'),
    featureLevel: fc.nat(3),
  }),
  record({
    type: type('ClientQuotaRecord'),
    entity: fc.uniqueArray(fc.record({ entityType: name, entityName: maybeName }), {
      minLength: 1,
      maxLength: 2,
      selector: ({ entityType }) => entityType,
    }),
    key: name,
    value: fc.double({ noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
    remove: fc.boolean(),
  }),
  record({ type: type('ProducerIdsRecord'), brokerId: node, brokerEpoch: epoch, nextProducerId: time }),
  record({ type: type('NoOpRecord') }),
  record({ type: type('ZkMigrationStateRecord'), zkMigrationState: fc.nat(4) }),
  record({ type: type('BeginTransactionRecord'), name: maybeName }),
  record({ type: type('EndTransactionRecord') }),
  record({ type: type('AbortTransactionRecord'), reason: maybeName }),
]

export const metadataRecord: fc.Arbitrary<MetadataRecord> = fc.oneof(
  { arbitrary: fc.oneof(...topics), weight: 4 },
  { arbitrary: fc.oneof(...nodesOfTheCluster), weight: 2 },
  { arbitrary: fc.oneof(...security), weight: 1 },
  { arbitrary: fc.oneof(...others), weight: 2 },
)
