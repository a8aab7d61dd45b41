/**
 * A member of a consumer group of the KIP-848 protocol, and how it lies in records: one for its subscription
 * (ConsumerGroupMemberMetadata), one for what it holds (ConsumerGroupCurrentMemberAssignment). Immutable.
 */
import type { Uuid } from '../uuid.ts'
import { sameProtocols } from './classic-group.ts'
import type {
  AssignedTopicPartitions,
  ConsumerCurrentAssignmentValue,
  ConsumerMemberValue,
  GroupRecord,
} from './group-record.ts'

/** The records that a consumer group is made of. */
export type ConsumerGroupRecord = Extract<GroupRecord, { readonly type: `ConsumerGroup${string}` }>

/** Where a member is on its way to its target; Kafka's codes are the places in `memberStates`. */
export type MemberState = 'STABLE' | 'UNREVOKED_PARTITIONS' | 'UNRELEASED_PARTITIONS' | 'UNKNOWN'

const memberStates: readonly MemberState[] = ['STABLE', 'UNREVOKED_PARTITIONS', 'UNRELEASED_PARTITIONS']
const UNKNOWN_STATE = 127

/** By topic and partition, the epoch at which the partition was assigned (KIP-1251). */
export type PartitionEpochs = ReadonlyMap<Uuid, ReadonlyMap<number, number>>

/** Partitions as requests and responses list them. */
export type TopicPartitionList = readonly { readonly topicId: Uuid; readonly partitions: readonly number[] }[]

/** What a member of the classic protocol says in its JoinGroup. */
export type ClassicMetadata = NonNullable<ConsumerMemberValue['classicMemberMetadata']>

export interface ConsumerMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Sorted, each name once. */
  readonly subscribedTopicNames: readonly string[]
  /** '' = none. */
  readonly subscribedTopicRegex: string
  readonly rebalanceTimeoutMs: number
  readonly serverAssignor: string | null
  /** Of a member that speaks the classic protocol in this group; null = it speaks the consumer protocol. */
  readonly classicMemberMetadata: ClassicMetadata | null
  /** -2 = a static member that is away and may come back. */
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: MemberState
  readonly assigned: PartitionEpochs
  readonly pendingRevocation: PartitionEpochs
}

/** The epochs by which requests join and leave. */
export const JOIN_EPOCH = 0
export const LEAVE_EPOCH = -1
export const STATIC_LEAVE_EPOCH = -2

const nothing: PartitionEpochs = new Map()

/** A member of which nothing is known yet. */
export function newMember(memberId: string): ConsumerMember {
  return {
    memberId,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: [],
    subscribedTopicRegex: '',
    rebalanceTimeoutMs: -1,
    serverAssignor: null,
    classicMemberMetadata: null,
    memberEpoch: JOIN_EPOCH,
    previousMemberEpoch: JOIN_EPOCH,
    state: 'STABLE',
    assigned: nothing,
    pendingRevocation: nothing,
  }
}

/** The same member with the subscription of a record. */
export function withSubscription(member: ConsumerMember, value: ConsumerMemberValue): ConsumerMember {
  const { subscribedTopicRegex, subscribedTopicNames, ...rest } = value
  return {
    ...member,
    ...rest,
    subscribedTopicNames: normalizedNames(subscribedTopicNames),
    subscribedTopicRegex: subscribedTopicRegex ?? '',
  }
}

/** The same member with the assignment of a record; without one, as it was before its first. */
export function withAssignment(member: ConsumerMember, value: ConsumerCurrentAssignmentValue | null): ConsumerMember {
  if (value === null) {
    const { memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation } = newMember(member.memberId)
    return { ...member, memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation }
  }
  return {
    ...member,
    memberEpoch: value.memberEpoch,
    previousMemberEpoch: value.previousMemberEpoch,
    state: memberStates[value.state] ?? 'UNKNOWN',
    assigned: epochsOf(value.assignedPartitions, value.memberEpoch),
    pendingRevocation: epochsOf(value.partitionsPendingRevocation, value.memberEpoch),
  }
}

