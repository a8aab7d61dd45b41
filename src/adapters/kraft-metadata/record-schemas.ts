/**
 * The records of the metadata log as schemas: their ids, versions and fields on disk, as Kafka 4.4 knows them.
 *
 * The names of the fields are those of `domain/cluster/metadata-record.ts`, checked by the compiler in the test of
 * this file. The frame around a record (frame version, type, version as uvarints), and which version a given
 * `metadata.version` writes, are not here.
 */
import {
  array,
  bool,
  bytes,
  float64,
  int16,
  int32,
  int64,
  int8,
  message,
  string,
  uint16,
  uuid,
  type Fields,
  type Message,
  type VersionRange,
} from '../codec/schema.ts'

interface RecordSchema<Id extends number, F extends Fields> {
  /** The record type on disk. */
  readonly id: Id
  readonly schema: Message<F>
}

/** All of them are flexible from version 0 on. */
function record<const Id extends number, const F extends Fields>(
  id: Id,
  name: string,
  versions: VersionRange,
  fields: F,
): RecordSchema<Id, F> {
  return { id, schema: message({ name, versions, flexible: '0+', fields }) }
}

/** Every metadata record by its name. The ids 6, 13 and 16 are gone for good. */
export const recordSchemas = {
  RegisterBrokerRecord: record(0, 'RegisterBrokerRecord', '0-4', {
    brokerId: int32(),
    isMigratingZkBroker: bool('2+'),
    incarnationId: uuid(),
    brokerEpoch: int64(),
    endPoints: array({
      name: string(),
      host: string(),
      port: uint16(),
      securityProtocol: int16(),
    }),
    features: array({
      name: string(),
      minSupportedVersion: int16(),
      maxSupportedVersion: int16(),
    }),
    rack: string({ nullable: true }),
    fenced: bool({ default: true }),
    inControlledShutdown: bool('1+'),
    logDirs: array('3+', { tag: 0 }, 'uuid'),
    cordonedLogDirs: array('4+', { nullable: true, default: null, tag: 1 }, 'uuid'),
  }),
  UnregisterBrokerRecord: record(1, 'UnregisterBrokerRecord', '0', {
    brokerId: int32(),
    brokerEpoch: int64(),
  }),
  TopicRecord: record(2, 'TopicRecord', '0', {
    name: string(),
    topicId: uuid(),
  }),
  PartitionRecord: record(3, 'PartitionRecord', '0-2', {
    partitionId: int32({ default: -1 }),
    topicId: uuid(),
    replicas: array('int32'),
    isr: array('int32'),
    removingReplicas: array('int32'),
    addingReplicas: array('int32'),
    leader: int32({ default: -1 }),
    leaderRecoveryState: int8({ tag: 0 }),
    leaderEpoch: int32({ default: -1 }),
    partitionEpoch: int32({ default: -1 }),
    directories: array('1+', 'uuid'),
    eligibleLeaderReplicas: array('2+', { nullable: true, default: null, tag: 1 }, 'int32'),
    lastKnownElr: array('2+', { nullable: true, default: null, tag: 2 }, 'int32'),
  }),
  ConfigRecord: record(4, 'ConfigRecord', '0', {
    resourceType: int8(),
    resourceName: string(),
    name: string(),
    value: string({ nullable: true }),
  }),
  PartitionChangeRecord: record(5, 'PartitionChangeRecord', '0-2', {
    partitionId: int32({ default: -1 }),
    topicId: uuid(),
    isr: array({ nullable: true, default: null, tag: 0 }, 'int32'),
    leader: int32({ default: -2, tag: 1 }),
    replicas: array({ nullable: true, default: null, tag: 2 }, 'int32'),
    removingReplicas: array({ nullable: true, default: null, tag: 3 }, 'int32'),
    addingReplicas: array({ nullable: true, default: null, tag: 4 }, 'int32'),
    leaderRecoveryState: int8({ default: -1, tag: 5 }),
    directories: array('1+', { nullable: true, default: null, tag: 8 }, 'uuid'),
    eligibleLeaderReplicas: array('2+', { nullable: true, default: null, tag: 6 }, 'int32'),
    lastKnownElr: array('2+', { nullable: true, default: null, tag: 7 }, 'int32'),
  }),
  FenceBrokerRecord: record(7, 'FenceBrokerRecord', '0', {
    id: int32(),
    epoch: int64(),
  }),
  UnfenceBrokerRecord: record(8, 'UnfenceBrokerRecord', '0', {
    id: int32(),
    epoch: int64(),
  }),
  RemoveTopicRecord: record(9, 'RemoveTopicRecord', '0', {
    topicId: uuid(),
  }),
  DelegationTokenRecord: record(10, 'DelegationTokenRecord', '0', {
    owner: string(),
    requester: string(),
    renewers: array('string'),
    issueTimestamp: int64(),
    maxTimestamp: int64(),
    expirationTimestamp: int64(),
    tokenId: string(),
  }),
  UserScramCredentialRecord: record(11, 'UserScramCredentialRecord', '0', {
    name: string(),
    mechanism: int8(),
    salt: bytes(),
    storedKey: bytes(),
    serverKey: bytes(),
    iterations: int32(),
  }),
  FeatureLevelRecord: record(12, 'FeatureLevelRecord', '0', {
    name: string(),
    featureLevel: int16(),
  }),
  ClientQuotaRecord: record(14, 'ClientQuotaRecord', '0', {
    entity: array({
      entityType: string(),
      entityName: string({ nullable: true }),
    }),
    key: string(),
    value: float64(),
    remove: bool(),
  }),
  ProducerIdsRecord: record(15, 'ProducerIdsRecord', '0', {
    brokerId: int32(),
    brokerEpoch: int64({ default: -1n }),
    nextProducerId: int64(),
  }),
  BrokerRegistrationChangeRecord: record(17, 'BrokerRegistrationChangeRecord', '0-3', {
    brokerId: int32(),
    brokerEpoch: int64(),
    fenced: int8({ tag: 0 }),
    inControlledShutdown: int8('1+', { tag: 1 }),
    logDirs: array('2+', { tag: 2 }, 'uuid'),
    cordonedLogDirs: array('3+', { nullable: true, default: null, tag: 3 }, 'uuid'),
  }),
  AccessControlEntryRecord: record(18, 'AccessControlEntryRecord', '0', {
    id: uuid(),
    resourceType: int8(),
    resourceName: string(),
    patternType: int8(),
    principal: string(),
    host: string(),
    operation: int8(),
    permissionType: int8(),
  }),
  RemoveAccessControlEntryRecord: record(19, 'RemoveAccessControlEntryRecord', '0', {
    id: uuid(),
  }),
  NoOpRecord: record(20, 'NoOpRecord', '0', {}),
  ZkMigrationStateRecord: record(21, 'ZkMigrationStateRecord', '0', {
    zkMigrationState: int8(),
  }),
  RemoveUserScramCredentialRecord: record(22, 'RemoveUserScramCredentialRecord', '0', {
    name: string(),
    mechanism: int8(),
  }),
  BeginTransactionRecord: record(23, 'BeginTransactionRecord', '0', {
    name: string({ nullable: true, default: null, tag: 0 }),
  }),
  EndTransactionRecord: record(24, 'EndTransactionRecord', '0', {}),
  AbortTransactionRecord: record(25, 'AbortTransactionRecord', '0', {
    reason: string({ nullable: true, default: null, tag: 0 }),
  }),
  RemoveDelegationTokenRecord: record(26, 'RemoveDelegationTokenRecord', '0', {
    tokenId: string(),
  }),
  RegisterControllerRecord: record(27, 'RegisterControllerRecord', '0', {
    controllerId: int32(),
    incarnationId: uuid(),
    zkMigrationReady: bool(),
    endPoints: array({
      name: string(),
      host: string(),
      port: uint16(),
      securityProtocol: int16(),
    }),
    features: array({
      name: string(),
      minSupportedVersion: int16(),
      maxSupportedVersion: int16(),
    }),
  }),
  ClearElrRecord: record(28, 'ClearElrRecord', '0', {
    topicName: string(),
  }),
  UnregisterControllerRecord: record(29, 'UnregisterControllerRecord', '0', {
    controllerId: int32(),
  }),
} as const
