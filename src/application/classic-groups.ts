/**
 * What members of the classic protocol ask of their group, be it a classic group or one of the consumer protocol that
 * they are in (KIP-848). Requests that wait are answered when the records behind the answer are written.
 */
import type { ErrorName, KafkaError } from '../domain/errors.ts'
import {
  joinError,
  syncError,
  type DeadlineChange,
  type JoinAnswer,
  type SyncAnswer,
} from '../domain/groups/classic-decision.ts'
import type { Ticket } from '../domain/groups/classic-group.ts'
import {
  decideHeartbeat,
  decideLeave,
  type HeartbeatCommand,
  type LeavingMember,
  type LeftMember,
} from '../domain/groups/classic-membership.ts'
import { decideJoin, refuseJoin, type JoinCommand } from '../domain/groups/classic-join.ts'
import { decideSync, type SyncCommand } from '../domain/groups/classic-sync.ts'
import { decideClassicJoin } from '../domain/groups/consumer-classic-join.ts'
import {
  decideClassicHeartbeat,
  decideClassicLeave,
  decideClassicSync,
} from '../domain/groups/consumer-classic-member.ts'
import type { ConsumerGroup } from '../domain/groups/consumer-group.ts'
import type { GroupShard } from '../domain/groups/group-shard.ts'
import type { GroupOutcome, GroupRunner } from './group-runner.ts'

export class ClassicGroups {
  readonly #runner: GroupRunner

  constructor(runner: GroupRunner) {
    this.#runner = runner
  }

  async join(command: Omit<JoinCommand, 'ticket'>): Promise<JoinAnswer> {
    const { groupId, memberId } = command
    const { parked, rules } = this.#runner
    const answer = await parked.park((ticket) => {
      const whole = { ...command, ticket }
      const refused = refuseJoin(whole, rules.classic())
      if (refused !== null) parked.answer({ ticket, join: joinError(refused, memberId) })
      else void this.#runner.run(groupId, ticket, (shard, nowMs) => this.#join(shard, whole, nowMs))
    })
    if ('join' in answer) return answer.join
    return joinError('error' in answer ? answer.error : 'UNKNOWN_SERVER_ERROR', memberId)
  }

  async sync(command: Omit<SyncCommand, 'ticket'>): Promise<SyncAnswer> {
    const { groupId } = command
    if (groupId === '') return syncError('INVALID_GROUP_ID')
    const answer = await this.#runner.parked.park((ticket) => {
      void this.#runner.run(groupId, ticket, (shard, nowMs) => this.#sync(shard, { ...command, ticket }, nowMs))
    })
    if ('sync' in answer) return answer.sync
    return syncError('error' in answer ? answer.error : 'UNKNOWN_SERVER_ERROR')
  }

  async heartbeat(command: HeartbeatCommand): Promise<ErrorName> {
    const { groupId } = command
    if (groupId === '') return 'INVALID_GROUP_ID'
    const { error, answer } = await this.#runner.run<ErrorName>(groupId, null, (shard) => {
      const consumer = shard.consumerGroup(groupId)
      if (consumer !== null) {
        const { error, deadlines } = decideClassicHeartbeat(consumer, command)
        return { records: [], answer: error, enact: () => this.#runner.expectMembers(groupId, deadlines) }
      }
      const group = shard.classicGroup(groupId)
      if (group === null) return { records: [], answer: 'UNKNOWN_MEMBER_ID' }
      const { error, deadlines } = decideHeartbeat(group, command)
      return { records: [], answer: error, enact: () => this.expect(groupId, deadlines) }
    })
    return error ?? answer
  }

  async leave(groupId: string, members: readonly LeavingMember[]): Promise<readonly LeftMember[] | KafkaError> {
    if (groupId === '') return 'INVALID_GROUP_ID'
    const { error, answer } = await this.#runner.run(groupId, null, (shard, nowMs) =>
      this.#leave(shard, groupId, members, nowMs),
    )
    return error ?? answer
  }

  /** Sets deadlines of a classic group as decided. */
  expect(groupId: string, changes: readonly DeadlineChange[]): void {
    this.#runner.expect(groupId, changes)
  }

  #join(shard: GroupShard, command: JoinCommand, nowMs: bigint): GroupOutcome<unknown> {
    const { groupId, ticket } = command
    const group = shard.group(groupId)
    const classic = shard.classicGroup(groupId)
    const consumer = shard.consumerGroup(groupId)
    if (consumer !== null && !consumer.isEmpty) return this.#joinConsumer(consumer, command, nowMs)
    if (group !== null && classic === null && !group.isEmpty) {
      return replying({ ticket, join: joinError('INCONSISTENT_GROUP_PROTOCOL', '') })
    }
    const decided = decideJoin(classic, command, this.#runner.rules.classic(), nowMs)
    if (!('group' in decided)) return replying({ ticket, join: decided })
    const outcome = this.#runner.ofClassic(groupId, decided)
    // An empty group of another type gives its id up.
    return classic === group ? outcome : { ...outcome, records: [...group!.tombstones(), ...outcome.records] }
  }

  #joinConsumer(group: ConsumerGroup, command: JoinCommand, nowMs: bigint): GroupOutcome<unknown> {
    const { groupId, ticket } = command
    const outcome = this.#runner.ofConsumer(
      groupId,
      decideClassicJoin(group, command, this.#runner.context(groupId, nowMs)),
    )
    const { answer } = outcome
    return { ...outcome, replies: [{ ticket, join: 'generation' in answer ? answer : joinError(answer.error, '') }] }
  }

  #sync(shard: GroupShard, command: SyncCommand, nowMs: bigint): GroupOutcome<unknown> {
    const { groupId, ticket } = command
    const consumer = shard.consumerGroup(groupId)
    if (consumer !== null) {
      const { image } = this.#runner.context(groupId, nowMs)
      const { answer, deadlines } = decideClassicSync(consumer, command, image)
      return {
        ...replying({ ticket, sync: answer }),
        enact: () => this.#runner.expectMembers(groupId, deadlines),
      }
    }
    const group = shard.classicGroup(groupId)
    if (group === null) return replying({ ticket, sync: syncError('UNKNOWN_MEMBER_ID') })
    return this.#runner.ofClassic(groupId, decideSync(group, command, nowMs))
  }

  #leave(
    shard: GroupShard,
    groupId: string,
    members: readonly LeavingMember[],
    nowMs: bigint,
  ): GroupOutcome<readonly LeftMember[]> {
    const consumer = shard.consumerGroup(groupId)
    if (consumer !== null) {
      const decision = decideClassicLeave(consumer, members, this.#runner.context(groupId, nowMs))
      return { ...this.#runner.ofConsumer(groupId, decision), answer: decision.left }
    }
    const group = shard.classicGroup(groupId)
    if (group === null) {
      const unknown = members.map(({ memberId, groupInstanceId }): LeftMember => ({
        memberId,
        groupInstanceId,
        error: 'UNKNOWN_MEMBER_ID',
      }))
      return { records: [], answer: unknown }
    }
    const decision = decideLeave(group, members, this.#runner.rules.classic(), nowMs)
    return { ...this.#runner.ofClassic(groupId, decision), answer: decision.left }
  }
}

/** A decision that is just its answer. */
function replying(
  reply:
    { readonly ticket: Ticket; readonly join: JoinAnswer } | { readonly ticket: Ticket; readonly sync: SyncAnswer },
): GroupOutcome<null> {
  return { records: [], answer: null, replies: [reply] }
}
