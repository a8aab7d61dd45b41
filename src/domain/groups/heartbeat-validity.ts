/**
 * What is wrong with a ConsumerGroupHeartbeat in itself, before any group is looked at; texts as observed on 4.3.1.
 */
import type { ConsumerHeartbeat, GroupRefusal } from './consumer-decision.ts'
import { JOIN_EPOCH, LEAVE_EPOCH, STATIC_LEAVE_EPOCH } from './consumer-member.ts'

/** `mayLackMemberId`: version 0 lets the coordinator make the id of a member that joins, and asks for it only of some. */
export function refuseHeartbeat(
  heartbeat: ConsumerHeartbeat,
  assignors: readonly string[],
  mayLackMemberId: boolean,
): GroupRefusal | null {
  const invalid = invalidity(heartbeat, mayLackMemberId)
  if (invalid !== null) return { error: 'INVALID_REQUEST', message: invalid }
  const { serverAssignor } = heartbeat
  if (serverAssignor === null || assignors.includes(serverAssignor)) return null
  const message = `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${assignors.join(', ')}.`
  return { error: 'UNSUPPORTED_ASSIGNOR', message }
}

function invalidity(heartbeat: ConsumerHeartbeat, mayLackMemberId: boolean): string | null {
  const { groupId, memberId, memberEpoch, instanceId, rackId } = heartbeat
  const needsMemberId = !mayLackMemberId || memberEpoch > JOIN_EPOCH || memberEpoch === LEAVE_EPOCH
  if (memberId === '' && needsMemberId) return "MemberId can't be empty."
  if (groupId === '') return "GroupId can't be empty."
  if (instanceId === '') return "InstanceId can't be empty."
  if (rackId === '') return "RackId can't be empty."
  if (memberEpoch === JOIN_EPOCH) return invalidJoin(heartbeat)
  if (memberEpoch === STATIC_LEAVE_EPOCH) return instanceId === null ? "InstanceId can't be null." : null
  return memberEpoch < LEAVE_EPOCH ? 'MemberEpoch is invalid.' : null
}

function invalidJoin(heartbeat: ConsumerHeartbeat): string | null {
  if (heartbeat.rebalanceTimeoutMs === -1) return 'RebalanceTimeoutMs must be provided in first request.'
  if (heartbeat.owned?.length !== 0) return 'TopicPartitions must be empty when (re-)joining.'
  if (heartbeat.subscribedTopicNames === null && heartbeat.subscribedTopicRegex === null) {
    return 'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.'
  }
  return null
}