export function subscriptionRecord(groupId: string, member: ConsumerMember): ConsumerGroupRecord {
  const { instanceId, rackId, clientId, clientHost, subscribedTopicNames, subscribedTopicRegex } = member
  const { rebalanceTimeoutMs, serverAssignor, classicMemberMetadata } = member
  return {
    type: 'ConsumerGroupMemberMetadata',
    key: { groupId, memberId: member.memberId },
    value: {
      instanceId,
      rackId,
      clientId,
      clientHost,
      subscribedTopicNames,
      subscribedTopicRegex,
      rebalanceTimeoutMs,
      serverAssignor,
      classicMemberMetadata,
    },
  }
}

export function currentAssignmentRecord(groupId: string, member: ConsumerMember): ConsumerGroupRecord {
  return {
    type: 'ConsumerGroupCurrentMemberAssignment',
    key: { groupId, memberId: member.memberId },
    value: {
      memberEpoch: member.memberEpoch,
      previousMemberEpoch: member.previousMemberEpoch,
      state: member.state === 'UNKNOWN' ? UNKNOWN_STATE : memberStates.indexOf(member.state),
      assignedPartitions: listed(member.assigned),
      partitionsPendingRevocation: listed(member.pendingRevocation),
    },
  }
}

/** What the log may hold of a member, taken back in the order in which Kafka does it. */
export function memberTombstones(groupId: string, memberId: string): readonly ConsumerGroupRecord[] {
  const key = { groupId, memberId }
  return [
    { type: 'ConsumerGroupCurrentMemberAssignment', key, value: null },
    { type: 'ConsumerGroupTargetAssignmentMember', key, value: null },
    { type: 'ConsumerGroupMemberMetadata', key, value: null },
  ]
}

export function sameSubscription(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    sameNames(a.subscribedTopicNames, b.subscribedTopicNames) &&
    a.subscribedTopicRegex === b.subscribedTopicRegex &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.serverAssignor === b.serverAssignor &&
    sameClassicMetadata(a.classicMemberMetadata, b.classicMemberMetadata)
  )
}

function sameClassicMetadata(a: ClassicMetadata | null, b: ClassicMetadata | null): boolean {
  if (a === b) return true
  if (a?.sessionTimeoutMs !== b?.sessionTimeoutMs) return false
  return sameProtocols(a?.supportedProtocols ?? [], b?.supportedProtocols ?? [])
}

export function sameAssignment(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.memberEpoch === b.memberEpoch &&
    a.previousMemberEpoch === b.previousMemberEpoch &&
    a.state === b.state &&
    sameEpochs(a.assigned, b.assigned) &&
    sameEpochs(a.pendingRevocation, b.pendingRevocation)
  )
}

/** Whether both hold the same partitions, whenever they were assigned. */
export function samePartitions(a: PartitionEpochs, b: PartitionEpochs): boolean {
  return sameBy(a, b, (_, partition, other) => other.has(partition))
}

function sameEpochs(a: PartitionEpochs, b: PartitionEpochs): boolean {
  return sameBy(a, b, (epoch, partition, other) => other.get(partition) === epoch)
}

function sameBy(
  a: PartitionEpochs,
  b: PartitionEpochs,
  same: (epoch: number, partition: number, other: ReadonlyMap<number, number>) => boolean,
): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const [topic, partitions] of a) {
    const other = b.get(topic)
    if (other?.size !== partitions.size) return false
    for (const [partition, epoch] of partitions) if (!same(epoch, partition, other)) return false
  }
  return true
}

/** Topic names as members hold them. */
export function normalizedNames(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}

export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((name, i) => name === b[i]))
}

/** Records of older brokers carry no epochs of partitions: the member's own stands for them. */
function epochsOf(topics: readonly AssignedTopicPartitions[], memberEpoch: number): PartitionEpochs {
  return new Map(
    topics.map(({ topicId, partitions, assignmentEpochs }) => [
      topicId,
      new Map(partitions.map((partition, i) => [partition, assignmentEpochs?.[i] ?? memberEpoch])),
    ]),
  )
}

function listed(epochs: PartitionEpochs): readonly AssignedTopicPartitions[] {
  return [...epochs].map(([topicId, partitions]) => {
    const ascending = [...partitions].sort(([a], [b]) => a - b)
    return {
      topicId,
      partitions: ascending.map(([partition]) => partition),
      assignmentEpochs: ascending.map(([, epoch]) => epoch),
    }
  })
}
