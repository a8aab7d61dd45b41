/**
 * The keys and values of `__consumer_offsets` in all versions. The version of a key is the type of the record; keys
 * are never flexible.
 *
 * `written` is the version of the value that Kafka 4.x writes. Values of streams groups have no schema: they are kept
 * as they are.
 */
import type { GroupRecordType } from '../../domain/groups/group-record.ts'
import {
  array,
  bytes,
  int32,
  int64,
  int8,
  message,
  string,
  struct,
  uuid,
  type Fields,
  type Message,
  type VersionRange,
} from '../codec/schema.ts'

export interface GroupRecordSchema {
  readonly id: number
  readonly key: Message
  /** null = opaque. */
  readonly value: Message | null
  readonly written: number
}

function record(
  id: number,
  name: string,
  key: Fields,
  value: { readonly versions: VersionRange; readonly flexible: VersionRange; readonly fields: Fields } | null,
  written = 0,
): GroupRecordSchema {
  return {
    id,
    key: message({ name: `${name}Key`, versions: '0', flexible: 'none', fields: key }),
    value: value === null ? null : message({ name: `${name}Value`, ...value }),
    written,
  }
}

/** Values that have been flexible from their first version on. */
const flexible = (fields: Fields) => ({ versions: '0', flexible: '0+', fields }) as const

const group = { groupId: string() }
const member = { groupId: string(), memberId: string() }
const topicPartitions = array({ topicId: uuid(), partitions: array('int32') })
const assignedPartitions = array({
  topicId: uuid(),
  partitions: array('int32'),
  assignmentEpochs: array({ nullable: true, default: null, tag: 0 }, 'int32'),
})
const topicsWithPartitions = array({ topicId: uuid(), topicName: string(), partitions: array('int32') })
const targetEpoch = flexible({ assignmentEpoch: int32(), assignmentTimestamp: int64({ tag: 0, ignorable: true }) })

/** Kafka 0.8's offsets: the same key, a value of only one version. Replayed as today's, never written. */
export const LEGACY_OFFSET_COMMIT = 0

export const groupRecordSchemas: Readonly<Record<GroupRecordType, GroupRecordSchema>> = {
  OffsetCommit: record(
    1,
    'OffsetCommit',
    { group: string(), topic: string(), partition: int32() },
    {
      versions: '0-4',
      flexible: '4+',
      fields: {
        offset: int64(),
        leaderEpoch: int32('3+', { default: -1, ignorable: true }),
        metadata: string(),
        commitTimestamp: int64(),
        expireTimestamp: int64('1', { default: -1n, ignorable: true }),
        topicId: uuid('4+', { tag: 0, ignorable: true }),
      },
    },
    4,
  ),
  GroupMetadata: record(
    2,
    'GroupMetadata',
    { group: string() },
    {
      versions: '0-4',
      flexible: '4+',
      fields: {
        protocolType: string(),
        generation: int32(),
        protocol: string({ nullable: true }),
        leader: string({ nullable: true }),
        currentStateTimestamp: int64('2+', { default: -1n, ignorable: true }),
        members: array({
          memberId: string(),
          groupInstanceId: string('3+', { nullable: '3+', default: null, ignorable: true }),
          clientId: string(),
          clientHost: string(),
          rebalanceTimeout: int32('1+', { default: -1, ignorable: true }),
          sessionTimeout: int32(),
          subscription: bytes(),
          assignment: bytes(),
        }),
      },
    },
    3,
  ),
  ConsumerGroupMetadata: record(
    3,
    'ConsumerGroupMetadata',
    group,
    flexible({ epoch: int32(), metadataHash: int64({ tag: 0 }) }),
  ),
  ConsumerGroupPartitionMetadata: record(
    4,
    'ConsumerGroupPartitionMetadata',
    group,
    flexible({
      topics: array({
        topicId: uuid(),
        topicName: string(),
        numPartitions: int32(),
        partitionMetadata: array({ partition: int32(), racks: array('string') }),
      }),
    }),
  ),
  ConsumerGroupMemberMetadata: record(
    5,
    'ConsumerGroupMemberMetadata',
    member,
    flexible({
      instanceId: string({ nullable: true }),
      rackId: string({ nullable: true }),
      clientId: string(),
      clientHost: string(),
      subscribedTopicNames: array('string'),
      subscribedTopicRegex: string({ nullable: true }),
      rebalanceTimeoutMs: int32({ default: -1 }),
      serverAssignor: string({ nullable: true }),
      classicMemberMetadata: struct(
        { nullable: true, tag: 0 },
        {
          sessionTimeoutMs: int32(),
          supportedProtocols: array({ name: string(), metadata: bytes() }),
        },
      ),
    }),
  ),
  ConsumerGroupTargetAssignmentMetadata: record(6, 'ConsumerGroupTargetAssignmentMetadata', group, targetEpoch),
  ConsumerGroupTargetAssignmentMember: record(
    7,
    'ConsumerGroupTargetAssignmentMember',
    member,
    flexible({ topicPartitions }),
  ),
  ConsumerGroupCurrentMemberAssignment: record(
    8,
    'ConsumerGroupCurrentMemberAssignment',
    member,
    flexible({
      memberEpoch: int32(),
      previousMemberEpoch: int32(),
      state: int8(),
      assignedPartitions,
      partitionsPendingRevocation: assignedPartitions,
    }),
  ),
  ShareGroupMemberMetadata: record(
    10,
    'ShareGroupMemberMetadata',
    member,
    flexible({
      rackId: string({ nullable: true }),
      clientId: string(),
      clientHost: string(),
      subscribedTopicNames: array('string'),
    }),
  ),
  ShareGroupMetadata: record(11, 'ShareGroupMetadata', group, flexible({ epoch: int32(), metadataHash: int64() })),
  ShareGroupTargetAssignmentMetadata: record(12, 'ShareGroupTargetAssignmentMetadata', group, targetEpoch),
  ShareGroupTargetAssignmentMember: record(
    13,
    'ShareGroupTargetAssignmentMember',
    member,
    flexible({ topicPartitions }),
  ),
  ShareGroupCurrentMemberAssignment: record(
    14,
    'ShareGroupCurrentMemberAssignment',
    member,
    flexible({
      memberEpoch: int32(),
      previousMemberEpoch: int32(),
      state: int8(),
      assignedPartitions: topicPartitions,
    }),
  ),
  ShareGroupStatePartitionMetadata: record(
    15,
    'ShareGroupStatePartitionMetadata',
    group,
    flexible({
      initializingTopics: topicsWithPartitions,
      initializedTopics: topicsWithPartitions,
      deletingTopics: array({ topicId: uuid(), topicName: string() }),
    }),
  ),
  ConsumerGroupRegularExpression: record(
    16,
    'ConsumerGroupRegularExpression',
    { groupId: string(), regularExpression: string() },
    flexible({ topics: array('string'), version: int64(), timestamp: int64() }),
  ),
  StreamsGroupMetadata: record(17, 'StreamsGroupMetadata', group, null),
  StreamsGroupMemberMetadata: record(19, 'StreamsGroupMemberMetadata', member, null),
  StreamsGroupTargetAssignmentMetadata: record(20, 'StreamsGroupTargetAssignmentMetadata', group, null),
  StreamsGroupTargetAssignmentMember: record(21, 'StreamsGroupTargetAssignmentMember', member, null),
  StreamsGroupCurrentMemberAssignment: record(22, 'StreamsGroupCurrentMemberAssignment', member, null),
  StreamsGroupTopology: record(23, 'StreamsGroupTopology', group, null),
}
