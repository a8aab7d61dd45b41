/**
 * Who a heartbeat comes from: a known member at the right epoch, a new one, or a static member that takes the place of
 * its former self (KIP-848). Refusals and their texts as observed on 4.3.1.
 */
import type { ConsumerHeartbeat, GroupRefusal } from './consumer-decision.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import {
  currentAssignmentRecord,
  JOIN_EPOCH,
  memberTombstones,
  newMember,
  STATIC_LEAVE_EPOCH,
  subscriptionRecord,
  type ConsumerMember,
  type PartitionEpochs,
  type TopicPartitionList,
  type ConsumerGroupRecord,
} from './consumer-member.ts'
import { targetRecord } from './consumer-target.ts'

export interface JoiningMember {
  readonly member: ConsumerMember
  /** The static member whose place it takes. */
  readonly replaced: ConsumerMember | null
}

export function findMember(
  group: ConsumerGroup,
  heartbeat: ConsumerHeartbeat,
  maxSize: number,
): JoiningMember | GroupRefusal {
  const { memberId, instanceId } = heartbeat
  const full = refuseFull(group, memberId, maxSize)
  if (full !== null) return full
  return instanceId === null ? findDynamic(group, heartbeat) : findStatic(group, heartbeat, instanceId)
}

function findDynamic(group: ConsumerGroup, heartbeat: ConsumerHeartbeat): JoiningMember | GroupRefusal {
  const { memberId, memberEpoch, owned } = heartbeat
  const member = group.members.get(memberId)
  if (memberEpoch === JOIN_EPOCH) return { member: member ?? newMember(memberId), replaced: null }
  if (member === undefined) return unknownMember(group.groupId, memberId)
  return wrongEpoch(member, memberEpoch, owned) ?? { member, replaced: null }
}

function findStatic(
  group: ConsumerGroup,
  heartbeat: ConsumerHeartbeat,
  instanceId: string,
): JoiningMember | GroupRefusal {
  const { memberId, memberEpoch, owned } = heartbeat
  if (memberEpoch !== JOIN_EPOCH) {
    const member = staticMemberOf(group, instanceId, memberId)
    if ('error' in member) return member
    return wrongEpoch(member, memberEpoch, owned) ?? { member, replaced: null }
  }
  const existing = group.staticMember(instanceId)
  if (existing === null) return { member: group.members.get(memberId) ?? newMember(memberId), replaced: null }
  // Consumers of the classic protocol do not say when they go: whoever comes with their instance takes their place.
  if (existing.memberEpoch !== STATIC_LEAVE_EPOCH && existing.classicMemberMetadata === null) {
    const message =
      `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is ` +
      `owned by ${existing.memberId} member.`
    return { error: 'UNRELEASED_INSTANCE_ID', message }
  }
  return takenPlace(existing, memberId)
}

/** A static member that comes back under another id. */
function takenPlace(existing: ConsumerMember, memberId: string): JoiningMember {
  const member = { ...existing, memberId, memberEpoch: JOIN_EPOCH, previousMemberEpoch: JOIN_EPOCH }
  return { member, replaced: existing }
}

/** Who a JoinGroup of the classic protocol comes from; `isNew` = it came without an id. */
export function findClassicMember(
  group: ConsumerGroup,
  memberId: string,
  instanceId: string | null,
  isNew: boolean,
): JoiningMember | GroupRefusal {
  if (instanceId === null) return { member: group.members.get(memberId) ?? newMember(memberId), replaced: null }
  if (!isNew) {
    const member = staticMemberOf(group, instanceId, memberId)
    return 'error' in member ? member : { member, replaced: null }
  }
  const existing = group.staticMember(instanceId)
  return existing === null ? { member: newMember(memberId), replaced: null } : takenPlace(existing, memberId)
}

/** Why a group takes nobody of this id in, or null. */
export function refuseFull(group: ConsumerGroup, memberId: string, maxSize: number): GroupRefusal | null {
  if (group.members.size < maxSize || group.members.has(memberId)) return null
  const message = `The consumer group has reached its maximum capacity of ${maxSize} members.`
  return { error: 'GROUP_MAX_SIZE_REACHED', message }
}

/** The static member behind an instance id, if this is it. */
export function staticMemberOf(
  group: ConsumerGroup,
  instanceId: string,
  memberId: string,
): ConsumerMember | GroupRefusal {
  const existing = group.staticMember(instanceId)
  if (existing === null) return { error: 'UNKNOWN_MEMBER_ID', message: `Instance id ${instanceId} is unknown.` }
  if (existing.memberId === memberId) return existing
  const message = `Static member ${memberId} with instance id ${instanceId} was fenced by member ${existing.memberId}.`
  return { error: 'FENCED_INSTANCE_ID', message }
}

export function unknownMember(groupId: string, memberId: string): GroupRefusal {
  return { error: 'UNKNOWN_MEMBER_ID', message: `Member ${memberId} is not a member of group ${groupId}.` }
}

/** The member's own epoch, or the one before if the answer that moved it may have been lost. */
function wrongEpoch(member: ConsumerMember, epoch: number, owned: TopicPartitionList | null): GroupRefusal | null {
  if (epoch === member.memberEpoch) return null
  const tooLate = epoch < member.memberEpoch
  if (tooLate && epoch === member.previousMemberEpoch && holdsOnly(owned, member.assigned)) return null
  const message =
    `The consumer group member has a ${tooLate ? 'smaller' : 'greater'} member epoch (${epoch}) than the one known by ` +
    `the group coordinator (${member.memberEpoch}). The member must abandon all its partitions and rejoin.`
  return { error: 'FENCED_MEMBER_EPOCH', message }
}

function holdsOnly(owned: TopicPartitionList | null, assigned: PartitionEpochs): boolean {
  if (owned === null) return false
  return owned.every(({ topicId, partitions }) => {
    const own = assigned.get(topicId)
    return own !== undefined && partitions.every((partition) => own.has(partition))
  })
}

/** The former self's records taken back, and what it had under the new id. */
export function replacementRecords(
  group: ConsumerGroup,
  { member, replaced }: JoiningMember,
): readonly ConsumerGroupRecord[] {
  if (replaced === null) return []
  const { groupId } = group
  return [
    ...memberTombstones(groupId, replaced.memberId),
    subscriptionRecord(groupId, member),
    targetRecord(groupId, member.memberId, group.target(replaced.memberId)),
    currentAssignmentRecord(groupId, member),
  ]
}
