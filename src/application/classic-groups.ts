/**
 * Runs the decisions about classic groups: requests that wait are parked here under their tickets, answered when the
 * records behind the answer are written; deadlines are set as decided and decided about when they are due.
 */
import type { ErrorName, KafkaError } from '../domain/errors.ts'
import type { ClassicGroup, Ticket } from '../domain/groups/classic-group.ts'
import {
  joinError,
  syncError,
  type ClassicDecision,
  type ClassicReply,
  type ClassicRules,
  type DeadlineChange,
  type JoinAnswer,
  type SyncAnswer,
} from '../domain/groups/classic-decision.ts'
import {
  decideDue,
  decideHeartbeat,
  decideLeave,
  deadlinesOnLoad,
  shrinkOnLoad,
  type HeartbeatCommand,
  type LeavingMember,
  type LeftMember,
} from '../domain/groups/classic-membership.ts'
import { decideJoin, refuseJoin, type JoinCommand } from '../domain/groups/classic-join.ts'
import { decideSync, type SyncCommand } from '../domain/groups/classic-sync.ts'
import type { GroupRecord } from '../domain/groups/group-record.ts'
import type { GroupShard } from '../domain/groups/group-shard.ts'
import type { CoordinatorDecision } from './coordinator.ts'
import type { GroupCoordinator, GroupListener } from './group-coordinator.ts'
import type { Logger } from './ports/logger.ts'

type ParkedAnswer = { readonly join: JoinAnswer } | { readonly sync: SyncAnswer } | { readonly error: KafkaError }

export class ClassicGroups implements GroupListener {
  readonly #groups: GroupCoordinator
  readonly #logger: Logger
  readonly #rules: () => ClassicRules
  readonly #parked = new Map<Ticket, (answer: ParkedAnswer) => void>()
  #tickets = 0

  constructor(groups: GroupCoordinator, logger: Logger, rules: () => ClassicRules) {
    this.#groups = groups
    this.#logger = logger
    this.#rules = rules
    groups.listen(this)
  }

