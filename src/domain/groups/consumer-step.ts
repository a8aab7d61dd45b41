/**
 * The steps that a member of a consumer group takes whatever protocol it speaks: what it subscribes to may give the
 * group a new epoch, a new epoch a new target, and the member moves towards its own part of it.
 *
 * Records, their order and the refusals are those observed on 4.3.1.
 */
import type { ConsumerGroupContext, GroupRefusal } from './consumer-decision.ts'
import { epochRecord, regexTombstone, type ConsumerGroup, type TopicsSeen } from './consumer-group.ts'
import { replacementRecords, type JoiningMember } from './consumer-joining.ts'
import {
  currentAssignmentRecord,
  sameAssignment,
  sameNames,
  sameSubscription,
  subscriptionRecord,
  type ConsumerGroupRecord,
  type ConsumerMember,
  type TopicPartitionList,
} from './consumer-member.ts'
import { reconcile } from './consumer-reconciliation.ts'
import { computeTarget } from './consumer-target.ts'
import { hashOfSubscriptions, mustLookAgain, seen, TopicResolver } from './consumer-topics.ts'

/** A member, and what it is once it subscribes as it says. */
export interface Subscribing {
  readonly found: JoiningMember
  readonly subscribed: ConsumerMember
}

/** What comes of a subscription. */
export interface SubscriptionStep {
  readonly records: readonly ConsumerGroupRecord[]
  /** The group's members and epoch from then on. */
  readonly members: readonly ConsumerMember[]
  readonly epoch: number
  readonly changed: boolean
  readonly topicsSeen: TopicsSeen | null
}

export function decideSubscription(
  group: ConsumerGroup,
  { found, subscribed }: Subscribing,
  context: ConsumerGroupContext,
): SubscriptionStep | GroupRefusal {
  const before = found.member
  const regex = regexChange(group, before, subscribed, context)
  if (regex !== null && 'error' in regex) return regex
  const records: ConsumerGroupRecord[] = [...replacementRecords(group, found)]
  if (!sameSubscription(before, subscribed)) records.push(subscriptionRecord(group.groupId, subscribed))
  if (regex?.forgotten !== undefined) records.push(regexTombstone(group.groupId, regex.forgotten))
  const namesChanged = !sameNames(before.subscribedTopicNames, subscribed.subscribedTopicNames)
  const members = membersAfter(group, found, subscribed)
  const { epoch, topicsSeen, ...more } = decideEpoch(
    group,
    members,
    namesChanged || (regex?.resolved ?? false),
    context,
  )
  records.push(...more.records)
  return { records, members, epoch, changed: namesChanged || regex !== null, topicsSeen }
}

/** What comes of it for the member. */
export interface AssignmentStep {
  readonly records: readonly ConsumerGroupRecord[]
  readonly after: ConsumerMember
  readonly moved: boolean
}

/** A new target when it is due, and the member's step towards it; 'fenced' as `reconcile` says it. */
export function decideAssignment(
  group: ConsumerGroup,
  { found, subscribed }: Subscribing,
  { members, epoch, changed }: SubscriptionStep,
  owned: TopicPartitionList | null,
  context: ConsumerGroupContext,
): AssignmentStep | 'fenced' {
  const topics = new TopicResolver(context.image, group.regexes)
  const target = decideTarget(group, found, members, epoch, topics, context)
  const after = reconcile({
    member: subscribed,
    targetEpoch: target.epoch,
    target: target.own,
    subscribedTopics: topics.topicsOf(subscribed),
    subscriptionChanged: changed,
    owned,
    ownerOf: (topic, partition) => group.ownerOf(topic, partition),
  })
  if (after === 'fenced') return after
  const moved = !sameAssignment(found.member, after)
  const records = moved ? [...target.records, currentAssignmentRecord(group.groupId, after)] : target.records
  return { records, after, moved }
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
