/**
 * How members of a consumer group go: they leave, as a static member for a while, or are removed because they were not
 * heard of or did not revoke in time (KIP-848). Records, their order and the refusals are those observed on 4.3.1.
 */
import {
  refuse,
  withoutDeadlines,
  type ConsumerGroupContext,
  type ConsumerGroupDecision,
  type ConsumerHeartbeat,
  type HeartbeatAnswer,
  type MemberDeadline,
} from './consumer-decision.ts'
import { epochRecord, regexTombstone, type ConsumerGroup } from './consumer-group.ts'
import { staticMemberOf, unknownMember } from './consumer-joining.ts'
import {
  currentAssignmentRecord,
  memberTombstones,
  STATIC_LEAVE_EPOCH,
  type ConsumerMember,
  type ConsumerGroupRecord,
} from './consumer-member.ts'
import { hashOfSubscriptions, seen } from './consumer-topics.ts'
import { decideDowngrade, mayDowngrade } from './group-downgrade.ts'

/** A heartbeat with the epoch -1 or -2. */
export function decideLeave(
  group: ConsumerGroup,
  heartbeat: ConsumerHeartbeat,
  context: ConsumerGroupContext,
): ConsumerGroupDecision<HeartbeatAnswer> {
  const { memberId, memberEpoch, instanceId } = heartbeat
  const member =
    instanceId === null
      ? (group.members.get(memberId) ?? unknownMember(group.groupId, memberId))
      : staticMemberOf(group, instanceId, memberId)
  if ('error' in member) return refuse(member.error, member.message)
  const answer: HeartbeatAnswer = { error: null, memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: null }
  // A static member that leaves for a while keeps its session: when that ends, it is removed.
  return memberEpoch === STATIC_LEAVE_EPOCH
    ? { records: [awayRecord(group.groupId, member)], answer, deadlines: [], topicsSeen: null }
    : { ...decideRemoval(group, [member], context), answer }
}

/** Nothing was heard of the member for the session timeout, or it did not join or sync in time. */
export function decideSessionExpired(
  group: ConsumerGroup,
  memberId: string,
  context: ConsumerGroupContext,
): ConsumerGroupDecision<null> {
  const member = group.members.get(memberId)
  return decideRemoval(group, member === undefined ? [] : [member], context)
}

/** The member has not revoked in time what it was asked to revoke at this epoch. */
export function decideRebalanceExpired(
  group: ConsumerGroup,
  memberId: string,
  memberEpoch: number,
  context: ConsumerGroupContext,
): ConsumerGroupDecision<null> {
  const member = group.members.get(memberId)
  const late = member?.state === 'UNREVOKED_PARTITIONS' && member.memberEpoch === memberEpoch
  return decideRemoval(group, late ? [member] : [], context)
}

/** Members are gone: the others get a new epoch, or become a classic group when no other protocol is left. */
export function decideRemoval(
  group: ConsumerGroup,
  gone: readonly ConsumerMember[],
  context: ConsumerGroupContext,
): ConsumerGroupDecision<null> {
  if (gone.length === 0) return { records: [], answer: null, deadlines: [], topicsSeen: null }
  const { groupId } = group
  const { image } = context
  const left = new Map(group.members)
  for (const { memberId } of gone) left.delete(memberId)
  if (mayDowngrade([...left.values()], context)) {
    const why = `Downgrade group ${groupId} from consumer to classic for member leaving.`
    const { records, conversion } = decideDowngrade(group, [...left.values()], null, why, context)
    return { records, answer: null, deadlines: [], topicsSeen: null, conversion }
  }
  const records: ConsumerGroupRecord[] = []
  const deadlines: MemberDeadline[] = []
  for (const member of gone) {
    records.push(...memberTombstones(groupId, member.memberId))
    deadlines.push(...withoutDeadlines(member))
  }
  const patterns = new Set([...left.values()].map(({ subscribedTopicRegex }) => subscribedTopicRegex))
  for (const pattern of group.regexes.keys()) if (!patterns.has(pattern)) records.push(regexTombstone(groupId, pattern))
  const hash = hashOfSubscriptions(left.values(), group.regexes, image)
  records.push(epochRecord(groupId, group.epoch + 1, hash))
  return { records, answer: null, deadlines, topicsSeen: seen(image) }
}

/** It keeps what it has, as of no epoch in particular, so that nobody may commit for it. */
function awayRecord(groupId: string, member: ConsumerMember): ConsumerGroupRecord {
  const assigned = [...member.assigned].map(
    ([topic, partitions]) => [topic, new Map([...partitions.keys()].map((partition) => [partition, 0]))] as const,
  )
  return currentAssignmentRecord(groupId, {
    ...member,
    memberEpoch: STATIC_LEAVE_EPOCH,
    assigned: new Map(assigned),
    pendingRevocation: new Map(),
  })
}