  async join(command: Omit<JoinCommand, 'ticket'>): Promise<JoinAnswer> {
    const { groupId, memberId } = command
    const rules = this.#rules()
    const answer = await this.#park((ticket) => {
      const whole = { ...command, ticket }
      const refused = refuseJoin(whole, rules)
      if (refused !== null) this.#answer({ ticket, join: joinError(refused, memberId) })
      else void this.#run(groupId, ticket, (shard, nowMs) => join(shard, whole, rules, nowMs))
    })
    if ('join' in answer) return answer.join
    return joinError('error' in answer ? answer.error : 'UNKNOWN_SERVER_ERROR', memberId)
  }

  async sync(command: Omit<SyncCommand, 'ticket'>): Promise<SyncAnswer> {
    const { groupId } = command
    if (groupId === '') return syncError('INVALID_GROUP_ID')
    const answer = await this.#park((ticket) => {
      void this.#run(groupId, ticket, (shard, nowMs) => {
        const group = shard.classicGroup(groupId)
        if (group !== null) return decideSync(group, { ...command, ticket }, nowMs)
        return [{ ticket, sync: syncError('UNKNOWN_MEMBER_ID') }]
      })
    })
    if ('sync' in answer) return answer.sync
    return syncError('error' in answer ? answer.error : 'UNKNOWN_SERVER_ERROR')
  }

  async heartbeat(command: HeartbeatCommand): Promise<ErrorName> {
    const { groupId } = command
    if (groupId === '') return 'INVALID_GROUP_ID'
    const { error, answer } = await this.#groups.coordinator.run<ErrorName>(groupId, (shard) => {
      const group = shard.classicGroup(groupId)
      if (group === null) return { records: [], answer: 'UNKNOWN_MEMBER_ID' }
      const decided = decideHeartbeat(group, command)
      return { records: [], answer: decided.error, enact: () => this.expect(groupId, decided.deadlines) }
    })
    return error ?? answer
  }

  async leave(groupId: string, members: readonly LeavingMember[]): Promise<readonly LeftMember[] | KafkaError> {
    if (groupId === '') return 'INVALID_GROUP_ID'
    const rules = this.#rules()
    let left: readonly LeftMember[] = members.map(({ memberId, groupInstanceId }) => ({
      memberId,
      groupInstanceId,
      error: 'UNKNOWN_MEMBER_ID',
    }))
    const error = await this.#run(groupId, null, (shard, nowMs) => {
      const group = shard.classicGroup(groupId)
      if (group === null) return []
      const decision = decideLeave(group, members, rules, nowMs)
      left = decision.left
      return decision
    })
    return error ?? left
  }

  loaded(shard: GroupShard): void {
    for (const { groupId } of [...shard.groups()]) {
      const group = shard.classicGroup(groupId)
      if (group === null || group.isEmpty) continue
      this.expect(groupId, deadlinesOnLoad(group))
      const rules = this.#rules()
      if (group.members.size > rules.groupMaxSize) {
        void this.#run(groupId, null, (_, nowMs) => shrinkOnLoad(group, rules, nowMs))
      }
    }
  }

  unloaded(shard: GroupShard): void {
    for (const { groupId } of shard.groups()) {
      for (const { joining, syncing } of shard.classicGroup(groupId)?.members.values() ?? []) {
        if (joining !== null) this.#fail(joining, 'NOT_COORDINATOR')
        if (syncing !== null) this.#fail(syncing, 'NOT_COORDINATOR')
      }
    }
  }

  /** Sets deadlines as decided. */
  expect(groupId: string, changes: readonly DeadlineChange[]): void {
    const { deadlines } = this.#groups
    for (const { key, set } of changes) {
      if (set === null) deadlines.cancel(groupId, key)
      else deadlines.set(groupId, key, set.afterMs, () => void this.#due(groupId, set.due))
    }
  }

  #due(groupId: string, due: NonNullable<DeadlineChange['set']>['due']): Promise<KafkaError | null> {
    return this.#run(groupId, null, (shard, nowMs) => {
      const group = shard.classicGroup(groupId)
      return group === null ? [] : (decideDue(group, due, this.#rules(), nowMs) ?? [])
    })
  }

  #park(begin: (ticket: Ticket) => void): Promise<ParkedAnswer> {
    const ticket = ++this.#tickets
    return new Promise((resolve) => {
      this.#parked.set(ticket, resolve)
      begin(ticket)
    })
  }

  /** Decides, and answers whoever is to be answered. A decision that changes nothing may be just its replies. */
  async #run(
    groupId: string,
    ticket: Ticket | null,
    decide: (shard: GroupShard, nowMs: bigint) => ClassicDecision | readonly ClassicReply[],
  ): Promise<KafkaError | null> {
    let replies: readonly ClassicReply[] = []
    let error: KafkaError | null = 'UNKNOWN_SERVER_ERROR'
    try {
      const outcome = await this.#groups.coordinator.run(groupId, (shard, nowMs) => {
        const decision = decide(shard, nowMs)
        const isWhole = 'group' in decision
        replies = isWhole ? decision.replies : decision
        return isWhole ? this.#decided(groupId, decision) : { records: [], answer: null }
      })
      error = outcome.error
    } catch (cause) {
      this.#logger.error('group decision failed', { groupId, cause })
    }
    for (const reply of replies) {
      if (error === null) this.#answer(reply)
      else this.#fail(reply.ticket, error)
    }
    if (error !== null && ticket !== null) this.#fail(ticket, error)
    return error
  }

  #decided(groupId: string, decision: ClassicDecision): CoordinatorDecision<GroupShard, GroupRecord, null> {
    const { group, records, deadlines, rebalance } = decision
    return {
      records,
      answer: null,
      enact: (shard) => {
        shard.place(group)
        this.expect(groupId, deadlines)
        if (rebalance !== null) this.#report(group, rebalance)
      },
    }
  }

  #report({ groupId, generation, members }: ClassicGroup, reason: string): void {
    this.#logger.info('group rebalance', { groupId, generation, members: members.size, reason })
  }

  #answer({ ticket, ...answer }: ClassicReply): void {
    this.#settle(ticket, answer)
  }

  #fail(ticket: Ticket, error: KafkaError): void {
    this.#settle(ticket, { error })
  }

  #settle(ticket: Ticket, answer: ParkedAnswer): void {
    const settle = this.#parked.get(ticket)
    this.#parked.delete(ticket)
    settle?.(answer)
  }
}

function join(
  shard: GroupShard,
  command: JoinCommand,
  rules: ClassicRules,
  nowMs: bigint,
): ClassicDecision | readonly ClassicReply[] {
  const { groupId, ticket } = command
  const group = shard.group(groupId)
  const classic = shard.classicGroup(groupId)
  if (group !== null && classic === null && !group.isEmpty) {
    return [{ ticket, join: joinError('INCONSISTENT_GROUP_PROTOCOL', '') }]
  }
  const decided = decideJoin(classic, command, rules, nowMs)
  if (!('group' in decided)) return [{ ticket, join: decided }]
  // An empty group of another type gives its id up.
  return classic === group ? decided : { ...decided, records: [...group!.tombstones(), ...decided.records] }
}
