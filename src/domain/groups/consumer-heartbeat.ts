/**
 * ConsumerGroupHeartbeat (KIP-848) of a member that joins or stays: its subscription, the group's epoch, a new target
 * when it is due, and one step of the member towards it. Leaving is consumer-removal.ts; what is wrong with a request
 * in itself is heartbeat-validity.ts.
 *
 * Records, their order and the refusals are those observed on 4.3.1. The answer carries the assignment when it has
 * changed, and when the member has said everything about itself (it then may have forgotten what it had).
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
import type { ConsumerGroup } from './consumer-group.ts'
import { findMember, type JoiningMember } from './consumer-joining.ts'
import {
  JOIN_EPOCH,
  normalizedNames,
  samePartitions,
  type ConsumerMember,
  type TopicPartitionList,
} from './consumer-member.ts'
import { decideAssignment, decideSubscription } from './consumer-step.ts'

/** `group` is a new one when nobody has joined yet. */
export function decideHeartbeat(
  group: ConsumerGroup,
  heartbeat: ConsumerHeartbeat,
  context: ConsumerGroupContext,
): ConsumerGroupDecision<HeartbeatAnswer> {
  const found = findMember(group, heartbeat, context.settings.maxSize)
  if ('error' in found) return refuse(found.error, found.message)
  const before = found.member
  const subscribed = withHeartbeat(before, heartbeat)
  const subscription = decideSubscription(group, { found, subscribed }, context)
  if ('error' in subscription) return refuse(subscription.error, subscription.message)
  const step = decideAssignment(group, { found, subscribed }, subscription, heartbeat.owned, context)
  if (step === 'fenced') {
    const message =
      'The consumer group member is in a unknown state. The member must abandon all its partitions and rejoin.'
    return refuse('FENCED_MEMBER_EPOCH', message)
  }
  const { after, moved } = step
  return {
    records: [...subscription.records, ...step.records],
    answer: answerOf(heartbeat, before, after, context),
    deadlines: deadlinesOf(found, after, moved, context.settings.sessionTimeoutMs),
    topicsSeen: subscription.topicsSeen,
  }
}

function withHeartbeat(member: ConsumerMember, heartbeat: ConsumerHeartbeat): ConsumerMember {
  const { subscribedTopicNames: names, rebalanceTimeoutMs } = heartbeat
  return {
    ...member,
    instanceId: heartbeat.instanceId ?? member.instanceId,
    rackId: heartbeat.rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: heartbeat.serverAssignor ?? member.serverAssignor,
    subscribedTopicNames: names === null ? member.subscribedTopicNames : normalizedNames(names),
    subscribedTopicRegex: heartbeat.subscribedTopicRegex ?? member.subscribedTopicRegex,
    clientId: heartbeat.clientId,
    clientHost: heartbeat.clientHost,
    classicMemberMetadata: null,
  }
}

function answerOf(
  heartbeat: ConsumerHeartbeat,
  before: ConsumerMember,
  after: ConsumerMember,
  { settings }: ConsumerGroupContext,
): HeartbeatAnswer {
  const { memberEpoch, rebalanceTimeoutMs, subscribedTopicNames, subscribedTopicRegex, owned } = heartbeat
  const saysAll =
    rebalanceTimeoutMs !== -1 && (subscribedTopicNames !== null || subscribedTopicRegex !== null) && owned !== null
  const told = memberEpoch === JOIN_EPOCH || saysAll || !samePartitions(before.assigned, after.assigned)
  return {
    error: null,
    memberId: after.memberId,
    memberEpoch: after.memberEpoch,
    heartbeatIntervalMs: settings.heartbeatIntervalMs,
    assignment: told ? listOf(after) : null,
  }
}

function listOf({ assigned }: ConsumerMember): TopicPartitionList {
  return [...assigned].map(([topicId, partitions]) => ({
    topicId,
    partitions: [...partitions.keys()].sort((a, b) => a - b),
  }))
}

function deadlinesOf(
  { member, replaced }: JoiningMember,
  after: ConsumerMember,
  moved: boolean,
  sessionTimeoutMs: number,
): readonly MemberDeadline[] {
  const { memberId, memberEpoch } = after
  const deadlines: MemberDeadline[] = []
  // It spoke the classic protocol until now.
  if (member.classicMemberMetadata !== null) deadlines.push(...withoutDeadlines(after))
  if (replaced !== null && replaced.memberId !== memberId) deadlines.push(...withoutDeadlines(replaced))
  deadlines.push({ kind: 'session', memberId, afterMs: sessionTimeoutMs })
  if (moved) {
    const afterMs = after.state === 'UNREVOKED_PARTITIONS' ? after.rebalanceTimeoutMs : null
    deadlines.push({ kind: 'rebalance', memberId, memberEpoch, afterMs })
  }
  return deadlines
}
