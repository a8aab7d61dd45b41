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
  type GroupRefusal,
  type HeartbeatAnswer,
  type MemberDeadline,
} from './consumer-decision.ts'
import { epochRecord, regexTombstone, type ConsumerGroup, type TopicsSeen } from './consumer-group.ts'
import { findMember, replacementRecords, type JoiningMember } from './consumer-joining.ts'
import {
  currentAssignmentRecord,
  JOIN_EPOCH,
  normalizedNames,
  sameAssignment,
  sameNames,
  samePartitions,
  sameSubscription,
  subscriptionRecord,
  type ConsumerMember,
  type TopicPartitionList,
  type ConsumerGroupRecord,
} from './consumer-member.ts'
import { reconcile } from './consumer-reconciliation.ts'
import { computeTarget } from './consumer-target.ts'
import { hashOfSubscriptions, mustLookAgain, seen, TopicResolver } from './consumer-topics.ts'

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
  const regex = regexChange(group, before, subscribed, context)
  if (regex !== null && 'error' in regex) return refuse(regex.error, regex.message)

  const records: ConsumerGroupRecord[] = [...replacementRecords(group, found)]
  if (!sameSubscription(before, subscribed)) records.push(subscriptionRecord(group.groupId, subscribed))
  if (regex?.forgotten !== undefined) records.push(regexTombstone(group.groupId, regex.forgotten))

  const namesChanged = !sameNames(before.subscribedTopicNames, subscribed.subscribedTopicNames)
  const members = membersAfter(group, found, subscribed)
  const epoch = decideEpoch(group, members, namesChanged || (regex?.resolved ?? false), context)
  records.push(...epoch.records)

  const topics = new TopicResolver(context.image, group.regexes)
  const target = decideTarget(group, found, members, epoch.epoch, topics, context)
  records.push(...target.records)

  const after = reconcile({
    member: subscribed,
    targetEpoch: target.epoch,
    target: target.own,
    subscribedTopics: topics.topicsOf(subscribed),
    subscriptionChanged: namesChanged || regex !== null,
    owned: heartbeat.owned,
    ownerOf: (topic, partition) => group.ownerOf(topic, partition),
  })
  if (after === 'fenced') {
    const message =
      'The consumer group member is in a unknown state. The member must abandon all its partitions and rejoin.'
    return refuse('FENCED_MEMBER_EPOCH', message)
  }
  const moved = !sameAssignment(before, after)
  if (moved) records.push(currentAssignmentRecord(group.groupId, after))
  return {
    records,
    answer: answerOf(heartbeat, before, after, context),
    deadlines: deadlinesOf(found, after, moved, context.settings.sessionTimeoutMs),
    topicsSeen: epoch.topicsSeen,
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

interface RegexChange {
  /** The pattern that nobody else subscribes to. */
  readonly forgotten?: string
  /** What the new one stands for is known: the group can act on it at once. */
  readonly resolved: boolean
}

function regexChange(
  group: ConsumerGroup,
  before: ConsumerMember,
  after: ConsumerMember,
  { compilePattern }: ConsumerGroupContext,
): RegexChange | GroupRefusal | null {
  const old = before.subscribedTopicRegex
  const pattern = after.subscribedTopicRegex
  if (old === pattern) return null
  const isNew = pattern !== '' && group.regexSubscribers(pattern) === 0
  if (isNew) {
    const compiled = compilePattern(pattern)
    if ('error' in compiled) {
      const message = `SubscribedTopicRegex \`${pattern}\` is not a valid regular expression: ${compiled.error}.`
      return { error: 'INVALID_REGULAR_EXPRESSION', message }
    }
  }
  const last = old !== '' && group.regexSubscribers(old) === 1 && group.regexes.has(old)
  return { resolved: pattern === '' || group.regexes.has(pattern), ...(last ? { forgotten: old } : {}) }
}

/** The group's members as they are once this one has what it asked for. */
function membersAfter(group: ConsumerGroup, { replaced }: JoiningMember, member: ConsumerMember): ConsumerMember[] {
  const members = new Map(group.members)
  if (replaced !== null) members.delete(replaced.memberId)
  members.set(member.memberId, member)
  return [...members.values()]
}

/** A new epoch when a subscription or the topics behind one have changed. */
function decideEpoch(
  group: ConsumerGroup,
  members: readonly ConsumerMember[],
  changed: boolean,
  { image }: ConsumerGroupContext,
): {
  readonly epoch: number
  readonly records: readonly ConsumerGroupRecord[]
  readonly topicsSeen: TopicsSeen | null
} {
  if (!changed && !mustLookAgain(group, image)) return { epoch: group.epoch, records: [], topicsSeen: null }
  const hash = hashOfSubscriptions(members, group.regexes, image)
  const topicsSeen = seen(image)
  if (!changed && hash === group.metadataHash) return { epoch: group.epoch, records: [], topicsSeen }
  const epoch = group.epoch + 1
  return { epoch, records: [epochRecord(group.groupId, epoch, hash)], topicsSeen }
}

function decideTarget(
  group: ConsumerGroup,
  { member, replaced }: JoiningMember,
  members: readonly ConsumerMember[],
  epoch: number,
  topics: TopicResolver,
  { image, nowMs, settings }: ConsumerGroupContext,
) {
  // A static member that comes back takes over what it was to have.
  const ownBefore = group.target(replaced?.memberId ?? member.memberId)
  const sinceMs = nowMs - group.assignmentTimestamp
  const due = sinceMs >= BigInt(settings.assignmentIntervalMs) || sinceMs < 0n
  if (epoch <= group.assignmentEpoch || !due) return { epoch: group.assignmentEpoch, own: ownBefore, records: [] }
  const { targets, records } = computeTarget({
    groupId: group.groupId,
    epoch,
    nowMs,
    members,
    assignors: settings.assignors,
    image,
    topics,
    target: (memberId) => (memberId === member.memberId ? ownBefore : group.target(memberId)),
  })
  return { epoch, own: targets.get(member.memberId) ?? new Map(), records }
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
  { replaced }: JoiningMember,
  after: ConsumerMember,
  moved: boolean,
  sessionTimeoutMs: number,
): readonly MemberDeadline[] {
  const { memberId, memberEpoch } = after
  const deadlines: MemberDeadline[] = []
  if (replaced !== null && replaced.memberId !== memberId) deadlines.push(...withoutDeadlines(replaced))
  deadlines.push({ kind: 'session', memberId, afterMs: sessionTimeoutMs })
  if (moved) {
    const afterMs = after.state === 'UNREVOKED_PARTITIONS' ? after.rebalanceTimeoutMs : null
    deadlines.push({ kind: 'rebalance', memberId, memberEpoch, afterMs })
  }
  return deadlines
}
