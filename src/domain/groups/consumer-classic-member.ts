/**
 * SyncGroup, Heartbeat and LeaveGroup of members that speak the classic protocol in a group of the consumer protocol
 * (KIP-848): generations are member epochs, and who must rejoin is told REBALANCE_IN_PROGRESS. As observed on 4.3.1,
 * LeaveGroup removes members of either protocol.
 */
import type { ClusterImage } from '../cluster/cluster-image.ts'
import { syncError, type SyncAnswer } from './classic-decision.ts'
import type { HeartbeatCommand, LeavingMember, LeftMember } from './classic-membership.ts'
import type { SyncCommand } from './classic-sync.ts'
import type { ConsumerGroupContext, ConsumerGroupDecision, MemberDeadline } from './consumer-decision.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ClassicMetadata, ConsumerMember } from './consumer-member.ts'
import { assignmentBytes, CONSUMER_PROTOCOL_TYPE } from './consumer-protocol.ts'
import { decideRemoval } from './consumer-removal.ts'
import type { ErrorName, KafkaError } from '../errors.ts'

type ClassicMember = ConsumerMember & { readonly classicMemberMetadata: ClassicMetadata }

export function decideClassicSync(
  group: ConsumerGroup,
  command: SyncCommand,
  image: ClusterImage,
): { readonly answer: SyncAnswer; readonly deadlines: readonly MemberDeadline[] } {
  const refused = (error: KafkaError, deadlines: readonly MemberDeadline[] = []) => ({
    answer: syncError(error),
    deadlines,
  })
  const member = classicMember(group, command)
  if (typeof member === 'string') return refused(member)
  const { memberId, memberEpoch, classicMemberMetadata } = member
  const first = classicMemberMetadata.supportedProtocols[0]!
  if (differs(command.protocolType, CONSUMER_PROTOCOL_TYPE) || differs(command.protocol, first.name)) {
    return refused('INCONSISTENT_GROUP_PROTOCOL')
  }
  if (group.assignmentEpoch > memberEpoch && member.state !== 'UNREVOKED_PARTITIONS') {
    return refused('REBALANCE_IN_PROGRESS', [mustJoin(member)])
  }
  const { protocolType, protocol } = command
  const assignment = assignmentBytes(namedPartitions(member, image), first.metadata)
  return {
    answer: { error: 'NONE', protocolType, protocol, assignment },
    deadlines: [{ kind: 'sync', memberId, afterMs: null }, sessionOf(member)],
  }
}

export function decideClassicHeartbeat(
  group: ConsumerGroup,
  command: HeartbeatCommand,
): { readonly error: ErrorName; readonly deadlines: readonly MemberDeadline[] } {
  const member = classicMember(group, command)
  if (typeof member === 'string') return { error: member, deadlines: [] }
  const mustRejoin =
    member.memberEpoch < group.assignmentEpoch ||
    member.state === 'UNREVOKED_PARTITIONS' ||
    (member.state === 'UNRELEASED_PARTITIONS' && !waitsForOthers(group, member))
  return mustRejoin
    ? { error: 'REBALANCE_IN_PROGRESS', deadlines: [sessionOf(member), mustJoin(member)] }
    : { error: 'NONE', deadlines: [sessionOf(member)] }
}

export function decideClassicLeave(
  group: ConsumerGroup,
  leaving: readonly LeavingMember[],
  context: ConsumerGroupContext,
): ConsumerGroupDecision<null> & { readonly left: readonly LeftMember[] } {
  const gone = new Map<string, ConsumerMember>()
  const left = leaving.map(({ memberId, groupInstanceId }): LeftMember => {
    const member = memberOf(group, memberId, groupInstanceId, true)
    if (typeof member === 'string') return { memberId, groupInstanceId, error: member }
    gone.set(member.memberId, member)
    return { memberId, groupInstanceId, error: 'NONE' }
  })
  return { ...decideRemoval(group, [...gone.values()], context), left }
}

/** The member, if it speaks the classic protocol and is of this generation. */
function classicMember(
  group: ConsumerGroup,
  { memberId, groupInstanceId, generation }: HeartbeatCommand,
): ClassicMember | KafkaError {
  const member = memberOf(group, memberId, groupInstanceId, false)
  if (typeof member === 'string') return member
  const { classicMemberMetadata } = member
  if (classicMemberMetadata === null) return 'UNKNOWN_MEMBER_ID'
  return generation === member.memberEpoch ? { ...member, classicMemberMetadata } : 'ILLEGAL_GENERATION'
}

/** `byInstance`: without a member id, whoever has the instance (as admins remove members). */
function memberOf(
  group: ConsumerGroup,
  memberId: string,
  instanceId: string | null,
  byInstance: boolean,
): ConsumerMember | KafkaError {
  if (instanceId === null) return group.members.get(memberId) ?? 'UNKNOWN_MEMBER_ID'
  const member = group.staticMember(instanceId)
  if (member === null) return 'UNKNOWN_MEMBER_ID'
  return member.memberId === memberId || (byInstance && memberId === '') ? member : 'FENCED_INSTANCE_ID'
}

/** Whether somebody still holds something that the member is to get. */
function waitsForOthers(group: ConsumerGroup, { memberId, assigned }: ConsumerMember): boolean {
  for (const [topic, partitions] of group.target(memberId)) {
    for (const partition of partitions) {
      if (assigned.get(topic)?.has(partition) !== true && group.ownerOf(topic, partition) !== undefined) return true
    }
  }
  return false
}

function sessionOf({ memberId, classicMemberMetadata }: ClassicMember): MemberDeadline {
  return { kind: 'session', memberId, afterMs: classicMemberMetadata.sessionTimeoutMs }
}

function mustJoin({ memberId, rebalanceTimeoutMs }: ConsumerMember): MemberDeadline {
  return { kind: 'join', memberId, afterMs: rebalanceTimeoutMs }
}

function namedPartitions({ assigned }: ConsumerMember, image: ClusterImage) {
  return [...assigned].flatMap(([id, partitions]) => {
    const topic = image.topicsById.get(id)
    return topic === undefined ? [] : [{ topic: topic.name, partitions: [...partitions.keys()].sort((a, b) => a - b) }]
  })
}

function differs(said: string | null, is: string): boolean {
  return said !== null && said !== is
}
