/**
 * Runs the decisions about groups of the consumer protocol (KIP-848): what members say, the deadlines that this sets,
 * and what is decided when they are due. Nobody waits here: an answer is given once its records are written.
 *
 * Not here: groups whose members speak both protocols. A live group keeps the protocol that it has, as with
 * `group.consumer.migration.policy=disabled`; an empty one takes up that of who joins.
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
  type MemberDeadline,
} from '../domain/groups/consumer-decision.ts'
import { ConsumerGroup } from '../domain/groups/consumer-group.ts'
import { decideHeartbeat } from '../domain/groups/consumer-heartbeat.ts'
import { JOIN_EPOCH } from '../domain/groups/consumer-member.ts'
import { decideRegexes } from '../domain/groups/consumer-regex.ts'
import { decideLeave, decideRebalanceExpired, decideSessionExpired } from '../domain/groups/consumer-removal.ts'
import type { GroupRecord } from '../domain/groups/group-record.ts'
import type { GroupShard } from '../domain/groups/group-shard.ts'
import type { CompilePattern } from '../domain/groups/topic-pattern.ts'
import type { GroupCoordinator, GroupListener } from './group-coordinator.ts'
import type { Logger } from './ports/logger.ts'
import type { MetadataRepository } from './ports/metadata-repository.ts'

/** The coordinator itself could not decide or write. */
export interface Undecided {
  readonly error: KafkaError
  readonly message: null
}

/** A decision about a group that may begin or take the place of another with it. */
interface Decision<Answer> extends ConsumerGroupDecision<Answer> {
  readonly tombstones?: readonly GroupRecord[]
}

export class ConsumerGroups implements GroupListener {
  readonly #groups: GroupCoordinator
  readonly #metadata: MetadataRepository
  readonly #compilePattern: CompilePattern
  readonly #logger: Logger
  readonly #settings: (groupId: string) => ConsumerGroupSettings

  constructor(
    groups: GroupCoordinator,
    metadata: MetadataRepository,
    compilePattern: CompilePattern,
    logger: Logger,
    settings: (groupId: string) => ConsumerGroupSettings,
  ) {
    this.#groups = groups
    this.#metadata = metadata
    this.#compilePattern = compilePattern
    this.#logger = logger
    this.#settings = settings
    groups.listen(this)
  }

  settings(groupId: string): ConsumerGroupSettings {
    return this.#settings(groupId)
  }

