/**
 * The records of `__consumer_offsets`: what groups are made of when the log is replayed.
 *
 * One union for all kinds of groups, because they share the topic and its partitions. Names and fields are Kafka's; a
 * null value is a tombstone. Which versions are written is the codec's business. Values of streams groups, which this
 * broker does not coordinate, stay as they are (`OpaqueValue`).
 */
import type { Uuid } from '../uuid.ts'

export interface OffsetCommitKey {
  readonly group: string
  readonly topic: string
  readonly partition: number
}

export interface OffsetCommitValue {
  readonly offset: bigint
  /** -1 = not known. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestamp: bigint
  /** -1 = the broker's retention applies. */
  readonly expireTimestamp: bigint
  /** All zeros = not known. */
  readonly topicId: Uuid
}

export interface MemberMetadata {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** -1 in old records: the session timeout stands for it. */
  readonly rebalanceTimeout: number
  readonly sessionTimeout: number
  readonly subscription: Uint8Array
  readonly assignment: Uint8Array
}

export interface GroupMetadataValue {
  readonly protocolType: string
  readonly generation: number
  readonly protocol: string | null
  readonly leader: string | null
  /** -1 = not known (old records). */
  readonly currentStateTimestamp: bigint
  readonly members: readonly MemberMetadata[]
}

export interface GroupKey {
  readonly groupId: string
}

export interface GroupMemberKey {
  readonly groupId: string
  readonly memberId: string
}

export interface GroupEpochValue {
  readonly epoch: number
  /** XXH3 over the subscribed topics; 0 = no topics. */
  readonly metadataHash: bigint
}

export interface PartitionMetadataValue {
  readonly topics: readonly {
    readonly topicId: Uuid
    readonly topicName: string
    readonly numPartitions: number
    readonly partitionMetadata: readonly { readonly partition: number; readonly racks: readonly string[] }[]
  }[]
}

export interface ConsumerMemberValue {
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly subscribedTopicNames: readonly string[]
  readonly subscribedTopicRegex: string | null
  readonly rebalanceTimeoutMs: number
  readonly serverAssignor: string | null
  /** Of a member that speaks the classic protocol. */
  readonly classicMemberMetadata: {
    readonly sessionTimeoutMs: number
    readonly supportedProtocols: readonly { readonly name: string; readonly metadata: Uint8Array }[]
  } | null
}

export interface TargetAssignmentEpochValue {
  readonly assignmentEpoch: number
  readonly assignmentTimestamp: bigint
}

export interface TargetAssignmentValue {
  readonly topicPartitions: readonly { readonly topicId: Uuid; readonly partitions: readonly number[] }[]
}

export interface AssignedTopicPartitions {
  readonly topicId: Uuid
  readonly partitions: readonly number[]
  /** One for each partition; null in records of older brokers. */
  readonly assignmentEpochs: readonly number[] | null
}

export interface ConsumerCurrentAssignmentValue {
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: number
  readonly assignedPartitions: readonly AssignedTopicPartitions[]
  readonly partitionsPendingRevocation: readonly AssignedTopicPartitions[]
}

export interface RegularExpressionKey {
  readonly groupId: string
  readonly regularExpression: string
}

export interface RegularExpressionValue {
  readonly topics: readonly string[]
  readonly version: bigint
  readonly timestamp: bigint
}

export interface ShareMemberValue {
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly subscribedTopicNames: readonly string[]
}

export interface ShareCurrentAssignmentValue {
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: number
  readonly assignedPartitions: readonly { readonly topicId: Uuid; readonly partitions: readonly number[] }[]
}

export interface SharePartitionsValue {
  readonly initializingTopics: readonly ShareTopicPartitions[]
  readonly initializedTopics: readonly ShareTopicPartitions[]
  readonly deletingTopics: readonly { readonly topicId: Uuid; readonly topicName: string }[]
}

interface ShareTopicPartitions {
  readonly topicId: Uuid
  readonly topicName: string
  readonly partitions: readonly number[]
}

/** A value that is kept and not read. */
export interface OpaqueValue {
  readonly version: number
  readonly bytes: Uint8Array
}

interface Kinds {
  OffsetCommit: [OffsetCommitKey, OffsetCommitValue]
  GroupMetadata: [{ readonly group: string }, GroupMetadataValue]
  ConsumerGroupMetadata: [GroupKey, GroupEpochValue]
  ConsumerGroupPartitionMetadata: [GroupKey, PartitionMetadataValue]
  ConsumerGroupMemberMetadata: [GroupMemberKey, ConsumerMemberValue]
  ConsumerGroupTargetAssignmentMetadata: [GroupKey, TargetAssignmentEpochValue]
  ConsumerGroupTargetAssignmentMember: [GroupMemberKey, TargetAssignmentValue]
  ConsumerGroupCurrentMemberAssignment: [GroupMemberKey, ConsumerCurrentAssignmentValue]
  ConsumerGroupRegularExpression: [RegularExpressionKey, RegularExpressionValue]
  ShareGroupMemberMetadata: [GroupMemberKey, ShareMemberValue]
  ShareGroupMetadata: [GroupKey, GroupEpochValue]
  ShareGroupTargetAssignmentMetadata: [GroupKey, TargetAssignmentEpochValue]
  ShareGroupTargetAssignmentMember: [GroupMemberKey, TargetAssignmentValue]
  ShareGroupCurrentMemberAssignment: [GroupMemberKey, ShareCurrentAssignmentValue]
  ShareGroupStatePartitionMetadata: [GroupKey, SharePartitionsValue]
  StreamsGroupMetadata: [GroupKey, OpaqueValue]
  StreamsGroupMemberMetadata: [GroupMemberKey, OpaqueValue]
  StreamsGroupTargetAssignmentMetadata: [GroupKey, OpaqueValue]
  StreamsGroupTargetAssignmentMember: [GroupMemberKey, OpaqueValue]
  StreamsGroupCurrentMemberAssignment: [GroupMemberKey, OpaqueValue]
  StreamsGroupTopology: [GroupKey, OpaqueValue]
}

export type GroupRecordType = keyof Kinds

/** One record of one kind. */
export interface GroupRecordOf<Type extends GroupRecordType> {
  readonly type: Type
  readonly key: Kinds[Type][0]
  readonly value: Kinds[Type][1] | null
}

export type GroupRecord = { [Type in GroupRecordType]: GroupRecordOf<Type> }[GroupRecordType]
