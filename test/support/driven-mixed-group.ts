/** A group of either protocol with its log, its deadlines and its parked requests, driven decision by decision. */
import { decideJoin } from '../../src/domain/groups/classic-join.ts'
import type { ClassicDeadline, ClassicReply, DeadlineChange } from '../../src/domain/groups/classic-decision.ts'
import { decideDue, decideHeartbeat, decideLeave, deadlinesOnLoad } from '../../src/domain/groups/classic-membership.ts'
import { decideSync } from '../../src/domain/groups/classic-sync.ts'
import { decideClassicJoin } from '../../src/domain/groups/consumer-classic-join.ts'
import {
  decideClassicHeartbeat,
  decideClassicLeave,
  decideClassicSync,
} from '../../src/domain/groups/consumer-classic-member.ts'
import {
  deadlinesAfterLoad,
  type ConsumerGroupContext,
  type ConsumerGroupDecision,
  type ConsumerHeartbeat,
  type GroupRefusal,
  type HeartbeatAnswer,
  type MemberDeadline,
} from '../../src/domain/groups/consumer-decision.ts'
import { decideRebalanceExpired, decideSessionExpired } from '../../src/domain/groups/consumer-removal.ts'
import { decideConsumerHeartbeat } from '../../src/domain/groups/group-entry.ts'
import type { GroupRecord } from '../../src/domain/groups/group-record.ts'
import { GroupShard } from '../../src/domain/groups/group-shard.ts'
import { type Answer, REBALANCE_MS, SESSION_MS, rules } from './driven-classic-group.ts'
import { compile, consumerSettings } from './driven-consumer-group.ts'
import { subscriptionBytes } from './group-conversation.ts'
import { groupImage } from './group-images.ts'

const TOPIC = 'conversions'
const noDelay = { ...rules, groupInitialRebalanceDelayMs: 0 }
const image = groupImage({ [TOPIC]: 6 })
const metadata = subscriptionBytes({ topics: [TOPIC] })

type Due = { readonly classic: ClassicDeadline } | { readonly member: MemberDeadline }

export class DrivenMixedGroup {
  shard = new GroupShard()
  readonly log: GroupRecord[] = []
  readonly answers = new Map<number, Answer>()
  readonly waiting = new Set<number>()
  readonly deadlines = new Map<string, { readonly atMs: number; readonly due: Due }>()
  nowMs = 1_000_000
  #tickets = 0
  #ids = 0

  /** The newest generation or epoch. */
  get epoch(): number {
    return this.shard.consumerGroup('g')?.epoch ?? this.shard.classicGroup('g')?.generation ?? 0
  }

  has(memberId: string): boolean {
    const members = this.shard.consumerGroup('g')?.members ?? this.shard.classicGroup('g')?.members
    return members?.has(memberId) ?? false
  }

