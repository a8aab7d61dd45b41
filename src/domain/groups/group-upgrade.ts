/**
 * A classic group of consumers becomes one of the consumer protocol because a member of that protocol joins (KIP-848).
 *
 * Its members go on with the classic protocol inside the new group, each with what it was last assigned; who waits for
 * a rebalance is told to join again. Records, their order and the refusals as observed on 4.3.1.
 */
import type { ClusterImage } from '../cluster/cluster-image.ts'
import type { Uuid } from '../uuid.ts'
import { joinError, syncError, type ClassicReply } from './classic-decision.ts'
import { metadataFor, type ClassicGroup, type ClassicMember } from './classic-group.ts'
import { chooseProtocol } from './classic-rebalance.ts'
import type { ConsumerGroupContext, GroupRefusal, MemberDeadline } from './consumer-decision.ts'
import { ConsumerGroup, epochRecord } from './consumer-group.ts'
import {
  currentAssignmentRecord,
  newMember,
  normalizedNames,
  subscriptionRecord,
  type ConsumerGroupRecord,
  type ConsumerMember,
} from './consumer-member.ts'
import { assignmentIn, subscriptionIn, type NamedPartitions } from './consumer-protocol.ts'
import { targetMetadataRecord, targetRecord } from './consumer-target.ts'
import { hashOfSubscriptions } from './consumer-topics.ts'
import type { GroupRecord } from './group-record.ts'

export interface Upgrade {
  /** The group as these records make it. */
  readonly group: ConsumerGroup
  readonly records: readonly GroupRecord[]
  readonly replies: readonly ClassicReply[]
  readonly deadlines: readonly MemberDeadline[]
}

export function decideUpgrade(
  classic: ClassicGroup,
  { image, settings }: ConsumerGroupContext,
): Upgrade | GroupRefusal {
  const because = (why: string): GroupRefusal => ({
    error: 'GROUP_ID_NOT_FOUND',
    message: `Cannot upgrade classic group ${classic.groupId} to consumer group because ${why}.`,
  })
  if (!settings.migrationPolicy.upgrade) return because('online upgrade is disabled')
  if (!classic.usesConsumerProtocol) return because('the group does not use the consumer embedded protocol')
  if (classic.members.size > settings.maxSize) {
    return because('the group size exceeds the consumer group maximum size')
  }
  const members: ConsumerMember[] = []
  const protocol = protocolOf(classic)
  for (const member of classic.members.values()) {
    const converted = convert(classic, member, protocol, image)
    if (converted === 'malformed') return because('the embedded consumer protocol is malformed')
    if (converted === 'custom') {
      return because(
        'an unsupported custom assignor is in use. Please refer to the documentation or switch to a default assignor ' +
          'before re-attempting the upgrade',
      )
    }
    members.push(converted)
  }
  const made = recordsOf(classic, members, image)
  const group = new ConsumerGroup(classic.groupId)
  for (const record of made) group.evolve(record)
  return {
    group,
    records: [...classic.tombstones(), ...made],
    replies: repliesOf(classic),
    deadlines: [...classic.members.values()].map(({ memberId, sessionTimeoutMs }) => ({
      kind: 'session',
      memberId,
      afterMs: sessionTimeoutMs,
    })),
  }
}

/**
 * In which members say what they subscribe to. While a rebalance gathers members nothing may be chosen yet, or something
 * that who has come since does not know (there a real broker answers UNKNOWN_SERVER_ERROR): what would be chosen now
 * stands for it.
 */
function protocolOf({ protocol, members }: ClassicGroup): string {
  const all = [...members.values()]
  const isKnownToAll =
    protocol !== null && all.every(({ protocols }) => protocols.some(({ name }) => name === protocol))
  return isKnownToAll ? protocol : (chooseProtocol(all) ?? '')
}

function convert(
  group: ClassicGroup,
  member: ClassicMember,
  protocol: string,
  image: ClusterImage,
): ConsumerMember | 'malformed' | 'custom' {
  const subscription = subscriptionIn(metadataFor(member, protocol))
  const assignment = member.assignment.length === 0 ? nothingAssigned : assignmentIn(member.assignment)
  if (assignment?.hasUserData === true) return 'custom'
  if (subscription === null || assignment === null) return 'malformed'
  return {
    ...newMember(member.memberId),
    instanceId: member.groupInstanceId,
    rackId: subscription.rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: normalizedNames(subscription.topics),
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    classicMemberMetadata: { sessionTimeoutMs: member.sessionTimeoutMs, supportedProtocols: member.protocols },
    memberEpoch: group.generation,
    previousMemberEpoch: group.generation,
    assigned: epochsOf(assignment.partitions, group.generation, image),
  }
}

const nothingAssigned = { partitions: [], hasUserData: false }

function epochsOf(named: readonly NamedPartitions[], epoch: number, image: ClusterImage) {
  const assigned = new Map<Uuid, Map<number, number>>()
  for (const { topic, partitions } of named) {
    const id = image.topicsByName.get(topic)?.id
    if (id !== undefined) assigned.set(id, new Map(partitions.map((partition) => [partition, epoch])))
  }
  return assigned
}

function recordsOf(
  { groupId, generation }: ClassicGroup,
  members: readonly ConsumerMember[],
  image: ClusterImage,
): readonly ConsumerGroupRecord[] {
  const target = ({ assigned }: ConsumerMember) =>
    new Map([...assigned].map(([topic, partitions]) => [topic, [...partitions.keys()].sort((a, b) => a - b)]))
  return [
    ...members.map((member) => subscriptionRecord(groupId, member)),
    epochRecord(groupId, generation, hashOfSubscriptions(members, new Map(), image)),
    ...members.map((member) => targetRecord(groupId, member.memberId, target(member))),
    targetMetadataRecord(groupId, generation, 0n),
    ...members.map((member) => currentAssignmentRecord(groupId, member)),
  ]
}

function repliesOf(group: ClassicGroup): readonly ClassicReply[] {
  return [...group.members.values()].flatMap(({ memberId, joining, syncing }) => [
    ...(joining === null ? [] : [{ ticket: joining, join: joinError('REBALANCE_IN_PROGRESS', memberId) }]),
    ...(syncing === null ? [] : [{ ticket: syncing, sync: syncError('REBALANCE_IN_PROGRESS') }]),
  ])
}
