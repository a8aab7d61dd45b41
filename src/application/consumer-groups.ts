/**
 * What members of the consumer protocol (KIP-848) say to their groups. Nobody waits here: an answer is given once its
 * records are written. A classic group takes up the protocol of who joins it, with its members in it if
 * `group.consumer.migration.policy` allows that.
 */
import type { KafkaError } from '../domain/errors.ts'
import {
  refuse,
  type ConsumerGroupContext,
  type ConsumerGroupDecision,
  type ConsumerGroupSettings,
  type ConsumerHeartbeat,
  type GroupRefusal,
  type HeartbeatAnswer,
} from '../domain/groups/consumer-decision.ts'
import { ConsumerGroup } from '../domain/groups/consumer-group.ts'
import { decideHeartbeat } from '../domain/groups/consumer-heartbeat.ts'
import { JOIN_EPOCH } from '../domain/groups/consumer-member.ts'
import { decideRegexes } from '../domain/groups/consumer-regex.ts'
import { decideLeave } from '../domain/groups/consumer-removal.ts'
import type { ClassicGroup } from '../domain/groups/classic-group.ts'
import type { GroupShard } from '../domain/groups/group-shard.ts'
import { decideUpgrade } from '../domain/groups/group-upgrade.ts'
import type { GroupRunner } from './group-runner.ts'

/** The coordinator itself could not decide or write. */
export interface Undecided {
  readonly error: KafkaError
  readonly message: null
}

export class ConsumerGroups {
  readonly #runner: GroupRunner

  constructor(runner: GroupRunner) {
    this.#runner = runner
  }

  settings(groupId: string): ConsumerGroupSettings {
    return this.#runner.rules.consumer(groupId)
  }

  /** A member joins, stays or (with a negative epoch) leaves. */
  async heartbeat(heartbeat: ConsumerHeartbeat): Promise<HeartbeatAnswer | GroupRefusal | Undecided> {
    const { groupId, memberEpoch } = heartbeat
    const ran = this.#runner.run(groupId, null, (shard, nowMs) => {
      const context = this.#runner.context(groupId, nowMs)
      const decision = memberEpoch < 0 ? leave(shard, heartbeat, context) : joinOrStay(shard, heartbeat, context)
      return this.#runner.ofConsumer(groupId, decision)
    })
    // Decided by now, whether it is written or not: what patterns stand for comes right behind it.
    void this.#refreshRegexes(groupId)
    const { error, answer } = await ran
    return error === null ? answer : { error, message: null }
  }

  async #refreshRegexes(groupId: string): Promise<void> {
    await this.#runner.run(groupId, null, (shard, nowMs) => {
      const group = shard.consumerGroup(groupId)
      if (group === null) return { records: [], answer: null }
      const context = this.#runner.context(groupId, nowMs)
      const { records, refreshed } = decideRegexes(group, context)
      const enact = (): void => {
        if (refreshed) group.regexesSeen = { topics: context.image.topicsByName, atMs: nowMs }
      }
      return { records, answer: null, enact }
    })
  }
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