  join(memberId: string): number {
    const ticket = this.#ticket()
    const newMemberId = `m${++this.#ids}`
    const command = {
      groupId: 'g',
      memberId,
      groupInstanceId: null,
      clientId: 'c',
      clientHost: '/h',
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata }],
      reason: null,
      requiresMemberId: false,
      canSkipAssignment: true,
      newMemberId,
      newConsumerMemberId: newMemberId,
      ticket,
    }
    const consumer = this.shard.consumerGroup('g')
    if (consumer !== null && !consumer.isEmpty) {
      const answer = this.#apply(decideClassicJoin(consumer, command, this.#context()))
      if (!('generation' in answer)) throw new Error(answer.message)
      this.#reply([{ ticket, join: answer }])
      return ticket
    }
    const decided = decideJoin(this.shard.classicGroup('g'), command, noDelay, BigInt(this.nowMs))
    if (!('group' in decided)) this.#reply([{ ticket, join: decided }])
    else this.#applyClassic({ ...decided, records: [...(consumer?.tombstones() ?? []), ...decided.records] })
    return ticket
  }

  sync(memberId: string, generation: number, assignments: ReadonlyMap<string, Uint8Array>): number {
    const ticket = this.#ticket()
    const who = { groupId: 'g', memberId, groupInstanceId: null, generation }
    const command = { ...who, protocolType: 'consumer', protocol: 'range', assignments, ticket }
    const consumer = this.shard.consumerGroup('g')
    if (consumer !== null) {
      const { answer, deadlines } = decideClassicSync(consumer, command, image)
      this.#expectMembers(deadlines)
      this.#reply([{ ticket, sync: answer }])
    } else {
      this.#applyClassic(decideSync(this.shard.classicGroup('g')!, command, BigInt(this.nowMs)))
    }
    return ticket
  }

  heartbeat(memberId: string, generation: number): string {
    const command = { groupId: 'g', memberId, groupInstanceId: null, generation }
    const consumer = this.shard.consumerGroup('g')
    if (consumer !== null) {
      const { error, deadlines } = decideClassicHeartbeat(consumer, command)
      this.#expectMembers(deadlines)
      return error
    }
    const classic = this.shard.classicGroup('g')
    if (classic === null) return 'UNKNOWN_MEMBER_ID'
    const { error, deadlines } = decideHeartbeat(classic, command)
    this.#expect(deadlines)
    return error
  }

  leave(memberId: string): void {
    const leaving = [{ memberId, groupInstanceId: null, reason: null }]
    const consumer = this.shard.consumerGroup('g')
    const classic = this.shard.classicGroup('g')
    if (consumer !== null) this.#apply(decideClassicLeave(consumer, leaving, this.#context()))
    else if (classic !== null) this.#applyClassic(decideLeave(classic, leaving, noDelay, BigInt(this.nowMs)))
  }

  /** A heartbeat of the consumer protocol. */
  consume(memberId: string, memberEpoch: number, owned: readonly number[] | null): HeartbeatAnswer | GroupRefusal {
    const heartbeat: ConsumerHeartbeat = {
      groupId: 'g',
      memberId,
      memberEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: memberEpoch === 0 ? REBALANCE_MS : -1,
      subscribedTopicNames: memberEpoch === 0 ? [TOPIC] : null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      owned: owned?.length === 0 ? [] : owned && [{ topicId: this.topicId, partitions: owned }],
      clientId: 'c',
      clientHost: '/h',
    }
    return this.#apply(decideConsumerHeartbeat(this.shard, heartbeat, this.#context()))
  }

  get topicId(): string {
    return image.topicsByName.get(TOPIC)!.id
  }

  /** Lets time pass; what is due is decided about in its order. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms
    for (;;) {
      const next = [...this.deadlines].sort(([, a], [, b]) => a.atMs - b.atMs)[0]
      if (next === undefined || next[1].atMs > untilMs) break
      this.deadlines.delete(next[0])
      this.nowMs = next[1].atMs
      this.#decideDue(next[1].due)
    }
    this.nowMs = untilMs
  }

  /** Another broker takes over: the state is what the log says, and whoever waited is gone. */
  restart(): void {
    this.shard = this.replayed()
    this.deadlines.clear()
    this.waiting.clear()
    const consumer = this.shard.consumerGroup('g')
    const classic = this.shard.classicGroup('g')
    if (consumer !== null) this.#expectMembers(deadlinesAfterLoad(consumer, consumerSettings.sessionTimeoutMs))
    if (classic !== null) this.#expect(deadlinesOnLoad(classic))
  }

  replayed(): GroupShard {
    const shard = new GroupShard()
    this.log.forEach((record, i) => {
      shard.evolve(record, BigInt(i), -1n)
    })
    return shard
  }

  #context(): ConsumerGroupContext {
    const nowMs = BigInt(this.nowMs)
    return { image, nowMs, settings: consumerSettings, compilePattern: compile, classicRules: noDelay }
  }

  #decideDue(due: Due): void {
    const classic = this.shard.classicGroup('g')
    const consumer = this.shard.consumerGroup('g')
    if ('classic' in due) {
      const decision = classic && decideDue(classic, due.classic, noDelay, BigInt(this.nowMs))
      if (decision !== null) this.#applyClassic(decision)
    } else if (consumer !== null) {
      const { member } = due
      this.#apply(
        member.kind === 'rebalance'
          ? decideRebalanceExpired(consumer, member.memberId, member.memberEpoch, this.#context())
          : decideSessionExpired(consumer, member.memberId, this.#context()),
      )
    }
  }

  #ticket(): number {
    const ticket = ++this.#tickets
    this.waiting.add(ticket)
    return ticket
  }

  #write(records: readonly GroupRecord[]): void {
    for (const record of records) {
      this.shard.evolve(record, BigInt(this.log.length), -1n)
      this.log.push(record)
    }
  }

  #applyClassic({ group, records, replies, deadlines }: ReturnType<typeof decideSync>): void {
    this.#write(records)
    this.shard.place(group)
    this.#expect(deadlines)
    this.#reply(replies)
  }

  #apply<Told>({ records, answer, deadlines, conversion }: ConsumerGroupDecision<Told>): Told | GroupRefusal {
    this.#write(records)
    if (conversion !== undefined) this.deadlines.clear()
    if (conversion?.to === 'classic') {
      this.shard.place(conversion.group)
      this.#expect(conversion.deadlines)
    }
    if (conversion?.to === 'consumer') this.#reply(conversion.replies)
    this.#expectMembers(deadlines)
    return answer
  }

  #reply(replies: readonly ClassicReply[]): void {
    for (const reply of replies) {
      if (!this.waiting.delete(reply.ticket)) throw new Error(`ticket ${reply.ticket} does not wait`)
      this.answers.set(reply.ticket, 'join' in reply ? reply.join : reply.sync)
    }
  }

  #expect(changes: readonly DeadlineChange[]): void {
    for (const { key, set } of changes) {
      if (set === null) this.deadlines.delete(key)
      else this.deadlines.set(key, { atMs: this.nowMs + set.afterMs, due: { classic: set.due } })
    }
  }

  #expectMembers(changes: readonly MemberDeadline[]): void {
    for (const member of changes) {
      const key = `${member.kind}:${member.memberId}`
      if (member.afterMs === null) this.deadlines.delete(key)
      else if (member.kind !== 'join' || !this.deadlines.has(key)) {
        this.deadlines.set(key, { atMs: this.nowMs + member.afterMs, due: { member } })
      }
    }
  }
}