  /** A member joins, stays or (with a negative epoch) leaves. */
  async heartbeat(heartbeat: ConsumerHeartbeat): Promise<HeartbeatAnswer | GroupRefusal | Undecided> {
    const { groupId, memberEpoch } = heartbeat
    const answer = this.#run(groupId, (shard, context) =>
      memberEpoch < 0 ? leave(shard, heartbeat, context) : joinOrStay(shard, heartbeat, context),
    )
    // Decided by now, whether it is written or not: what patterns stand for comes right behind it.
    this.#background(this.#refreshRegexes(groupId))
    return answer
  }

  loaded(shard: GroupShard): void {
    for (const { groupId } of shard.groups()) {
      const members = shard.consumerGroup(groupId)?.members.values() ?? []
      const { sessionTimeoutMs } = this.#settings(groupId)
      for (const { memberId, memberEpoch, state, rebalanceTimeoutMs } of members) {
        const deadlines: MemberDeadline[] = [{ kind: 'session', memberId, afterMs: sessionTimeoutMs }]
        if (state === 'UNREVOKED_PARTITIONS') {
          deadlines.push({ kind: 'rebalance', memberId, memberEpoch, afterMs: rebalanceTimeoutMs })
        }
        this.#expect(groupId, deadlines)
      }
    }
  }

  unloaded(): void {
    // The deadlines go with the groups; nothing else is kept here.
  }

  async #run<Answer>(
    groupId: string,
    decide: (shard: GroupShard, context: ConsumerGroupContext) => Decision<Answer>,
  ): Promise<Answer | GroupRefusal | Undecided> {
    const { error, answer } = await this.#groups.coordinator.run(groupId, (shard, nowMs) => {
      const { records, answer, deadlines, topicsSeen, tombstones = [] } = decide(shard, this.#context(groupId, nowMs))
      const enact = (after: GroupShard): void => {
        const group = after.consumerGroup(groupId)
        if (group !== null && topicsSeen !== null) group.topicsSeen = topicsSeen
        this.#expect(groupId, deadlines)
      }
      return { records: [...tombstones, ...records], answer, enact }
    })
    return error === null ? answer : { error, message: null }
  }

  async #refreshRegexes(groupId: string): Promise<void> {
    await this.#groups.coordinator.run(groupId, (shard, nowMs) => {
      const group = shard.consumerGroup(groupId)
      if (group === null) return { records: [], answer: null }
      const context = this.#context(groupId, nowMs)
      const { records, refreshed } = decideRegexes(group, context)
      const enact = (): void => {
        if (refreshed) group.regexesSeen = { topics: context.image.topicsByName, atMs: nowMs }
      }
      return { records, answer: null, enact }
    })
  }

  #context(groupId: string, nowMs: bigint): ConsumerGroupContext {
    const image = this.#metadata.image()
    return { image, nowMs, settings: this.#settings(groupId), compilePattern: this.#compilePattern }
  }

  #expect(groupId: string, deadlines: readonly MemberDeadline[]): void {
    for (const deadline of deadlines) {
      const key = `${deadline.kind}:${deadline.memberId}`
      if (deadline.afterMs === null) {
        this.#groups.deadlines.cancel(groupId, key)
      } else {
        this.#groups.deadlines.set(groupId, key, Math.max(0, deadline.afterMs), () => {
          this.#background(this.#expire(groupId, deadline))
        })
      }
    }
  }

  async #expire(groupId: string, deadline: MemberDeadline): Promise<void> {
    const { kind, memberId } = deadline
    await this.#run(groupId, (shard, context) => {
      const group = shard.consumerGroup(groupId)
      if (group === null) return nothing
      const decision =
        kind === 'session'
          ? decideSessionExpired(group, memberId, context)
          : decideRebalanceExpired(group, memberId, deadline.memberEpoch, context)
      if (decision.records.length > 0) this.#logger.info('consumer group member removed', { groupId, memberId, kind })
      return decision
    })
  }

  #background(work: Promise<unknown>): void {
    work.catch((cause: unknown) => this.#logger.error('consumer group decision failed', { cause }))
  }
}

const nothing: ConsumerGroupDecision<null> = { records: [], answer: null, deadlines: [], topicsSeen: null }

function joinOrStay(
  shard: GroupShard,
  heartbeat: ConsumerHeartbeat,
  context: ConsumerGroupContext,
): Decision<HeartbeatAnswer> {
  const { groupId, memberEpoch } = heartbeat
  const group = shard.group(groupId)
  if (group instanceof ConsumerGroup) return decideHeartbeat(group, heartbeat, context)
  if (memberEpoch !== JOIN_EPOCH && group === null) {
    return refuse('GROUP_ID_NOT_FOUND', `Consumer group ${groupId} not found.`)
  }
  // A classic group that nobody is in makes room; its offsets stay.
  const replaceable = group === null || (group.type === 'classic' && group.isEmpty)
  if (memberEpoch !== JOIN_EPOCH || !replaceable) return notAConsumerGroup(groupId)
  const decision = decideHeartbeat(new ConsumerGroup(groupId), heartbeat, context)
  if (group === null || decision.records.length === 0) return decision
  return { ...decision, tombstones: group.tombstones() }
}

function leave(
  shard: GroupShard,
  heartbeat: ConsumerHeartbeat,
  context: ConsumerGroupContext,
): Decision<HeartbeatAnswer> {
  const { groupId } = heartbeat
  const group = shard.group(groupId)
  if (group instanceof ConsumerGroup) return decideLeave(group, heartbeat, context)
  return group === null ? refuse('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`) : notAConsumerGroup(groupId)
}

function notAConsumerGroup(groupId: string): ConsumerGroupDecision<never> {
  return refuse('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a consumer group.`)
}
