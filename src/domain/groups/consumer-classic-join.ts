/**
 * JoinGroup of a member that speaks the classic protocol in a group of the consumer protocol (KIP-848). The answer comes
 * at once: the generation is the member's epoch, the assignment follows with SyncGroup, and nobody is the leader.
 *
 * Refusals and records as observed on 4.3.1, but that metadata which is no subscription is INCONSISTENT_GROUP_PROTOCOL,
 * where a real broker answers UNKNOWN_SERVER_ERROR.
 */
import type { ClusterImage } from '../cluster/cluster-image.ts'
import { joinError, type JoinAnswer } from './classic-decision.ts'
import type { JoinCommand } from './classic-join.ts'
import {
  refuse,
  withoutDeadlines,
  type ConsumerGroupContext,
  type ConsumerGroupDecision,
  type GroupRefusal,
  type MemberDeadline,
} from './consumer-decision.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { findClassicMember, refuseFull } from './consumer-joining.ts'
import { normalizedNames, type ConsumerMember, type TopicPartitionList } from './consumer-member.ts'
import { CONSUMER_PROTOCOL_TYPE, subscriptionIn, type ConsumerSubscription } from './consumer-protocol.ts'
import { decideAssignment, decideSubscription, type Subscribing, type SubscriptionStep } from './consumer-step.ts'
import { decideDowngrade, mayDowngrade } from './group-downgrade.ts'

export function decideClassicJoin(
  group: ConsumerGroup,
  command: JoinCommand,
  context: ConsumerGroupContext,
): ConsumerGroupDecision<JoinAnswer> {
  const { groupInstanceId, protocols } = command
  const isNew = command.memberId === ''
  const memberId = isNew ? command.newConsumerMemberId : command.memberId
  const refused = refuseJoin(group, memberId, command, context)
  if (refused !== null) return refuse(refused.error, refused.message)
  if (isNew && groupInstanceId === null && command.requiresMemberId) {
    return { records: [], answer: joinError('MEMBER_ID_REQUIRED', memberId), deadlines: [], topicsSeen: null }
  }
  const found = findClassicMember(group, memberId, groupInstanceId, isNew)
  if ('error' in found) return refuse(found.error, found.message)
  const subscription = subscriptionIn(protocols[0]!.metadata)
  if (subscription === null) {
    return refuse('INCONSISTENT_GROUP_PROTOCOL', 'Malformed embedded consumer protocol in the subscription.')
  }
  const subscribed = withJoin(found.member, command, subscription)
  const step = decideSubscription(group, { found, subscribed }, context)
  if ('error' in step) return refuse(step.error, step.message)
  const owned = ownedPartitions(subscription, context.image)
  const before = groupInstanceId === null ? null : group.staticMember(groupInstanceId)
  const wasLastConsumer = before?.classicMemberMetadata === null && mayDowngrade(step.members, context)
  return wasLastConsumer
    ? downgrade(group, { found, subscribed }, before.memberId, step, owned, context)
    : settleIn(group, { found, subscribed }, step, owned, command, context)
}

function refuseJoin(
  group: ConsumerGroup,
  memberId: string,
  { protocolType, protocols }: JoinCommand,
  { settings }: ConsumerGroupContext,
): GroupRefusal | null {
  const { upgrade, downgrade } = settings.migrationPolicy
  if (!upgrade && !downgrade) {
    const message = `Cannot join the consumer group ${group.groupId} with the classic protocol because the group migration is disabled.`
    return { error: 'INCONSISTENT_GROUP_PROTOCOL', message }
  }
  const full = refuseFull(group, memberId, settings.maxSize)
  if (full !== null) return full
  const classic = [...group.members.values()].flatMap(({ classicMemberMetadata }) => classicMemberMetadata ?? [])
  const isKnownToAll = (name: string): boolean =>
    classic.every(({ supportedProtocols }) => supportedProtocols.some((protocol) => protocol.name === name))
  if (protocolType === CONSUMER_PROTOCOL_TYPE && protocols.some(({ name }) => isKnownToAll(name))) return null
  return { error: 'INCONSISTENT_GROUP_PROTOCOL', message: `Member ${memberId}'s protocols are not supported.` }
}

function withJoin(member: ConsumerMember, command: JoinCommand, subscription: ConsumerSubscription): ConsumerMember {
  const { rebalanceTimeoutMs, sessionTimeoutMs, protocols } = command
  return {
    ...member,
    instanceId: command.groupInstanceId ?? member.instanceId,
    rackId: subscription.rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    subscribedTopicNames: normalizedNames(subscription.topics),
    subscribedTopicRegex: '',
    clientId: command.clientId,
    clientHost: command.clientHost,
    classicMemberMetadata: {
      sessionTimeoutMs,
      supportedProtocols: protocols.map(({ name, metadata }) => ({ name, metadata })),
    },
  }
}

function ownedPartitions({ owned }: ConsumerSubscription, image: ClusterImage): TopicPartitionList {
  return owned.flatMap(({ topic, partitions }) => {
    const topicId = image.topicsByName.get(topic)?.id
    return topicId === undefined ? [] : [{ topicId, partitions }]
  })
}

/** The last member of the consumer protocol has come back with the classic one. */
function downgrade(
  group: ConsumerGroup,
  member: Subscribing,
  before: string,
  step: SubscriptionStep,
  owned: TopicPartitionList,
  context: ConsumerGroupContext,
): ConsumerGroupDecision<JoinAnswer> {
  const isStale = group.assignmentEpoch < step.epoch
  const assigned = isStale ? null : decideAssignment(group, member, step, owned, context)
  const { subscribed } = member
  const known = assigned === null || assigned === 'fenced' ? { records: [], after: subscribed } : assigned
  const why = isStale ? `Downgrade group ${group.groupId} from consumer to classic with stale assignment.` : null
  const { records, conversion } = decideDowngrade(
    group,
    step.members,
    { of: before, by: subscribed.memberId },
    why,
    context,
  )
  return {
    records: [...step.records, ...known.records, ...records],
    answer: joinedAs(known.after),
    deadlines: [],
    topicsSeen: null,
    conversion,
  }
}

function settleIn(
  group: ConsumerGroup,
  member: Subscribing,
  step: SubscriptionStep,
  owned: TopicPartitionList,
  { sessionTimeoutMs, rebalanceTimeoutMs }: JoinCommand,
  context: ConsumerGroupContext,
): ConsumerGroupDecision<JoinAnswer> {
  const assigned = decideAssignment(group, member, step, owned, context)
  if (assigned === 'fenced') return refuse('UNKNOWN_MEMBER_ID', 'The member is in an unknown state.')
  const { after } = assigned
  const { memberId } = after
  const deadlines: MemberDeadline[] = [
    ...(member.found.replaced === null ? [] : withoutDeadlines(member.found.replaced)),
    ...withoutDeadlines(after),
    { kind: 'session', memberId, afterMs: sessionTimeoutMs },
    { kind: 'sync', memberId, afterMs: rebalanceTimeoutMs },
  ]
  const records = [...step.records, ...assigned.records]
  return { records, answer: joinedAs(after), deadlines, topicsSeen: step.topicsSeen }
}

function joinedAs({ memberId, memberEpoch, classicMemberMetadata }: ConsumerMember): JoinAnswer {
  return {
    error: 'NONE',
    generation: memberEpoch,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocol: classicMemberMetadata!.supportedProtocols[0]!.name,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}
