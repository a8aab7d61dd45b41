/**
 * Runs the decisions about groups of either protocol: records are appended, what goes beyond them (the state of classic
 * groups, deadlines, what was seen of topics) is enacted, waiting requests are answered once everything is written, and
 * what is due is decided about. A group may change its protocol with any decision (KIP-848).
 */
import type { KafkaError } from '../domain/errors.ts'
import type { ClassicDecision, ClassicReply, ClassicRules, DeadlineChange } from '../domain/groups/classic-decision.ts'
import type { ClassicGroup, Ticket } from '../domain/groups/classic-group.ts'
import { decideDue, deadlinesOnLoad, shrinkOnLoad } from '../domain/groups/classic-membership.ts'
import {
  deadlinesAfterLoad,
  type ConsumerGroupContext,
  type ConsumerGroupDecision,
  type ConsumerGroupSettings,
  type GroupRefusal,
  type MemberDeadline,
} from '../domain/groups/consumer-decision.ts'
import { decideRebalanceExpired, decideSessionExpired } from '../domain/groups/consumer-removal.ts'
import type { GroupRecord } from '../domain/groups/group-record.ts'
import type { GroupShard } from '../domain/groups/group-shard.ts'
import type { CompilePattern } from '../domain/groups/topic-pattern.ts'
import type { GroupCoordinator, GroupListener } from './group-coordinator.ts'
import { ParkedRequests } from './parked-requests.ts'
import type { Logger } from './ports/logger.ts'
import type { MetadataRepository } from './ports/metadata-repository.ts'

/** What any decision about a group comes to. */
export interface GroupOutcome<Answer> {
  readonly records: readonly GroupRecord[]
  readonly answer: Answer
  /** To requests that wait, the one being decided about included. */
  readonly replies?: readonly ClassicReply[]
  readonly enact?: (shard: GroupShard) => void
}

export interface GroupRules {
  readonly classic: () => ClassicRules
  readonly consumer: (groupId: string) => ConsumerGroupSettings
}

export type Ran<Answer> =
  { readonly error: null; readonly answer: Answer } | { readonly error: KafkaError; readonly answer?: undefined }

export class GroupRunner implements GroupListener {
  readonly parked = new ParkedRequests()
  readonly rules: GroupRules
  readonly #groups: GroupCoordinator
  readonly #metadata: MetadataRepository
  readonly #compilePattern: CompilePattern
  readonly #logger: Logger

  constructor(
    groups: GroupCoordinator,
    metadata: MetadataRepository,
    compilePattern: CompilePattern,
    logger: Logger,
    rules: GroupRules,
  ) {
    this.#groups = groups
    this.#metadata = metadata
    this.#compilePattern = compilePattern
    this.#logger = logger
    this.rules = rules
    groups.listen(this)
  }

  /** What decisions about a consumer group see. */
  context(groupId: string, nowMs: bigint): ConsumerGroupContext {
    return {
      image: this.#metadata.image(),
      nowMs,
      settings: this.rules.consumer(groupId),
      compilePattern: this.#compilePattern,
      classicRules: this.rules.classic(),
    }
  }

