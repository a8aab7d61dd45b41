/**
 * A group of the consumer protocol becomes a classic one because its last member of that protocol goes, or a static
 * member comes back with the classic protocol in its place (KIP-848).
 *
 * The members that are left keep what they were to have; when one has gone they rebalance, as classic groups do.
 * Records and their order as observed on 4.3.1.
 */
import type { ClusterImage } from '../cluster/cluster-image.ts'
import { ClassicDraft } from './classic-decision.ts'
import { ClassicGroup, metadataFor, NO_BYTES, subscriptionsOf, type ClassicMember } from './classic-group.ts'
import { chooseProtocol, prepareRebalance } from './classic-rebalance.ts'
import type { ConsumerGroupContext, Conversion } from './consumer-decision.ts'
import { groupTombstones, type ConsumerGroup } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { assignmentBytes, CONSUMER_PROTOCOL_TYPE } from './consumer-protocol.ts'
import type { GroupRecord } from './group-record.ts'

/** Whether the group is a classic one once these are all its members. */
export function mayDowngrade(
  members: readonly ConsumerMember[],
  { settings, classicRules }: ConsumerGroupContext,
): boolean {
  return (
    settings.migrationPolicy.downgrade &&
    members.length > 0 &&
    members.length <= classicRules.groupMaxSize &&
    members.every(({ classicMemberMetadata }) => classicMemberMetadata !== null)
  )
}

/** Ids of a static member that has come back, and of what it was before. */
export interface TakenPlace {
  readonly of: string
  readonly by: string
}

export interface Downgrade {
  readonly records: readonly GroupRecord[]
  readonly conversion: Conversion & { readonly to: 'classic' }
}

/**
 * `members`: those that are left, all of the classic protocol. `taken`: the place of a static member that one of them
 * has taken. `rebalance`: why they must rebalance, or null.
 */
export function decideDowngrade(
  group: ConsumerGroup,
  members: readonly ConsumerMember[],
  taken: TakenPlace | null,
  rebalance: string | null,
  { image, nowMs, classicRules }: ConsumerGroupContext,
): Downgrade {
  const { groupId, epoch } = group
  const known = [...group.members.keys()].map((memberId) => (memberId === taken?.of ? taken.by : memberId))
  const bare = members.map(classicMember)
  const protocol = chooseProtocol(bare)
  const classic = bare.map((member): ClassicMember => {
    const targetOf = member.memberId === taken?.by ? taken.of : member.memberId
    const metadata = metadataFor(member, protocol ?? '')
    return { ...member, assignment: assignmentBytes(namedTarget(group, targetOf, image), metadata) }
  })
  const made = new ClassicGroup({
    groupId,
    state: 'Stable',
    previousState: 'Empty',
    stateTimestampMs: nowMs,
    generation: epoch,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocol,
    leader: classic[0]?.memberId ?? null,
    members: new Map(classic.map((member) => [member.memberId, member])),
    staticMembers: new Map(
      classic.flatMap(({ groupInstanceId, memberId }) =>
        groupInstanceId === null ? [] : [[groupInstanceId, memberId] as const],
      ),
    ),
    pendingJoins: new Set(),
    pendingSyncs: new Set(),
    newMemberAdded: false,
    subscriptions: subscriptionsOf(classic, protocol),
  })
  const draft = new ClassicDraft(made, nowMs)
  for (const member of classic) draft.expectSign(member)
  if (rebalance !== null) prepareRebalance(draft, classicRules, rebalance)
  return {
    records: [
      ...groupTombstones(groupId, known, [...group.regexes.keys()]),
      made.toRecord(({ assignment }) => assignment),
    ],
    conversion: { to: 'classic', group: draft.group(), deadlines: draft.deadlines, rebalance },
  }
}

function classicMember(member: ConsumerMember): ClassicMember {
  const { sessionTimeoutMs, supportedProtocols } = member.classicMemberMetadata!
  return {
    memberId: member.memberId,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    sessionTimeoutMs,
    protocols: supportedProtocols,
    assignment: NO_BYTES,
    isNew: false,
    joining: null,
    syncing: null,
  }
}

function namedTarget(group: ConsumerGroup, memberId: string, image: ClusterImage) {
  return [...group.target(memberId)].flatMap(([id, partitions]) => {
    const topic = image.topicsById.get(id)
    return topic === undefined ? [] : [{ topic: topic.name, partitions }]
  })
}
