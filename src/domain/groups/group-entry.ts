/**
 * A ConsumerGroupHeartbeat finds its group: there is none yet, one of the consumer protocol, or a classic one that
 * changes its protocol for it if it may.
 */
import type { ClassicGroup } from './classic-group.ts'
import {
  refuse,
  type ConsumerGroupContext,
  type ConsumerGroupDecision,
  type ConsumerHeartbeat,
  type HeartbeatAnswer,
} from './consumer-decision.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { decideHeartbeat } from './consumer-heartbeat.ts'
import { JOIN_EPOCH } from './consumer-member.ts'
import { decideLeave } from './consumer-removal.ts'
import type { GroupShard } from './group-shard.ts'
import { decideUpgrade } from './group-upgrade.ts'

export function decideConsumerHeartbeat(
  shard: GroupShard,
  heartbeat: ConsumerHeartbeat,
  context: ConsumerGroupContext,
): ConsumerGroupDecision<HeartbeatAnswer> {
  return heartbeat.memberEpoch < 0 ? leave(shard, heartbeat, context) : joinOrStay(shard, heartbeat, context)
}

function joinOrStay(
  shard: GroupShard,
  heartbeat: ConsumerHeartbeat,
  context: ConsumerGroupContext,
): ConsumerGroupDecision<HeartbeatAnswer> {
  const { groupId, memberEpoch } = heartbeat
  const group = shard.group(groupId)
  if (group instanceof ConsumerGroup) return decideHeartbeat(group, heartbeat, context)
  if (group === null) {
    return memberEpoch === JOIN_EPOCH
      ? decideHeartbeat(new ConsumerGroup(groupId), heartbeat, context)
      : refuse('GROUP_ID_NOT_FOUND', `Consumer group ${groupId} not found.`)
  }
  const classic = shard.classicGroup(groupId)
  if (memberEpoch !== JOIN_EPOCH || classic === null) return notAConsumerGroup(groupId)
  return classic.isEmpty ? takeOver(classic, heartbeat, context) : upgrade(classic, heartbeat, context)
}

/** A classic group that nobody is in makes room; its offsets stay. */
function takeOver(
  classic: ClassicGroup,
  heartbeat: ConsumerHeartbeat,
  context: ConsumerGroupContext,
): ConsumerGroupDecision<HeartbeatAnswer> {
  const decision = decideHeartbeat(new ConsumerGroup(classic.groupId), heartbeat, context)
  if (decision.answer.error !== null) return decision
  return { ...decision, records: [...classic.tombstones(), ...decision.records] }
}

/** The members of the classic group are in the new one, and this one joins them. */
function upgrade(
  classic: ClassicGroup,
  heartbeat: ConsumerHeartbeat,
  context: ConsumerGroupContext,
): ConsumerGroupDecision<HeartbeatAnswer> {
  const upgraded = decideUpgrade(classic, context)
  if ('error' in upgraded) return refuse(upgraded.error, upgraded.message)
  const decision = decideHeartbeat(upgraded.group, heartbeat, context)
  if (decision.answer.error !== null) return decision
  return {
    ...decision,
    records: [...upgraded.records, ...decision.records],
    deadlines: [...upgraded.deadlines, ...decision.deadlines],
    conversion: { to: 'consumer', replies: upgraded.replies },
  }
}

function leave(
  shard: GroupShard,
  heartbeat: ConsumerHeartbeat,
  context: ConsumerGroupContext,
): ConsumerGroupDecision<HeartbeatAnswer> {
  const { groupId } = heartbeat
  const group = shard.group(groupId)
  if (group instanceof ConsumerGroup) return decideLeave(group, heartbeat, context)
  return group === null ? refuse('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`) : notAConsumerGroup(groupId)
}

function notAConsumerGroup(groupId: string): ConsumerGroupDecision<never> {
  return refuse('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a consumer group.`)
}