  /** Decides, and answers who is to be answered; `ticket` waits for this decision and fails with it. */
  async run<Answer>(
    groupId: string,
    ticket: Ticket | null,
    decide: (shard: GroupShard, nowMs: bigint) => GroupOutcome<Answer>,
  ): Promise<Ran<Answer>> {
    let replies: readonly ClassicReply[] = []
    let ran: Ran<Answer> = { error: 'UNKNOWN_SERVER_ERROR' }
    try {
      ran = await this.#groups.coordinator.run(groupId, (shard, nowMs) => {
        const outcome = decide(shard, nowMs)
        replies = outcome.replies ?? []
        return outcome
      })
    } catch (cause) {
      this.#logger.error('group decision failed', { groupId, cause })
    }
    for (const reply of replies) {
      if (ran.error === null) this.parked.answer(reply)
      else this.parked.fail(reply.ticket, ran.error)
    }
    if (ran.error !== null && ticket !== null) this.parked.fail(ticket, ran.error)
    return ran
  }

  ofClassic(groupId: string, decision: ClassicDecision): GroupOutcome<null> {
    const { group, records, replies, deadlines, rebalance } = decision
    const enact = (shard: GroupShard): void => {
      shard.place(group)
      this.expect(groupId, deadlines)
      if (rebalance !== null) this.#report(group, rebalance)
    }
    return { records, answer: null, replies, enact }
  }

  ofConsumer<Answer>(groupId: string, decision: ConsumerGroupDecision<Answer>): GroupOutcome<Answer | GroupRefusal> {
    const { records, answer, deadlines, topicsSeen, conversion } = decision
    const enact = (shard: GroupShard): void => {
      if (conversion !== undefined) this.#groups.deadlines.drop(groupId)
      if (conversion?.to === 'classic') {
        shard.place(conversion.group)
        this.expect(groupId, conversion.deadlines)
        if (conversion.rebalance !== null) this.#report(conversion.group, conversion.rebalance)
      }
      const group = shard.consumerGroup(groupId)
      if (group !== null && topicsSeen !== null) group.topicsSeen = topicsSeen
      this.expectMembers(groupId, deadlines)
      if (conversion !== undefined) this.#logger.info('group protocol changed', { groupId, to: conversion.to })
    }
    return { records, answer, enact, replies: conversion?.to === 'consumer' ? conversion.replies : [] }
  }

  loaded(shard: GroupShard): void {
    for (const { groupId } of [...shard.groups()]) {
      const consumer = shard.consumerGroup(groupId)
      if (consumer !== null) {
        const { sessionTimeoutMs } = this.rules.consumer(groupId)
        this.expectMembers(groupId, deadlinesAfterLoad(consumer, sessionTimeoutMs))
      }
      const classic = shard.classicGroup(groupId)
      if (classic === null || classic.isEmpty) continue
      this.expect(groupId, deadlinesOnLoad(classic))
      const rules = this.rules.classic()
      if (classic.members.size > rules.groupMaxSize) {
        void this.run(groupId, null, (_, nowMs) => this.ofClassic(groupId, shrinkOnLoad(classic, rules, nowMs)))
      }
    }
  }

  unloaded(shard: GroupShard): void {
    for (const { groupId } of shard.groups()) {
      for (const { joining, syncing } of shard.classicGroup(groupId)?.members.values() ?? []) {
        if (joining !== null) this.parked.fail(joining, 'NOT_COORDINATOR')
        if (syncing !== null) this.parked.fail(syncing, 'NOT_COORDINATOR')
      }
    }
  }

  /** Sets the deadlines of a classic group as decided. */
  expect(groupId: string, changes: readonly DeadlineChange[]): void {
    const { deadlines } = this.#groups
    for (const { key, set } of changes) {
      if (set === null) deadlines.cancel(groupId, key)
      else deadlines.set(groupId, key, set.afterMs, () => void this.#due(groupId, set.due))
    }
  }

  /** Sets the deadlines of members of a consumer group as decided. */
  expectMembers(groupId: string, changes: readonly MemberDeadline[]): void {
    const { deadlines } = this.#groups
    for (const deadline of changes) {
      const { kind, memberId, afterMs } = deadline
      const key = `${kind}:${memberId}`
      if (afterMs === null) deadlines.cancel(groupId, key)
      // Being told again to join does not give a member more time.
      else if (kind !== 'join' || !deadlines.has(groupId, key)) {
        deadlines.set(groupId, key, Math.max(0, afterMs), () => void this.#expire(groupId, deadline))
      }
    }
  }

  async #due(groupId: string, due: NonNullable<DeadlineChange['set']>['due']): Promise<void> {
    await this.run(groupId, null, (shard, nowMs) => {
      const group = shard.classicGroup(groupId)
      const decision = group === null ? null : decideDue(group, due, this.rules.classic(), nowMs)
      return decision === null ? nothing : this.ofClassic(groupId, decision)
    })
  }

  async #expire(groupId: string, deadline: MemberDeadline): Promise<void> {
    const { memberId } = deadline
    await this.run(groupId, null, (shard, nowMs) => {
      const group = shard.consumerGroup(groupId)
      if (group === null) return nothing
      const context = this.context(groupId, nowMs)
      const decision =
        deadline.kind === 'rebalance'
          ? decideRebalanceExpired(group, memberId, deadline.memberEpoch, context)
          : decideSessionExpired(group, memberId, context)
      const why = reasons[deadline.kind]
      if (decision.records.length > 0) this.#logger.info('group member removed', { groupId, memberId, reason: why })
      return this.ofConsumer<null>(groupId, decision)
    })
  }

  #report({ groupId, generation, members }: ClassicGroup, reason: string): void {
    this.#logger.info('group rebalance', { groupId, generation, members: members.size, reason })
  }
}

const nothing: GroupOutcome<null> = { records: [], answer: null }

const reasons: Readonly<Record<MemberDeadline['kind'], string>> = {
  session: 'no heartbeat within its session timeout',
  rebalance: 'it did not revoke in time',
  join: 'it did not join again in time',
  sync: 'it did not ask for its assignment in time',
}
